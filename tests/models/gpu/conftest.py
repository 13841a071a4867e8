"""FlexAttention without a kernel and with gradients on a CPU: torch computes the whole square."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.attention.flex_attention as flex
from transformers import AutoModelForCausalLM

from worlds import make_checkpoint


@pytest.fixture(autouse=True)
def plain_flex_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    monkeypatch.setattr(flex, "_validate_device", lambda *_: None)
    monkeypatch.setattr(flex, "_warn_once", lambda *_, **__: None)


@pytest.fixture(scope="session")
def network_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """A tiny frozen network by its architecture."""
    networks: dict[str, Any] = {}

    def network(kind: str) -> Any:
        if kind not in networks:
            folder = make_checkpoint(kind, tmp_path_factory.mktemp(kind))
            networks[kind] = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
            networks[kind].requires_grad_(False)
        return networks[kind]

    return network
