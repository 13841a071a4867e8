"""Fixtures of the tests of the analysis."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def slices() -> list[Path]:
    """The two released slices, or a skip where they are absent."""
    root = Path(os.environ.get("DONORGRID_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
    paths = [root / "release_llama31_8b.csv", root / "release_qwen25_7b.csv"]
    if not all(path.is_file() for path in paths):
        pytest.skip("the released slices are not here")
    return paths
