"""A network in memory that answers the targets of a check; the only part of a check that needs torch."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Item
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.models.adapter_files import changed_modules
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import ModelFolder
from donorgrid.models.loading import Base, load_base, load_tokenizer, pick_device
from donorgrid.models.output_head import check_head
from donorgrid.pipeline.check.settings import EngineSettings, generation_of
from donorgrid.pipeline.check.targets import CheckTarget
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import chat_context, encode_items
from donorgrid.score.generate import generate_texts
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer

_DEFAULT_LONGEST = 2048


def _load(folder: ModelFolder, settings: EngineSettings) -> Base:
    return load_base(folder, precision=settings.precision, device=pick_device(settings.device))


class Network:
    """A network in memory with what is made once for it: the scorer, and the items packed for it."""

    def __init__(self, folder: ModelFolder, settings: EngineSettings, on_note: Callable[[str], None]) -> None:
        self.folder = folder
        self._settings = settings
        self._note = on_note
        self._tokenizer = load_tokenizer(folder)
        if settings.chat_template and not self._tokenizer.chat_template:
            raise InputError(f"{folder.path}: the tokenizer has no chat template; leave --chat-template out")
        self._base = _load(folder, settings)
        check_head(self._base.network, self._base.device)
        self._adapter_switch = AdapterSwitch(self._base)
        known = (folder.max_positions, self._tokenizer.model_max_length)
        self._longest = next((int(one) for one in known if one and one < 10**9), _DEFAULT_LONGEST)
        self._scorer = Scorer(self._base.reader, max_length=self._longest)
        self._packed: Callable[[str], PackedItems] = cache(lambda name: self._pack(self._targets[name]))
        self._targets: dict[str, CheckTarget] = {}

    @contextmanager
    def merged(self, adapter: Path | None) -> Iterator[None]:
        """While the body runs, the network computes with an adapter merged in, or as it is."""
        if adapter is None:
            yield
            return
        known = {name for name, _ in self._base.network.named_modules()}
        missing = next((one for one in changed_modules(adapter) if one not in known), None)
        if missing is not None:
            raise InputError(f"adapter '{adapter}': it was made for another base: {self.folder.path} has no {missing}")
        with self._adapter_switch.active(adapter):
            yield

    def answer(self, target: CheckTarget) -> pl.DataFrame:
        """The item answers on one target."""
        if target.generates:
            return self._generate(target)
        self._targets[target.name] = target
        packed = self._packed(target.name)
        return item_answers(packed.items, self._scorer.score(packed), norm=target.norm)

    def _pack(self, target: CheckTarget) -> PackedItems:
        encoded = encode_items(target.items, self._tokenizer, chat_template=self._settings.chat_template)
        if not encoded.items:
            raise InputError(f"target '{target.name}': no item can be scored; the first: {encoded.invalid[0]}")
        room = self._longest + 1
        n_cut = sum(len(one.context) + max(map(len, one.continuations)) > room for one in encoded.items)
        if n_cut:
            self._note(
                f"{target.name}: {n_cut} items are longer than the {self._longest} tokens that the model reads; "
                "they lose their beginning"
            )
        return self._scorer.pack(encoded.items)

    def _generate(self, target: CheckTarget) -> pl.DataFrame:
        wanted = generation_of(target, self._settings)
        texts = generate_texts(
            self._base.network,
            self._tokenizer,
            [self._context(item) for item in target.items],
            until=wanted["until"],
            max_new_tokens=wanted["max_new_tokens"],
            max_length=self._longest,
        )
        return generated_answers(target.cell, target.items, texts)

    def _context(self, item: Item) -> str:
        return chat_context(item, self._tokenizer) if self._settings.chat_template else item.context


def generated_answers(cell: Cell, items: Sequence[Item], texts: Sequence[str]) -> pl.DataFrame:
    """One row per item with the text that was generated; what it is worth is judged later, so that rules may change."""
    rows: list[dict[str, object]] = [
        {
            "target_task": cell.task,
            "target_language": cell.language,
            "item_id": item.id,
            "answer": None,
            "choice_logliks_nats": [],
            "choice_lengths": [],
            "chosen": None,
            "correct": None,
            "chosen_norm": None,
            "correct_norm": None,
            "generated": text,
        }
        for item, text in zip(items, texts, strict=True)
    ]
    return pl.DataFrame(rows, schema=ITEM_ANSWERS.columns)
