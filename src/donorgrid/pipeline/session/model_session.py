"""A base model in memory that answers items, with one adapter at a time; what no adapter changes is computed once."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import Example, Item, Precision
from donorgrid.models.adapter_files import changed_modules, is_adapter
from donorgrid.models.adapter_switch import Activation, AdapterSwitch
from donorgrid.models.folders import ModelFolder
from donorgrid.models.loading import Base, load_base, load_tokenizer, pick_device
from donorgrid.models.output_head import check_head
from donorgrid.models.reader import Reader
from donorgrid.pipeline.prepare.tokenizers import check_chat_template, max_input_length, n_tokens_cut
from donorgrid.pipeline.session.generated_rows import generated_rows
from donorgrid.pipeline.session.records import AnswerTarget, Generation, SessionSettings
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import EncodedItems, chat_context, encode_items
from donorgrid.score.exact_and_fast import PreciseLogliks, score_exact_and_fast
from donorgrid.score.generate import generate_texts
from donorgrid.score.packing import PackedItems
from donorgrid.score.scorer import Scorer
from donorgrid.tasks import with_examples

_LOG = logging.getLogger("donorgrid")


class ModelSession:
    """One base model in memory. Weights are loaded when they are first needed, in each precision that is asked for.

    Parameters
    ----------
    folder : ModelFolder
        The base model's files.
    settings : SessionSettings
        Precision, device, chat template, and how weights are kept.

    Raises
    ------
    InputError
        If contexts are to be read under a chat template and the tokenizer has none.
    """

    def __init__(self, folder: ModelFolder, settings: SessionSettings) -> None:
        self.folder = folder
        self.tokenizer = load_tokenizer(folder)
        self.max_length = max_input_length(folder, self.tokenizer)
        self._settings = settings
        if settings.chat_template:
            check_chat_template(folder, self.tokenizer)
        self._bases: dict[Precision, Base] = {}
        self._encoded: dict[AnswerTarget, EncodedItems] = {}
        self._packed: dict[AnswerTarget, PackedItems] = {}
        self._copy: Any = None  # the network that answers in place of the base, while an adapter computes beside it

    def base(self, precision: Precision) -> Base:
        """The base model in a precision, loaded at the first call. InputError for an unknown kind of output head."""
        if precision not in self._bases:
            settings = self._settings
            device, weights = pick_device(settings.device), settings.weights
            base = load_base(
                self.folder, precision=precision, device=device, weights=weights, tries_ways=settings.tries_ways
            )
            check_head(base.network, base.device)
            self._bases[precision] = base
        return self._bases[precision]

    @contextmanager
    def active(self, adapter: Path | None, *, strength: float = 1.0) -> Iterator[None]:
        """While the body runs, the model computes with an adapter, or as it is where ``adapter`` is None.

        Parameters
        ----------
        adapter : Path or None
            A folder in PEFT's format, or the whole checkpoint of a full fine-tuning.
        strength : float
            How much of its change is applied; 0 leaves the model as it is.

        Raises
        ------
        InputError
            If the adapter does not fit the model, or has no strengths between 0 and 1.
        """
        if adapter is None or strength == 0:
            yield
        elif self._settings.loads_by_peft and is_adapter(adapter):
            switch, n_tokens = self._adapter_switch, len(self.tokenizer)
            with switch.active_by_peft(adapter, n_tokens=n_tokens, strength=strength) as (network, activation):
                self._copy = network if activation == "unmerged" else None
                try:
                    yield
                finally:
                    self._copy = None
        else:
            self._check_modules(adapter)
            with self._adapter_switch.active(adapter, strength=strength):
                yield

    def try_adapter(self, adapter: Path) -> Activation:
        """Load an adapter by PEFT and drop it again.

        Parameters
        ----------
        adapter : Path
            A folder in PEFT's format.

        Returns
        -------
        {"merged", "unmerged"}
            Whether it is merged into the base's weights, or PEFT's modules compute beside them.

        Raises
        ------
        InputError
            If PEFT refuses it, or a tensor is missing, of no use or not finite.
        """
        with self._adapter_switch.active_by_peft(adapter, n_tokens=len(self.tokenizer)) as (_, activation):
            return activation

    def answer(self, target: AnswerTarget, examples: Sequence[Example] = ()) -> pl.DataFrame:
        """The item answers of the model, as it computes now, on one target.

        Parameters
        ----------
        target : AnswerTarget
            The items and how they are answered.
        examples : sequence of Example
            Solved examples that every item is read after (few-shot).

        Returns
        -------
        pl.DataFrame
            As ``ITEM_ANSWERS`` declares; items that cannot be scored have no row.

        Raises
        ------
        InputError
            If no item can be scored, or a generation leaves no tokens for the context.
        """
        if target.generation is not None:
            return self._generate(target.generation, [with_examples(item, examples) for item in target.items])
        packed = self._scorer.pack(self._encode(target, examples).items) if examples else self._pack(target)
        scored = self._score(target, packed)
        return item_answers(packed.items, scored.logliks, norm=target.norm, precisions=scored.precisions)

    def n_items_cut(self, target: AnswerTarget) -> int:
        """How many items of a scored target are longer than the model reads and lose their beginning."""
        return sum(n_tokens_cut(item, self.max_length) > 0 for item in self._encode_once(target).items)

    def check_packing(self, targets: Iterable[AnswerTarget], further: Sequence[tuple[int, ...]]) -> None:
        """Compare packed with single sequences, once for all that these targets and further token sequences hold."""
        scored = [sequence.token_ids for target in targets for sequence in self._pack(target).sequences]
        self.base(self._settings.precision).reader.check([*scored, *further])

    def score_sample(self, target: AnswerTarget, examples: Sequence[Example] = ()) -> int:
        """Score a target as ``answer`` does, to measure speed: the scores are dropped, the tokens are counted."""
        items = self._encode(target, examples).items
        self._score(target, self._scorer.pack(items))
        return sum(len(item.context) + len(tokens) for item in items for tokens in item.continuations)

    def _score(self, target: AnswerTarget, packed: PackedItems) -> PreciseLogliks:
        scorer, settings = self._active_scorer(), self._settings
        if not settings.exact_and_fast:
            return PreciseLogliks(logliks=scorer.score(packed), precisions=[settings.precision] * len(packed.items))
        scored = score_exact_and_fast(scorer, packed, norm=target.norm)
        _LOG.info("%s: %.0f%% of the items were scored in float32", target.name, 100 * scored.share_in_fp32)
        return scored

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer(self.base(self._settings.precision).reader, max_length=self.max_length)

    def _active_scorer(self) -> Scorer:
        if self._copy is None:
            return self._scorer
        return Scorer(Reader(self._copy, may_use_fast_decoder=False), max_length=self.max_length)

    @cached_property
    def _adapter_switch(self) -> AdapterSwitch:
        return AdapterSwitch(self.base(self._settings.precision))

    def _check_modules(self, adapter: Path) -> None:
        if not is_adapter(adapter):
            return
        known = {name for name, _ in self.base(self._settings.precision).network.named_modules()}
        missing = next((name for name in changed_modules(adapter) if name not in known), None)
        if missing is not None:
            raise InputError(f"adapter '{adapter}': it was made for another base: {self.folder.path} has no {missing}")

    def _pack(self, target: AnswerTarget) -> PackedItems:
        if target not in self._packed:
            self._packed[target] = self._scorer.pack(self._encode_once(target).items)
        return self._packed[target]

    def _encode_once(self, target: AnswerTarget) -> EncodedItems:
        if target not in self._encoded:
            self._encoded[target] = self._encode(target)
        return self._encoded[target]

    def _encode(self, target: AnswerTarget, examples: Sequence[Example] = ()) -> EncodedItems:
        items = tuple(with_examples(item, examples) for item in target.items)
        encoded = encode_items(
            items,
            self.tokenizer,
            chat_template=self._settings.chat_template,
            chat_template_args=self._settings.chat_template_args,
        )
        if not encoded.items:
            raise InputError(f"target '{target.name}': no item can be scored; the first: {encoded.invalid[0]}")
        self._check_tokens(
            (token for item in encoded.items for tokens in (item.context, *item.continuations) for token in tokens),
            target.name,
        )
        return encoded

    def _check_tokens(self, tokens: Iterable[int], target: str) -> None:
        """InputError where a tokenizer of another model gives tokens that this one has no embedding for."""
        if self.folder.other_tokenizer is None:
            return
        n_rows = self.base(self._settings.precision).network.get_input_embeddings().weight.shape[0]
        last = max(tokens)
        if last >= n_rows:
            raise InputError(
                f"target '{target}': the tokenizer gives the token {last} ({self.tokenizer.decode([last])!r}), and "
                f"{self.folder.path} has {n_rows} embeddings: the base cannot read it"
            )

    def _generate(self, generation: Generation, items: Sequence[Item]) -> pl.DataFrame:
        chat_template, arguments = self._settings.chat_template, self._settings.chat_template_args
        contexts = [chat_context(item, self.tokenizer, arguments) if chat_template else item.context for item in items]
        self._check_tokens(
            (token for ids in self.tokenizer(contexts)["input_ids"] for token in ids), items[0].cell.task
        )
        texts = generate_texts(
            self.base(self._settings.precision).network if self._copy is None else self._copy,
            self.tokenizer,
            contexts,
            until=generation.until,
            max_new_tokens=generation.max_new_tokens,
            max_length=self.max_length,
        )
        return generated_rows(items, texts, generation.is_right)
