"""``donorgrid export training``: a fine-tuning as data, configuration and a README for another trainer."""

import json
from pathlib import Path

import yaml

from donorgrid.core.atomic_files import whole_folder
from donorgrid.core.errors import InputError, suggestion
from donorgrid.exchange.folders import refuse_filled
from donorgrid.exchange.training.jobs import TrainingJob
from donorgrid.exchange.training.trainers import LONGEST_UNSTATED, TRAINERS, Trainer

_ADAPTERS_DIFFER = (
    "The order of the texts and the random weights differ, so the adapter will not be donorgrid's to the digit.",
    "bf16 is mixed precision here; donorgrid keeps a bf16 base under float32 adapter weights.",
)
_WHOLE_DIFFER = (
    "The order of the texts differs, so the weights will not be donorgrid's to the digit.",
    "bf16 may mean here that the weights themselves are kept in bf16; donorgrid trains float32 master weights.",
)
_CUT = (
    "donorgrid keeps the end of a text that is too long, or has no limit; trainers keep the start. A text of more than "
    f"{LONGEST_UNSTATED:,} tokens is cut by LLaMA-Factory and Axolotl, and not by TRL."
)


def export_training(job: TrainingJob, folder: Path, *, trainer: str) -> Path:
    """Writes data, configuration and a README for another trainer.

    Parameters
    ----------
    job : TrainingJob
        The fine-tuning.
    folder : Path
        The new folder.
    trainer : str
        A key of ``TRAINERS``.

    Returns
    -------
    Path
        The configuration file.

    Raises
    ------
    InputError
        If the trainer is unknown, the job has no training texts, or the folder holds anything.
    """
    if trainer not in TRAINERS:
        raise InputError(f"trainer '{trainer}'{suggestion(trainer, TRAINERS)}; allowed: {', '.join(TRAINERS)}")
    if not job.train:
        raise InputError(f"source '{job.source_name}': there are no training texts to export")
    refuse_filled(folder)
    chosen = TRAINERS[trainer]
    config = yaml.safe_dump(chosen.config(job), sort_keys=False, allow_unicode=True)
    files = {chosen.file: config, "README.md": _readme(job, chosen), **_data(job, chosen), **chosen.further(job)}
    with whole_folder(folder) as unfinished:
        (unfinished / "data").mkdir()
        for name, text in files.items():
            (unfinished / name).write_text(text, encoding="utf-8")
    return folder / chosen.file


_NO_L2_SP = (
    "It has no L2-SP: the recipe's term of weight {weight:g}, which pulls the weights back to the base, is left out: "
    "this training moves further."
)


def _data(job: TrainingJob, trainer: Trainer) -> dict[str, str]:
    texts = {"data/train.jsonl": job.train, "data/validation.jsonl": job.validation}
    return {
        name: "".join(json.dumps(trainer.row(text, job), ensure_ascii=False) + "\n" for text in of_split)
        for name, of_split in texts.items()
        if of_split
    }


def _readme(job: TrainingJob, trainer: Trainer) -> str:
    differs = [*trainer.differs(job), *([] if job.longest else [_CUT]), *_differ(job)]
    lines = "\n".join(f"- {line}" for line in differs)
    return (
        f"# {job.source_name}, recipe {job.recipe.name}\n\n"
        f"{len(job.train)} training and {len(job.validation)} validation texts for `{job.model_id}`, "
        f"train seed {job.train_seed}. Run in this folder:\n\n    {trainer.command}\n\n"
        f"What this trainer does otherwise than donorgrid:\n\n{lines}\n"
    )


def _differ(job: TrainingJob) -> tuple[str, ...]:
    pull = (_NO_L2_SP.format(weight=job.recipe.l2_sp),) if job.recipe.l2_sp else ()
    return (*pull, *(_WHOLE_DIFFER if job.recipe.method == "full" else _ADAPTERS_DIFFER))
