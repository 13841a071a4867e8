"""A base model's folder of files, local or from the hub's cache, and its identity. No torch here."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from donorgrid import models
from donorgrid.core.digests import digest_of_files
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
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
    return ModelFolder(
        path=path,
        weights_digest=digest_of_files([*weights, path / "config.json"]),
        tokenizer_digest=digest_of_files(tokenizer_files(path)),
        n_parameters=sum(math.prod(shape) for file in weights for shape in tensor_shapes(file).values()),
        model_type=config["model_type"],
        max_positions=_max_positions(config),
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
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"model '{model_id}': {path / 'config.json'} is not JSON: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise InputError(f"model '{model_id}': {path / 'config.json'} names no model_type")
    if config.get("quantization_config") is not None:
        raise InputError(f"model '{model_id}': its weights are quantised already; give the model that it was made from")
    return config


def _from_hub(model_id: str, revision: str | None, built_in: list[str], *, patterns: Sequence[str]) -> Path:
    require_training(f"model '{model_id}' is no local folder, and the hub")
    allowed = f"give a local folder, a hub id, or one of {built_in}"
    return models.hub.fetch_model(model_id, revision, patterns=patterns, allowed=allowed)


def _max_positions(config: dict[str, Any]) -> int | None:
    """The context length of the text model, under one of the names that configurations use."""
    text = config.get("text_config") or config
    lengths = (text.get(name) for name in ("n_positions", "max_position_embeddings", "n_ctx"))
    return next((int(length) for length in lengths if length is not None), None)


def weight_shapes(folder: ModelFolder) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's weights by name, from the headers of its files."""
    return {name: shape for file in sorted(folder.path.glob(_WEIGHTS)) for name, shape in tensor_shapes(file).items()}
