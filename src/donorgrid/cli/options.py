"""Options that several subcommands share, and how their texts are read."""

from pathlib import Path
from typing import Annotated

import typer

from donorgrid.core import records
from donorgrid.core.errors import InputError

Study = Annotated[Path, typer.Argument(help="a study file, or the folder of a study", show_default=False)]
Analysable = Annotated[
    list[Path],
    typer.Argument(help="a study file or folder; or tables of deltas (.csv, .parquet)", show_default=False),
]
Out = Annotated[Path | None, typer.Option(help="the folder to write to; default: the study's own")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda")]
Jobs = Annotated[int | None, typer.Option(min=1, help="processes on this machine; default: one per core, or one GPU")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
Harm = Annotated[float | None, typer.Option(help="harm limit in pp: harmed is a delta at or below minus this")]
Metric = Annotated[str | None, typer.Option(help="acc or acc_norm; default: the study's")]
ReleaseArithmetic = Annotated[
    bool, typer.Option("--release-arithmetic", help="compare raw floats with the limit, as the release did")
]

ColumnMap = Annotated[
    list[str] | None,
    typer.Option(
        "--columns", help="NAME=COLUMN of a data file, such as question=Frage; NAME may stand again, as for choices"
    ),
]
TemplateArguments = Annotated[
    list[str] | None,
    typer.Option(help="NAME=VALUE that the chat template reads, such as enable_thinking=false; may stand again"),
]
RichRefits = Annotated[
    int | None,
    typer.Option(
        min=2, help="refits for intervals of the fits with interactions, e.g. 200; default: no such intervals"
    ),
]
WantedTargets = Annotated[
    list[str] | None, typer.Option("--for", help="TASK/LANGUAGE to gain on; =WEIGHT may follow; may stand again")
]
GuardTargets = Annotated[
    list[str] | None, typer.Option("--guard", help="TASK/LANGUAGE that must not break, or all; may stand again")
]
GuardLimit = Annotated[float, typer.Option("--limit", min=0.0, help="harm is a true delta of minus this (pp) or worse")]
Confidence = Annotated[float, typer.Option(help="the probability that a statement must have")]
AllowHarmed = Annotated[int | None, typer.Option(min=0, help="so many guards may be harmed, in expectation")]
WorstTarget = Annotated[bool, typer.Option("--worst", help="the worst wanted target counts, not their mean")]
Knowledge = Annotated[
    list[Path] | None,
    typer.Option(help="a study or table of other models, or release (fetch-knowledge); may stand again"),
]
Typology = Annotated[bool, typer.Option("--typology", help="add URIEL+ distances (extra 'typology')")]


def column_map(given: list[str] | None) -> dict[str, str | list[str]] | None:
    """Returns a study's ``columns`` from ``NAME=COLUMN`` texts; a repeated name has a list of columns."""
    columns_of: dict[str, list[str]] = {}
    for text in given or []:
        name, equals, column = text.partition("=")
        if not (name and equals and column):
            raise InputError(f"--columns '{text}': expected NAME=COLUMN, such as question=Frage")
        columns_of.setdefault(name, []).append(column)
    return {name: columns[0] if len(columns) == 1 else columns for name, columns in columns_of.items()} or None


def metric_named(text: str | None) -> records.Metric | None:
    """Returns the metric that ``--metric`` names. Raises InputError if there is no such metric."""
    if text is None:
        return None
    for metric in records.METRICS:
        if text == metric:
            return metric
    raise InputError(f"--metric '{text}': allowed are {', '.join(records.METRICS)}")


def shard(text: str | None) -> tuple[int, int] | None:
    """Returns (i, n) of ``i/n``. Raises InputError unless 1 <= i <= n."""
    if text is None:
        return None
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise InputError(f"--shard '{text}': expected i/n with 1 <= i <= n")
    return int(index), int(count)
