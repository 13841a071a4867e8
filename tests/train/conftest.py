"""Tiny resident models and encoded texts."""

import random
from collections.abc import Callable

import pytest

from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.train.encode import EncodedText
from worlds import make_checkpoint, make_multimodal

Load = Callable[[str], Base]


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Load a tiny model by its kind in float32, each time anew."""
    root = tmp_path_factory.mktemp("bases")

    def load_kind(kind: str) -> Base:
        folder = root / kind
        if not folder.exists():
            make_multimodal(folder) if kind == "gemma3-multimodal" else make_checkpoint(kind, folder)
        return load_base(find_model(kind, revision=None, folder=root, built_in={}), precision="fp32", device="cpu")

    return load_kind


@pytest.fixture
def load_bf16(load: Load) -> Load:
    """The same in bf16."""
    return lambda kind: load_base(load(kind).folder, precision="bf16", device="cpu")


@pytest.fixture
def llama(load: Load) -> Base:
    return load("llama")


def random_texts(count: int, *, seed: int = 0, longest: int = 14) -> tuple[EncodedText, ...]:
    """Texts of random tokens, of unequal lengths, the last one to three tokens supervised."""
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        length, n_targets = rng.randint(4, longest), rng.randint(1, 3)
        ids = tuple(rng.randrange(10, 300) for _ in range(length))
        texts.append(EncodedText(ids, (False,) * (length - n_targets) + (True,) * n_targets))
    return tuple(texts)


@pytest.fixture(scope="session")
def texts_of() -> Callable[..., tuple[EncodedText, ...]]:
    return random_texts
