"""Tiny resident models of every architecture."""

from collections.abc import Callable
from pathlib import Path

import pytest

from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from worlds import make_checkpoint, make_multimodal

Load = Callable[..., Base]


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A tiny model by its kind, in float32 unless told otherwise."""
    root = tmp_path_factory.mktemp("bases")

    def load_kind(kind: str, precision: str = "fp32") -> Base:
        folder: Path = root / kind
        if not folder.exists():
            make_multimodal(folder) if kind == "gemma3-multimodal" else make_checkpoint(kind, folder)
        return load_base(find_model(kind, revision=None, folder=root, built_in={}), precision=precision, device="cpu")

    return load_kind
