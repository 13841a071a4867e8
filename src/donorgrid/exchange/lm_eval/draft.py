"""A first mapping file for lm-eval's outputs, with guesses that a person must check."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from donorgrid.exchange.lm_eval.cells import PLACEHOLDER, tasks_below
from donorgrid.exchange.lm_eval.files import Output
from donorgrid.exchange.lm_eval.find import OutputFiles, find_outputs
from donorgrid.facts.languages import is_language, language_facts, language_label

UNKNOWN = "TASK/LANGUAGE"
_HEAD = f"""\
# Check every line; docs/import.md describes the keys. With 'id_field: NAME' say which field of a document
# is an ID that is the same in every language. Write cells for {UNKNOWN}.
"""
_NO_LANGUAGE = "no language in the name: is it English?"
_NO_ADAPTER = "names no adapter: if it is the base model, write 'baseline: true' in place of the source"


def draft_mapping(paths: Sequence[Path]) -> str:
    """Returns ``draft_of`` for all outputs among ``paths``. Raises InputError if there are none."""
    return draft_of(find_outputs(paths))


def draft_of(files: OutputFiles) -> str:
    """Returns the text of a mapping file for lm-eval's outputs; a person fills in TASK/LANGUAGE.

    Every results file gets a run. It counts as a base model only if it names no adapter and another file names an
    adapter of the same model. Comments name every file that was seen and left out.
    """
    return (
        _HEAD
        + _section("tasks", _tasks(files.outputs))
        + _section("runs", _runs(files))
        + (_section("languages", languages) if (languages := _languages(files.outputs)) else "")
        + "".join(f"# {_printable(note)}\n" for note in files.notes())
    )


def _section(name: str, entries: Iterable[tuple[str, object, str]]) -> str:
    """Returns a key of the mapping; an entry is its key, its value, and a comment or an empty text."""
    lines = [f"{name}:"]
    for key, value, comment in entries:
        lines += [f"  # {_printable(comment)}"] if comment else []
        written = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True, width=float("inf"))
        lines += [f"  {line}" for line in written.splitlines()]
    return "\n".join(lines) + "\n"


def _printable(comment: str) -> str:
    """Returns a comment without line breaks or other control characters, which would end it."""
    return "".join(character if character.isprintable() else "?" for character in comment)


def _tasks(outputs: Sequence[Output]) -> list[tuple[str, object, str]]:
    groups = {name: below for output in outputs for name, below in output.groups.items()}
    leaves = dict.fromkeys(name for output in outputs for name in output.tasks)
    names: dict[str, None] = {}
    covered: set[str] = set()
    for group in groups:
        below = tasks_below(group, groups)
        if group not in covered and _is_one_cell(group, below):
            covered |= {*below, *(other for other in groups if set(tasks_below(other, groups)) <= set(below))}
            names[group] = None
    names |= dict.fromkeys(name for name in leaves if name not in covered)
    patterns = dict(sorted(_pattern(name) for name in names))
    with_language = [(pattern, task, "") for pattern, task in patterns.items() if PLACEHOLDER in pattern]
    without = [
        (name, {"task": task, "language": "en"}, _NO_LANGUAGE)
        for name, task in patterns.items()
        if PLACEHOLDER not in name
    ]
    return [*without, *with_language]


def _is_one_cell(group: str, below: Sequence[str]) -> bool:
    """True if a group's tasks extend its name, and have the language of its name or, as it has, none."""
    extended = all(name.startswith(f"{group}_") for name in below)
    return extended and len({_language_at(name)[1] for name in (group, *below)}) == 1


def _pattern(name: str) -> tuple[str, str]:
    """Returns a pattern and a task: (``arc_{language}``, ``arc``) for ``arc_de``; the name twice without a language."""
    parts = name.split("_")
    index, _ = _language_at(name)
    if index is None:
        return name, name
    rest = parts[index + 1 :]
    if rest and _is_script(rest[0]):
        rest = rest[1:]
    return "_".join([*parts[:index], PLACEHOLDER, *rest]), "_".join(parts[:index])


def _language_at(name: str) -> tuple[int | None, str]:
    """Returns which part of a task's name is its language, and the language; (None, "") if there is none."""
    parts = name.split("_")
    for index in range(len(parts) - 1, 0, -1):
        script = [part for part in parts[index + 1 : index + 2] if _is_script(part)]
        spelling = "_".join([parts[index], *script])
        if is_language(spelling) and (script or language_facts(spelling)):
            return index, spelling
    return None, ""


def _languages(outputs: Sequence[Output]) -> list[tuple[str, object, str]]:
    """Returns the spellings that are no canonical codes, with what they mean."""
    names = dict.fromkeys(name for output in outputs for name in output.tasks)
    spellings = sorted({_language_at(name)[1] for name in names} - {""})
    return [(spelling, language_label(spelling), "") for spelling in spellings if language_label(spelling) != spelling]


def _is_script(part: str) -> bool:
    return len(part) == 4 and part.isalpha() and part.istitle()


def _runs(files: OutputFiles) -> list[tuple[str, object, str]]:
    with_adapter = {output.evaluated[:2] for output in files.outputs if output.adapter}
    names = _model_names(files.outputs)
    runs: list[tuple[str, object, str]] = []
    for key, output in zip(_keys(files), files.outputs, strict=True):
        tuned = {"source": UNKNOWN, "recipe": "lora" if output.adapter else "unspecified", "train_seed": 0}
        model = {"model": names[output.evaluated[:2]]}
        if output.may_be_tuned:
            runs.append((key, {**model, **tuned}, f"adapter {output.adapter}" if output.adapter else ""))
        elif output.evaluated[:2] in with_adapter:
            runs.append((key, {**model, "baseline": True}, ""))
        else:
            runs.append((key, {**model, **tuned}, _NO_ADAPTER))
    return runs


def _keys(files: OutputFiles) -> list[str]:
    """Returns the key of every output: its folder if it is alone there, or else its file, below one of the roots."""
    folders = [output.path.parent for output in files.outputs]
    keys = []
    for output in files.outputs:
        alone = folders.count(output.path.parent) == 1 and output.path.parent not in files.roots
        path = output.path.parent if alone else output.path
        root = next((root for root in files.roots if path.is_relative_to(root)), None)
        keys.append(path.relative_to(root).as_posix() if root else path.as_posix())
    return [
        key if keys.count(key) == 1 else output.path.as_posix() for key, output in zip(keys, files.outputs, strict=True)
    ]


def _model_names(outputs: Sequence[Output]) -> Mapping[tuple[str | None, str], str]:
    """Returns a short name for every model: the last part of its path if no other model has it."""
    models = dict.fromkeys(output.evaluated[:2] for output in outputs)
    short = {model: (model[0] or "model").rstrip("/").rpartition("/")[2] for model in models}
    names = list(short.values())
    return {
        (path, revision): name if names.count(name) == 1 else f"{path}/{revision}".strip("/").replace("/", "-")
        for (path, revision), name in short.items()
    }
