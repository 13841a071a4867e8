"""Item answers for a check: the base scored once, adapters one after another on it, and everything kept by its key."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Item, Precision
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.models.folders import ModelFolder
from donorgrid.models.heads import check_head
from donorgrid.models.loading import Base, load_base, load_tokenizer
from donorgrid.models.merging import Merger
from donorgrid.pipeline.check_subjects import CheckSubject
from donorgrid.pipeline.check_targets import CheckTarget
from donorgrid.pipeline.workplan import MERGE_MODE, SEMANTICS
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import chat_context, encode_items
from donorgrid.score.generate import generate_texts
from donorgrid.score.packed import Scorer
from donorgrid.score.packing import PackedItems
from donorgrid.store.answers import AnswersFooter, read_answers, write_answers

_DEFAULT_LONGEST = 2048


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """How answers are given, and where they are kept. ``max_new_tokens``: of a reply to a prompt."""

    precision: Precision
    chat_template: bool
    device: str
    max_new_tokens: int
    cache: Path


class CheckEngine:
    """Answers of subjects on targets, from the cache where they are there. One network is in memory at a time."""

    def __init__(self, settings: EngineSettings, on_note: Callable[[str], None]) -> None:
        self._settings = settings
        self._note = on_note
        self._loaded: _Loaded | None = None

    def answers(self, subject: CheckSubject, targets: Sequence[CheckTarget]) -> list[pl.DataFrame]:
        """The item answers of one subject, a frame per target in the order given; an item that cannot be read lacks."""
        missing = [target for target in targets if not self._path(subject, target).exists()]
        if missing:
            self._note(f"{subject.name}: {len(missing)} of {len(targets)} targets to answer")
            loaded = self._load(subject.folder)
            with loaded.merged(subject.adapter):
                for target in missing:
                    self._keep(subject, target, loaded.answer(target))
        return [read_answers(self._path(subject, target)) for target in targets]

    def _load(self, folder: ModelFolder) -> "_Loaded":
        if self._loaded is None or self._loaded.folder.path != folder.path:
            self._loaded = None  # the former network goes before the next one comes
            self._loaded = _Loaded(folder, self._settings)
        return self._loaded

    def _keep(self, subject: CheckSubject, target: CheckTarget, frame: pl.DataFrame) -> None:
        footer = AnswersFooter(
            training_key=None,
            adapter_digest=subject.adapter_digest,
            scoring_keys={str(target.cell): self._key(subject, target)},
        )
        write_answers(self._path(subject, target), frame, footer)

    def _path(self, subject: CheckSubject, target: CheckTarget) -> Path:
        key = self._key(subject, target)
        return self._settings.cache / key[:2] / f"{key}.parquet"

    def _key(self, subject: CheckSubject, target: CheckTarget) -> str:
        """What the answers depend on: content, never names, paths or the machine."""
        settings = self._settings
        condition = {
            "base": subject.folder.weights_digest,
            "tokenizer": subject.folder.tokenizer_digest,
            "semantics": SEMANTICS,
            "items": digest_of([asdict(item) for item in target.items]),
            "norm": target.norm,
            "generated": _generation(target, settings) if target.generates else None,
            "precision": settings.precision,
            "chat_template": settings.chat_template,
            "merge": MERGE_MODE,
        }
        return digest_of([digest_of(condition), subject.adapter_digest])


def _generation(target: CheckTarget, settings: EngineSettings) -> dict[str, Any]:
    if target.rules is None:
        return {"until": [], "max_new_tokens": settings.max_new_tokens}
    return {"until": list(target.rules.until), "max_new_tokens": target.rules.max_new_tokens}


class _Loaded:
    """A network in memory with what is made once for it: the scorer, and the items packed for it."""

    def __init__(self, folder: ModelFolder, settings: EngineSettings) -> None:
        self.folder = folder
        self._settings = settings
        self._tokenizer = load_tokenizer(folder)
        if settings.chat_template and not self._tokenizer.chat_template:
            raise InputError(f"{folder.path}: the tokenizer has no chat template; leave --chat-template out")
        self._base: Base = load_base(folder, precision=settings.precision, device=settings.device)
        check_head(self._base.network, self._base.device)
        self._merger = Merger(self._base)
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
        with self._merger.merged(adapter):
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
        return self._scorer.pack(encoded.items)

    def _generate(self, target: CheckTarget) -> pl.DataFrame:
        wanted = _generation(target, self._settings)
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
