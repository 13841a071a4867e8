"""What a training gives: its log, and how to write the trained weights into a folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from donorgrid.core.digests import canonical_json
from donorgrid.models.adapter_files import TRAIN_LOG
from donorgrid.train.progress import Epoch, FitResult


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """A trained adapter, or the weights of a full fine-tuning.

    Attributes
    ----------
    log
        The epochs, first to last.
    save
        Writes the weights into an existing folder, with the log: an adapter in PEFT's format, or a whole checkpoint.
    checkpoints
        The weights after so many epochs, each with the log up to there.
    """

    log: tuple[Epoch, ...]
    save: Callable[[Path], None]
    checkpoints: Mapping[float, "TrainedWeights"] = field(default_factory=dict)


def trained_weights(result: FitResult, save: Callable[[FitResult, Path], None]) -> TrainedWeights:
    """The trained weights of a fit and of its checkpoints.

    Parameters
    ----------
    result
        The values at the best epoch, and at the checkpoints.
    save
        Writes the values of one of them into a folder.

    Returns
    -------
    TrainedWeights
        With the log, and a ``save`` that writes weights and log.
    """

    def write(folder: Path) -> None:
        save(result, folder)
        write_log(result.log, folder)

    checkpoints = {epochs: trained_weights(part, save) for epochs, part in result.at_checkpoints().items()}
    return TrainedWeights(log=result.log, save=write, checkpoints=checkpoints)


def write_log(log: Sequence[Epoch], folder: Path) -> None:
    """Writes a train log: one line of JSON for each epoch.

    Parameters
    ----------
    log
        The epochs, first to last.
    folder
        Where ``train_log.jsonl`` goes.
    """
    lines = [canonical_json(asdict(epoch)) + "\n" for epoch in log]
    (folder / TRAIN_LOG).write_text("".join(lines), encoding="utf-8")
