"""``donorgrid``: the steps of a study as subcommands. ``exit_codes`` says how a command ends."""

import sys

import typer

import donorgrid
from donorgrid.cli import bench, check, exchange, inventory, knowledge, planning, pocket, recommend, scout, study
from donorgrid.cli.exit_codes import EXIT_CODES, end_of

DEBUG = "--debug"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What fine-tuning on one (task, language) gives to, and takes from, every other.",
    epilog="\b\nExit codes:\n" + "\n".join(f"{code:>5}  {meaning}" for code, meaning in EXIT_CODES.items()),
)
for command in (study.demo, study.init, study.plan, study.fetch, study.run, study.status, study.analyse, study.report):
    app.command()(command)
app.command()(check.check)
app.command()(recommend.recommend)
app.command()(scout.scout)
app.command()(knowledge.fetch_knowledge)
app.add_typer(inventory.tasks, name="tasks")
app.command()(inventory.models)
app.command()(planning.power)
app.command()(planning.simulate)
app.command()(bench.bench)
app.add_typer(exchange.imports, name="import")
app.add_typer(exchange.exports, name="export")
app.add_typer(pocket.pocket, name="pocket")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"donorgrid {donorgrid.__version__}")
        raise typer.Exit


@app.callback()
def _all(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="print the version"),
    debug: bool = typer.Option(False, DEBUG, help="show the traceback of an error; may stand anywhere"),
) -> None:
    """What fine-tuning on one (task, language) gives to, and takes from, every other."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    words = [word for word in sys.argv[1:] if word != DEBUG]
    sys.exit(end_of(lambda: app(args=words, standalone_mode=False), debug=DEBUG in sys.argv))
