"""What scouting loses against the full grid's choice, and how often it stops too early, on grids that were measured.

    python benchmarks/scouting.py GRID... [--knowledge TABLE...] [--repeats 20] [--share 0.1667] [--guards 3]
    python benchmarks/scouting.py --simulated 20

GRID is a table of deltas or a study of one model. Each repeat draws a wanted target and so many guards. What is shown
and what a choice is worth are two independent replicates of each delta: the delta plus noise of its standard error, and
minus it (Gaussian data thinning). Simulated grids are drawn from the built-in numbers, so their truth is known. Worth
is gain minus twice the mean loss of guards beyond the limit. ``best_guess`` trains the option of the largest expected
worth; ``advised`` trains nothing where the advice is not to train or to measure more. A stop is wrong if the full
budget's best guess is more than 0.5 pp better.
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from donorgrid.advise.default_numbers import default_numbers
from donorgrid.advise.next_step import utilities
from donorgrid.advise.similar_languages import similar_languages
from donorgrid.advise.wishes import Wish
from donorgrid.core.records import Cell
from donorgrid.core.tables import ARM
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, evidence_of, make_wish
from donorgrid.pipeline.advise.known_cells import read_cells
from donorgrid.pipeline.advise.recommend import Recommendation, recommend_from
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.advise.scouting import Scouting, run_scouting
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.statistics.transfer_model.defaults import model_from_defaults
from donorgrid.statistics.transfer_model.posterior import draw_deltas
from donorgrid.statistics.transfer_model.question import Question

TOLERANCE_PP, N_DRAWS = 0.5, 1000
TASKS, LANGUAGES = ("a", "b", "c", "d"), ("de", "en", "es", "hi", "zh")
NOISE_PP = 0.7

Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A measured grid: cells as they are shown, and what each (source, target) is worth, in pp."""

    name: str
    shown: pl.DataFrame
    worth: dict[tuple[str, Cell], float]

    @property
    def model(self) -> str:
        return str(self.shown["model"][0])


def read_grid(path: Path, rng: np.random.Generator) -> Grid:
    """A grid with two replicates of each delta, by Gaussian thinning of the standard error."""
    (frame,) = read_cells([path])
    cells = frame.cells.filter(pl.col("source_kind") == "cell")
    luck = rng.standard_normal(cells.height) * cells["noise_se_pp"].to_numpy()
    worth = {
        (row["source_name"], Cell(task=row["target_task"], language=row["target_language"])): row["delta_pp"] - error
        for row, error in zip(cells.iter_rows(named=True), luck, strict=True)
    }
    root_two = pl.col("noise_se_pp") * math.sqrt(2.0)
    return Grid(
        name=path.stem,
        shown=cells.with_columns(delta_pp=pl.col("delta_pp") + pl.Series(luck), noise_se_pp=root_two),
        worth=worth,
    )


def simulate_grid(rng: np.random.Generator) -> Grid:
    """A grid drawn from the built-in numbers, measured with noise; a choice is worth the truth."""
    cells = [Cell(task=task, language=language) for task in TASKS for language in LANGUAGES]
    model = model_from_defaults(default_numbers(), cells, similarity=similar_languages(LANGUAGES))
    question = Question(sources=[{cell: 1.0} for cell in cells], targets=cells, family="simulated")
    truth = draw_deltas(model, question, n_draws=1, seed=int(rng.integers(2**31)))[0]
    rows = [
        {
            **dict.fromkeys(ARM),
            "model": "simulated",
            "recipe": "lora",
            "source_kind": "cell",
            "source_name": str(source),
            "source_task": source.task,
            "source_language": source.language,
            "target_task": target.task,
            "target_language": target.language,
            "delta_pp": truth[i, j] + NOISE_PP * rng.standard_normal(),
            "noise_se_pp": NOISE_PP,
            "shared_se_pp": 0.0,
            "n_items": 400,
            "n_seeds": 1,
        }
        for i, source in enumerate(cells)
        for j, target in enumerate(cells)
    ]
    worth = {(str(source), target): truth[i, j] for i, source in enumerate(cells) for j, target in enumerate(cells)}
    return Grid(name="simulated", shown=pl.DataFrame(rows, infer_schema_length=None), worth=worth)


def advised(told: Recommendation, grid: Grid, wish: Wish) -> float:
    """The utility of what is advised: 0 where the advice is not to train, or to measure more."""
    chosen = told.decision.chosen
    return 0.0 if told.decision.action != "train" or chosen is None else _worth(grid, wish, chosen.option.cells)


def best_guess(told: Recommendation, grid: Grid, wish: Wish) -> float:
    """The utility of the option with the largest expected one, whether its guards are shown to be safe or not."""
    expected = utilities(told.arm.draws, wish).mean(axis=0)
    return _worth(grid, wish, told.arm.options[int(expected.argmax())].cells)


