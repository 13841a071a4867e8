"""Any result table, with or without a mapping, becomes rows that the analysis reads."""

import csv
import http.server
import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import yaml

from donorgrid.analyse import read_tables, to_released
from donorgrid.analyse.reading.released_names import from_released
from donorgrid.core.errors import InputError
from donorgrid.exchange import ImportedTable, import_table

ROWS = [
    {"base": "m1", "trained": "quiz", "on": "de", "seed": seed, "task": "quiz", "lang": lang, "points": points}
    for seed in (1, 2)
    for lang, points in (("de", 55.0 + seed), ("it", 48.0))
] + [
    {"base": "m1", "trained": None, "on": None, "seed": seed, "task": "quiz", "lang": lang, "points": 50.0 + 4 * seed}
    for seed in (1, 2)
    for lang in ("de", "it")
]
MAPPING = {
    "columns": {"model": "base", "source_task": "trained", "source_language": "on", "target_task": "task",
                "target_language": "lang", "train_seed": "seed", "score": "points"},
    "percent": ["score"],
    "baseline_rows": {"column": "trained", "value": None},
}  # fmt: skip


def load(*places: Path | str, mapping: Path | None = None) -> ImportedTable:
    return import_table([str(place) for place in places], to_our_names=from_released, mapping_file=mapping)


def mapping_file(folder: Path, **changes: object) -> Path:
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump({key: one for key, one in {**MAPPING, **changes}.items() if one is not None}))
    return path


@pytest.fixture
def long_table(tmp_path: Path) -> Path:
    path = tmp_path / "long.csv"
    pl.DataFrame(ROWS).write_csv(path)
    return path


