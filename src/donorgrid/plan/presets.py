"""Named recipes and the studies that ``donorgrid init`` and ``donorgrid demo`` start from."""

from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import LLAMA_LINEAR

RECIPES: dict[str, dict[str, Any]] = {
    # "Donors and Recipients" (arXiv 2511.13368), as its released code trains.
    "paper": {
        "method": "lora",
        "rank": 32,
        "alpha": 64.0,
        "dropout": 0.0,
        "target_modules": list(LLAMA_LINEAR),
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 5e-5,
        "schedule": "linear",
        "warmup_share": 0.1,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "precision": "bf16",
        "validation_share": 0.1,
    },
    # For the pocket model, which is a thousand times smaller: few, large steps.
    "pocket": {"rank": 8, "alpha": 16.0, "epochs": 3, "batch_size": 16, "learning_rate": 5e-3, "precision": "fp32"},
}

POCKET_TASKS = ("continent", "currency", "language", "place")
POCKET_LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")

STUDIES: dict[str, dict[str, Any]] = {
    "pocket": {
        "models": ["pocket"],
        "tasks": list(POCKET_TASKS),
        "languages": list(POCKET_LANGUAGES),
        "recipes": {"pocket": "pocket"},
        "train_seeds": [17],
    },
    "demo": {
        "models": ["pocket"],
        "tasks": list(POCKET_TASKS[:3]),
        "languages": ["bn", "de", "en", "es", "hi", "zh"],
        "recipes": {"pocket": "pocket"},
        "train_seeds": [17, 42],
    },
}


def recipe_preset(name: object) -> dict[str, Any]:
    """The fields of a named recipe; ValueError (for pydantic to place) when there is none."""
    if not isinstance(name, str) or name not in RECIPES:
        raise ValueError(f"no recipe preset '{name}'; there are {sorted(RECIPES)}{suggestion(str(name), RECIPES)}")
    return RECIPES[name]


def study_preset(name: str) -> dict[str, Any]:
    """The fields of a named study; InputError when there is none."""
    if name not in STUDIES:
        raise InputError(f"no preset '{name}'; there are {sorted(STUDIES)}{suggestion(name, STUDIES)}")
    return STUDIES[name]
