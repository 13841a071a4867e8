"""The one place that knows PEFT's and transformers' rough edges at the pinned versions."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_deprecations() -> Iterator[None]:
    """PEFT asks transformers for an attribute by its former name; that is no business of the user's."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        yield
