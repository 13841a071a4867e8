"""``donorgrid check``: does an adapter break anything? The exit code is for continuous integration."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from donorgrid import check as verdict
from donorgrid import pipeline
from donorgrid.cli import options
from donorgrid.cli.show import make_console, show_json
from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.printable_text import printable


def check(
    base: Annotated[str | None, typer.Argument(help="the base model: a folder, a hub ID, or ID@revision")] = None,
    adapters: Annotated[list[str] | None, typer.Argument(help="adapters, merged checkpoints, or ID@revision")] = None,
    on: Annotated[list[str] | None, typer.Option(help="a target to gain on: NAME, NAME:de,hi, or a data file")] = None,
    guard: Annotated[list[str] | None, typer.Option(help="a target that must not be harmed; may stand again")] = None,
    columns: options.ColumnMap = None,
    limit: Annotated[float | None, typer.Option(help="a guard may lose less than this, in pp; default -1.0")] = None,
    config: Annotated[Path | None, typer.Option(help="a YAML file with these keys; what stands here wins")] = None,
    report: Annotated[Path | None, typer.Option(help="write an HTML page with the items that changed")] = None,
    items: Annotated[
        int | None,
        typer.Option(help="at most so many items per target, drawn by a fixed seed"),
    ] = None,
    strengths: Annotated[
        str | None, typer.Option(help="also score every adapter at these strengths (0 to 1.5), such as 0.25,0.5,0.75")
    ] = None,
    find_strength: Annotated[
        bool | None, typer.Option("--find-strength", help="find the largest strength at which every guard is safe")
    ] = None,
    allow_undecided: Annotated[bool, typer.Option("--allow-undecided", help="exit 0 also when undecided")] = False,
    metric: Annotated[str | None, typer.Option(help="acc or acc_norm (where a task has it); default acc_norm")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16; default fp32")] = None,
    exact_and_fast: Annotated[
        bool | None, typer.Option(help="compute most items in bf16, and keep every chosen option of fp32")
    ] = None,
    chat_template: Annotated[bool | None, typer.Option(help="read contexts under the chat template")] = None,
    chat_template_args: options.TemplateArguments = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="a model or folder whose tokenizer and chat template are used")
    ] = None,
    max_new_tokens: Annotated[int | None, typer.Option(help="the longest reply to a prompt; default 128")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda")] = None,
    cache: Annotated[Path | None, typer.Option(help="where item answers are kept, so that re-runs are free")] = None,
    as_json: options.Json = False,
) -> int:
    """Compare adapters with their base item by item: what was gained, what was broken, what is not known.

    Exit code 0 only if every guard is safe, 1 if any is harmed or undecided; any other code is no verdict.
    """
    flags = {
        "base": base,
        "adapters": adapters,
        "on": on,
        "guard": guard,
        "columns": options.column_map(columns),
        "limit": limit,
        "items": items,
        "strengths": strengths,
        "find_strength": find_strength,
        "metric": metric,
        "precision": precision,
        "exact_and_fast": exact_and_fast,
        "chat_template": chat_template,
        "chat_template_args": chat_template_args,
        "tokenizer": tokenizer,
        "max_new_tokens": max_new_tokens,
        "device": device,
        "cache": cache,
        "report": report,
        "allow_undecided": allow_undecided,
    }
    given = pipeline.check.command_line.check_from_flags(flags, config)
    try:
        checked = pipeline.check.run_check.run_check(given.request, on_note=_tell)
    except RunFailure as error:  # no verdict: the adapter or its base cannot be used
        raise InputError(str(error)) from error
    code = verdict.exit_code(checked.result, allow_undecided=given.allow_undecided)
    page = given.report
    if page is not None:
        _write(page, verdict.render_page(checked.result, checked.targets))
    if as_json:
        show_json(verdict.to_json_data(checked.result, exit_code=code))
    else:
        _show(checked.result, page)
    return code


def _show(result: "verdict.CheckResult", page: Path | None) -> None:
    console = make_console(width=verdict.WIDTH)
    for adapter in result.adapters:
        console.print(verdict.result_table(adapter, result))
        console.print()
    for curve in result.strengths:
        console.print(verdict.strength_table(curve, result.settings.limit_pp, width=verdict.WIDTH))
        console.print()
    for line in verdict.summary_lines(result):
        console.print(line, soft_wrap=True)
    if page is not None:
        console.print(f"wrote {page}", soft_wrap=True)


def _write(page: Path, text: str) -> None:
    with whole_file(page) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def _tell(line: str) -> None:
    print(printable(line), file=sys.stderr)
