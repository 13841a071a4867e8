"""Settings of the test session: offline, quiet, one thread per process so that tests can run side by side."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The same cases on every machine and in every run: a test that fails has failed before the change was sent.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny checkpoints (llama, qwen2, gemma3) and the local task colours.yaml."""
    from worlds import make_checkpoint, make_task

    root = tmp_path_factory.mktemp("world")
    for kind in ("llama", "qwen2", "gemma3"):
        make_checkpoint(kind, root / kind)
    make_task(root)
    return root
