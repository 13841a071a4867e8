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

PAPER_MODELS = (
    "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.1-8B-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen2.5-3B-Instruct",
    "Qwen/Qwen2.5-7B-Instruct",
    "google/gemma-3-1b-it",
    "google/gemma-3-4b-it",
)
PAPER_TASKS = ("arc_challenge", "global_mmlu", "hellaswag", "truthfulqa")
PAPER_LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")
SMALL_MODEL = "Qwen/Qwen2.5-0.5B-Instruct"

_PAPER: dict[str, Any] = {
    "models": list(PAPER_MODELS),
    "tasks": list(PAPER_TASKS),
    "languages": list(PAPER_LANGUAGES),
    "recipes": {"paper": "paper"},
    "train_seeds": [17, 42, 101],
    "scoring": {"precision": "bf16", "chat_template": True},
    "keep_adapters": "none",
}


def _benchmark(*tasks: str, languages: tuple[str, ...] = PAPER_LANGUAGES, **changes: Any) -> dict[str, Any]:
    """The paper's recipe on other tasks with one small open model, which a user replaces by their own."""
    return {**_PAPER, "models": [SMALL_MODEL], "tasks": list(tasks), "languages": list(languages), **changes}


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
    "paper": _PAPER,
    "paper-small": {**_PAPER, "models": [SMALL_MODEL], "languages": ["de", "en", "hi", "zh"], "train_seeds": [17, 42]},
    # The release compares ranks 32, 64 and 128 and full fine-tuning on six sources; this is its smallest model there.
    # It does not say how its full fine-tunings were trained: here with the paper's recipe.
    "paper-ranks": {
        **_PAPER,
        "models": ["Qwen/Qwen2.5-1.5B-Instruct"],
        "sources": [
            f"{task}/{language}" for task in ("arc_challenge", "global_mmlu") for language in ("bn", "en", "fr")
        ],
        "recipes": {
            **{f"r{rank}": {"preset": "paper", "rank": rank, "alpha": 2.0 * rank} for rank in (32, 64, 128)},
            "full": {"preset": "paper", "method": "full"},
        },
    },
    "commercial": _benchmark("belebele", "global_mmlu", "sib200"),
    "belebele": _benchmark("belebele"),
    "global-mmlu": _benchmark("global_mmlu"),
    "include": _benchmark("include", languages=("ar", "bn", "de", "es", "fr", "hi", "id", "it", "pt", "zh")),
    "mgsm": _benchmark("mgsm", languages=("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")),
    # Their training splits are hundreds of times the paper's: as many items are drawn as the paper has.
    "paws-x": _benchmark("paws-x", languages=("de", "en", "es", "fr", "ja", "ko", "zh"), train_sizes=[300]),
    "sib200": _benchmark("sib200"),
    "xcopa": _benchmark("xcopa", languages=("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")),
    "xnli": _benchmark(
        "xnli",
        languages=("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"),
        train_sizes=[300],
    ),
    "xstorycloze": _benchmark(
        "xstorycloze", languages=("ar", "en", "es", "eu", "hi", "id", "my", "ru", "sw", "te", "zh")
    ),
}

TITLES: dict[str, str] = {
    "pocket": "the built-in offline world: four small tasks in eleven languages, one seed",
    "demo": "what 'donorgrid demo' runs: 18 cells of the built-in world, two seeds",
    "paper": "Donors and Recipients (arXiv 2511.13368), whole: 9 models, 44 cells, 3 seeds; data non-commercial",
    "paper-small": "the paper's tasks and recipe with one small model, four languages, two seeds; data non-commercial",
    "paper-ranks": "the paper's comparison of ranks 32, 64, 128 and full fine-tuning, one model; data non-commercial",
    "commercial": "Belebele, Global-MMLU-Lite and SIB-200 in the paper's languages: data that commercial use may read",
    "belebele": "reading comprehension, human-translated, in the paper's languages",
    "global-mmlu": "exam questions, human-translated (the paper's rows)",
    "include": "exam questions written in each language; items do not align",
    "mgsm": "arithmetic whose answers are generated, human-translated, in eleven languages",
    "paws-x": "paraphrases in seven languages; training part machine-translated",
    "sib200": "topics of sentences, human-translated, in the paper's languages",
    "xcopa": "causes and effects in eleven languages, human-translated",
    "xnli": "natural language inference in fifteen languages; data non-commercial",
    "xstorycloze": "endings of stories in eleven languages, human-translated",
}
"""Preset -> one line for ``donorgrid init --list``; a data set that forbids commercial use is named as such."""


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
