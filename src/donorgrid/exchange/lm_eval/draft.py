"""A first mapping file for lm-eval's outputs, with guesses that a person must check."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from donorgrid.exchange.lm_eval.files import Output, find_outputs
from donorgrid.facts.languages import language_facts

UNKNOWN = "TASK/LANGUAGE"


def draft_mapping(paths: Sequence[Path]) -> str:
    """Returns the text of a mapping file for all outputs among ``paths``; a person fills in TASK/LANGUAGE.

    An output that names no adapter counts as a base model, and a language code in a task's name as its language. Raises
    InputError if there are no outputs.
    """
    outputs = find_outputs(paths)
    names = dict.fromkeys(name for output in outputs for name in output.tasks)
    patterns = dict(sorted({_pattern(name) for name in names}))
    runs = {str(output.path.parent): _run(output) for output in outputs}
    body = yaml.safe_dump({"tasks": patterns, "runs": runs}, sort_keys=False, allow_unicode=True)
    return (
        "# Check every line; docs/import.md describes the keys. With 'id_field: NAME' say which field of a document\n"
        f"# is an ID that is the same in every language. Write cells for {UNKNOWN}.\n{body}"
    )


def _pattern(name: str) -> tuple[str, str]:
    """Returns a pattern and a task: (``arc_{language}``, ``arc``) for ``arc_de``."""
    parts = name.split("_")
    for index in range(len(parts) - 1, 0, -1):
        if language_facts(parts[index]):
            rest = parts[index + 1 :]
            if rest and len(rest[0]) == 4 and rest[0].istitle():  # a script, as in deu_Latn
                rest = rest[1:]
            return "_".join([*parts[:index], "{language}", *rest]), "_".join(parts[:index])
    return f"{name}_{{language}}", name


def _run(output: Output) -> dict[str, object]:
    model = (output.pretrained or "model").rstrip("/").rpartition("/")[2]
    if output.peft is None:
        return {"model": model, "baseline": True}
    return {"model": model, "source": UNKNOWN, "recipe": "lora", "train_seed": 0}
