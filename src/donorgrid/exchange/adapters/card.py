"""What the model card of an adapter says, as plain data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from donorgrid.core.records import Metric, Recipe, Source

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, kw_only=True)
class AdapterCard:
    """The content of a model card.

    Attributes
    ----------
    base_model : str
        A hub ID, a folder, or the name of a built-in model.
    revision : str, optional
        The hub's revision of the base model.
    source, recipe, train_seed
        The fine-tuning.
    metric : str
        ``acc`` or ``acc_norm``: which scores the card shows.
    harm_limit_pp : float
        A target is harmed if it lost this many percentage points or more.
    profile : DataFrame
        The adapter's deltas: the rows of one run, with the columns of DELTAS_BY_SEED or DELTAS.
    licences : mapping of str to str
        Training task to the licence of its data.
    datasets : tuple of str
        Hub IDs of the training data.
    built_in : bool
        True if donorgrid ships the base model.
    checkpoint : float, optional
        The epochs after which the adapter was saved; None for the final adapter.
    scaling : str
        What was written, for an adapter that is exported at a strength; empty for one as it was trained.
    merged : bool
        True if the folder holds the base's weights with the adapter in them.
    """

    base_model: str
    revision: str | None
    source: Source
    recipe: Recipe
    train_seed: int
    metric: Metric
    harm_limit_pp: float
    profile: pl.DataFrame
    licences: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    built_in: bool = False
    checkpoint: float | None = None
    scaling: str = ""
    merged: bool = False

    @property
    def base_name(self) -> str:
        """The base model's hub ID, or the last part of its path: the path itself is private."""
        return self.base_model if self.base_is_on_hub else last_part(self.base_model)

    @property
    def base_is_on_hub(self) -> bool:
        """True if the base model's name has the form of a hub ID."""
        return _HUB_ID.fullmatch(self.base_model) is not None

    @property
    def is_whole(self) -> bool:
        """True if the folder holds a complete model, which needs no base."""
        return self.merged or self.recipe.method == "full"


def last_part(name: str) -> str:
    """Returns the last part of a path or hub ID."""
    return name.rstrip("/").rpartition("/")[2]
