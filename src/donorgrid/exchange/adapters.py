"""``donorgrid export adapter``: a PEFT folder that opens anywhere, with a card that carries its transfer profile."""

import json
import shutil
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.names import whole_folder
from donorgrid.exchange.cards import AdapterCard, card_text
from donorgrid.exchange.folders import refuse_filled

WEIGHTS, CONFIG, LOG = "adapter_model.safetensors", "adapter_config.json", "train_log.jsonl"


def export_adapter(adapter: Path, card: AdapterCard, folder: Path) -> Path:
    """Copy the adapter into ``folder``, whole, with its base model by name and not by path, and a model card.

    Nothing is published. Raises InputError when ``adapter`` is no PEFT folder, or ``folder`` holds something already.
    """
    config = _config(adapter)
    refuse_filled(folder)
    config["base_model_name_or_path"] = card.base_name
    config["revision"] = card.revision
    text = card_text(card)
    with whole_folder(folder) as unfinished:
        for name in (WEIGHTS, LOG):
            if (adapter / name).is_file():
                shutil.copyfile(adapter / name, unfinished / name)
        (unfinished / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (unfinished / "README.md").write_text(text, encoding="utf-8")
    return folder


def _config(adapter: Path) -> dict[str, Any]:
    if not (adapter / WEIGHTS).is_file():
        raise InputError(f"{adapter}: holds no {WEIGHTS}; was the adapter kept ('keep_adapters' in the study)?")
    try:
        config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{adapter / CONFIG}: cannot be read as PEFT's configuration ({error})") from error
    if not isinstance(config, dict) or "peft_type" not in config:
        raise InputError(f"{adapter / CONFIG}: is no configuration of PEFT: 'peft_type' is missing")
    return config
