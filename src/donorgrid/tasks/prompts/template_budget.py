"""What a template may spend on one document: text, steps and time."""

import time
from contextvars import ContextVar

from donorgrid.core.errors import InputError

LONGEST_TEXT = 5_000_000
"""The longest text or list that a template may make, in characters or elements."""
MOST_WORK = 50_000_000
"""How many loop steps, calls and characters a template may spend on one document."""
SECONDS = 2.0
"""How long a template may take for one document."""


class TemplateLimit(InputError):
    """A template or a regular expression asks for more than is allowed; the message says which limit it exceeds."""


class Budget:
    """What a template may still spend on one document."""

    def __init__(self) -> None:
        self.work = MOST_WORK
        self.deadline = time.monotonic() + SECONDS

    def pay(self, size: int = 0) -> None:
        """Pays for one step that makes ``size`` characters or elements; TemplateLimit if a limit is exceeded."""
        if size > LONGEST_TEXT:
            raise TemplateLimit(f"it makes a text or list of more than {LONGEST_TEXT:,} characters or elements")
        self.work -= 1 + size
        if self.work < 0:
            raise TemplateLimit(f"it takes more than {MOST_WORK:,} steps and characters for one document")
        if time.monotonic() > self.deadline:
            raise TemplateLimit(f"it takes longer than {SECONDS:g} seconds for one document")


BUDGET: ContextVar[Budget] = ContextVar("BUDGET")
"""That of the template that is being rendered."""


def pay(size: int = 0) -> None:
    """Pays for one step of the template that is being rendered."""
    BUDGET.get().pay(size)
