"""The kit lies beside the package: benchmarks/gpu is on the path while its tests run."""

import sys
from pathlib import Path

import pytest
import torch.nn.attention.flex_attention as flex

from donorgrid.models.gpu import choice

KIT = Path(__file__).parents[3] / "benchmarks" / "gpu"
sys.path.insert(0, str(KIT))


@pytest.fixture
def small_and_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """FlexAttention without a kernel, with gradients, and trials of few tokens."""
    monkeypatch.setattr(flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    monkeypatch.setattr(flex, "_validate_device", lambda *_: None)
    monkeypatch.setattr(choice, "_FEWEST_TOKENS", 64)
    monkeypatch.setattr(choice, "_TRAINING_TOKENS", 200)
