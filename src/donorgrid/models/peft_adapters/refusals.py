"""What PEFT raises for an adapter that it cannot use, and the one line that says why."""

import re

from safetensors import SafetensorError

from donorgrid.models.peft_adapters.completeness import file_name

REFUSALS = (
    *(ValueError, TypeError, KeyError, AttributeError, RuntimeError, NotImplementedError),
    *(IndexError, ImportError, AssertionError, OSError, SafetensorError, re.error, ZeroDivisionError),
)
"""What PEFT, and torch below it, raise for a configuration or weights that they cannot use."""

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


def first_line(error: BaseException | str) -> str:
    """The first line of a message, at most 300 characters; the error's type where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


def _sizes(written: str) -> str:
    return " x ".join(written.replace(" ", "").split(",")) if written.strip() else "one number"
