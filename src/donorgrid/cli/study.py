"""The subcommands that take a study from its file to its report."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from donorgrid import pipeline
from donorgrid.cli import options
from donorgrid.cli.planning import show_power
from donorgrid.cli.progress import ProgressDisplay
from donorgrid.cli.recommend import report_request
from donorgrid.cli.show import make_console, show_failures, show_json, show_regimes

if TYPE_CHECKING:
    from donorgrid.pipeline.analyse.tables import Analysed, Change

console = make_console()


def demo(
    out: Annotated[Path, typer.Option(help="the study's folder")] = Path("demo"),
    jobs: options.Jobs = None,
    limit_sources: Annotated[int | None, typer.Option(min=1, help="keep only the first so many sources")] = None,
) -> int:
    """Run the whole path on the built-in pocket world: train, score, analyse, report."""
    with ProgressDisplay(console) as display:
        progress = pipeline.run.run_study.run_demo(
            out, options=pipeline.run.options.RunOptions(jobs=jobs), n_sources=limit_sources, on_progress=display
        )
    report([out], out)
    return _failed(out, None) if progress.failed else 0


def init(
    file: Annotated[Path, typer.Argument(help="the study file to write")] = Path("study.yaml"),
    preset: Annotated[str, typer.Option(help="the study to start from")] = "pocket",
    list_presets: Annotated[bool, typer.Option("--list", help="list the presets")] = False,
) -> None:
    """Write a study file, every default in it, to edit."""
    if list_presets:
        for name, title in pipeline.prepare.new_study.study_presets().items():
            console.print(f"{name:14} {title}", soft_wrap=True)
        return
    written = pipeline.prepare.new_study.init_study(file, preset=preset)
    console.print(f"wrote {written}; next: donorgrid plan {written}", soft_wrap=True)


def plan(
    study: options.Study,
    out: options.Out = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    measured: Annotated[
        bool, typer.Option("--trial/--no-trial", help="measure how fast this machine is, with a few texts and items")
    ] = True,
    as_json: options.Json = False,
) -> None:
    """Count a study's work and estimate its time by a short measured trial."""
    cost = pipeline.planning.plan_study.plan_study(study, out, device=device, jobs=jobs, trial=measured)
    if as_json:
        power = None if cost.power is None else cost.power.to_dicts()
        models = [asdict(model) for model in cost.models]
        show_json({"models": models, "jobs": cost.jobs, "seconds": cost.seconds, "power": power})
        return
    console.print(
        f"{cost.n_sources} sources x {cost.n_targets} targets, {cost.n_cells:,} cells with all models and seeds"
    )
    for note in cost.notes:
        console.print(f"note: {note}", soft_wrap=True)
    for model in cost.models:
        trained = f" of {_many(model.n_trainings, 'training')}" if model.n_adapters > model.n_trainings else ""
        prompted = f"{_many(model.n_prompted, 'few-shot prompt')}, " if model.n_prompted else ""
        console.print(
            f"{model.model}: {model.n_parameters / 1e6:,.1f} M parameters, "
            f"{_many(model.n_adapters, 'adapter')}{trained}, {prompted}"
            f"{model.train_tokens:,} tokens to train, {model.score_tokens:,} to score, "
            f"{(model.adapter_bytes + model.answer_bytes) / 1e6:,.1f} MB on disk",
            soft_wrap=True,
        )
    if cost.power is not None:
        show_power(cost.power, console)
    if cost.seconds is not None:
        console.print(
            f"about {_duration(cost.seconds)} with {cost.jobs} processes, by a measured trial of "
            f"{sum(model.trial_seconds for model in cost.models):.0f} s"
        )


def fetch(study: options.Study) -> None:
    """Bring a study's models and data into the hub's cache, for machines without network."""
    size, notes = pipeline.prepare.inventory.fetch_study(study)
    for note in notes:
        console.print(f"note: {note}", soft_wrap=True)
    console.print(f"{size}; on the other machine set HF_HUB_OFFLINE=1", soft_wrap=True)


def run(
    study: options.Study,
    out: options.Out = None,
    device: options.Device = "auto",
    jobs: options.Jobs = None,
    shard: Annotated[str | None, typer.Option(help="i/n: do every n-th run from the i-th")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="stop after so many baselines and adapters")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="try failed work again")] = False,
    together: Annotated[
        int | None, typer.Option(min=1, help="adapters trained at once; default: one on a CPU, by a trial on a GPU")
    ] = None,
    redo: Annotated[
        bool, typer.Option("--redo", help="give results again that another version of donorgrid gave otherwise")
    ] = False,
) -> int:
    """Train every source's adapter and score it on every target; a re-run goes on."""
    chosen = pipeline.run.options.RunOptions(
        device=device,
        jobs=jobs,
        shard=options.shard(shard),
        limit=limit,
        retry_failed=retry_failed,
        together=together,
        redo=redo,
    )
    with ProgressDisplay(console) as display:
        final = pipeline.run.run_study.run_study(study, out, options=chosen, on_progress=display, on_note=display.note)
    root = pipeline.prepare.study.study_folder(study, out).root
    step = "run" if final.left else "analyse"
    console.print(
        f"{final.done} of {final.total} done, {final.failed} failed, {final.left} left; next: donorgrid {step} {root}",
        soft_wrap=True,
    )
    return _failed(study, out)


