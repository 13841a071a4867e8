"""``donorgrid export lm-eval``: a cell's test items as a task of lm-eval, with the same requests as donorgrid's.

The exported items hold their final text (with few-shot examples and words of the language), so one data file and one
small YAML are enough for any task.
"""

import json
from pathlib import Path

import yaml

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.names import check_name
from donorgrid.core.records import CellItems, Metric


def export_lm_eval_task(cell: CellItems, folder: Path, *, metrics: tuple[Metric, ...]) -> Path:
    """Writes a cell's test items as a task file of lm-eval and its data, ``<task>_<language>.yaml`` and ``.jsonl``.

    Parameters
    ----------
    cell : CellItems
        The cell. The field ``id`` of the data holds the item's ID, for an import of lm-eval's outputs.
    folder : Path
        Where to write; give it to lm-eval as ``--include_path``.
    metrics : tuple of str
        The task's metrics: ``acc``, ``acc_norm``.

    Returns
    -------
    Path
        The YAML file.

    Raises
    ------
    InputError
        If the cell has no test items, or several delimiters before its choices.
    """
    name = check_name(f"{cell.cell.task}_{cell.cell.language}", what="task name")
    if not cell.test:
        raise InputError(f"cell '{cell.cell}': it has no test items to export")
    delimiters = {item.delimiter for item in cell.test}
    if len(delimiters) > 1:
        raise InputError(f"cell '{cell.cell}': its options have the delimiters {sorted(delimiters)}; one is allowed")
    config = {
        "task": name,
        "output_type": "multiple_choice",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str((folder / f"{name}.jsonl").resolve())}},
        "test_split": "test",
        "doc_to_text": "context",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "target_delimiter": delimiters.pop(),
        "metric_list": [{"metric": metric} for metric in metrics],
        "metadata": {"version": 1.0},
    }
    rows = (
        {"id": item.id, "context": item.context, "choices": list(item.choices), "answer": item.answer}
        for item in cell.test
    )
    with whole_file(folder / f"{name}.jsonl") as unfinished:
        unfinished.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with whole_file(folder / f"{name}.yaml") as unfinished:
        unfinished.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder / f"{name}.yaml"
