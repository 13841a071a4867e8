"""Cells and sources: where a run learns and where it is measured."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from donorgrid.core.errors import InputError

TrainedControl = Literal["shuffled", "content-free"]
ControlKind = TrainedControl | Literal["few-shot"]
SourceKind = Literal["cell", "mix", "control"]


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One (task, language). Its text form is ``task/language``."""

    task: str
    language: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``task/language``; the language follows the last slash. Raises InputError for any other text."""
        task, slash, language = text.rpartition("/")
        if not (slash and task and language):
            raise InputError(f"cell '{text}': expected 'task/language'")
        return cls(task=task, language=language)

    def __str__(self) -> str:
        return f"{self.task}/{self.language}"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a run trains on, or what a few-shot prompt shows.

    Attributes
    ----------
    kind : str
        ``cell``: one cell with weight 1. ``mix``: two or more cells whose weights sum to 1. ``control``: one cell whose
        training texts are changed as ``control`` says; a ``few-shot`` control trains nothing.
    name : str
        The name in tables: ``task/language``, the mix's name, or the control's name and its cell.
    parts : tuple of (Cell, float)
        The cells with their weights.
    control : str, optional
        The kind of control; None for a cell or a mix.
    shots : int, optional
        How many solved items a ``few-shot`` prompt shows before the item to answer; None for any other source.
    """

    kind: SourceKind
    name: str
    parts: tuple[tuple[Cell, float], ...]
    control: ControlKind | None = None
    shots: int | None = None

    @classmethod
    def of_cell(cls, cell: Cell) -> Self:
        """Returns the source that is one plain cell."""
        return cls(kind="cell", name=str(cell), parts=((cell, 1.0),))

    @classmethod
    def of_control(cls, control: ControlKind, cell: Cell, *, shots: int | None = None) -> Self:
        """Returns a control on one cell; only ``few-shot`` takes ``shots``."""
        unnamed = cls(kind="control", name="", parts=((cell, 1.0),), control=control, shots=shots)
        return replace(unnamed, name=f"{unnamed.control_name}:{cell}")

    @property
    def control_name(self) -> str | None:
        """The kind of control as tables and paths write it: ``shuffled``, ``content-free``, ``few-shot-4``."""
        return self.control if self.shots is None else f"{self.control}-{self.shots}"

    @property
    def is_trained(self) -> bool:
        """True if a run trains on it; a few-shot control is only shown in prompts."""
        return self.control != "few-shot"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells whose training items are used."""
        return tuple(cell for cell, _ in self.parts)

    def __str__(self) -> str:
        return self.name
