"""Keys of tensors that hold an adapter's name, as training checkpoints have them: ``lora_A.default.weight``."""

import re
from collections.abc import Iterable, Iterator

from donorgrid.models.adapter_files import KEY_PREFIX

_LOADED = "default"
_PREFIXES = (KEY_PREFIX, "base_model.")
_SAVED_MODULES = "modules_to_save"
# How many parts of a key before the adapter's name must agree with PEFT's model: the module and the factor.
_N_OWNERS = 2


def without_adapter_names(keys: Iterable[str], parameters: Iterable[str]) -> dict[str, str]:
    """Finds adapters' names in the keys of a file.

    Parameters
    ----------
    keys
        The keys of an adapter's tensors.
    parameters
        The names of the parameters of PEFT's model, with its own name for the adapter, "default".

    Returns
    -------
    dict of str to str
        Patterns and replacements, as ``key_mapping`` of PEFT takes them; empty where no key holds a name.
    """
    ends = {end for name in parameters for end, _, part in _ends(name) if part == _LOADED}
    mapping = {}
    for key in keys:
        prefix = next((prefix for prefix in _PREFIXES if key.startswith(prefix)), None)
        if prefix is None:
            return {}
        for end, owner, part in _ends(key.removeprefix(prefix)):
            if end in ends:
                kept = "" if owner == _SAVED_MODULES else rf".{owner}"
                mapping[rf"\.{re.escape(owner)}\.{re.escape(part)}(?=\.|$)"] = kept
    return mapping


def _ends(name: str) -> Iterator[tuple[str, str, str]]:
    """For every part of a name that may be an adapter's: the end around it with PEFT's name, its owner, the part."""
    parts = name.split(".")
    for index in range(_N_OWNERS, len(parts)):
        owners = parts[index - _N_OWNERS : index]
        yield ".".join([*owners, _LOADED, *parts[index + 1 :]]), owners[-1], parts[index]
