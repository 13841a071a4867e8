"""Families and nominal sizes of base models: facts where they are known, one rule for the rest.

A family joins the sizes of one generation (all Llama 3.x are one family, as in "Donors and Recipients", arXiv
2511.13368). A study file may say otherwise; nothing else guesses.
"""

import re
from dataclasses import dataclass

FAMILIES = (
    (r"llama-?3", "Llama 3"),
    (r"llama-?2", "Llama 2"),
    (r"qwen-?2\.5", "Qwen2.5"),
    (r"qwen-?2", "Qwen2"),
    (r"qwen-?3", "Qwen3"),
    (r"gemma-?3", "Gemma 3"),
    (r"gemma-?2", "Gemma 2"),
    (r"mistral|ministral", "Mistral"),
    (r"pythia", "Pythia"),
    (r"smollm-?2", "SmolLM2"),
    (r"aya", "Aya"),
    (r"bloom", "BLOOM"),
)
"""Pattern in the lower-cased last part of a model's id -> family, first match wins (Hugging Face hub names)."""

_SIZE = re.compile(r"(?<![0-9a-z.])(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])")


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A model's family and nominal size in billions of parameters."""

    family: str
    size_b: float


def model_facts(model_id: str, *, n_parameters: int, model_type: str) -> ModelFacts:
    """What is known of a model by its id; else its architecture's name and its counted parameters.

    The nominal size is the one in the name (``0.5B``, ``270m``), which is what families are sold by.
    """
    name = model_id.rstrip("/").rpartition("/")[2].lower()
    family = next((known for pattern, known in FAMILIES if re.search(pattern, name)), model_type)
    size = _SIZE.search(name)
    if size is None:
        return ModelFacts(family=family, size_b=n_parameters / 1e9)
    return ModelFacts(family=family, size_b=float(size[1]) / (1.0 if size[2] == "b" else 1000.0))
