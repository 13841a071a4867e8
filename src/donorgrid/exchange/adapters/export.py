"""``donorgrid export adapter``: a folder that opens on any machine, with a card that shows its transfer profile.

The folder is a PEFT adapter or, after a full fine-tuning, a checkpoint that needs no base model.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from donorgrid.core.atomic_files import whole_folder
from donorgrid.core.errors import InputError
from donorgrid.core.json_files import read_json_object
from donorgrid.exchange.adapters.card import AdapterCard
from donorgrid.exchange.adapters.card_text import card_text
from donorgrid.exchange.folders import refuse_filled
from donorgrid.models.adapter_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CHECKPOINT_CONFIG, TRAIN_LOG, read_config

STAMP = "donorgrid.json"


def export_adapter(adapter: Path, card: AdapterCard, folder: Path) -> Path:
    """Copies an adapter with a model card. The copy names its base model, never a path of this machine.

    Nothing is published.

    Parameters
    ----------
    adapter : Path
        A PEFT adapter's folder, or a checkpoint's.
    card : AdapterCard
        The content of the model card.
    folder : Path
        The new folder.

    Returns
    -------
    Path
        ``folder``.

    Raises
    ------
    InputError
        If ``adapter`` is neither an adapter nor a checkpoint, or ``folder`` holds anything.
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
    """Returns the exported configuration and the names of the files to copy."""
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
    config = read_json_object(adapter / CHECKPOINT_CONFIG, what="a model's configuration") | {
        "_name_or_path": card.base_name
    }
    return config, [name for name in files if name not in (CHECKPOINT_CONFIG, STAMP, "README.md")]
