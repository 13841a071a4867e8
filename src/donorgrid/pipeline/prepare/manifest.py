"""What a run was made of: versions, digests, counts of items, the machine. One file per process."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from donorgrid.core.digests import digest_of
from donorgrid.core.version import installed_version
from donorgrid.pipeline.prepare.few_shot_counts import FewShotCounts
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.token_counts import Counted
from donorgrid.pipeline.prepare.work_keys import SEMANTICS, merge_mode

_PACKAGES = ("torch", "transformers", "peft", "tokenizers", "polars", "numpy")


def versions() -> dict[str, str]:
    """The versions of donorgrid and of the packages that its numbers depend on."""
    return {"donorgrid": installed_version(), **{name: version(name) for name in _PACKAGES}}


def manifest_of(
    prepared: Prepared,
    *,
    device: str,
    jobs: int,
    tokens: Mapping[str, Counted],
    shown: Sequence[FewShotCounts],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Everything that a reader needs to know where the numbers come from, as plain data.

    ``tokens`` holds what each model's tokenizer made of the texts, ``shown`` of the examples of few-shot subjects,
    ``notes`` what a user was told before the run. ``adapters_are`` says how each model wears its adapters when it
    answers: merged into its weights, or beside them.
    """
    return {
        "versions": versions(),
        "engine_semantics": SEMANTICS,
        "machine": {"system": platform.platform(), "processor": platform.machine(), "device": device, "jobs": jobs},
        "models": {
            name: {
                "weights": folder.weights_digest,
                "tokenizer": folder.tokenizer_digest,
                "kept_as": prepared.study.model(name).weights,
                "adapters_are": merge_mode(prepared.study.model(name).weights),
            }
            for name, folder in prepared.models.items()
        },
        "tasks": {
            name: {
                "licence": task.licence,
                "digests": {language: digest_of(task.digest_parts(language)) for language in prepared.study.languages},
            }
            for name, task in prepared.tasks.items()
        },
        "items": {
            str(cell): {split: asdict(counts) for split, counts in items.counts.items()}
            for cell, items in prepared.cells.items()
        },
        "tokens": {
            model: {
                str(cell): {split: asdict(counts) for split, counts in splits.items()}
                for cell, splits in counted.items()
            }
            for model, counted in tokens.items()
        },
        "few_shot": [
            {
                "model": one.subject.model,
                "source": one.subject.source.name,
                "draw_seed": one.subject.draw_seed,
                "examples": [example.id for example in prepared.examples[one.subject]],
                "tokens": one.n_tokens,
                "cut": {str(target): [list(item) for item in cut] for target, cut in one.cut.items()},
            }
            for one in shown
        ],
        "notes": list(notes),
        "study": prepared.study.model_dump(mode="json"),
    }
