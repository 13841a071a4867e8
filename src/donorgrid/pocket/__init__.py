"""The built-in offline world: four tasks from CLDR in eleven languages, and a tiny base model that half knows them."""

from pathlib import Path

from donorgrid.pocket.items import documents
from donorgrid.pocket.wording import LANGUAGES
from donorgrid.pocket.world import TASKS

__all__ = ["LANGUAGES", "TASKS", "documents", "model_folder"]


def model_folder() -> Path:
    """The folder of the shipped base model, in the format of ``transformers``."""
    return Path(__file__).parent / "model"
