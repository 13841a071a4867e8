"""The one place that knows the rough edges of PEFT and transformers at the pinned versions."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_deprecations() -> Iterator[None]:
    """Hides a warning that users can do nothing about: PEFT reads an attribute of transformers by its former name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        yield
