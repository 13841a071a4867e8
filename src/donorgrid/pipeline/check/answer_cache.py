"""Item answers for a check: from the cache where they are, else from a model session, and then kept by their key."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from donorgrid.core.digests import digest_of
from donorgrid.core.errors import StoreError
from donorgrid.models.folders import ModelFolder
from donorgrid.pipeline import session as sessions
from donorgrid.pipeline.check.request import CheckRequest
from donorgrid.pipeline.check.subjects import CheckSubject
from donorgrid.pipeline.check.targets import CheckTarget
from donorgrid.pipeline.prepare.work_keys import MERGED, SEMANTICS, UNMERGED, precision_key
from donorgrid.pipeline.session.records import SessionSettings
from donorgrid.store.answers import AnswersFooter, read_answers, write_answers

if TYPE_CHECKING:
    from donorgrid.pipeline.session.model_session import ModelSession

Frames = dict[str, list[pl.DataFrame]]
"""For each subject by name: a frame of item answers per target, in the order of the targets."""
_ACTIVATIONS = (MERGED, UNMERGED)
_ADAPTER_SEMANTICS = 3
"""Raised whenever an adapter of the same content would be computed in another way."""

_NOTES = {
    MERGED: "{name}: merged into the base's weights",
    UNMERGED: "{name}: unmerged: PEFT's modules compute it beside the base's weights, as a merge would not be the same",
}


def answer_all(
    request: CheckRequest,
    base: CheckSubject,
    subjects: Sequence[CheckSubject],
    targets: Sequence[CheckTarget],
    *,
    on_note: Callable[[str], None],
) -> tuple[Frames, tuple[str, ...]]:
    """Have the base and all subjects answer all targets, once every adapter was seen to fit the base.

    Parameters
    ----------
    request : CheckRequest
        Precision, device, chat template and the folder of the cache.
    base : CheckSubject
        The base model.
    subjects : sequence of CheckSubject
        Adapters and checkpoints. Checkpoints answer last, because each replaces the base in memory.
    targets : sequence of CheckTarget
        What is answered. A target to gain on that is also guarded is answered once.
    on_note : callable
        Receives lines on the progress and on items that are cut.

    Returns
    -------
    (dict of str to list of pl.DataFrame, tuple of str)
        As ``ITEM_ANSWERS`` declares; items that cannot be scored have no row. The notes say of each adapter whether it
        was merged.

    Raises
    ------
    InputError
        If an adapter does not fit the base; nothing was answered then.
    """
    cache = AnswerCache(request, on_note)
    as_they_are = [subject for subject in subjects if subject.strength == 1]
    notes = [cache.find_activation(subject, subject.adapter, targets) for subject in as_they_are if subject.adapter]
    adapters_first = sorted(subjects, key=lambda subject: subject.adapter is None)
    frames = {subject.name: cache.answers(subject, targets) for subject in (base, *adapters_first)}
    return frames, tuple(notes)


def open_session(folder: ModelFolder, settings: SessionSettings) -> "ModelSession":
    """A model session. Torch is loaded here and no earlier, so that a re-run is quick.

    Parameters
    ----------
    folder : ModelFolder
        The model's files.
    settings : SessionSettings
        How it is loaded and read.

    Returns
    -------
    ModelSession
    """
    return sessions.model_session.ModelSession(folder, settings)


class AnswerCache:
    """Item answers by subject and target. One model is in memory at a time."""

    def __init__(self, request: CheckRequest, on_note: Callable[[str], None]) -> None:
        self._folder = request.cache.expanduser()
        self._settings = SessionSettings(
            precision=request.precision,
            exact_and_fast=request.exact_and_fast,
            device=request.device,
            chat_template=request.chat_template,
            chat_template_args=request.chat_template_args,
            loads_by_peft=True,
        )
        self._on_note = on_note
        self._session: ModelSession | None = None
        self._noted: set[str] = set()
        self._activations: dict[Path, str] = {}

    def find_activation(self, subject: CheckSubject, adapter: Path, targets: Sequence[CheckTarget]) -> str:
        """Find out how an adapter is active: from its answers in the cache, else by loading it.

        Parameters
        ----------
        subject : CheckSubject
            An adapter.
        adapter : Path
            Its folder.
        targets : sequence of CheckTarget
            What will be answered.

        Returns
        -------
        str
            A note for the reader of the result.

        Raises
        ------
        InputError
            If it does not fit the base.
        """
        for activation in _ACTIVATIONS:
            self._activations[adapter] = activation
            if all(self._path(self._key(subject, target)).exists() for target in targets):
                break
        else:
            session = self._session_for(subject.folder)
            self._activations[adapter] = session.try_adapter(adapter)
        return _NOTES[self._activations[adapter]].format(name=subject.name)

    def answers(self, subject: CheckSubject, targets: Sequence[CheckTarget]) -> list[pl.DataFrame]:
        """The item answers of one subject; what is missing is computed and kept.

        Parameters
        ----------
        subject : CheckSubject
            Who answers.
        targets : sequence of CheckTarget
            What is answered.

        Returns
        -------
        list of pl.DataFrame
            A frame per target, in their order.
        """
        keys = [self._key(subject, target) for target in targets]
        missing = {key: target for key, target in zip(keys, targets, strict=True) if not self._is_cached(key)}
        if missing:
            self._on_note(f"{subject.name}: {len(missing)} of {len(set(keys))} targets to answer")
            session = self._session_for(subject.folder)
            with session.active(subject.adapter, strength=subject.strength):
                for number, (key, target) in enumerate(missing.items(), 1):
                    self._note_cut_items(session, target)
                    self._write(key, subject, target, session.answer(target.for_session))
                    self._on_note(f"{subject.name}: {number} of {len(missing)}: {target.name}")
        return [read_answers(self._path(key)) for key in keys]

    def _session_for(self, folder: ModelFolder) -> "ModelSession":
        if self._session is None or self._session.folder.path != folder.path:
            self._session = None  # frees the former model before the next one is loaded
            self._session = open_session(folder, self._settings)
            self._noted = set()
        return self._session

    def _note_cut_items(self, session: "ModelSession", target: CheckTarget) -> None:
        if target.generation is not None or target.items_digest in self._noted:
            return
        self._noted.add(target.items_digest)
        n_cut = session.n_items_cut(target.for_session)
        if n_cut:
            self._on_note(
                f"{target.name}: {n_cut} items are longer than the {session.max_length} tokens that the model reads; "
                "they lose their beginning"
            )

    def _write(self, key: str, subject: CheckSubject, target: CheckTarget, frame: pl.DataFrame) -> None:
        footer = AnswersFooter(
            training_key=None,
            adapter_digest=subject.adapter_digest,
            scoring_keys={str(target.cell): key},
        )
        write_answers(self._path(key), frame, footer)

    def _is_cached(self, key: str) -> bool:
        """True if the answers are there and whole; damaged ones are named and given again."""
        if not self._path(key).exists():
            return False
        try:
            read_answers(self._path(key))
        except StoreError:
            self._on_note(f"{self._path(key)}: damaged; these answers are given again")
            return False
        return True

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.parquet"

    def _key(self, subject: CheckSubject, target: CheckTarget) -> str:
        """What the answers depend on: content, never names, paths or the machine."""
        generation = target.generation
        condition = {
            "base": subject.folder.weights_digest,
            "tokenizer": subject.folder.tokenizer_digest,
            "semantics": SEMANTICS,
            "items": target.items_digest,
            "norm": target.norm,
            "generated": generation and {"until": list(generation.until), "max_new_tokens": generation.max_new_tokens},
            "precision": self._settings.precision,
            **precision_key(self._settings.precision),
            **({"exact_and_fast": True} if self._settings.exact_and_fast else {}),
            "chat_template": self._settings.chat_template,
            **({"chat_template_args": dict(arguments)} if (arguments := self._settings.chat_template_args) else {}),
            "merge": MERGED if subject.adapter is None else self._activations.get(subject.adapter, MERGED),
            **({} if subject.adapter is None else {"adapter_semantics": _ADAPTER_SEMANTICS}),
            **({} if subject.strength == 1 else {"strength": subject.strength}),
        }
        return digest_of([digest_of(condition), subject.adapter_digest])
