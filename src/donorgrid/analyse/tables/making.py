"""What a table is made from, and how a module says which tables it makes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from donorgrid.analyse.errors.resampling import Resampled, resampled_arm
from donorgrid.analyse.reading.factors import FITS
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.tables import Table


@dataclass(frozen=True, kw_only=True)
class ArmData:
    """Everything that the tables of one arm are made from.

    Attributes
    ----------
    cells : DataFrame
        Plain cells with ``harmed``, ``positive``, ``size_class``, ``degenerate`` and ``shared_se_pp``.
    others : DataFrame
        Mixes and controls, with the first three.
    baselines : DataFrame
        BASELINES rows.
    measured : DataFrame
        The cells with their noise, as ``tables/noise.py`` makes them.
    specific : mapping of str to DataFrame
        Control -> the cells less what it gives, as ``tables/specific.py`` makes them.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    by_seed : DataFrame or None
        DELTAS_BY_SEED rows, of this arm and others.
    settings : AnalysisSettings
    fits : tuple of str
        Mixed models to fit, of ``reading.factors.FITS``.
    """

    cells: pl.DataFrame
    others: pl.DataFrame
    baselines: pl.DataFrame
    measured: pl.DataFrame
    specific: Mapping[str, pl.DataFrame]
    differences: Sequence[ArmDifferences]
    by_seed: pl.DataFrame | None
    settings: AnalysisSettings
    fits: tuple[str, ...] = tuple(FITS)

    @cached_property
    def resampled(self) -> list[Resampled]:
        """The cells under every draw of items and training runs; empty without item answers or draws."""
        return resampled_arm(self.cells, self.differences, self.settings, by_seed=self.by_seed)


@dataclass(frozen=True)
class TableMaker:
    """Tables that one function makes.

    Attributes
    ----------
    tables : mapping of str to Table
        Name (``tables/<name>.csv``) -> declaration.
    make : callable
        Makes the rows of one arm, a frame per table in the order of ``tables``.
    headline : bool
        True for tables that are also made without degenerate targets, as ``<name>_sound``.
    """

    tables: Mapping[str, Table]
    make: Callable[[ArmData], tuple[pl.DataFrame, ...]]
    headline: bool = False
