"""What the page shows of a recommendation. It was computed elsewhere; here are numbers and sentences."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ShownOption:
    """Something that could be trained.

    Attributes
    ----------
    name, label
        Its name, and the name with what it is for a reader: a comparator, no transfer, a recipe.
    gain_pp, low_pp, high_pp
        The expected gain and its interval.
    risk
        From 0 to 1, as ``ShownAdvice.risk_name`` says; None if nothing is guarded.
    guard
        The guard that is most at risk; empty without guards.
    verdict, evidence
        ``safe``, ``harmed``, ``undecided`` or ``nothing guarded``; and what that rests on.
    specific
        What of the gain goes beyond a control's, in words; empty without controls.
    is_named
        True if the plot names it: the chosen option and the fixed comparators.
    """

    name: str
    label: str
    gain_pp: float
    low_pp: float
    high_pp: float
    risk: float | None
    guard: str
    verdict: str
    evidence: str
    specific: str
    is_named: bool


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """A measurement that could come next: what, its cost in fine-tunes, and what it adds to the choice in pp."""

    what: str
    cost: float
    worth_pp: float


@dataclass(frozen=True, kw_only=True)
class ShownAdvice:
    """A recommendation.

    Attributes
    ----------
    model, wish
        The model, and what was asked in words.
    sentences
        What to do, what speaks against it, what was not tested, what would decide.
    options
        Every option, best first.
    confidence
        Of the intervals.
    risk_name, risk_limit
        What the risk is, and the largest that is admissible; None if nothing is guarded.
    steps, commands
        What to measure next, and the commands that do it.
    missing
        Fixed comparators that cannot be given.
    """

    model: str
    wish: str
    sentences: tuple[str, ...]
    options: tuple[ShownOption, ...]
    confidence: float
    risk_name: str
    risk_limit: float | None
    steps: tuple[ShownStep, ...] = ()
    commands: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
