"""The true deltas of a simulated grid."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.core.regimes import TRAINED_CELL, regime
from donorgrid.simulate.settings import SimulationSettings
from donorgrid.statistics.draws import unit_effects

KEY = ("model", "source_task", "source_language", "target_task", "target_language")
_SOURCE, _TARGET = KEY[1:3], KEY[3:]
LEVELS: Mapping[str, tuple[str, ...]] = {
    "model": ("model",),
    "source": _SOURCE,
    "target": _TARGET,
    "source_task": _SOURCE[:1],
    "source_language": _SOURCE[1:],
    "target_task": _TARGET[:1],
    "target_language": _TARGET[1:],
    "model:source": ("model", *_SOURCE),
    "model:target": ("model", *_TARGET),
    "cell": KEY,
}
"""Component -> the columns whose combinations are its levels."""
STREAM_TRUTH, STREAM_ANSWERS, STREAM_TABLE = 0, 1, 2
"""First number after the seed: truth, item answers and tables draw from streams of their own."""


def true_deltas(settings: SimulationSettings) -> pl.DataFrame:
    """One row per (model, source, target), in the order of the settings: KEY, source_name, regime and true_pp.

    ``true_pp`` is the expected delta over items and train seeds: mean, components, donors, harm and the trained cells.
    """
    frame = _grid(settings)
    total = np.full(frame.height, settings.mean_pp)
    for number, (name, columns) in enumerate(LEVELS.items()):
        spread = settings.spread_pp.get(name, 0.0)
        if spread > 0:
            rng = np.random.default_rng([settings.seed, STREAM_TRUTH, number])
            codes = _codes(frame, columns)
            total += spread * unit_effects(int(codes.max()) + 1, settings.tail_degrees, rng)[codes]
    transfer = (frame["regime"] != TRAINED_CELL).to_numpy()
    donors = frame["source_name"].replace_strict(dict(settings.donors_pp), default=0.0, return_dtype=pl.Float64)
    target = frame.select(pl.concat_str(_TARGET, separator="/")).to_series()
    harmed = target.replace_strict(dict(settings.harmed_pp), default=0.0, return_dtype=pl.Float64)
    total += np.where(transfer, donors.to_numpy() + harmed.to_numpy(), settings.trained_pp)
    return frame.with_columns(pl.Series("true_pp", total))


def _grid(settings: SimulationSettings) -> pl.DataFrame:
    cells = [(cell.task, cell.language) for cell in settings.cells]
    rows = [(model, *source, *target) for model in settings.models for source in cells for target in cells]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(KEY, pl.String), orient="row")
    named = np.atleast_1d(regime(*(frame[name].to_numpy() for name in KEY[1:])))
    return frame.with_columns(
        source_name=pl.concat_str(_SOURCE, separator="/"), regime=pl.Series(named, dtype=pl.String)
    )


def _codes(frame: pl.DataFrame, columns: tuple[str, ...]) -> npt.NDArray[np.intp]:
    """(n,) numbers of the combinations, in order of first appearance."""
    numbered = frame.select(columns).unique(maintain_order=True).with_row_index("code")
    return frame.join(numbered, on=columns, how="left", maintain_order="left")["code"].to_numpy().astype(np.intp)
