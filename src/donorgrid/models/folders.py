"""A base model's folder of files, local or from the hub's cache, and its identity. No torch here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from donorgrid import models
from donorgrid.core.digests import digest_of_files
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
from donorgrid.core.json_files import read_json_object
from donorgrid.models.safetensors_headers import tensor_shapes

_WEIGHTS = "*.safetensors"
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "chat_template.jinja",
)
_MODEL = ("*.json", _WEIGHTS, *_TOKENIZER)
_LAYERS = frozenset({"num_hidden_layers", "n_layer", "num_layers"})
_SIZES = frozenset(
    {"hidden_size", "n_embd", "intermediate_size", "num_attention_heads", "n_head", "num_key_value_heads", "head_dim"}
    | {"vocab_size"}
)
_MANY_LAYERS = 200
"""So many layers are tried, whatever the weights hold."""


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """The files of one base model; the digests depend on content alone.

    Attributes
    ----------
    path
        The folder.
    weights_digest
        SHA-256 over the weights and config.json.
    tokenizer_digest
        SHA-256 over the tokenizer's files, its chat template among them.
    n_parameters
        Numbers in the weights' files.
    model_type
        The architecture, as config.json names it.
    max_positions
        The context length in tokens; None if config.json does not say.
    other_tokenizer
        The folder of the tokenizer, where it is not the model's own.
    """

    path: Path
    weights_digest: str
    tokenizer_digest: str
    n_parameters: int
    model_type: str
    max_positions: int | None
    other_tokenizer: Path | None = None

    @property
    def tokenizer_path(self) -> Path:
        """The folder that holds the tokenizer's files."""
        return self.other_tokenizer or self.path

    def with_tokenizer(self, tokenizer: Path) -> "ModelFolder":
        """The same model read with the tokenizer of another folder."""
        return replace(self, other_tokenizer=tokenizer, tokenizer_digest=digest_of_files(tokenizer_files(tokenizer)))


def find_model(model_id: str, *, revision: str | None, folder: Path, built_in: Mapping[str, Path]) -> ModelFolder:
    """Finds the files of a model.

    Parameters
    ----------
    model_id
        A built-in name, a local folder (also relative to ``folder``), or a hub id; tried in this order.
    revision
        A revision on the hub; None: the default one.
    folder
        Where relative paths start.
    built_in
        The folders of the built-in models, by name.

    Returns
    -------
    ModelFolder
        With the files on disk.

    Raises
    ------
    InputError
        The model is missing, gated, quantised, or holds no safetensors weights; one line.
    """
    local = built_in.get(model_id, folder / model_id)
    path = local if local.is_dir() else _from_hub(model_id, revision, list(built_in), patterns=_MODEL)
    if not (path / "config.json").is_file():
        raise InputError(f"model '{model_id}': {path} holds no config.json")
    weights = sorted(path.glob(_WEIGHTS))
    if not weights:
        raise InputError(f"model '{model_id}': {path} holds no *.safetensors; other weight formats are not read")
    config = _read_config(path, model_id)
    shapes = {name: shape for file in weights for name, shape in tensor_shapes(file).items()}
    _check_sizes(config, path, shapes)
    return ModelFolder(
        path=path,
        weights_digest=digest_of_files([*weights, path / "config.json"]),
        tokenizer_digest=digest_of_files(tokenizer_files(path)),
        n_parameters=sum(map(math.prod, shapes.values())),
        model_type=config["model_type"],
        max_positions=_max_positions(config, path),
    )


def find_tokenizer(name: str, *, folder: Path, built_in: Mapping[str, Path]) -> Path:
    """Finds a folder with the files of a tokenizer: of a model, an adapter, or a tokenizer alone.

    Parameters
    ----------
    name
        A built-in model, a local folder (also relative to ``folder``), a hub id, or ID@revision; tried in this order.
    folder
        Where relative paths start.
    built_in
        The folders of the built-in models, by name.

    Returns
    -------
    Path
        A folder with at least one of the tokenizer's files.

    Raises
    ------
    InputError
        There is no such folder, or it holds no tokenizer; one line.
    """
    local = built_in.get(name, folder / name)
    model_id, _, revision = name.partition("@")
    path = local if local.is_dir() else _from_hub(model_id, revision or None, list(built_in), patterns=_TOKENIZER)
    if not {file.name for file in tokenizer_files(path)} & {"tokenizer.json", "tokenizer.model", "vocab.json"}:
        raise InputError(f"tokenizer '{name}': {path} holds no tokenizer.json, tokenizer.model or vocab.json")
    return path


def tokenizer_files(path: Path) -> list[Path]:
    """The files of a model's folder that define its tokenizer and its chat template."""
    return [path / name for name in _TOKENIZER if (path / name).is_file()]


def _read_config(path: Path, model_id: str) -> dict[str, Any]:
    config = read_json_object(path / "config.json", what=f"the configuration of model '{model_id}'")
    if not isinstance(config.get("model_type"), str):
        raise InputError(f"model '{model_id}': {path / 'config.json'} names no model_type")
    if config.get("quantization_config") is not None:
        raise InputError(f"model '{model_id}': its weights are quantised already; give the model that it was made from")
    return config


def _from_hub(model_id: str, revision: str | None, built_in: list[str], *, patterns: Sequence[str]) -> Path:
    require_training(f"model '{model_id}' is no local folder, and the hub")
    allowed = f"give a local folder, a hub id, or one of {built_in}"
    return models.hub.fetch_model(model_id, revision, patterns=patterns, allowed=allowed)


def _max_positions(config: dict[str, Any], path: Path) -> int | None:
    """The context length of the text model, under one of the names that configurations use."""
    text = _text_config(config)
    name = next(
        (name for name in ("n_positions", "max_position_embeddings", "n_ctx") if text.get(name) is not None), None
    )
    if name is None:
        return None
    length = text[name]
    if not isinstance(length, int) or isinstance(length, bool) or not 0 < length < 2**53:
        raise InputError(f"{path / 'config.json'}: {name} is {_shown(length)}; expected a whole number of tokens")
    return length


def _text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of a configuration that describes the language model."""
    text = config.get("text_config") or config
    return text if isinstance(text, dict) else {}


def _check_sizes(config: dict[str, Any], path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises InputError for a size in config.json that the weights cannot have: a model of it would fill the memory."""
    largest = max((size for shape in shapes.values() for size in shape), default=0)
    for name, value in _text_config(config).items():
        limit = max(len(shapes), _MANY_LAYERS) if name in _LAYERS else largest if name in _SIZES else None
        for size in value if isinstance(value, list) else [value]:
            if limit is not None and isinstance(size, int) and size > limit:
                raise InputError(
                    f"{path / 'config.json'}: {name} is {_shown(size)}; with these weights it is at most {limit}"
                )


def _shown(value: object) -> str:
    return repr(value)[:40]


def weight_shapes(folder: ModelFolder) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's weights by name, from the headers of its files."""
    return {name: shape for file in sorted(folder.path.glob(_WEIGHTS)) for name, shape in tensor_shapes(file).items()}
