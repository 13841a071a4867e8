"""donorgrid's way: the base model and the packed items stay in memory from adapter to adapter."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from donorgrid.bench.workload import Workload, items, training_texts
from donorgrid.core.errors import RunFailure
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.score.choose import choose
from donorgrid.score.encode import encode_items
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer
from donorgrid.train.encode import Corpus, encode_texts
from donorgrid.train.methods import train_runs
from donorgrid.train.text_selection import split_texts

_MAX_LENGTH = 1024


@dataclass(frozen=True, kw_only=True)
class LoadedWorkload:
    """A workload with its base model loaded and its targets packed.

    Attributes
    ----------
    base, adapter_switch, scorer
        The base model, and what trains and scores adapters on it.
    packed
        Target to its packed items.
    workload
        What is measured.
    """

    base: Base
    adapter_switch: AdapterSwitch
    scorer: Scorer
    packed: dict[str, PackedItems]
    workload: Workload

    @property
    def n_needed(self) -> int:
        """Tokens that must be read to score all targets once."""
        return sum(packed.n_needed for packed in self.packed.values())

    @property
    def n_computed(self) -> int:
        """Tokens that are read to score all targets once, padding included."""
        return sum(batch.n_tokens for packed in self.packed.values() for batch in packed.batches)


def load_workload(workload: Workload, *, n_items: int | None = None) -> LoadedWorkload:
    """Loads the base model and packs all targets, as a study does once.

    Parameters
    ----------
    workload
        What is measured.
    n_items
        Only the first items of each target; None for all.

    Returns
    -------
    LoadedWorkload
        On the CPU.
    """
    checkpoint = workload.checkpoint
    folder = find_model(checkpoint.name, revision=None, folder=checkpoint.parent, built_in={})
    base = load_base(folder, precision=workload.precision, device="cpu")
    scorer = Scorer(base.reader, max_length=_MAX_LENGTH)
    packed = {
        target: scorer.pack(
            encode_items(items(target, questions[:n_items]), base.tokenizer, chat_template=workload.chat_template).items
        )
        for target, questions in workload.texts.targets.items()
    }
    return LoadedWorkload(
        base=base, adapter_switch=AdapterSwitch(base), scorer=scorer, packed=packed, workload=workload
    )


def train(loaded: LoadedWorkload, adapter: Path, *, n_texts: int) -> None:
    """Trains one adapter.

    Parameters
    ----------
    loaded
        The base model and the texts.
    adapter
        The folder to write; it must not exist.
    n_texts
        The first texts are used, a tenth of them for validation.

    Raises
    ------
    RunFailure
        If training fails.
    """
    workload = loaded.workload
    split = split_texts(training_texts(workload.texts.train[:n_texts]), split_seed=42, validation_share=0.1)
    corpus = Corpus(
        train=encode_texts(split.train, loaded.base.tokenizer),
        validation=encode_texts(split.validation, loaded.base.tokenizer),
    )
    adapter.mkdir(parents=True)
    (trained,) = train_runs(loaded.base, [corpus], workload.recipe, train_seeds=[17])
    if isinstance(trained, RunFailure):
        raise trained
    trained.save(adapter)


def score(loaded: LoadedWorkload, adapter: Path, targets: Sequence[str]) -> dict[str, list[int]]:
    """Scores targets with an adapter merged into the base model.

    Parameters
    ----------
    loaded
        The base model and the packed items.
    adapter
        A trained adapter.
    targets
        Names of targets.

    Returns
    -------
    dict of str to list of int
        Target to the index of the chosen option of each item.
    """
    with loaded.adapter_switch.active(adapter):
        return {target: [choose(nats) for nats in loaded.scorer.score(loaded.packed[target])] for target in targets}
