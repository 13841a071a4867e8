"""Families and nominal sizes of base models, by one rule on the last part of a model's name.

The name may be a hub ID (``meta-llama/Llama-3.1-8B-Instruct``), a folder, or the short name of a result table
(``Llama-3.1-8B-Instruct``), in any case, with suffixes such as ``-GGUF`` or ``-bnb-4bit``. A family joins the sizes of
one generation: all Llama 3.x are one, as in "Donors and Recipients" (arXiv 2511.13368). A name that fits no family, or
several, has none: nothing guesses. A study file may say otherwise.
"""

import re
from dataclasses import dataclass

_VERSION_ENDS = r"(?![0-9b])"
"""A version is a whole number that is not the size: gemma-2b is no Gemma 2, llama-30b no Llama 3."""

_FAMILIES = {
    "Llama 3": rf"llama[-_]?3{_VERSION_ENDS}",
    "Llama 2": rf"llama[-_]?2{_VERSION_ENDS}",
    "Qwen2.5": rf"qwen[-_]?2\.5{_VERSION_ENDS}",
    "Qwen2": rf"qwen[-_]?2{_VERSION_ENDS}(?!\.)",
    "Qwen3": rf"qwen[-_]?3{_VERSION_ENDS}(?!\.)",
    "Gemma 3": rf"gemma[-_]?3{_VERSION_ENDS}(?!n)",
    "Gemma 2": rf"gemma[-_]?2{_VERSION_ENDS}",
    "Mistral": r"(mistral|ministral)",
    "Pythia": r"pythia",
    "SmolLM2": rf"smollm[-_]?2{_VERSION_ENDS}",
    "Aya": r"aya(?![a-z])",
    "BLOOM": r"bloomz?(?![a-z])",
}
"""Family -> pattern in a lower-cased name, where it follows no letter (names of the Hugging Face hub)."""

_PATTERNS = {family: re.compile(rf"(?<![a-z]){pattern}") for family, pattern in _FAMILIES.items()}
_SIZE = re.compile(r"(?<![0-9a-z.])(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])")
_MILLIONS_PER_BILLION = 1000.0


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A model's family and nominal size in billions of parameters."""

    family: str
    size_b: float


def family_of(model_id: str) -> str | None:
    """Returns the family that a model's name says, or None if it fits no family or several."""
    name = _last_part(model_id)
    families = [family for family, pattern in _PATTERNS.items() if pattern.search(name)]
    return families[0] if len(families) == 1 else None


def size_b_of(model_id: str) -> float | None:
    """Returns the nominal size (billions of parameters) in a model's name, or None if it has none or several.

    ``0.5B`` is a size in billions, ``270m`` in millions. Beside a size in billions, ``1M`` is a length of context.
    """
    numbers = _SIZE.findall(_last_part(model_id))
    billions = {float(number) for number, unit in numbers if unit == "b"}
    millions = {float(number) / _MILLIONS_PER_BILLION for number, unit in numbers if unit == "m"}
    sizes = billions or millions
    return sizes.pop() if len(sizes) == 1 else None


def model_facts(model_id: str, *, n_parameters: int, model_type: str) -> ModelFacts:
    """The facts of a model whose files are at hand: by its name, else by what its files say.

    Parameters
    ----------
    model_id
        A hub ID, a folder or a short name.
    n_parameters
        The parameters that its weight files hold: the size where the name says none.
    model_type
        The architecture's name in ``config.json``: the family where the name says none.

    Returns
    -------
    ModelFacts
        The family, and the size in billions of parameters.
    """
    size_b = size_b_of(model_id)
    return ModelFacts(family=family_of(model_id) or model_type, size_b=n_parameters / 1e9 if size_b is None else size_b)


def _last_part(model_id: str) -> str:
    return model_id.rstrip("/").rpartition("/")[2].lower()
