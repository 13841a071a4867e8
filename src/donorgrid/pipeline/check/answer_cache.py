"""Item answers for a check: the base scored once, adapters one after another on it, and everything kept by its key."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid import models, pipeline
from donorgrid.core.digests import digest_of
from donorgrid.models.folders import ModelFolder
from donorgrid.pipeline.check.settings import EngineSettings, generation_of
from donorgrid.pipeline.check.subjects import CheckSubject
from donorgrid.pipeline.check.targets import CheckTarget
from donorgrid.pipeline.prepare.work_keys import MERGED, SEMANTICS
from donorgrid.store.answers import AnswersFooter, read_answers, write_answers


def open_network(folder: ModelFolder, settings: EngineSettings, on_note: Callable[[str], None]) -> Any:
    """A network in memory. Torch is loaded here and no earlier, so that a re-run is quick."""
    return pipeline.check.network.Network(folder, settings, on_note)


def check_device(wanted: str) -> None:
    """InputError for a device that is not there, also when nothing is left to answer on it."""
    if wanted not in ("auto", "cpu"):
        models.loading.pick_device(wanted)


class CheckEngine:
    """Answers of subjects on targets, from the cache where they are there. One network is in memory at a time."""

    def __init__(self, settings: EngineSettings, on_note: Callable[[str], None]) -> None:
        self._settings = settings
        self._note = on_note
        self._loaded: Any = None

    def answers(self, subject: CheckSubject, targets: Sequence[CheckTarget]) -> list[pl.DataFrame]:
        """The item answers of one subject, a frame per target in the order given; an item that cannot be read lacks."""
        paths = [self._path(subject, target) for target in targets]
        # A target to gain on may be guarded too: it is answered once.
        missing = {path: target for path, target in zip(paths, targets, strict=True) if not path.exists()}
        if missing:
            self._note(f"{subject.name}: {len(missing)} of {len(set(paths))} targets to answer")
            network = self._load(subject.folder)
            with network.merged(subject.adapter):
                for number, (path, target) in enumerate(missing.items(), 1):
                    self._keep(path, subject, target, network.answer(target))
                    self._note(f"{subject.name}: {number} of {len(missing)}: {target.name}")
        return [read_answers(path) for path in paths]

    def _load(self, folder: ModelFolder) -> Any:
        if self._loaded is None or self._loaded.folder.path != folder.path:
            self._loaded = None  # the former network goes before the next one comes
            self._loaded = open_network(folder, self._settings, self._note)
        return self._loaded

    def _keep(self, path: Path, subject: CheckSubject, target: CheckTarget, frame: pl.DataFrame) -> None:
        footer = AnswersFooter(
            training_key=None,
            adapter_digest=subject.adapter_digest,
            scoring_keys={str(target.cell): self._key(subject, target)},
        )
        write_answers(path, frame, footer)

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
            "items": target.items_digest,
            "norm": target.norm,
            "generated": generation_of(target, settings) if target.generates else None,
            "precision": settings.precision,
            "chat_template": settings.chat_template,
            "merge": MERGED,
        }
        return digest_of([digest_of(condition), subject.adapter_digest])