@pytest.fixture(scope="session")
def slices() -> list[Path]:
    """Two models of the released table, where this machine has them."""
    folder = Path(os.environ.get("DONORGRID_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
    found = sorted(folder.glob("release_*.csv"))
    if not found:
        pytest.skip(f"no slices of the released table at {folder}")
    return found


def test_baseline_rows_are_joined_per_model_target_and_seed(tmp_path, long_table):
    frame = load(long_table, mapping=mapping_file(tmp_path)).frame
    assert frame.height == 4
    assert "points" not in frame.columns
    by_seed = {(row["train_seed"], row["target_language"]): row for row in frame.iter_rows(named=True)}
    assert by_seed[1, "de"]["score"] == 0.56
    assert by_seed[1, "de"]["score_base"] == 0.54
    assert by_seed[2, "it"]["score_base"] == 0.58


def test_it_reads_back_as_deltas_with_each_seeds_own_baseline(tmp_path, long_table):
    imported = load(long_table, mapping=mapping_file(tmp_path))
    to_released(imported.frame).write_csv(tmp_path / "out.csv")
    read = read_tables([tmp_path / "out.csv"], metric="acc")
    found = {(row["train_seed"], row["target_language"]): row["delta_pp"] for row in read.by_seed.iter_rows(named=True)}
    assert found == pytest.approx({(1, "de"): 2.0, (2, "de"): -1.0, (1, "it"): -6.0, (2, "it"): -10.0})
    assert read.deltas["n_seeds"].to_list() == [2, 2]


def test_baselines_that_differ_between_seeds_are_told(tmp_path, long_table):
    notes = load(long_table, mapping=mapping_file(tmp_path)).notes
    assert any("baselines differ between train seeds by 2.8 pp (SD)" in note for note in notes)


def test_columns_values_and_constants(tmp_path):
    pl.DataFrame({"adapter": ["x"], "to": ["Italian"], "gain": [1.5]}).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "m.yaml").write_text(
        "columns: {source_language: adapter, target_language: to, delta_score_mean: gain}\n"
        "constants: {model: org/Qwen2.5-7B, source_task: quiz, target_task: quiz}\n"
        "values: {target_language: {Italian: it}, source_language: {x: de}}\n"
    )
    row = load(tmp_path / "t.parquet", mapping=tmp_path / "m.yaml").frame.row(0, named=True)
    assert row["delta_acc_pp"] == 1.5
    assert (row["source_language"], row["target_language"]) == ("de", "it")
    assert (row["family"], row["size_b"]) == ("Qwen2.5", 7.0)


def test_holes_stay_holes(tmp_path):
    (tmp_path / "t.csv").write_text(
        "model,source_task,source_language,target_task,target_language,delta_pp\nm,a,de,a,de,1.0\nm,a,de,a,it,NA\n"
    )
    imported = load(tmp_path / "t.csv")
    assert imported.frame["delta_pp"].to_list() == [1.0, None]
    imported.frame.write_csv(tmp_path / "out.csv")
    assert read_tables([tmp_path / "out.csv"]).deltas.height == 1


def test_a_target_at_chance_is_warned_of(slices):
    notes = load(*slices).notes
    (warning,) = [note for note in notes if "at chance" in note]
    assert "Llama-3.1-8B-Instruct on global_mmlu/pt (23.5%, chance 25%)" in warning


def test_the_released_slices_give_the_counts_of_a_plain_count(slices, tmp_path):
    """The headline of the pooled slices, against exact counting in plain Python."""
    to_released(load(*slices).frame).write_csv(tmp_path / "imported.csv")
    deltas = read_tables([tmp_path / "imported.csv"]).deltas.filter(pl.col("regime") != "MT-ML")
    gained = []
    for path in slices:
        with path.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if row["regime"] != "MT-ML":
                    score, base = (round(float(row[f"score_norm{side}_mean"]) * 1200) for side in ("", "_base"))
                    gained.append(Fraction(100 * (score - base), 1200))
    assert deltas.height == len(gained) == 2 * 44 * 43
    assert deltas.filter(pl.col("delta_pp") > 0).height == sum(one > 0 for one in gained)
    assert deltas.filter(pl.col("delta_pp") <= -1.0).height == sum(one <= -1 for one in gained)
    assert deltas["delta_pp"].mean() == pytest.approx(float(sum(gained) / len(gained)), rel=1e-12)


PERCENT = [
    ({"score": [0.5, 0.6, 51.0]}, r"column 'score' mixes proportions and percent: row 1 \(quiz/de\) is 0.5, row 3 "),
    ({"score": [0.5, 0.6, 0.7]}, r"percent: no value of column 'score' is above 1 \(the largest is 0.7\)"),
]


@pytest.mark.parametrize(("scores", "expected"), PERCENT, ids=[expected for _, expected in PERCENT])
def test_a_column_that_is_not_in_percent_throughout_is_refused(tmp_path, scores, expected):
    table = pl.DataFrame({"model": "m", "source_task": "quiz", "source_language": "de", "target_task": "quiz",
                          "eval_language": ["de", "it", "fr"], "score_base": 0.5, **scores})  # fmt: skip
    table.write_csv(tmp_path / "t.csv")
    (tmp_path / "m.yaml").write_text("percent: [score]\n")
    with pytest.raises(InputError, match=expected):
        load(tmp_path / "t.csv", mapping=tmp_path / "m.yaml")


def test_a_run_that_equals_its_base_model_is_named(tmp_path):
    head = "model,source_task,source_language,target_task,target_language,train_seed,score,score_base\n"
    rows = [f"m,quiz,{source},quiz,{target},1,0.5,{base}\n" for source, target, base in
            (("de", "de", 0.5), ("de", "it", 0.5), ("it", "de", 0.5), ("it", "it", 0.4))]  # fmt: skip
    (tmp_path / "t.csv").write_text(head + "".join(rows))
    (note,) = [note for note in load(tmp_path / "t.csv").notes if "was the adapter applied?" in note]
    assert note.startswith("1 runs equal their base model on every target")
    assert "source_language de" in note


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[str]:
    """An address under which the files of ``tmp_path`` are served."""
    handler = partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_table_may_lie_at_an_address(tmp_path, long_table, shelf):
    mapping = mapping_file(tmp_path)
    fetched = load(f"{shelf}/long.csv", mapping=mapping).frame
    assert fetched.equals(load(long_table, mapping=mapping).frame)
    with pytest.raises(InputError, match=r"none\.csv: cannot be fetched: .*404"):
        load(f"{shelf}/none.csv")
