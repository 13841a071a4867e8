"""Declares a table by its columns, their types and its key, and checks frames against the declaration."""

from dataclasses import dataclass

import polars as pl

from donorgrid.core.errors import InputError, suggestion

TEXT, INT, REAL, YES = pl.String, pl.Int64, pl.Float64, pl.Boolean

Columns = dict[str, type[pl.DataType] | pl.DataType]
"""Column -> its type, in order."""

ARM: Columns = {"recipe": TEXT, "train_size": INT, "checkpoint": REAL, "strength": REAL}
"""The columns that identify an arm of a study; they come last in every table of the analysis."""
ARM_OPTIONAL = frozenset(ARM) | {"n_degenerate"}
SUMMARY: Columns = {
    "n": INT,
    "mean_pp": REAL,
    "median_pp": REAL,
    "positive_rate": REAL,
    "harm_rate": REAL,
    "n_harmed": INT,
    "harm_limit_pp": REAL,
    "n_degenerate": INT,
}
"""A summary of n deltas; the targets of ``n_degenerate`` have a baseline that measures format (see DEGENERATE)."""


RATE_ENDS = ("_low", "_high")
"""Endings of the ends of a rate's interval, which is there where item answers were resampled."""


def with_ends(columns: Columns, *rates: str) -> Columns:
    """Puts the ends of its interval behind each rate.

    Parameters
    ----------
    columns : dict
        Column to type.
    *rates : str
        Columns that have an interval.

    Returns
    -------
    dict
    """
    ends = {rate: {f"{rate}{end}": REAL for end in RATE_ENDS} for rate in rates}
    return {
        key: kind for name, of_name in columns.items() for key, kind in {name: of_name, **ends.get(name, {})}.items()
    }


def ends_of(*rates: str) -> frozenset[str]:
    """The columns that ``with_ends`` adds."""
    return frozenset(f"{rate}{end}" for rate in rates for end in RATE_ENDS)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table's declaration.

    Attributes
    ----------
    name : str
        The name in messages.
    columns : dict
        Column to type, in order; units are in the names.
    key : tuple of str
        The columns that identify a row. They are never null, unless they are optional: ``train_size`` is null if all
        items are used.
    optional : frozenset of str
        The columns that may be absent.
    """

    name: str
    columns: Columns
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Returns the frame with the declared columns in their order and types; other columns follow.

        Raises InputError if a required column is missing, a value does not fit its type, or a key is null or duplicate.
        """
        for name in self.columns.keys() - self.optional:
            if name not in frame.columns:
                near = suggestion(name, frame.columns)
                raise InputError(f"table '{self.name}': column '{name}' is missing; it has {frame.columns}{near}")
        known = [name for name in self.columns if name in frame.columns]
        further = [name for name in frame.columns if name not in self.columns]
        try:
            cast = frame.select(*(pl.col(name).cast(self.columns[name]) for name in known), *further)
        except pl.exceptions.InvalidOperationError as error:
            raise InputError(f"table '{self.name}': {str(error).splitlines()[0]}") from error
        return self._with_sound_key(cast)

    def _with_sound_key(self, frame: pl.DataFrame) -> pl.DataFrame:
        key = [name for name in self.key if name in frame.columns]
        for name in key:
            if name not in self.optional and frame[name].null_count():
                raise InputError(f"table '{self.name}': column '{name}' has empty values; it is part of the key")
        doubles = frame.filter(pl.struct(key).is_duplicated()) if key else frame.clear()
        if doubles.height:
            row = ", ".join(f"{name}={doubles[name][0]}" for name in key)
            raise InputError(f"table '{self.name}': {doubles.height} rows share their key, the first is {row}")
        return frame

    def empty(self) -> pl.DataFrame:
        """Returns a frame with the declared columns and no rows."""
        return pl.DataFrame(schema=dict(self.columns))

    def schema_without_arm(self) -> Columns:
        """Returns the columns without those of an arm, which are added when the arms are stacked."""
        return {name: kind for name, kind in self.columns.items() if name not in ARM}
