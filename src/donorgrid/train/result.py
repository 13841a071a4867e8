"""What a training gives: its log, and how to write what was trained into a folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from donorgrid.core.digests import canonical_json
from donorgrid.models.adapter_files import TRAIN_LOG
from donorgrid.train.loop import Epoch, FitResult


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """A trained adapter: its log, and how to write it into a folder with the log beside it.

    The folder holds an adapter in PEFT's format, or the whole checkpoint of a full fine-tuning. ``checkpoints`` are the
    adapter after so many epochs, each with the log up to there.
    """

    log: tuple[Epoch, ...]
    save: Callable[[Path], None]
    checkpoints: Mapping[float, "TrainedWeights"] = field(default_factory=dict)


def trained(fitted: FitResult, save: Callable[[FitResult, Path], None]) -> TrainedWeights:
    """The result of a fit, whose every part ``save`` writes into a folder."""

    def write(folder: Path) -> None:
        save(fitted, folder)
        write_log(fitted.log, folder)

    kept = {epochs: trained(one, save) for epochs, one in fitted.at_checkpoints().items()}
    return TrainedWeights(log=fitted.log, save=write, checkpoints=kept)


def write_log(log: Sequence[Epoch], folder: Path) -> None:
    """Write the log, a line an epoch."""
    lines = [canonical_json(asdict(epoch)) + "\n" for epoch in log]
    (folder / TRAIN_LOG).write_text("".join(lines), encoding="utf-8")
