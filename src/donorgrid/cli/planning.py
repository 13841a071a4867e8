"""The subcommands that plan: what a grid can show, and grids whose truth is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from donorgrid import pipeline, statistics
from donorgrid import simulate as worlds
from donorgrid.cli import options
from donorgrid.cli.show import make_console, show_json
from donorgrid.core.errors import InputError

if TYPE_CHECKING:
    import polars as pl

console = make_console()

_MOST_ITEMS, _MOST_CELLS = 10**9, 1000
Count = Annotated[int, typer.Option(min=1, max=_MOST_CELLS)]


def power(
    study: Annotated[Path | None, typer.Argument(help="a study file or folder; without it a full grid")] = None,
    tasks: Count = 4,
    languages: Count = 11,
    items: Annotated[int, typer.Option(min=1, max=_MOST_ITEMS, help="test items of each target")] = 400,
    seeds: Annotated[int, typer.Option(min=1, max=_MOST_CELLS, help="train seeds")] = 3,
    models: Count = 9,
    wanted: Annotated[float, typer.Option(help="the delta (pp) that is to be found")] = 1.0,
    harm: Annotated[float | None, typer.Option(help="harm limit in pp; default: the study's, or 1")] = None,
    flip_rate: Annotated[float | None, typer.Option(help="share of answers that change with no effect")] = None,
    noise_of: Annotated[
        list[Path] | None, typer.Option("--noise-of", help="measure the noise on this study, import or table")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Say the smallest delta that a planned grid can show, the items that a wanted one needs, and harm by noise."""
    noise = _noise(flip_rate, noise_of)
    if study is not None:
        smallest = pipeline.planning.power.power_of_study(study, noise, wanted_pp=wanted, harm_limit_pp=harm)
    else:
        smallest = pipeline.planning.power.power_of_design(
            n_tasks=tasks,
            n_languages=languages,
            n_items=items,
            n_seeds=seeds,
            n_models=models,
            noise=noise,
            wanted_pp=wanted,
            harm_limit_pp=1.0 if harm is None else harm,
        )
    if as_json:
        show_json(smallest.to_dicts())
        return
    show_power(smallest, console)
    console.print(f"noise {noise.origin}: {100 * noise.flip_rate:.1f}% of answers flip", soft_wrap=True)


def simulate(
    out: Annotated[Path, typer.Option(help="the new folder to write to")] = Path("simulated"),
    models: Count = 3,
    tasks: Count = 3,
    languages: Count = 6,
    items: Count = 100,
    seeds: Count = 2,
    mean: Annotated[float, typer.Option(help="mean true delta, pp")] = 0.0,
    spread: Annotated[
        list[str] | None, typer.Option(help="COMPONENT=PP, such as source=1.5; may stand several times")
    ] = None,
    donor: Annotated[list[str] | None, typer.Option(help="TASK/LANGUAGE=PP, added to all that it gives")] = None,
    harmed: Annotated[list[str] | None, typer.Option(help="TASK/LANGUAGE=PP, added to all that it gets")] = None,
    flip_rate: Annotated[float, typer.Option(help="share of answers that change with no effect")] = 0.06,
    seed: Annotated[int, typer.Option(min=0, help="seed of the draw")] = 0,
    answers: Annotated[bool, typer.Option("--answers", help="draw item by item, not only tables")] = False,
) -> None:
    """Draw a grid with known truth, to plan on or to try the analysis with."""
    settings = _settings(
        n_models=models,
        tasks=tuple(f"task{number}" for number in range(1, tasks + 1)),
        languages=tuple(f"l{number}" for number in range(1, languages + 1)),
        train_seeds=tuple(range(1, seeds + 1)),
        n_items=items,
        mean_pp=mean,
        spread_pp=_amounts(spread, "--spread"),
        donors_pp=_amounts(donor, "--donor"),
        harmed_pp=_amounts(harmed, "--harmed"),
        flip_rate=flip_rate,
        seed=seed,
    )
    *drawn, truth = pipeline.planning.simulation.simulate_study(settings, out, items=answers)
    console.print(f"wrote {drawn[0]} and the truth, {truth}; next: donorgrid analyse {drawn[0]}", soft_wrap=True)


_OPTION_OF = {
    "mean_pp": "--mean",
    "spread_pp": "--spread",
    "donors_pp": "--donor",
    "harmed_pp": "--harmed",
    "flip_rate": "--flip-rate",
}


def _settings(**chosen: Any) -> "worlds.SimulationSettings":
    """Returns the settings; an error names the option that gave the value."""
    try:
        return worlds.SimulationSettings(**chosen)
    except InputError as error:
        name, _, problem = str(error).removeprefix("simulation: ").partition(" ")
        raise InputError(f"{_OPTION_OF.get(name, name)} {problem}") from None


def show_power(rows: "pl.DataFrame", console: Console) -> None:
    """Prints what a grid can show.

    Parameters
    ----------
    rows : DataFrame
        The table POWER.
    console : Console
        Where to print.
    """
    if rows.is_empty():
        console.print("power: the grid has no transfer cell: its only target is the cell that is trained on")
        return
    level, strength = rows["level"][0], rows["power"][0]
    table = Table(title=f"Smallest delta found with {100 * strength:.0f}% power at the {100 * level:.0f}% level")
    columns = ("mean of", "cells", "items", "SE, pp", "smallest, pp", f"items for {rows['wanted_pp'][0]:g} pp")
    for name in columns:
        table.add_column(name, justify="left" if name == "mean of" else "right", no_wrap=True)
    for row in rows.iter_rows(named=True):
        needed = "no number" if row["items_needed"] is None else f"{row['items_needed']:,}"
        what = row["what"].removeprefix("mean of ")
        smallest = "–" if row["smallest_delta_pp"] is None else f"{row['smallest_delta_pp']:.2f}"
        table.add_row(what, f"{row['n_cells']:,}", f"{row['n_items']:,}", f"{row['se_pp']:.2f}", smallest, needed)
    console.print(table)
    cell = rows.filter(rows["what"] == "cell").row(0, named=True)
    console.print(
        f"where nothing has an effect, noise alone puts {100 * cell['noise_harm_rate']:.1f}% of the cells at "
        f"-{cell['harm_limit_pp']:g} pp or below",
        soft_wrap=True,
    )


def _noise(flip_rate: float | None, noise_of: list[Path] | None) -> "statistics.power.Noise":
    if flip_rate is not None and noise_of:
        raise InputError("--flip-rate and --noise-of: give one of them")
    if noise_of:
        return pipeline.planning.power.noise_from(noise_of)
    return statistics.power.Noise() if flip_rate is None else statistics.power.Noise(flip_rate=flip_rate)


def _amounts(given: list[str] | None, option: str) -> dict[str, float]:
    amounts = {}
    for text in given or []:
        name, _, amount = text.rpartition("=")
        try:
            amounts[name] = float(amount)
        except ValueError:
            raise InputError(f"{option} '{text}': expected NAME=PP, such as source=1.5") from None
    return amounts
