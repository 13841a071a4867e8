"""A small task in two languages, its documents passed in as a reader, and the real data sets where they are there."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from donorgrid.core.records import CellItems
from donorgrid.tasks import find_task, load_cell

TWO_CHOICES = {
    "task": "colours",
    "languages": ["de", "fr"],
    "output_type": "multiple_choice",
    "dataset_path": "shelf",
    "dataset_name": "world/{language}",
    "training_split": "train",
    "test_split": "test",
    "id_column": "id",
    "doc_to_text": "{{question}}",
    "doc_to_choice": "{{choices}}",
    "doc_to_target": "answer",
}


def shelf(name: str, split: str) -> list[dict[str, Any]]:
    """Three documents of a split; the texts name where they come from."""
    return [
        {"id": f"i{n}", "question": f"{name} {split} {n}?", "choices": ["rot", "blau", "l'or"], "answer": n}
        for n in range(3)
    ]


@pytest.fixture
def load() -> Callable[..., CellItems]:
    """Find the task at a path and read one language of it, with ``shelf`` as a reader."""

    def find_and_load(path: Path, language: str = "de", *, reader: Any = shelf, **options: Any) -> CellItems:
        return load_cell(find_task(path.name, folder=path.parent), language, sources={"shelf": reader}, **options)

    return find_and_load


@pytest.fixture
def write_task(tmp_path: Path) -> Callable[..., Path]:
    """Write the small task, with keys changed (None removes one), as a YAML file."""

    def write(name: str = "colours.yaml", /, **changes: Any) -> Path:
        content = {key: value for key, value in {**TWO_CHOICES, **changes}.items() if value is not None}
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with XCOPA and SIB-200, where this machine has it."""
    folder = Path(os.environ.get("DONORGRID_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "real"
    if not folder.is_dir():
        pytest.skip(f"real data sets are not at {folder}")
    return folder
