"""The manifest of a run: versions, digests, counts of items, the machine, notes. One file per process."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

from donorgrid.core.digests import digest_of
from donorgrid.core.version import installed_version
from donorgrid.models.fast_cpu.bf16_products import bf16_kernel
from donorgrid.pipeline.prepare.few_shot_counts import FewShotCounts, count_few_shot, few_shot_notes
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.token_counts import Counted, count_tokens, token_notes
from donorgrid.pipeline.prepare.training_tokens import TrainingTokens, encoding_notes, training_tokens
from donorgrid.pipeline.prepare.work_keys import FORMAT, SEMANTICS, merge_mode
from donorgrid.store.logs import write_manifest

_PACKAGES = ("torch", "transformers", "peft", "tokenizers", "polars", "numpy")


def versions() -> dict[str, str]:
    """The versions of donorgrid and of the packages that its numbers depend on."""
    return {"donorgrid": installed_version(), **{name: version(name) for name in _PACKAGES}}


def write_study_manifest(prepared: Prepared, *, device: str, jobs: int) -> list[str]:
    """Count what each model's tokenizer makes of a study, and write the manifest of a run.

    Parameters
    ----------
    prepared : Prepared
        The study.
    device : str
        The device of the run.
    jobs : int
        Its processes.

    Returns
    -------
    list of str
        Notes: what a reader of the results should know.

    Raises
    ------
    InputError
        If no item of a target can be scored.
    """
    names = [model.name for model in prepared.study.models]
    tokens = {name: count_tokens(prepared, name) for name in names}
    few_shot = [counts for name in names for counts in count_few_shot(prepared, name)]
    notes = [*notes_of(prepared)]
    notes += [note for name, counted in tokens.items() for note in token_notes(name, counted)]
    notes += few_shot_notes(few_shot)
    trained = [tokens_of for name in names for tokens_of in training_tokens(prepared, name)]
    notes += encoding_notes(trained)
    content = manifest_of(prepared, device=device, jobs=jobs, tokens=tokens, few_shot=few_shot, notes=notes)
    content["training_texts"] = [_training_tokens(of_recipe) for of_recipe in trained]
    write_manifest(prepared.folder, content)
    return notes


def manifest_of(
    prepared: Prepared,
    *,
    device: str,
    jobs: int,
    tokens: Mapping[str, Counted],
    few_shot: Sequence[FewShotCounts],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Everything that a reader needs to know about the origin of the numbers, as plain data.

    Parameters
    ----------
    prepared : Prepared
        The study.
    device : str
        The device of the run.
    jobs : int
        Its processes.
    tokens : mapping of str to Counted
        By model: what its tokenizer makes of the texts.
    few_shot : sequence of FewShotCounts
        What the tokenizers make of the examples of few-shot subjects.
    notes : sequence of str
        What the user was told before the run.

    Returns
    -------
    dict
        ``adapters_are`` says how each model's adapters are active when it answers: merged, or unmerged.
    """
    return {
        "versions": versions(),
        "format": FORMAT,
        "engine_semantics": SEMANTICS,
        "machine": {**_machine(prepared, device), "jobs": jobs},
        "models": {name: _model_facts(prepared, name) for name in prepared.models},
        "tasks": {
            name: {
                "licence": task.licence,
                "digests": {
                    language: digest_of(task.digest_parts(language)) for language in prepared.study.language_codes
                },
            }
            for name, task in prepared.tasks.items()
        },
        "items": {
            str(cell): {
                split: {**asdict(counts), "used": len(getattr(items, split))} for split, counts in items.counts.items()
            }
            for cell, items in prepared.cells.items()
        },
        "tokens": {model: _token_counts(counted) for model, counted in tokens.items()},
        "few_shot": [_few_shot_counts(prepared, counts) for counts in few_shot],
        "notes": list(notes),
        "study": prepared.study.model_dump(mode="json"),
    }


def _machine(prepared: Prepared, device: str) -> dict[str, str]:
    """The machine, and what computes products in bf16 where a study on a CPU has any."""
    precisions = {prepared.study.scoring.precision, *(run.recipe.precision for run in prepared.grid.runs)}
    machine = {"system": platform.platform(), "processor": platform.machine(), "device": device}
    return {**machine, "bf16_kernel": bf16_kernel()} if "bf16" in precisions and device == "cpu" else machine


def _model_facts(prepared: Prepared, name: str) -> dict[str, object]:
    folder, weights = prepared.models[name], prepared.study.model(name).weights
    return {
        "weights": folder.weights_digest,
        "tokenizer": folder.tokenizer_digest,
        "kept_as": weights,
        "adapters_are": merge_mode(weights),
    }


def _token_counts(counted: Counted) -> dict[str, dict[str, dict[str, object]]]:
    """By cell and split."""
    return {str(cell): {split: asdict(counts) for split, counts in splits.items()} for cell, splits in counted.items()}


def _training_tokens(tokens: TrainingTokens) -> dict[str, object]:
    differing = {str(cell): list(counts) for cell, counts in tokens.differing.items()}
    return {**asdict(replace(tokens, differing={})), "differing": differing}  # asdict cannot copy keys that are cells


def _few_shot_counts(prepared: Prepared, counts: FewShotCounts) -> dict[str, object]:
    return {
        "model": counts.subject.model,
        "source": counts.subject.source.name,
        "draw_seed": counts.subject.draw_seed,
        "examples": [example.id for example in prepared.examples[counts.subject]],
        "tokens": counts.n_tokens,
        "cut": {str(target): [list(item) for item in cut] for target, cut in counts.cut.items()},
    }
