"""An adapter at a strength as a folder that PEFT or transformers opens."""

from dataclasses import dataclass
from pathlib import Path

from donorgrid import models
from donorgrid.core.atomic_files import whole_folder
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
from donorgrid.core.records import STRONGEST
from donorgrid.exchange.folders import refuse_filled
from donorgrid.models.adapter_files import SCALED_FORMS
from donorgrid.models.folders import ModelFolder
from donorgrid.pipeline.check.subjects import find_base, find_subjects


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How an adapter is scaled on export.

    Attributes
    ----------
    strength : float
        How much of its change is applied, from 0 to 1.5.
    form : {"adapter", "merged", "low-rank"}, optional
        What is written; None: an adapter where its factors can be scaled, a whole model for a checkpoint.
    rank : int, optional
        The rank of ``low-rank``; None: the adapter's.
    """

    strength: float
    form: str | None = None
    rank: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= STRONGEST:
            raise InputError(f"--strength {self.strength:g}: expected a number from 0 to {STRONGEST:g}")
        if self.form not in (None, *SCALED_FORMS):
            raise InputError(f"--as '{self.form}': allowed are {', '.join(SCALED_FORMS)}")
        if self.rank is not None and (self.form != "low-rank" or self.rank < 1):
            raise InputError(f"--rank {self.rank}: expected 1 or more, and with --as low-rank alone")


def export_scaled(base: str, adapter: str, out: Path, scaling: Scaling) -> str:
    """Write an adapter, or a whole checkpoint, at a strength.

    Parameters
    ----------
    base : str
        The base model: a built-in name, a folder, a hub ID, or ID@revision.
    adapter : str
        An adapter in PEFT's format, or a merged checkpoint.
    out : Path
        The new folder.
    scaling : Scaling
        The strength, and what is written.

    Returns
    -------
    str
        A sentence: what was written, with its measured error.

    Raises
    ------
    InputError
        If base or adapter cannot be used, the adapter has no such form, or ``out`` holds anything.
    """
    base_subject = find_base(base, folder=Path())
    (subject,) = find_subjects([adapter], base_subject, folder=Path())
    refuse_filled(out)
    with whole_folder(out) as unfinished:
        sentence = write_scaled(base_subject.folder, subject.adapter or subject.folder.path, unfinished, scaling)
        (unfinished / "README.md").write_text(_readme(base, subject.name, scaling, sentence), encoding="utf-8")
    return sentence


def write_scaled(base: ModelFolder, adapter: Path, folder: Path, scaling: Scaling) -> str:
    """Write the files of an adapter at a strength; the base is loaded in float32 on the CPU.

    Parameters
    ----------
    base : ModelFolder
        The base model's files.
    adapter : Path
        An adapter in PEFT's format, or a whole checkpoint.
    folder : Path
        An existing folder.
    scaling : Scaling
        The strength, and what is written.

    Returns
    -------
    str
        A sentence: what was written, with its measured error.
    """
    require_training("export at a strength")
    loaded = models.loading.load_base(base, precision="fp32", device="cpu")
    return models.scaled_adapters.write_scaled(
        loaded, adapter, folder, strength=scaling.strength, form=scaling.form, rank=scaling.rank
    )


def _readme(base: str, adapter: str, scaling: Scaling, sentence: str) -> str:
    name = base.rstrip("/").rpartition("/")[2]
    extrapolated = " That is extrapolation beyond what was trained." if scaling.strength > 1 else ""
    return (
        f"# {adapter} at strength {scaling.strength:g}\n\nThe weights are W0 + {scaling.strength:g} (W' - W0), with W0 "
        f"those of `{name}` and W' those with the adapter.{extrapolated} Written by donorgrid: {sentence}.\n"
    )
