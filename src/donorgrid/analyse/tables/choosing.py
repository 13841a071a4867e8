"""Choosing is not measuring: what was chosen on one half of the items (or seeds) is reported on the other."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.halves import Halves, item_halves, over_models, seed_halves
from donorgrid.analyse.errors.item_sums import Mask, donor_sets, item_sums, source_sets
from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import means
from donorgrid.core.regimes import TRANSFER_REGIMES
from donorgrid.core.tables import AGREEMENT, CHOOSING
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.kendall import mean_over_pairs, tau_b
from donorgrid.statistics.ranks import average_ranks

ALL_MODELS = "all models"
Reals = npt.NDArray[np.float64]
CANDIDATES: dict[str, Callable[[ArmDifferences], dict[str, Mask]]] = {
    "source": source_sets,
    "language donor": lambda made: donor_sets(made, "language"),
    "task donor": lambda made: donor_sets(made, "task"),
}
COLUMNS = {
    "source": ("source_name", TRANSFER_REGIMES),
    "language donor": ("source_language", ("MT-CL",)),
    "task donor": ("source_task", ("CT-ML",)),
}
"""What is chosen -> the column that names the candidates, and the regimes in which they are scored."""


def choosing_table(
    own: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    cells: pl.DataFrame,
    by_seed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """CHOOSING rows of one arm, per model and for the mean over models.

    Items are split where answers are at hand, else train seeds (``by_seed``); with neither there is no row.
    """
    rows = []
    for what in CANDIDATES:
        halves = _by_items(own, what, settings) if own else _by_seeds(cells, by_seed, what)
        together = over_models(list(halves.values()))
        if together is not None and len(halves) > 1:
            halves[ALL_MODELS] = together
        rows += [{"what": what, "model": model, **_row(one)} for model, one in halves.items()]
    return pl.DataFrame(rows, schema=CHOOSING.schema_without_arm())


def _by_items(own: Sequence[ArmDifferences], what: str, settings: AnalysisSettings) -> dict[str, Halves]:
    halves = {made.model: item_halves(item_sums(made, CANDIDATES[what](made)), settings) for made in own}
    return {model: one for model, one in halves.items() if one is not None}


def _by_seeds(cells: pl.DataFrame, by_seed: pl.DataFrame | None, what: str) -> dict[str, Halves]:
    if by_seed is None:
        return {}
    column, regimes = COLUMNS[what]
    key = ["model", "source_name", "target_task", "target_language"]
    arm = [name for name in ARM if name in by_seed.columns and name in cells.columns]
    wanted = cells.filter(pl.col("regime").is_in(regimes)).select(*key, *arm)
    seeds = by_seed.join(wanted, on=[*key, *arm], how="semi", nulls_equal=True)
    halves = {str(model): seed_halves(part, column) for (model,), part in seeds.group_by("model", maintain_order=True)}
    return {model: one for model, one in halves.items() if one is not None}


def _row(halves: Halves) -> dict[str, object]:
    best = int(halves.whole.argmax())
    apparent = float(halves.whole[best])
    return {
        "best": halves.names[best],
        "n_candidates": len(halves.names),
        "apparent_pp": apparent,
        "honest_pp": halves.honest_pp,
        "optimism_pp": apparent - halves.honest_pp,
        "best_share": float(np.mean(halves.best == best)),
        "half_agreement": halves.agreement,
        "split": halves.split,
        "n_splits": len(halves.first),
    }


def best_shares(own: Sequence[ArmDifferences], settings: AnalysisSettings) -> pl.DataFrame:
    """Columns source_name and best_share: how often each source is best on a random half of the items."""
    together = over_models(list(_by_items(own, "source", settings).values()))
    if together is None:
        return pl.DataFrame(schema={"source_name": pl.String, "best_share": pl.Float64})
    shares = np.bincount(together.best, minlength=len(together.names)) / together.best.size
    return pl.DataFrame({"source_name": together.names, "best_share": shares})


def agreement_table(cells: pl.DataFrame, own: Sequence[ArmDifferences], settings: AnalysisSettings) -> pl.DataFrame:
    """AGREEMENT rows of one arm: donor ranks between models and between subsets of tasks by translation.

    ``ceiling_kendall``: the mean agreement of a model with itself on the other half of the items.
    """
    translation = pl.col("target_task").replace_strict(
        dict(settings.translations), default=None, return_dtype=pl.String
    )
    rows: list[dict[str, object]] = []
    for what in ("language donor", "task donor"):
        column, regimes = COLUMNS[what]
        part = cells.filter(pl.col("regime").is_in(regimes)).with_columns(translation=translation)
        ceiling = _ceiling(own, what, settings)
        between = _agreement(part, column, "model")
        rows.append({"what": what, "between": "models", "ceiling_kendall": ceiling, **between})
        if what == "language donor":
            known = part.filter(pl.col("translation").is_not_null())
            rows.append({"what": what, "between": "translations", **_agreement(known, column, "translation")})
    return pl.DataFrame([row for row in rows if row["n_pairs"]], schema=AGREEMENT.schema_without_arm())


def _ceiling(own: Sequence[ArmDifferences], what: str, settings: AnalysisSettings) -> float | None:
    taus = [tau for one in _by_items(own, what, settings).values() if (tau := one.agreement) is not None]
    return float(np.mean(taus)) if taus else None


def _agreement(part: pl.DataFrame, column: str, raters: str) -> dict[str, object]:
    """Kendall and Spearman between raters over the candidates, averaged over pairs of raters."""
    scores = np.empty((0, 0))
    if part.height:
        table = means(part, [raters, column]).pivot(on=column, index=raters, values="mean_pp")
        scores = table.drop(raters).cast(pl.Float64).fill_null(np.nan).to_numpy()
    if scores.shape[0] < 2 or scores.shape[1] < 3:
        return {"n_candidates": scores.shape[1], "n_pairs": 0, "kendall": None, "spearman": None}
    first, second = np.triu_indices(len(scores), k=1)
    spearman = np.array([_spearman(scores[a], scores[b]) for a, b in zip(first, second, strict=True)])
    return {
        "n_candidates": scores.shape[1],
        "n_pairs": len(first),
        "kendall": _mean_of_known(mean_over_pairs(tau_b(scores))[None]),
        "spearman": _mean_of_known(spearman),
    }


def _mean_of_known(values: Reals) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _spearman(x: Reals, y: Reals) -> float:
    both = ~np.isnan(x) & ~np.isnan(y)
    a, b = average_ranks(x[both]), average_ranks(y[both])
    return float(np.corrcoef(a, b)[0, 1]) if both.sum() > 2 and np.ptp(a) > 0 and np.ptp(b) > 0 else float("nan")
