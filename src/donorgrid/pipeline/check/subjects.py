"""What is checked: a base model, and the adapters, merged checkpoints and revisions that are held against it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from donorgrid import models
from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    LORA_A,
    LORA_B,
    content_digest,
    factor_shapes,
    is_adapter,
    read_config,
)
from donorgrid.models.folders import ModelFolder, find_model, weight_shapes
from donorgrid.pipeline.prepare.study_models import built_in_models

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_NUMBERED = re.compile(r"\d+\..+")


@dataclass(frozen=True, kw_only=True)
class CheckSubject:
    """A base, a checkpoint (its own ``folder``), or an adapter (the base's folder, ``adapter`` and its digest)."""

    name: str
    folder: ModelFolder
    adapter: Path | None = None
    adapter_digest: str | None = None
    notes: tuple[str, ...] = ()

    def is_the_same_as(self, base: "CheckSubject") -> bool:
        """Whether it is the base, weight by weight."""
        return self.adapter is None and self.folder.weights_digest == base.folder.weights_digest


def find_base(written: str, *, folder: Path) -> CheckSubject:
    """The base model: a built-in name, a folder, a hub ID, or one of the last two with ``@revision``."""
    return CheckSubject(name=written, folder=_model(written, folder))


def find_subjects(written: Sequence[str], base: CheckSubject, *, folder: Path) -> tuple[CheckSubject, ...]:
    """The subjects to check, in the order given; InputError for one that cannot be read or is named twice.

    A folder is called by as much of its path's end as tells it from the others.
    """
    for place, one in enumerate(written):
        if one in written[:place]:
            raise InputError(f"adapter '{one}': it is named twice")
    found = [_subject(one, base, folder) for one in written]
    is_path = [(folder / one).exists() for one in written]
    names = distinct_names([base.name, *written], is_path=[False, *is_path])
    return tuple(replace(one, name=name) for one, name in zip(found, names[1:], strict=True))


def distinct_names(written: Sequence[str], *, is_path: Sequence[bool]) -> list[str]:
    """What was written, but of a path only its last parts, as many as no other ends with; never fewer than one."""
    parts = [Path(one).parts if path else (one,) for one, path in zip(written, is_path, strict=True)]
    return [_shortest(own, [*parts[:place], *parts[place + 1 :]]) for place, own in enumerate(parts)]


def _shortest(own: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> str:
    ends = (own[-length:] for length in range(1, len(own) + 1))
    shortest = next((end for end in ends if not any(other[-len(end) :] == end for other in others)), own)
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
            )
    elif written not in built_in_models():
        fetched = _from_hub(written)
        if fetched is not None:
            return _adapter(written, fetched, base)
    return CheckSubject(name=written, folder=_model(written, folder))


def _model(written: str, folder: Path) -> ModelFolder:
    name, revision = (written, None) if (folder / written).exists() else _split(written)
    return find_model(name, revision=revision, folder=folder, built_in=built_in_models())


def _split(written: str) -> tuple[str, str | None]:
    name, at, revision = written.partition("@")
    if at and not revision:
        raise InputError(f"'{written}': expected a revision after '@'")
    return name, revision or None


def _from_hub(written: str) -> Path | None:
    """The folder of an adapter on the hub or in its cache; None where there is none, and it must be a model."""
    name, revision = _split(written)
    folder = models.hub.find_files(name, revision, patterns=[ADAPTER_CONFIG, ADAPTER_WEIGHTS])
    return folder if folder is not None and is_adapter(folder) else None


def _adapter(written: str, path: Path, base: CheckSubject) -> CheckSubject:
    config = _config(written, path)
    if config.get("peft_type") != "LORA":
        raise InputError(
            f"adapter '{written}': its kind is {config.get('peft_type')!r}; LORA can be checked as an adapter, any "
            "other as a merged checkpoint"
        )
    if not (path / ADAPTER_WEIGHTS).is_file():
        raise InputError(f"adapter '{written}': it holds no {ADAPTER_WEIGHTS}; other weight formats are not read")
    _check_fit(written, factor_shapes(path), base)
    notes = _notes(written, config.get("base_model_name_or_path"), base)
    return CheckSubject(
        name=written, folder=base.folder, adapter=path, adapter_digest=content_digest(path), notes=notes
    )


def _notes(written: str, made_for: object, base: CheckSubject) -> tuple[str, ...]:
    """Whether an adapter that fits names another base: a hub ID, or a folder that is here."""
    if not isinstance(made_for, str) or not made_for:
        return ()
    if Path(made_for).is_dir():
        other = Path(made_for).resolve() != base.folder.path.resolve()
    else:
        other = all(_HUB_ID.fullmatch(one) for one in (made_for, _split(base.name)[0])) and not Path(base.name).exists()
        other = other and made_for != _split(base.name)[0]
    return (f"{written}: it says that it was made for {made_for}, not for {base.name}",) if other else ()


def _config(written: str, path: Path) -> dict[str, Any]:
    config = read_config(path)
    for key in ("r", "lora_alpha"):
        if config.get("peft_type") == "LORA" and not isinstance(config.get(key), int | float):
            raise InputError(f"adapter '{written}': {ADAPTER_CONFIG}: {key} is {config.get(key)!r}; expected a number")
    return config


def _check_fit(written: str, shapes_of: Mapping[str, Mapping[str, tuple[int, ...]]], base: CheckSubject) -> None:
    """InputError when the adapter names a module that the base lacks, or has in another shape.

    Modules are compared from their layer's number on: files and networks call what stands before it differently.
    """
    known: dict[str, set[tuple[int, ...]]] = {}
    for name, shape in weight_shapes(base.folder).items():
        known.setdefault(_tail(name.removesuffix(".weight")), set()).add(shape)
    lora = {module: shapes for module, shapes in shapes_of.items() if LORA_A in shapes or LORA_B in shapes}
    if not lora:
        raise InputError(f"adapter '{written}': it holds no LoRA weights (lora_A, lora_B)")
    for module, shapes in lora.items():
        a, b = shapes.get(LORA_A), shapes.get(LORA_B)
        if a is None or b is None:
            raise InputError(f"adapter '{written}': {module} has only one of lora_A and lora_B")
        have, wanted = known.get(_tail(module)), {(b[0], a[-1]), (a[-1], b[0])}
        if have is None and _NUMBERED.search(module):
            raise InputError(f"adapter '{written}': it was made for another base: '{base.name}' has no {module}")
        if have is not None and len(a) == len(b) == 2 and not have & wanted:
            its_own = " x ".join(map(str, min(have)))
            raise InputError(
                f"adapter '{written}': it was made for another base: {module} is {its_own} in '{base.name}', and "
                f"{b[0]} x {a[-1]} for the adapter"
            )


def _tail(module: str) -> str:
    numbered = _NUMBERED.search(module)
    return module.rpartition(".")[2] if numbered is None else numbered[0]
