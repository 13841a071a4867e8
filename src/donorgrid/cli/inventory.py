"""The subcommands that show what there is: tasks, their items, models."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from donorgrid import pipeline
from donorgrid.cli import options
from donorgrid.cli.show import make_console, show_json
from donorgrid.core.printable_text import readable

console = make_console()
tasks = typer.Typer(no_args_is_help=True, help="The tasks there are, what they hold, and how an item reads.")

TaskName = Annotated[str, typer.Argument(help="a catalog name, a task file, a data file, or lm_eval:NAME")]
Languages = Annotated[list[str] | None, typer.Option("--language", "-l", help="a language; may stand several times")]
Tokenizer = Annotated[str | None, typer.Option(help="show the tokens of this model's tokenizer, special ones by name")]
Recipe = Annotated[str, typer.Option(help="with --tokenizer: the recipe preset that training texts are read by")]


@tasks.command("ls")
def list_tasks(as_json: options.Json = False) -> None:
    """List the tasks of the catalog with their languages and licences."""
    catalog = pipeline.prepare.inventory.catalog()
    if as_json:
        show_json([{**vars(task)} for task in catalog])
        return
    table = Table(box=None, pad_edge=False)
    for name in ("task", "languages", "licence", "what it asks"):
        table.add_column(name, justify="right" if name == "languages" else "left", overflow="fold")
    for task in catalog:
        table.add_row(task.name, str(len(task.languages)), task.licence, task.title)
    console.print(table)
    print("languages and items of a task: donorgrid tasks validate NAME; an item as text: donorgrid tasks show NAME")


@tasks.command("show")
def show_task(
    task: TaskName,
    language: Annotated[str | None, typer.Option("--language", "-l", help="default: the task's first")] = None,
    item: Annotated[str | None, typer.Option(help="the ID of an item; default: the first")] = None,
    tokenizer: Tokenizer = None,
    recipe: Recipe = "lora",
    chat_template: Annotated[bool, typer.Option("--chat-template", help="show tokens under the chat template")] = False,
    chat_template_args: options.TemplateArguments = None,
    columns: options.ColumnMap = None,
) -> None:
    """Print one whole item as text, for training and for scoring, with where the loss lies."""
    view = None
    if tokenizer:
        view = pipeline.prepare.token_view.view_of(
            tokenizer, recipe=recipe, chat_template=chat_template, arguments=chat_template_args
        )
    named = options.column_map(columns)
    print(readable(pipeline.prepare.inventory.item_text(task, language, item_id=item, view=view, columns=named)))


@tasks.command("validate")
def validate_task(task: TaskName, language: Languages = None, columns: options.ColumnMap = None) -> int:
    """Read all of a task and report items, alignment and what cannot be used. Exit code 1 when something cannot."""
    task_report = pipeline.prepare.inventory.validated(task, tuple(language or ()), columns=options.column_map(columns))
    print(readable(str(task_report)))
    return 0 if task_report.sound else 1


def models(
    model: Annotated[list[str] | None, typer.Argument(help="model IDs or folders; default: what is built in")] = None,
    revision: Annotated[str | None, typer.Option(help="the hub's revision")] = None,
    as_json: options.Json = False,
) -> None:
    """Say what is known of base models: architecture, parameters, family, digests."""
    known_models = pipeline.prepare.inventory.models_named(tuple(model or ()), revision=revision, folder=Path())
    if as_json:
        show_json([{**vars(known), "path": str(known.path)} for known in known_models])
        return
    table = Table()
    for name in ("model", "architecture", "parameters", "family", "size (B)", "weights"):
        table.add_column(name, overflow="fold")
    for known in known_models:
        size = f"{known.size_b:.3g}"
        table.add_row(
            known.name, known.architecture, f"{known.n_parameters:,}", known.family, size, known.weights_digest[:12]
        )
    console.print(table)
