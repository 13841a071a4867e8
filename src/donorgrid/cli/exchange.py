"""The subcommands that exchange with other tools: results in; tables, adapters, training jobs and tasks out."""

from pathlib import Path
from typing import Annotated

import typer

from donorgrid.cli import options
from donorgrid.cli.show import make_console
from donorgrid.pipeline import analyse, exchange, prepare

console = make_console()
imports = typer.Typer(no_args_is_help=True, help="Take in results that were measured elsewhere.")
exports = typer.Typer(no_args_is_help=True, help="Hand results, adapters and jobs to other tools.")

Source = Annotated[str, typer.Option(help="the source that was trained on: task/language, or a mix's name")]
Model = Annotated[str | None, typer.Option(help="the model's name; needed where the study has several")]
Recipe = Annotated[str | None, typer.Option(help="the recipe's name; needed where the study has several")]
TrainSeed = Annotated[int | None, typer.Option(help="the train seed; needed where the study has several")]
DataSeed = Annotated[int | None, typer.Option(help="the data seed; needed where the study has several")]
TrainSize = Annotated[int | None, typer.Option(help="the train size; needed where the study has several")]
ScaledForm = Annotated[
    str | None, typer.Option("--as", help="at a strength: adapter, merged (a whole model) or low-rank (LoRA)")
]
ScaledRank = Annotated[int | None, typer.Option(help="the rank of --as low-rank; default: the adapter's")]
NewFolder = Annotated[Path, typer.Option(help="the new folder to write to")]


@imports.command("lm-eval")
def import_lm_eval(
    paths: Annotated[list[Path], typer.Argument(help="results files of lm-eval, or folders with them")],
    mapping: Annotated[Path, typer.Option(help="the mapping file: which task is which cell, which folder whose")],
    out: NewFolder = Path("imported"),
    draft: Annotated[bool, typer.Option("--draft", help="write a first mapping file and import nothing")] = False,
) -> None:
    """Import outputs of lm-eval, item by item where samples were logged."""
    if draft:
        for note in exchange.import_results.write_draft(paths, mapping):
            console.print(f"note: {note}", soft_wrap=True, markup=False)
        console.print(f"wrote {mapping}; check it, then run the same command without --draft", soft_wrap=True)
        return
    _tell(exchange.import_results.import_outputs(paths, mapping, out))


@imports.command("table")
def import_table(
    tables: Annotated[list[str], typer.Argument(help="tables: .csv or .parquet, files or addresses")],
    mapping: Annotated[Path | None, typer.Option(help="a mapping file, where columns have other names")] = None,
    out: NewFolder = Path("imported"),
    metric: Annotated[str | None, typer.Option(help="acc or acc_norm; default: acc_norm if the tables have it")] = None,
) -> None:
    """Import result tables: the released format, or any with a key and a delta, or a score and its baseline."""
    _tell(exchange.import_results.import_tables(tables, mapping, out, metric=options.metric_named(metric)))


@exports.command("table")
def export_table(
    study: options.Study, file: Annotated[Path, typer.Argument(help="the file to write: .csv or .parquet")]
) -> None:
    """Write a study's deltas in the released table's format."""
    deltas = analyse.tables.study_deltas(prepare.study.study_folder(study))
    written = exchange.export_results.export_deltas(deltas[analyse.tables.DELTAS], deltas[analyse.tables.BY_SEED], file)
    console.print(f"wrote {written}", soft_wrap=True)


@exports.command("adapter")
def export_adapter(
    study: options.Study,
    source: Source,
    out: NewFolder,
    model: Model = None,
    recipe: Recipe = None,
    train_seed: TrainSeed = None,
    data_seed: DataSeed = None,
    train_size: TrainSize = None,
    checkpoint: Annotated[float | None, typer.Option(help="after so many epochs; default: the end")] = None,
    strength: Annotated[
        float | None, typer.Option(help="at this strength, one of the study's; default: as trained")
    ] = None,
    form: ScaledForm = None,
    rank: ScaledRank = None,
    base_model: Annotated[str | None, typer.Option(help="the base's hub ID, where the study has a folder")] = None,
) -> None:
    """Copy an adapter with a model card that carries its transfer profile. Nothing is published."""
    selection = exchange.select_run.RunSelection(
        source=source,
        model=model,
        recipe=recipe,
        train_seed=train_seed,
        data_seed=data_seed,
        train_size=train_size,
        checkpoint=checkpoint,
        strength=strength,
    )
    written = exchange.export_run.export_run_adapter(study, selection, out, base_model=base_model, form=form, rank=rank)
    console.print(f"wrote {written}", soft_wrap=True)


@exports.command("scaled")
def export_scaled(
    base: Annotated[str, typer.Argument(help="the base model: a folder, a hub ID, or ID@revision")],
    adapter: Annotated[str, typer.Argument(help="an adapter, or a merged checkpoint")],
    strength: Annotated[float, typer.Option(help="how much of its change is applied: 0 to 1.5")],
    out: NewFolder,
    form: ScaledForm = None,
    rank: ScaledRank = None,
) -> None:
    """Write an adapter at a strength, so that PEFT computes W0 + strength (W' - W0)."""
    scaling = exchange.export_scaled.Scaling(strength=strength, form=form, rank=rank)
    sentence = exchange.export_scaled.export_scaled(base, adapter, out, scaling)
    console.print(f"wrote {out}: {sentence}", soft_wrap=True, markup=False)


@exports.command("training")
def export_training(
    study: options.Study,
    source: Source,
    out: NewFolder,
    trainer: Annotated[str, typer.Option(help="one of trl, llama-factory, axolotl")] = "trl",
    model: Model = None,
    recipe: Recipe = None,
    train_seed: TrainSeed = None,
    data_seed: DataSeed = None,
    train_size: TrainSize = None,
) -> None:
    """Write a run's texts and recipe as the configuration of another trainer."""
    selection = exchange.select_run.RunSelection(
        source=source, model=model, recipe=recipe, train_seed=train_seed, data_seed=data_seed, train_size=train_size
    )
    console.print(
        f"wrote {exchange.export_run.export_run_training(study, selection, out, trainer=trainer)}", soft_wrap=True
    )


@exports.command("lm-eval")
def export_lm_eval(
    task: Annotated[str, typer.Argument(help="a catalog name, a task file, or a data file")],
    language: Annotated[str, typer.Option("--language", "-l", help="the language")],
    out: NewFolder,
    columns: options.ColumnMap = None,
) -> None:
    """Write one language of a task as a task file of lm-eval."""
    written = exchange.export_results.export_task(task, language, out, columns=options.column_map(columns))
    console.print(f"wrote {written}", soft_wrap=True)


def _tell(imported: "exchange.import_results.Imported") -> None:
    for note in imported.notes:
        console.print(f"note: {note}", soft_wrap=True)
    out = f" --out {imported.path.parent}" if imported.path.is_file() else ""
    console.print(
        f"imported {imported.size} into {imported.path}; next: donorgrid report {imported.path}{out}", soft_wrap=True
    )
