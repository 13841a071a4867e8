"""What is checked: a base model, and the adapters, merged checkpoints and revisions that are compared with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from donorgrid import models
from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, content_digest, is_adapter
from donorgrid.models.folders import ModelFolder, find_model, find_tokenizer
from donorgrid.pipeline.check.adapter_fit import read_adapter_config, tokenizer_notes
from donorgrid.pipeline.prepare.study_models import built_in_models

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, kw_only=True)
class CheckSubject:
    """A base, a checkpoint or an adapter.

    Attributes
    ----------
    name : str
        The name in the result.
    folder : ModelFolder
        The model's files; for an adapter those of the base.
    adapter : Path, optional
        The adapter's folder.
    adapter_digest : str, optional
        The digest of its content.
    notes : tuple of str
        What the reader of the result should know.
    strength : float
        How much of the adapter's change is applied; a whole checkpoint is an adapter where this is not 1.
    """

    name: str
    folder: ModelFolder
    adapter: Path | None = None
    adapter_digest: str | None = None
    notes: tuple[str, ...] = ()
    strength: float = 1.0

    def is_the_same_as(self, base: "CheckSubject") -> bool:
        """True if it is the base, weight by weight."""
        return self.adapter is None and self.folder.weights_digest == base.folder.weights_digest


def find_base(written: str, *, folder: Path, tokenizer: str | None = None) -> CheckSubject:
    """The base model of a check.

    Parameters
    ----------
    written : str
        A built-in name, a folder, a hub ID, or ID@revision.
    folder : Path
        The folder that relative paths are relative to.
    tokenizer : str, optional
        A model or a folder whose tokenizer is used in place of the base's own.

    Returns
    -------
    CheckSubject

    Raises
    ------
    InputError
        If it cannot be found.
    """
    base = _model(written, folder)
    if tokenizer is None:
        return CheckSubject(name=written, folder=base)
    path = find_tokenizer(tokenizer, folder=folder, built_in=built_in_models())
    return CheckSubject(name=written, folder=base.with_tokenizer(path))


def find_subjects(
    written: Sequence[str], base: CheckSubject, *, folder: Path, chat_template: bool = False
) -> tuple[CheckSubject, ...]:
    """The adapters and checkpoints to check.

    Parameters
    ----------
    written : sequence of str
        Folders, hub IDs, or ID@revision.
    base : CheckSubject
        The base that adapters must fit.
    folder : Path
        The folder that relative paths are relative to.
    chat_template : bool
        Whether contexts are read under the chat template.

    Returns
    -------
    tuple of CheckSubject
        In their order. A folder is named by the shortest end of its path that no other has.

    Raises
    ------
    InputError
        If a subject cannot be read, does not fit the base, or is named twice.
    """
    for index, name in enumerate(written):
        if name in written[:index]:
            raise InputError(f"adapter '{name}': it is named twice")
    subjects = [_subject(name, base, folder) for name in written]
    subjects = [_with_tokenizer_notes(subject, base.folder, chat_template) for subject in subjects]
    is_path = [(folder / name).exists() for name in written]
    names = distinct_names([base.name, *written], is_path=[False, *is_path])
    return tuple(replace(subject, name=name) for subject, name in zip(subjects, names[1:], strict=True))


def distinct_names(written: Sequence[str], *, is_path: Sequence[bool]) -> list[str]:
    """Short names that differ.

    Parameters
    ----------
    written : sequence of str
        Paths and other names.
    is_path : sequence of bool
        Which of them are paths.

    Returns
    -------
    list of str
        Of a path its last parts, as few as no other ends with, but at least one; other names as they are.
    """
    parts = [Path(name).parts if path else (name,) for name, path in zip(written, is_path, strict=True)]
    return [_shortest_end(path, [*parts[:index], *parts[index + 1 :]]) for index, path in enumerate(parts)]


def _shortest_end(path: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> str:
    ends = (path[-length:] for length in range(1, len(path) + 1))
    shortest = next((end for end in ends if not any(other[-len(end) :] == end for other in others)), path)
    return str(Path(*shortest))


def _subject(written: str, base: CheckSubject, folder: Path) -> CheckSubject:
    local = folder / written
    if written not in built_in_models() and local.exists():
        if not local.is_dir():
            raise InputError(f"adapter '{written}': it is a file; give the folder that holds {ADAPTER_CONFIG}")
        if is_adapter(local):
            return _adapter(written, local, base)
        if not (local / "config.json").is_file():
            raise InputError(
                f"adapter '{written}': it holds neither {ADAPTER_CONFIG} (an adapter) nor config.json (a model)"
                + _nested(written, local)
            )
    elif written not in built_in_models():
        fetched = _from_hub(written)
        if fetched is not None:
            return _adapter(written, fetched, base)
    model = _model(written, folder)
    if base.folder.other_tokenizer is not None:
        model = model.with_tokenizer(base.folder.other_tokenizer)
    return CheckSubject(name=written, folder=model)


def _nested(written: str, folder: Path) -> str:
    """The adapters one level below: PEFT saves an adapter that has a name in a folder of that name."""
    names = [str(Path(written) / config.parent.name) for config in sorted(folder.glob(f"*/{ADAPTER_CONFIG}"))]
    return f"; adapters lie in {', '.join(map(repr, names))}" if names else ""


def _model(written: str, folder: Path) -> ModelFolder:
    name, revision = (written, None) if (folder / written).exists() else _split(written)
    return find_model(name, revision=revision, folder=folder, built_in=built_in_models())


def _split(written: str) -> tuple[str, str | None]:
    name, at, revision = written.partition("@")
    if at and not revision:
        raise InputError(f"'{written}': expected a revision after '@'")
    return name, revision or None


def _from_hub(written: str) -> Path | None:
    """The folder of an adapter on the hub or in its cache; None where the name is no adapter, so must be a model."""
    name, revision = _split(written)
    folder = models.hub.find_files(name, revision, patterns=[ADAPTER_CONFIG, ADAPTER_WEIGHTS])
    return folder if folder is not None and is_adapter(folder) else None


def _adapter(written: str, path: Path, base: CheckSubject) -> CheckSubject:
    config = read_adapter_config(written, path)
    stated_base = config.get("base_model_name_or_path")
    notes = (
        (f"{written}: it says that it was made for {stated_base}, not for {base.name}",)
        if _is_other_base(stated_base, base)
        else ()
    )
    return CheckSubject(
        name=written, folder=base.folder, adapter=path, adapter_digest=content_digest(path), notes=notes
    )


def _is_other_base(stated: object, base: CheckSubject) -> bool:
    """True if an adapter states another base than the one it is checked on: another hub ID, or another local folder."""
    if not isinstance(stated, str) or not stated:
        return False
    if Path(stated).is_dir():
        return Path(stated).resolve() != base.folder.path.resolve()
    base_id, _ = _split(base.name)
    are_hub_ids = all(_HUB_ID.fullmatch(name) for name in (stated, base_id)) and not Path(base.name).exists()
    return are_hub_ids and stated != base_id


def _with_tokenizer_notes(subject: CheckSubject, base: ModelFolder, chat_template: bool) -> CheckSubject:
    notes = tokenizer_notes(subject.name, subject.adapter, base, chat_template=chat_template)
    return replace(subject, notes=(*subject.notes, *notes))
