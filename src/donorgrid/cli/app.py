"""``donorgrid``: the steps of a study as subcommands. Bad input is one line and exit code 2."""

import sys

import typer

import donorgrid
from donorgrid.cli import bench, check, exchange, inventory, planning, pocket, study
from donorgrid.core.errors import DonorgridError, InputError
from donorgrid.core.extras import TRAINING_PACKAGES, missing_training

INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What fine-tuning on one (task, language) gives to, and takes from, every other.",
)
for command in (study.demo, study.init, study.plan, study.fetch, study.run, study.status, study.analyse, study.report):
    app.command()(command)
app.command()(check.check)
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
) -> None:
    """What fine-tuning on one (task, language) gives to, and takes from, every other."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        sys.exit(_complain(error, 2))
    except DonorgridError as error:
        sys.exit(_complain(error, 1))
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        if package not in TRAINING_PACKAGES:
            raise
        sys.exit(_complain(missing_training("this command", package), 2))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):  # not a usage error of the option parser: a defect, shown whole
            raise
        sys.exit(_complain(error.format_message(), 2))
    if code == INTERRUPTED:  # Typer answers Ctrl-C with this code and no word
        sys.exit(_complain("interrupted; what was finished is kept, the same command goes on", code))
    sys.exit(code or 0)


def _complain(message: object, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return code
