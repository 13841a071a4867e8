"""Parses and validates the keys of a task file; an unsupported key is an error that names it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import METRICS
from donorgrid.tasks.task_files.keys import EXACT_MATCH, EXTRA_NAME, ChoiceKeys, GenerationKeys, TaskKeys
from donorgrid.tasks.task_files.yaml_files import PythonFunction

EXTRA = f"a task of lm-eval itself runs by name as 'lm_eval:NAME' with the extra {EXTRA_NAME}"
_LONGEST_VALUE = 60

WITHOUT_EFFECT = frozenset(
    {"task_alias", "tag", "should_decontaminate", "doc_to_decontamination_query", "repeats", "generation_kwargs"}
)
"""Keys of lm-eval that do not change the requests of a multiple-choice task (a generation reads its kwargs)."""

NOT_READ = frozenset(
    {
        "custom_dataset",
        "doc_to_audio",
        "doc_to_image",
        "filter_list",
        "group",
        "process_docs",
        "process_results",
        "task_list",
        "unsafe_code",
        "use_prompt",
    }
)
"""Keys of lm-eval that would change the requests and are not read natively."""

_TYPES: dict[str, type[ChoiceKeys] | type[GenerationKeys]] = {
    "multiple_choice": ChoiceKeys,
    "generate_until": GenerationKeys,
}


def parse_keys(content: dict[str, Any], *, where: str) -> TaskKeys:
    """Check the keys of a task file.

    Parameters
    ----------
    content
        Key to value, as the YAML file gives them.
    where
        The file's name, for messages.

    Returns
    -------
    TaskKeys
        The keys, with lm-eval's defaults for those that the file leaves out.

    Raises
    ------
    InputError
        For a key that is missing, unknown or not read, or a value that is not allowed; the message names both.
    """
    if "output_type" not in content:
        raise InputError(f"{where}: key 'output_type' is missing; allowed: {', '.join(_TYPES)}")
    output_type = content["output_type"]
    if not isinstance(output_type, str) or output_type not in _TYPES:
        raise InputError(f"{where}: output_type is '{output_type}'; allowed: {', '.join(_TYPES)}; {EXTRA}")
    fields = _TYPES[output_type].model_fields
    content = {**content, "metric_list": _metrics(content["metric_list"])} if "metric_list" in content else content
    kept = {key: value for key, value in content.items() if key in fields or key not in WITHOUT_EFFECT}
    for key, value in kept.items():
        _refuse_unread(key, value, allowed=fields, where=where)
    without_nulls = {key: value for key, value in kept.items() if value is not None}
    try:
        return _TYPES[output_type].model_validate(without_nulls)
    except ValidationError as error:
        raise InputError(f"{where}: {_first_problem(error)}") from error


def _metrics(written: Any) -> Any:
    """The entries of ``metric_list``; of a metric that is not computed only the name, whatever else it has."""
    if not isinstance(written, list):
        return written
    return [
        {"metric": str(entry["metric"])} if isinstance(entry, dict) and _other_metric(entry.get("metric")) else entry
        for entry in written
    ]


def _other_metric(name: Any) -> bool:
    return isinstance(name, str | PythonFunction) and name not in (*METRICS, EXACT_MATCH)


def _refuse_unread(key: str, value: Any, *, allowed: Mapping[str, object], where: str) -> None:
    function = _function_in(value)
    if function:
        raise InputError(f"{where}: key '{key}' is Python code ({function}), which is not read; {EXTRA}")
    if key in NOT_READ and key not in allowed and value not in (None, False):
        raise InputError(f"{where}: key '{key}' is not read; {EXTRA}")
    if key not in NOT_READ and key not in allowed:
        raise InputError(f"{where}: unknown key '{key}'{suggestion(key, allowed)}; allowed: {', '.join(allowed)}")


def _function_in(value: Any) -> PythonFunction | None:
    """The first Python function in a value, also inside lists and mappings."""
    if isinstance(value, PythonFunction):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((function for part in parts if (function := _function_in(part))), None)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"] if not str(part).startswith(("tuple[", "function-", "dict[")))
    message = first["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if first["type"] == "missing":
        return f"key '{key}' is missing"
    if first["type"] == "extra_forbidden":
        return f"unknown key '{key}'"
    value = repr(first["input"])
    return f"key '{key}' is {value if len(value) <= _LONGEST_VALUE else value[:57] + '...'}: {message}"


def safe_relative(name: str) -> bool:
    """True if a path stays beneath its folder."""
    return not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
