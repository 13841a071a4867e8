"""What can be said of an adapter before torch is loaded: its configuration, its files, a tokenizer that lies with it.

Whether its tensors fit the base is PEFT's to say (``models.peft_adapters``).
"""

from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.json_files import read_json_object
from donorgrid.models.adapter_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, read_config
from donorgrid.models.folders import ModelFolder
from donorgrid.models.safetensors_headers import tensor_shapes

_TASK_TYPE = "CAUSAL_LM"


def read_adapter_config(written: str, path: Path) -> dict[str, Any]:
    """Check the configuration and the header of an adapter's weights.

    Parameters
    ----------
    written : str
        The adapter as the user named it, for messages.
    path : Path
        Its folder.

    Returns
    -------
    dict
        PEFT's configuration of the adapter.

    Raises
    ------
    InputError
        If its files cannot be read, it is for another task than a causal language model's, or it holds empty tensors.
    """
    config = read_config(path)
    for key in ("r", "lora_alpha"):
        if config.get("peft_type") == "LORA" and not _is_number(config.get(key)):
            raise InputError(f"adapter '{written}': {ADAPTER_CONFIG}: {key} is {config.get(key)!r}; expected a number")
    task_type = config.get("task_type")
    if task_type not in (None, _TASK_TYPE):
        raise InputError(
            f"adapter '{written}': {ADAPTER_CONFIG}: task_type is {task_type!r}; expected {_TASK_TYPE!r}: a check "
            "compares causal language models"
        )
    if not (path / ADAPTER_WEIGHTS).is_file():
        raise InputError(f"adapter '{written}': it holds no {ADAPTER_WEIGHTS}; other weight formats are not read")
    shapes = tensor_shapes(path / ADAPTER_WEIGHTS, whole=True)
    empty = [name for name, shape in shapes.items() if 0 in shape]
    if empty:
        raise InputError(
            f"adapter '{written}': {len(empty)} of {len(shapes)} tensors are empty, the first is {empty[0]} "
            f"{list(shapes[empty[0]])}; DeepSpeed ZeRO-3 and FSDP write such files unless the weights are gathered "
            "before they are saved"
        )
    if not shapes:
        raise InputError(f"adapter '{written}': {ADAPTER_WEIGHTS} holds no tensors")
    return config


def tokenizer_notes(written: str, adapter: Path | None, base: ModelFolder, *, chat_template: bool) -> tuple[str, ...]:
    """What a reader should know of a tokenizer that lies with an adapter and is not used.

    Parameters
    ----------
    written : str
        The adapter as the user named it.
    adapter : Path or None
        Its folder; None for a checkpoint.
    base : ModelFolder
        The base, with the tokenizer that is used.
    chat_template : bool
        Whether contexts are read under the chat template.

    Returns
    -------
    tuple of str
        At most one note.

    Raises
    ------
    InputError
        If the chat template is wanted, and only the adapter has one.
    """
    if adapter is None or base.other_tokenizer is not None:
        return ()
    theirs, ours = _chat_template(adapter), _chat_template(base.path)
    if chat_template and theirs and not ours:
        raise InputError(
            f"{base.path}: the tokenizer has no chat template; adapter '{written}' has one: give --tokenizer {written}"
        )
    new = sorted(_added_tokens(adapter) - _added_tokens(base.path))
    if new:
        return (
            f"{written}: the tokenizer that lies with it has {len(new)} more tokens ({new[0]} ...) and is not used; "
            f"--tokenizer {written} uses it for all",
        )
    if chat_template and theirs and theirs != ours:
        return (f"{written}: the chat template that lies with it is another and is not used; --tokenizer {written}",)
    return ()


def _chat_template(folder: Path) -> Any:
    file = folder / "chat_template.jinja"
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    return _read_json(folder / "tokenizer_config.json").get("chat_template")


def _added_tokens(folder: Path) -> set[str]:
    tokens = _read_json(folder / "tokenizer.json").get("added_tokens") or []
    if not isinstance(tokens, list) or not all(isinstance(token, dict) for token in tokens):
        raise InputError(f"{folder / 'tokenizer.json'}: added_tokens is no list of objects")
    return {str(token.get("content")) for token in tokens}


def _read_json(file: Path) -> dict[str, Any]:
    return read_json_object(file) if file.is_file() else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
