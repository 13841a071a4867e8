"""Applies a mapping: whose every results file is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.exchange.lm_eval.files import Output
from donorgrid.exchange.lm_eval.find import absolute
from donorgrid.exchange.mapping import LmEvalMapping, RunEntry, source_of
from donorgrid.exchange.records import ImportedSubject
from donorgrid.facts.models import model_facts


@dataclass(frozen=True, kw_only=True)
class MappedOutputs:
    """The outputs of every subject, the files that the mapping does not name, and notes for the user."""

    of: Mapping[ImportedSubject, tuple[Output, ...]]
    unused: tuple[Path, ...]
    notes: tuple[str, ...]


def map_outputs(outputs: Sequence[Output], mapping: LmEvalMapping, *, roots: Sequence[Path]) -> MappedOutputs:
    """Assigns every output to a subject.

    Parameters
    ----------
    outputs : sequence of Output
        The results files.
    mapping : LmEvalMapping
        The key of a run is a folder or file below one of ``roots``; the innermost folder wins.
    roots : sequence of Path
        Folders that the keys are relative to.

    Returns
    -------
    MappedOutputs
        The outputs by subject.

    Raises
    ------
    InputError
        If a run has no output, a run holds results of several models or adapters, two runs are the same subject, or a
        model has not exactly one baseline.
    """
    runs = {absolute(root / key): key for key in mapping.runs for root in roots}
    by_key: dict[str, list[Output]] = {key: [] for key in mapping.runs}
    unused = []
    for output in outputs:
        above = (output.path, *output.path.parents)
        key = next((runs[path] for path in above if path in runs), None)
        if key is None:
            unused.append(output.path)
        else:
            by_key[key].append(output)
    for key, outputs_of_run in by_key.items():
        if not outputs_of_run:
            looked = ", ".join(str(root) for root in roots)
            raise InputError(f"runs: '{key}' names no output of lm-eval; looked beneath {looked}")
        _refuse_several(key, outputs_of_run)
    subjects = _subjects(by_key, mapping)
    of: dict[ImportedSubject, tuple[Output, ...]] = {}
    for key, subject in subjects.items():
        of[subject] = (*of.get(subject, ()), *by_key[key])
    return MappedOutputs(of=of, unused=tuple(unused), notes=_notes(by_key, mapping))


def _refuse_several(key: str, outputs: Sequence[Output]) -> None:
    """Raises InputError if the files of a run name different models or adapters: the newest would hide the others."""
    by_evaluated = {output.evaluated: output for output in outputs}
    if len(by_evaluated) > 1:
        named = "; ".join(f"{output.path.name} of {_evaluated(output)}" for output in by_evaluated.values())
        raise InputError(f"runs: '{key}' holds results of several models or adapters: {named}; give each file a run")


def _evaluated(output: Output) -> str:
    model = f"{output.pretrained or 'an unnamed model'}{'@' + output.revision if output.revision else ''}"
    return f"{model} with {output.adapter}" if output.adapter else f"{model} without an adapter"


def _notes(by_key: Mapping[str, list[Output]], mapping: LmEvalMapping) -> tuple[str, ...]:
    """Notes a base model's results that name an adapter, and a fine-tune's that name what its base model's name."""
    bases = {entry.model: by_key[key][0] for key, entry in mapping.runs.items() if entry.baseline}
    notes = []
    for key, entry in mapping.runs.items():
        output = by_key[key][0]
        if entry.baseline and output.adapter:
            notes.append(f"run '{key}' is a baseline, but its results name the adapter {output.adapter}")
        elif not entry.baseline and output.evaluated == bases[entry.model].evaluated:
            notes.append(f"run '{key}' is of {_evaluated(output)}, as its base model is: was the adapter applied?")
    return tuple(notes)


def _subjects(by_key: Mapping[str, list[Output]], mapping: LmEvalMapping) -> dict[str, ImportedSubject]:
    """Returns the subject of every run. Several runs are one subject if their files name the same model and adapter."""
    bases: dict[str, str] = {}
    for key, entry in mapping.runs.items():
        first = bases.setdefault(entry.model, key) if entry.baseline else key
        if by_key[first][0].evaluated != by_key[key][0].evaluated:
            raise InputError(f"runs: '{key}': model '{entry.model}' has two runs with 'baseline: true'")
    subjects: dict[str, ImportedSubject] = {}
    evaluated: dict[ImportedSubject, object] = {}
    for key, entry in mapping.runs.items():
        if entry.model not in bases:
            raise InputError(
                f"runs: model '{entry.model}' has no run with 'baseline: true'; deltas need its base model"
            )
        first = bases[entry.model]
        base = _subject(mapping.runs[first], by_key[first][0], mapping)
        subject = base if entry.baseline else _trained(entry, base)
        if evaluated.setdefault(subject, by_key[key][0].evaluated) != by_key[key][0].evaluated:
            raise InputError(f"runs: '{key}' is a second run of {subject}; they must differ in source, recipe or seeds")
        subjects[key] = subject
    for model in bases:
        if all(subject.source is None for subject in subjects.values() if subject.model == model):
            raise InputError(f"runs: model '{model}' has only its base model; add a run with a 'source'")
    return subjects


def _subject(entry: RunEntry, output: Output, mapping: LmEvalMapping) -> ImportedSubject:
    known = mapping.models.get(entry.model)
    facts = model_facts(output.pretrained or entry.model, n_parameters=output.n_parameters, model_type="")
    return ImportedSubject(
        model=entry.model,
        source=None,
        family=(known.family if known else None) or facts.family or None,
        size_b=(known.size_b if known else None) or facts.size_b or None,
    )


def _trained(entry: RunEntry, base: ImportedSubject) -> ImportedSubject:
    if entry.source is None:
        raise InputError(f"runs: a run of '{entry.model}' has no source")
    return ImportedSubject(
        model=entry.model,
        source=source_of(entry.source),
        recipe=entry.recipe,
        train_seed=entry.train_seed,
        data_seed=entry.data_seed,
        train_size=entry.train_size,
        checkpoint=entry.checkpoint,
        strength=entry.strength,
        family=base.family,
        size_b=base.size_b,
    )
