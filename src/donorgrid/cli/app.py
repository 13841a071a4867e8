"""``donorgrid``: the steps of a study as subcommands. Bad input is one line and exit code 2."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from donorgrid.cli.show import ProgressLine, show_regimes
from donorgrid.core.errors import DonorgridError, InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.outputs import Analysed, analyse_folder, report_head, write_report, write_tables
from donorgrid.pipeline.prepare import study_paths
from donorgrid.pipeline.progress import Progress, Watch
from donorgrid.pipeline.workplan import read_workplan
from donorgrid.plan.files import make_study, write_study
from donorgrid.plan.presets import study_preset

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What fine-tuning on one (task, language) gives to, and takes from, every other.",
)
console = Console(highlight=False)

Given = Annotated[Path, typer.Argument(help="a study file, or the folder of a study")]
Out = Annotated[Path | None, typer.Option(help="the study's folder")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda")]
Jobs = Annotated[int | None, typer.Option(min=1, help="processes on this machine; default: one per core, or one GPU")]


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        sys.exit(_complain(error, 2))
    except DonorgridError as error:
        sys.exit(_complain(error, 1))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(_complain("interrupted; what was finished is kept, the same command goes on", 130))
    except Exception as error:
        if not hasattr(error, "format_message"):  # not a usage error of the option parser: a defect, shown whole
            raise
        sys.exit(_complain(error.format_message(), 2))
    sys.exit(code or 0)


def _complain(message: object, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code


def _torch_side(module: str) -> Any:
    """A part of the pipeline that needs torch, loaded only by the commands that train or score."""
    return import_module(f"donorgrid.pipeline.{module}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="the study's folder")] = Path("demo"),
    jobs: Jobs = None,
    limit_sources: Annotated[int | None, typer.Option(min=1, help="keep only the first so many sources")] = None,
) -> int:
    """Run the whole path on the built-in pocket world: train, score, analyse, report."""
    work = _torch_side("demo")
    with ProgressLine(console) as line:
        folder = work.run_demo(out, _options(jobs=jobs), line, n_sources=limit_sources)
    return _finish(folder, line.last)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="the study file to write")] = Path("study.yaml"),
    preset: Annotated[str, typer.Option(help="the study to start from")] = "pocket",
) -> None:
    """Write a study file, every default in it, to edit."""
    if file.exists():
        raise InputError(f"{file}: exists already; give another name")
    write_study(make_study(study_preset(preset), origin=f"preset '{preset}'"), file)
    console.print(f"wrote {file}; next: donorgrid plan {file}")


@app.command()
def run(
    study: Given,
    out: Out = None,
    device: Device = "auto",
    jobs: Jobs = None,
    shard: Annotated[str | None, typer.Option(help="i/n: do every n-th run from the i-th")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="stop after so many baselines and adapters")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="try failed work again")] = False,
) -> int:
    """Train every source's adapter and score it on every target; a re-run goes on."""
    work = _torch_side("jobs")
    file, folder = study_paths(study, out)
    options = _options(device=device, jobs=jobs, shard=_shard(shard), limit=limit, retry_failed=retry_failed)
    with ProgressLine(console) as line:
        final = work.run_study(file, folder, options, line)
    console.print(f"{final.done} of {final.total} done, {final.failed} failed; next: donorgrid analyse {folder.root}")
    return _failures(folder)


@app.command()
def status(study: Given, out: Out = None) -> None:
    """Say how far a study is."""
    _, folder = study_paths(study, out)
    progress = Watch(read_workplan(folder), folder).look()
    console.print(f"{progress.done} of {progress.total} done, {progress.failed} failed, {progress.left} left")
    _failures(folder)


@app.command()
def analyse(study: Given, out: Out = None) -> int:
    """Analyse a study's folder, finished or not, into tables/."""
    _, folder = study_paths(study, out)
    analysed = _analyse(folder)
    console.print(f"{len(analysed.tables)} tables in {folder.tables}; next: donorgrid report {folder.root}")
    return 0


@app.command()
def report(study: Given, out: Out = None) -> int:
    """Analyse a study's folder and write report.html."""
    _, folder = study_paths(study, out)
    _report(_analyse(folder), folder)
    return 0


@app.command()
def plan(study: Given, out: Out = None, device: Device = "auto", jobs: Jobs = None, trial: bool = True) -> None:
    """Count a study's work and estimate its time by a short measured trial."""
    file, folder = study_paths(study, out)
    cost = _torch_side("trial").plan_study(file, folder, device=device if trial else None, jobs=jobs)
    for model in cost.models:
        console.print(
            f"{model.model}: {model.n_parameters / 1e6:.1f} M parameters, {model.n_adapters} adapters, "
            f"{model.train_tokens:,} tokens to train, {model.score_tokens:,} to score, "
            f"{(model.adapter_bytes + model.answer_bytes) / 1e6:.1f} MB on disk"
        )
    if cost.seconds is not None:
        console.print(f"about {cost.seconds / 60:.1f} minutes with {cost.jobs} processes, by a measured trial")


def _options(**chosen: Any) -> Any:
    return _torch_side("jobs").RunOptions(**chosen)


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    index, slash, count = text.partition("/")
    if not (slash and index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise InputError(f"--shard '{text}': expected i/n with 1 <= i <= n")
    return int(index), int(count)


def _analyse(folder: StudyFolder) -> Analysed:
    analysed = analyse_folder(folder)
    write_tables(analysed.tables, folder.tables)
    show_regimes(analysed.tables["regimes"], console)
    return analysed


def _report(analysed: Analysed, folder: StudyFolder) -> None:
    write_report(analysed.tables, report_head(analysed, folder, versions={}), folder.report)
    console.print(f"report: {folder.report.resolve()}", soft_wrap=True)


def _finish(folder: StudyFolder, progress: Progress | None) -> int:
    _report(_analyse(folder), folder)
    return 1 if progress is not None and progress.failed else 0


def _failures(folder: StudyFolder) -> int:
    failures = Watch(read_workplan(folder), folder).failures()
    for one in failures:
        console.print(f"failed: {one.model}, {one.source or 'baseline'}, seed {one.train_seed}: {one.reason}")
    return 1 if failures else 0
