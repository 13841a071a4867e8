"""A folder of imported answers: damage is named, and an import of version 0.1.0 is read as it is."""

import json
import random
from pathlib import Path

import pytest
from lm_eval_outputs import write_runs

from donorgrid.core.errors import StoreError
from donorgrid.exchange import ImportedAnswers, import_lm_eval, read_import, write_import


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_import(import_lm_eval([tmp_path / "in"], mapping_file=write_runs(tmp_path / "in")), tmp_path / "out")
    return tmp_path / "out"


def rows_of(imported: ImportedAnswers) -> list[list[dict[str, object]]]:
    return [imported.read(subject).to_dicts() for subject in imported.subjects]


def test_no_single_bit_of_an_import_changes_without_a_word(folder: Path) -> None:
    whole, draw = rows_of(read_import(folder)), random.Random(1)
    for path in (folder / "items" / "00001.parquet", folder / "import.json"):
        content = path.read_bytes()
        for _ in range(60):
            at, bit = draw.randrange(len(content)), draw.randrange(8)
            path.write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
            with pytest.raises(StoreError, match=rf"{path.name}: not a whole .*; import again"):
                rows_of(read_import(folder))
        path.write_bytes(content)
    assert rows_of(read_import(folder)) == whole


def test_an_import_without_checksums_is_read_as_it_is(folder: Path) -> None:
    whole = rows_of(read_import(folder))
    content = json.loads((folder / "import.json").read_text())
    del content["digest"]
    for entry in content["subjects"]:
        del entry["sha256"]
    (folder / "import.json").write_text(json.dumps(content))
    assert rows_of(read_import(folder)) == whole


@pytest.mark.parametrize(
    "change",
    [
        {"subjects": [True]},
        {"subjects": [{"file": "00000.parquet", "model": 3, "source": None}]},
        {"subjects": [{"file": "00000.parquet", "model": "m", "source": None, "train_seed": 2**70}]},
        {"subjects": [{"file": "00000.parquet", "model": "m", "source": {"kind": "cell"}}]},
        {"subjects": [{"file": "00000.parquet", "model": "m", "source": None, "shoe": 3}]},
        {"subject": []},
        {"notes": None},
    ],
)
def test_an_index_of_other_values_is_one_line(folder: Path, change: dict) -> None:
    content = {key: value for key, value in json.loads((folder / "import.json").read_text()).items() if key != "digest"}
    (folder / "import.json").write_text(json.dumps(content | change))
    with pytest.raises(StoreError, match=r"import\.json: not a whole import .*; import again") as error:
        read_import(folder)
    assert "\n" not in str(error.value)
