"""The built-in offline world: four tasks from CLDR in eleven languages, and a tiny base model that half knows them.

``donorgrid.pocket.pretrain.train_base_model`` makes the base model again; it stands apart because it imports torch.
"""

from pathlib import Path

from donorgrid.pocket.items import documents
from donorgrid.pocket.wording import LANGUAGES
from donorgrid.pocket.world import TASKS

__all__ = ["BASE_MODEL_SEED", "LANGUAGES", "TASKS", "WEIGHTS_SHA256", "documents", "model_folder"]

BASE_MODEL_SEED = 7
"""The seed with which ``train_base_model`` made the shipped weights."""

WEIGHTS_SHA256 = "9c896f161bf2e9e575f216b820a5cca2254f6ab0e8fa878d031c3d2f8338aff1"
"""SHA-256 of the shipped ``model.safetensors``."""


def model_folder() -> Path:
    """The folder of the shipped base model, in the format of ``transformers``."""
    return Path(__file__).parent / "model"
