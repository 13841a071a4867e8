"""The shipped base model of the pocket world: where it lies, and what identifies its weights."""

from pathlib import Path

BASE_MODEL_SEED = 7
"""The seed with which ``train_base_model`` made the shipped weights."""

WEIGHTS_SHA256 = "9c896f161bf2e9e575f216b820a5cca2254f6ab0e8fa878d031c3d2f8338aff1"
"""SHA-256 of the shipped ``model.safetensors``."""


def model_folder() -> Path:
    """Returns the folder of the shipped base model, in the format of ``transformers``."""
    return Path(__file__).parent / "model"