def _worth(grid: Grid, wish: Wish, cells: Mapping[Cell, float]) -> float:
    """The utility of training on cells; a mix counts as the weighted mean of its cells."""
    deltas = [sum(weight * grid.worth[str(cell), target] for cell, weight in cells.items()) for target in wish.targets]
    return float(utilities(np.array(deltas)[None, None, :], wish)[0, 0])


def repeat(
    grid: Grid, knowledge: Sequence[MeasuredCells], *, share: float, n_guards: int, rng: np.random.Generator
) -> Row:
    """One random wish: the full grid's choice, and that of scouting a share of it, with and without an early stop."""
    targets = sorted({target for _, target in grid.worth})
    drawn = rng.choice(len(targets), size=1 + n_guards, replace=False)
    names = [str(targets[index]) for index in drawn]
    sources = {name: {Cell.parse(name): 1.0} for name in grid.shown["source_name"].unique(maintain_order=True)}
    budget = max(math.ceil(share * len(sources)), 1)
    request = AdviceRequest(
        given=[Path("measured")], wanted={names[0]: 1.0}, guards=names[1:], budget=budget, n_draws=N_DRAWS
    )

    def measure(chosen: Sequence[str]) -> EvidenceAtHand:
        visible = MeasuredCells(cells=grid.shown.filter(pl.col("source_name").is_in(list(chosen))))
        return evidence_of([visible], knowledge, model=grid.model)

    whole = replace(measure(list(sources)), planned=sources)
    wish = make_wish(request, whole)
    full = recommend_from(whole, wish, replace(request, budget=None))
    start = replace(evidence_of([], knowledge, model=grid.model), planned=sources, planned_targets=tuple(targets))
    scouting = Scouting(sources=sources, wish=wish, request=request, start=start)
    scouted = run_scouting(scouting, measure)
    spent = run_scouting(replace(scouting, may_stop=False), measure) if len(scouted.trained) < budget else scouted
    return {
        "grid": grid.name,
        "wanted": names[0],
        "n_sources": len(sources),
        "budget": budget,
        "n_trained": len(scouted.trained),
        "stopped_early": len(scouted.trained) < budget,
        "random_pp": float(np.mean([_worth(grid, wish, parts) for parts in sources.values()])),
        **{
            f"{kind}_{name}_pp": rule(told, grid, wish)
            for kind, rule in (("advised", advised), ("best_guess", best_guess))
            for name, told in (("full", full), ("scouted", scouted.recommendation), ("spent", spent.recommendation))
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grids", nargs="*", type=Path)
    parser.add_argument("--knowledge", nargs="*", type=Path, default=[])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--simulated", type=int, default=0)
    parser.add_argument("--guards", type=int, default=3)
    parser.add_argument("--share", type=float, default=1 / 6)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rng = np.random.default_rng(7)
    knowledge = read_cells(given.knowledge)
    rows = [
        repeat(read_grid(path, rng), knowledge, share=given.share, n_guards=given.guards, rng=rng)
        for path in given.grids
        for _ in range(given.repeats)
    ]
    rows += [
        repeat(simulate_grid(rng), [], share=given.share, n_guards=given.guards, rng=rng)
        for _ in range(given.simulated)
    ]
    for name in dict.fromkeys(str(row["grid"]) for row in rows):
        show(name, [row for row in rows if row["grid"] == name])
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def show(name: str, rows: Sequence[Row]) -> None:
    column = {key: np.array([row[key] for row in rows], dtype=float) for key in rows[0] if key.endswith("_pp")}
    print(f"{name}: {len(rows)} repeats, {rows[0]['budget']} of {rows[0]['n_sources']} sources")
    print(f"  a random source is worth {column['random_pp'].mean():+.2f} pp")
    for kind in ("best_guess", "advised"):
        full, scouted = column[f"{kind}_full_pp"], column[f"{kind}_scouted_pp"]
        loss = full - scouted
        error = loss.std(ddof=1) / math.sqrt(len(loss)) if len(loss) > 1 else math.nan
        losses = f"loss {loss.mean():+.2f} (SE {error:.2f}), median {np.median(loss):+.2f}"
        print(f"  {kind}: full grid {full.mean():+.2f}, scouted {scouted.mean():+.2f}; {losses}")
    early = np.array([bool(row["stopped_early"]) for row in rows])
    wrong = column["best_guess_spent_pp"] - column["best_guess_scouted_pp"] > TOLERANCE_PP
    trained = np.mean([float(str(row["n_trained"])) for row in rows])
    print(f"  stopped early: {early.sum()} of {len(rows)}, wrongly {(early & wrong).sum()}; trained: {trained:.1f}")


if __name__ == "__main__":
    main()
