"""Named recipes and the studies that ``donorgrid init`` and ``donorgrid demo`` start from."""

from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import LLAMA_LINEAR

_LORA: dict[str, Any] = {
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
}

RECIPES: dict[str, dict[str, Any]] = {
    # The hyperparameters of "Donors and Recipients" (arXiv 2511.13368); texts become tokens as the scorer reads them.
    "lora": _LORA,
    # As the released code of "Donors and Recipients" trains: without BOS and chat template, which its scoring has.
    "paper": {**_LORA, "tokenise": "apart", "append_eos": False},
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

_SCORED_WAY = {"lora": "lora"}


@dataclass(frozen=True, kw_only=True)
class StudyPreset:
    """A study that ``donorgrid init`` writes.

    Attributes
    ----------
    title
        One line for ``donorgrid init --list``. It says "non-commercial" if a data set forbids commercial use.
    fields
        The keys of the study file; what they leave out gets the defaults of ``plan.study``.
    """

    title: str
    fields: dict[str, Any]


def _benchmark(
    title: str, *, tasks: tuple[str, ...], languages: tuple[str, ...] = PAPER_LANGUAGES, **changes: Any
) -> StudyPreset:
    """The paper's hyperparameters on other tasks, with one small open model that users replace by their own."""
    benchmark = {"models": [SMALL_MODEL], "tasks": list(tasks), "languages": list(languages), "recipes": _SCORED_WAY}
    fields = {**_PAPER, **benchmark, **changes}
    return StudyPreset(title=title, fields=fields)


PRESETS: dict[str, StudyPreset] = {
    "pocket": StudyPreset(
        title="the built-in offline world: four small tasks in eleven languages, one seed",
        fields={
            "models": ["pocket"],
            "tasks": list(POCKET_TASKS),
            "languages": list(POCKET_LANGUAGES),
            "recipes": {"pocket": "pocket"},
            "train_seeds": [17],
        },
    ),
    "demo": StudyPreset(
        title="what 'donorgrid demo' runs: 18 cells of the built-in world, two seeds",
        fields={
            "models": ["pocket"],
            "tasks": list(POCKET_TASKS[:3]),
            "languages": ["bn", "de", "en", "es", "hi", "zh"],
            "recipes": {"pocket": "pocket"},
            "train_seeds": [17, 42],
        },
    ),
    "paper": StudyPreset(
        title="Donors and Recipients (arXiv 2511.13368), whole: 9 models, 44 cells, 3 seeds; data non-commercial",
        fields=_PAPER,
    ),
    "paper-small": StudyPreset(
        title="the paper's tasks and recipe with one small model, four languages, two seeds; data non-commercial",
        fields={**_PAPER, "models": [SMALL_MODEL], "languages": ["de", "en", "hi", "zh"], "train_seeds": [17, 42]},
    ),
    # The release compares ranks 32, 64 and 128 and full fine-tuning on six sources; this is its smallest model there.
    # It does not say how it trained its full fine-tunings: here they use the paper's recipe.
    "paper-ranks": StudyPreset(
        title="the paper's comparison of ranks 32, 64, 128 and full fine-tuning, one model; data non-commercial",
        fields={
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
    ),
    "commercial": _benchmark(
        "Belebele, Global-MMLU-Lite and SIB-200 in the paper's languages: data that commercial use may read",
        tasks=("belebele", "global_mmlu", "sib200"),
    ),
    "belebele": _benchmark("reading comprehension, human-translated, in the paper's languages", tasks=("belebele",)),
    "global-mmlu": _benchmark("exam questions, human-translated (the paper's rows)", tasks=("global_mmlu",)),
    "include": _benchmark(
        "exam questions written in each language; items do not align",
        tasks=("include",),
        languages=("ar", "bn", "de", "es", "fr", "hi", "id", "it", "pt", "zh"),
    ),
    "mgsm": _benchmark(
        "arithmetic whose answers are generated, human-translated, in eleven languages",
        tasks=("mgsm",),
        languages=("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"),
    ),
    # The training splits of PAWS-X and XNLI are hundreds of times the paper's: a run draws as many items as the paper.
    "paws-x": _benchmark(
        "paraphrases in seven languages; training part machine-translated",
        tasks=("paws-x",),
        languages=("de", "en", "es", "fr", "ja", "ko", "zh"),
        train_sizes=[300],
    ),
    "sib200": _benchmark("topics of sentences, human-translated, in the paper's languages", tasks=("sib200",)),
    "xcopa": _benchmark(
        "causes and effects in eleven languages, human-translated",
        tasks=("xcopa",),
        languages=("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"),
    ),
    "xnli": _benchmark(
        "natural language inference in fifteen languages; data non-commercial",
        tasks=("xnli",),
        languages=("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"),
        train_sizes=[300],
    ),
    "xstorycloze": _benchmark(
        "endings of stories in eleven languages, human-translated",
        tasks=("xstorycloze",),
        languages=("ar", "en", "es", "eu", "hi", "id", "my", "ru", "sw", "te", "zh"),
    ),
}
"""Preset -> its study. A new benchmark needs one file in ``tasks/catalog/`` and one entry here."""


def named_recipe(name: str) -> dict[str, Any]:
    """Returns the fields of a named recipe; InputError if there is none of this name."""
    if name not in RECIPES:
        raise InputError(f"no recipe preset '{name}'; there are {sorted(RECIPES)}{suggestion(name, RECIPES)}")
    return RECIPES[name]


def recipe_preset(name: object) -> dict[str, Any]:
    """Returns the fields of a named recipe; ValueError (which pydantic places) if there is none of this name."""
    if not isinstance(name, str) or name not in RECIPES:
        raise ValueError(f"no recipe preset '{name}'; there are {sorted(RECIPES)}{suggestion(str(name), RECIPES)}")
    return RECIPES[name]


def study_preset(name: str) -> dict[str, Any]:
    """Returns the fields of a named study; InputError if there is none of this name."""
    if name not in PRESETS:
        raise InputError(f"no preset '{name}'; there are {sorted(PRESETS)}{suggestion(name, PRESETS)}")
    return PRESETS[name].fields
