"""What transformers, PEFT, tokenizers and torch raise for files of a model or an adapter that they cannot use."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from huggingface_hub.errors import StrictDataclassError
from jinja2 import TemplateError
from safetensors import SafetensorError

from donorgrid.core.errors import DonorgridError, InputError
from donorgrid.core.system_refusals import is_memory_shortage
from donorgrid.models.memory import out_of_memory

_REFUSALS = (
    *(ValueError, TypeError, LookupError, AttributeError, RuntimeError, ArithmeticError, ImportError, AssertionError),
    *(OSError, SafetensorError, StrictDataclassError, TemplateError, re.error),
)
"""What these libraries raise for a configuration, a template or weights that they cannot use."""
_LONGEST = 300


def first_line(error: object) -> str:
    """The first line of what an error says; its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:_LONGEST]


@contextmanager
def refusals_of_files(what: str, explain: Callable[[Exception], str] = first_line) -> Iterator[None]:
    """Raises what libraries raise in the body as an InputError; a shortage of memory stays what it is.

    Parameters
    ----------
    what : str
        What cannot be used and why the message begins so, for example ``"llama: the model cannot be loaded"``.
    explain : callable
        Says in one line what an error means.

    Yields
    ------
    None

    Raises
    ------
    InputError
        A library refuses the files, or fails on what they hold.
    """
    try:
        yield
    except DonorgridError:
        raise
    except _REFUSALS as error:
        if is_memory_shortage(error) or (isinstance(error, RuntimeError) and out_of_memory(error)):
            raise
        raise InputError(f"{what}: {explain(error)}") from error
    except Exception as error:  # tokenizers raises bare exceptions of its own
        if type(error) is not Exception:
            raise
        raise InputError(f"{what}: {explain(error)}") from error
