"""A check as the command line states it: flags, over the keys of a file."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, naming
from donorgrid.pipeline.check.check_file import CheckKeys, read_check_file, specs
from donorgrid.pipeline.check.page_path import check_page, page_in_folder, path_in_folder
from donorgrid.pipeline.check.request import CheckRequest, TargetSpec
from donorgrid.pipeline.check.target_references import is_data_file
from donorgrid.plan.scoring import template_arguments
from donorgrid.tasks.documents.file_content import is_data_file as has_data_suffix
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL
from donorgrid.tasks.task_files.plain import Columns

_ALLOWED = {"metric": ("acc", "acc_norm"), "precision": ("fp32", "bf16")}
_SUFFIXES = (".yaml", ".yml")
_PLAIN = (
    "limit",
    "items",
    "strengths",
    "find_strength",
    "metric",
    "precision",
    "exact_and_fast",
    "chat_template",
    "chat_template_args",
    "tokenizer",
    "max_new_tokens",
    "device",
    "cache",
)


@dataclass(frozen=True, kw_only=True)
class CommandLineCheck:
    """What is to be checked, where the page is written (None: nowhere), and whether undecided guards may pass."""

    request: CheckRequest
    report: Path | None
    allow_undecided: bool


def check_from_flags(flags: Mapping[str, Any], config: Path | None) -> CommandLineCheck:
    """A check from the flags of the command line and the keys of a file.

    Parameters
    ----------
    flags : mapping of str to object
        The flags; None where one was not given. A flag wins over the key of the same name.
    config : Path or None
        A check file. Its paths are relative to its folder, those of flags to the working directory.

    Returns
    -------
    CommandLineCheck

    Raises
    ------
    InputError
        If a value is not allowed, or there is nothing to check.
    """
    for name, allowed in _ALLOWED.items():
        if flags.get(name) is not None and flags[name] not in allowed:
            raise InputError(f"--{name} '{flags[name]}': allowed are {', '.join(allowed)}")
    flags = {
        **flags,
        "chat_template_args": template_arguments(flags.get("chat_template_args")),
        "strengths": _numbers(flags.get("strengths"), "--strengths"),
    }
    keys = CheckKeys() if config is None else read_check_file(config)
    folder = Path() if config is None else config.parent
    base = flags.get("base") or (None if keys.base is None else _from(folder, keys.base))
    if base is None:
        missing = "name a base model, or give a file with the key 'base' by --config"
        raise InputError(
            f"nothing to check: {missing}" if config is None else f"{config}: key 'base' is missing; {missing}"
        )
    adapters = tuple(flags.get("adapters") or ()) or tuple(_from(folder, adapter) for adapter in keys.adapters)
    plain = {name: getattr(keys, name) if flags.get(name) is None else flags[name] for name in _PLAIN}
    if flags.get("cache") is None and keys.cache is not None:
        plain["cache"] = path_in_folder(keys.cache, folder, key="cache", where=str(config))
    if flags.get("tokenizer") is None and keys.tokenizer is not None:
        plain["tokenizer"] = _from(folder, keys.tokenizer)
    with nullcontext() if config is None else naming(str(config)):
        request = CheckRequest(
            base=base,
            adapters=adapters,
            **_with_columns(
                {name: _targets(flags.get(name), getattr(keys, name), folder) for name in ("on", "guard")},
                flags.get("columns") or {},
            ),
            **{name: value for name, value in plain.items() if value is not None},
        )
    report = flags.get("report")
    if report is None and keys.report is not None:
        report = page_in_folder(keys.report, folder, where=str(config))
    page = None if report is None else check_page(report)
    allow_undecided = bool(flags.get("allow_undecided")) or keys.allow_undecided
    return CommandLineCheck(request=request, report=page, allow_undecided=allow_undecided)


def _numbers(written: str | None, option: str) -> tuple[float, ...] | None:
    """The numbers of an option, written with commas between them."""
    if written is None:
        return None
    try:
        return tuple(abs(float(part)) if float(part) == 0 else float(part) for part in written.split(","))
    except ValueError:
        raise InputError(
            f"{option} '{written}': expected numbers with commas between them, such as 0.25,0.5,1"
        ) from None


def _targets(flags: list[str] | None, keys: Any, folder: Path) -> tuple[TargetSpec, ...]:
    if flags:
        return tuple(map(TargetSpec.parse, flags))
    return tuple(
        TargetSpec(reference=_from(folder, spec.reference), languages=spec.languages, columns=spec.columns)
        for spec in specs(keys)
    )


def _with_columns(targets: dict[str, tuple[TargetSpec, ...]], columns: Columns) -> dict[str, Any]:
    """The targets, of which the data files have the columns that the command line names."""
    if columns and not any(is_data_file(spec.reference) for specs_of in targets.values() for spec in specs_of):
        raise InputError("--columns: no target is a data file; it names columns of .jsonl, .csv and the like")
    return {
        role: tuple(
            replace(spec, columns={**spec.columns, **columns}) if is_data_file(spec.reference) else spec
            for spec in specs_of
        )
        for role, specs_of in targets.items()
    }


def _from(folder: Path, written: str) -> str:
    """A path that holds from the file's folder as one that holds from here; any other name as it is."""
    path = folder / written
    is_file = (path.suffix in _SUFFIXES or has_data_suffix(path)) and not written.startswith(LM_EVAL)
    return str(path) if is_file or written.startswith(".") or path.exists() else written
