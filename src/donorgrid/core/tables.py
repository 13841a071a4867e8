"""The declared tables: columns with types and units, and keys. A frame that leaves a stage is checked here.

Units are in the names: ``_pp`` percentage points, ``_rate`` and ``_share`` 0-1, ``_nats`` natural logarithms.
"""

from dataclasses import dataclass

import polars as pl

from donorgrid.core.errors import InputError, suggestion

TEXT, INT, REAL, YES = pl.String, pl.Int64, pl.Float64, pl.Boolean


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table's declaration: its name, its columns in order, the key (unique), and the columns that may be absent.

    A key column is never null, unless it is optional (``train_size`` is null where all items are used).
    """

    name: str
    columns: dict[str, type[pl.DataType] | pl.DataType]
    key: tuple[str, ...]
    optional: frozenset[str] = frozenset()

    def check(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the declared columns, in the declared order and types; further columns follow.

        Raises InputError when a required column is missing, a value does not fit its type, or a key is null or double.
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
        """A frame with the declared columns and no rows."""
        return pl.DataFrame(schema=self.columns)


ITEM_ANSWERS = Table(
    name="item answers",
    columns={
        "target_task": TEXT,
        "target_language": TEXT,
        "item_id": TEXT,
        "answer": pl.Int32,
        "choice_logliks_nats": pl.List(pl.Float64),
        "choice_lengths": pl.List(pl.Int32),
        "chosen": pl.Int32,
        "correct": YES,
        "chosen_norm": pl.Int32,
        "correct_norm": YES,
        "generated": TEXT,
    },
    key=("target_task", "target_language", "item_id"),
)
"""One row per item that one subject (a run or a baseline) answered."""

_SOURCE = {
    "model": TEXT,
    "family": TEXT,
    "size_b": REAL,
    "recipe": TEXT,
    "source_kind": TEXT,
    "source_name": TEXT,
    "source_task": TEXT,
    "source_language": TEXT,
    "target_task": TEXT,
    "target_language": TEXT,
    "regime": TEXT,
    "data_seed": INT,
    "train_size": INT,
}
_COUNTS = {
    "n_items": INT,
    "n_right": INT,
    "n_right_base": INT,
    "n_right_norm": INT,
    "n_right_norm_base": INT,
}
_SCORES = {
    "score": REAL,
    "score_base": REAL,
    "score_norm": REAL,
    "score_norm_base": REAL,
    "delta_acc_pp": REAL,
    "delta_acc_norm_pp": REAL,
    "delta_pp": REAL,
    "se_pp": REAL,
}
_OPTIONAL = frozenset({"family", "size_b", "regime", *_COUNTS, *_SCORES, "data_seed", "train_size"}) - {"delta_pp"}
_DELTA_KEY = ("model", "recipe", "source_name", "data_seed", "train_size", "target_task", "target_language")

DELTAS_BY_SEED = Table(
    name="deltas by seed",
    columns={**_SOURCE, "train_seed": INT, **_COUNTS, **_SCORES},
    key=(*_DELTA_KEY, "train_seed"),
    optional=_OPTIONAL,
)
"""One row per (model, recipe, source, target, train seed, data seed, train size). ``delta_pp`` is the delta of the
study's metric; counts are right answers of ``n_items`` items, so that limits are compared exactly."""

DELTAS = Table(
    name="deltas",
    columns={**_SOURCE, "n_seeds": INT, **_COUNTS, **_SCORES},
    key=_DELTA_KEY,
    optional=_OPTIONAL,
)
"""The same, seeds pooled: counts are sums over seeds (``n_items`` too), ``delta_pp`` is the mean over seeds."""
