"""donorgrid's way: one resident process, everything that no adapter changes made once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from donorgrid.bench.workload import Work, items, training_texts
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

_LONGEST = 1024


@dataclass(frozen=True, kw_only=True)
class Own:
    """What stays in memory from adapter to adapter."""

    base: Base
    adapter_switch: AdapterSwitch
    scorer: Scorer
    packed: dict[str, PackedItems]
    work: Work

    @property
    def n_needed(self) -> int:
        """Tokens that must be read to score all targets once."""
        return sum(packed.n_needed for packed in self.packed.values())

    @property
    def n_computed(self) -> int:
        """The same with the fillers between them."""
        return sum(batch.n_tokens for packed in self.packed.values() for batch in packed.batches)


def make_own(work: Work, *, n_items: int | None = None) -> Own:
    """Load the base, pack all targets (or the first ``n_items`` items of each): once per study."""
    folder = find_model(work.checkpoint.name, revision=None, folder=work.checkpoint.parent, built_in={})
    base = load_base(folder, precision=work.precision, device="cpu")
    scorer = Scorer(base.reader, max_length=_LONGEST)
    packed = {
        target: scorer.pack(encode_items(items(target, questions[:n_items]), base.tokenizer, chat_template=False).items)
        for target, questions in work.texts.targets.items()
    }
    return Own(base=base, adapter_switch=AdapterSwitch(base), scorer=scorer, packed=packed, work=work)


def train(own: Own, adapter: Path, *, n_texts: int) -> None:
    """Train one adapter into the folder ``adapter``."""
    split = split_texts(training_texts(own.work.texts.train[:n_texts]), split_seed=42, validation_share=0.1)
    corpus = Corpus(
        train=encode_texts(split.train, own.base.tokenizer),
        validation=encode_texts(split.validation, own.base.tokenizer),
    )
    adapter.mkdir(parents=True)
    (trained,) = train_runs(own.base, [corpus], own.work.recipe, train_seeds=[17])
    if isinstance(trained, RunFailure):
        raise trained
    trained.save(adapter)


def score(own: Own, adapter: Path, targets: Sequence[str]) -> dict[str, list[int]]:
    """The chosen option of each item of each target, with an adapter merged in."""
    with own.adapter_switch.active(adapter):
        return {target: [choose(nats) for nats in own.scorer.score(own.packed[target])] for target in targets}