def status(
    study: options.Study,
    out: options.Out = None,
    verify: Annotated[bool, typer.Option("--verify", help="read every result whole and name what is damaged")] = False,
    as_json: options.Json = False,
) -> int:
    """Say how far a study is, and what failed. Exit code 1 when something failed or is damaged."""
    progress, failures = pipeline.run.progress.study_status(study, out)
    problems = pipeline.run.progress.study_problems(study, out, verify=verify)
    damaged = problems.damaged
    if as_json:
        counts = {name: getattr(progress, name) for name in ("done", "failed", "total", "left")}
        content = {**counts, "failures": [asdict(failure) for failure in failures]}
        further = {"damaged": list(damaged), "passed_over": list(problems.passed_over)}
        show_json(content | (further if verify or any(further.values()) else {}))
        return 1 if failures or damaged else 0
    console.print(f"{progress.done} of {progress.total} done, {progress.failed} failed, {progress.left} left")
    for line in problems.passed_over:
        console.print(f"note: {line}", soft_wrap=True)
    for line in damaged:
        console.print(f"damaged: {line}", soft_wrap=True)
    if verify and not damaged:
        console.print("every result is whole")
    show_failures(failures, console, study=study, out=out)
    return 1 if failures or damaged else 0


def analyse(
    given: options.Analysable,
    out: options.Out = None,
    harm: options.Harm = None,
    metric: options.Metric = None,
    release_arithmetic: options.ReleaseArithmetic = False,
    typology: options.Typology = False,
    rich_refits: options.RichRefits = None,
    as_json: options.Json = False,
) -> None:
    """Analyse a study, finished or not, or tables of deltas that others made, into tables/."""
    change = _change(harm, metric, release_arithmetic=release_arithmetic, rich_refits=rich_refits)
    change = _with_distances(change, given, out) if typology else change
    analysed = pipeline.analyse.analyse_study.analyse_study(given, out, change=change)
    folder = pipeline.analyse.analyse_study.output_folder(given, out)
    if as_json:
        show_json({"tables": str(folder.tables), "regimes": analysed.tables["regimes"].to_dicts()})
        return
    _tell(analysed)
    next_step = f"donorgrid report {' '.join(map(str, given))}" + (f" --out {out}" if out else "")
    console.print(f"{len(analysed.tables)} tables in {folder.tables}; next: {next_step}", soft_wrap=True)


def report(
    given: options.Analysable,
    out: options.Out = None,
    harm: options.Harm = None,
    metric: options.Metric = None,
    release_arithmetic: options.ReleaseArithmetic = False,
    typology: options.Typology = False,
    rich_refits: options.RichRefits = None,
    wanted: Annotated[
        list[str] | None, typer.Option("--for", help="say what to train on for TASK/LANGUAGE; may stand again")
    ] = None,
    guard: Annotated[list[str] | None, typer.Option(help="TASK/LANGUAGE that must not break, or all")] = None,
    model: Annotated[str | None, typer.Option(help="the model to advise on, where several were measured")] = None,
) -> None:
    """Analyse as 'analyse' does and write report.html."""
    change = _change(harm, metric, release_arithmetic=release_arithmetic, rich_refits=rich_refits)
    change = _with_distances(change, given, out) if typology else change
    request = report_request(given, wanted, guard, model=model, harm=harm) if wanted or guard or model else None
    analysed = pipeline.analyse.analyse_study.analyse_study(given, out, change=change)
    folder = pipeline.analyse.analyse_study.output_folder(given, out)
    analysed, page = pipeline.advise.report_study.write_advised_report(analysed, folder, given, request)
    _tell(analysed)
    console.print(f"report: {page.resolve()}", soft_wrap=True)


def _tell(analysed: "Analysed") -> None:
    for note in analysed.notes:
        console.print(f"note: {note}", soft_wrap=True)
    show_regimes(analysed.tables, console)


def _with_distances(change: "Change", given: list[Path], out: Path | None) -> "Change":
    distances = pipeline.analyse.analyse_study.typology(given, out)
    return lambda settings: replace(change(settings), distances=distances)


def _change(harm: float | None, metric: str | None, *, release_arithmetic: bool, rich_refits: int | None) -> "Change":
    chosen: dict[str, Any] = {
        "harm_limit_pp": harm,
        "metric": options.metric_named(metric),
        "release_arithmetic": release_arithmetic or None,
        "n_rich_bootstrap": rich_refits,
    }
    return lambda settings: replace(settings, **{name: value for name, value in chosen.items() if value is not None})


def _failed(study: Path, out: Path | None) -> int:
    failures = pipeline.run.progress.study_status(study, out)[1]
    show_failures(failures, console, study=study, out=out)
    return 1 if failures else 0


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
