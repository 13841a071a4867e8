"""``donorgrid export adapter``: a folder that opens anywhere, with a card that carries its transfer profile.

It is a PEFT folder or, after a full fine-tuning, a whole checkpoint that needs no base.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from donorgrid.core.atomic_files import whole_folder
from donorgrid.core.errors import InputError
from donorgrid.exchange.cards import AdapterCard, card_text
from donorgrid.exchange.folders import refuse_filled
from donorgrid.models.adapter_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CHECKPOINT_CONFIG, TRAIN_LOG, read_config

STAMP = "donorgrid.json"


def export_adapter(adapter: Path, card: AdapterCard, folder: Path) -> Path:
    """Copy the adapter into ``folder``, whole, with its base model by name and not by path, and a model card.

    Nothing is published. Raises InputError when ``adapter`` is neither a PEFT folder nor a checkpoint, or ``folder``
    holds something already.
    """
    is_whole = (adapter / CHECKPOINT_CONFIG).is_file()
    config, names = _checkpoint(adapter, card) if is_whole else _adapter(adapter, card)
    refuse_filled(folder)
    text = card_text(card)
    with whole_folder(folder) as unfinished:
        for name in names:
            shutil.copyfile(adapter / name, unfinished / name)
        target = unfinished / (CHECKPOINT_CONFIG if is_whole else ADAPTER_CONFIG)
        target.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (unfinished / "README.md").write_text(text, encoding="utf-8")
    return folder


def _adapter(adapter: Path, card: AdapterCard) -> tuple[dict[str, Any], list[str]]:
    """The configuration as it is exported, and the files that are copied."""
    if not (adapter / ADAPTER_WEIGHTS).is_file():
        raise InputError(f"{adapter}: holds no {ADAPTER_WEIGHTS}; was the adapter kept ('keep_adapters' in the study)?")
    config = read_config(adapter)
    if "peft_type" not in config:
        raise InputError(f"{adapter / ADAPTER_CONFIG}: is no configuration of PEFT: 'peft_type' is missing")
    config |= {"base_model_name_or_path": card.base_name, "revision": card.revision}
    return config, [name for name in (ADAPTER_WEIGHTS, TRAIN_LOG) if (adapter / name).is_file()]


def _checkpoint(adapter: Path, card: AdapterCard) -> tuple[dict[str, Any], list[str]]:
    files = sorted(path.name for path in adapter.iterdir() if path.is_file())
    if not any(name.endswith(".safetensors") for name in files):
        raise InputError(f"{adapter}: holds no *.safetensors; was the checkpoint kept ('keep_adapters' in the study)?")
    config = _checkpoint_config(adapter / CHECKPOINT_CONFIG) | {"_name_or_path": card.base_name}
    return config, [name for name in files if name not in (CHECKPOINT_CONFIG, STAMP, "README.md")]


def _checkpoint_config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as a model's configuration ({error})") from error
    if not isinstance(config, dict):
        raise InputError(f"{file}: cannot be read as a model's configuration (it is no object)")
    return config
