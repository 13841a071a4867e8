"""The one line that says why PEFT cannot use an adapter."""

import re

from donorgrid.models.peft_adapters.completeness import file_name
from donorgrid.models.refusals import first_line

_MISMATCH = re.compile(r"size mismatch for (\S+): .*?Size\(\[([\d, ]*)\]\).*?Size\(\[([\d, ]*)\]\)")


def refusal(error: BaseException) -> str:
    """Why PEFT refuses an adapter, in one line."""
    mismatch = _MISMATCH.search(str(error))
    if mismatch:
        tensor, in_file, expected = mismatch.groups()
        return (
            f"it was made for another base or rank: {file_name(tensor)} is {_sizes(in_file)}; expected "
            f"{_sizes(expected)}"
        )
    if isinstance(error, KeyError):
        return f"{error.args[0] if error.args else error} is missing; its configuration names that module or key"
    if "not found in the base model" in str(error):
        return f"it was made for another base: {first_line(error)}"
    return f"PEFT cannot load it: {first_line(error)}"


def _sizes(written: str) -> str:
    return " x ".join(written.replace(" ", "").split(",")) if written.strip() else "one number"
