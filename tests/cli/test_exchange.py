"""Results in, results out, and grids with known truth, by the command line."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from running import run_here
from worlds import make_study

GRID = ("--tasks", 2, "--languages", 3, "--models", 1, "--items", 200)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished 3 x 3 study."""
    root = tmp_path_factory.mktemp("finished")
    run_here(make_study(root, limits={"train_items": 12, "test_items": 8}), root / "tiny")
    return root / "tiny"


def test_a_simulated_donor_is_found(donorgrid, tmp_path: Path) -> None:
    code, _, _ = donorgrid("simulate", "--out", "drawn", *GRID, "--donor", "task1/l2=8")
    assert code == 0
    truth = pl.read_csv(tmp_path / "drawn" / "truth.csv")
    own = truth.filter(pl.col("source_task") == "task1", pl.col("source_language") == "l2", pl.col("regime") != "MT-ML")
    assert own["true_pp"].to_list() == [8.0] * own.height
    code, _, _ = donorgrid("analyse", "drawn")
    assert code == 0
    best = pl.read_csv(tmp_path / "drawn" / "tables" / "sources.csv").sort("rank").row(0, named=True)
    assert (best["source_task"], best["source_language"]) == ("task1", "l2")


def test_intervals_of_the_rich_fits_are_there_on_request(donorgrid, tmp_path: Path) -> None:
    assert donorgrid("simulate", "--out", "drawn", *GRID)[0] == 0
    for options, wanted in (((), {0}), (("--rich-refits", "5"), {5})):
        assert donorgrid("analyse", "drawn", *options)[0] == 0
        variance = pl.read_csv(tmp_path / "drawn" / "tables" / "variance.csv")
        rich = variance.filter(pl.col("fit") != "crossed", pl.col("scope") == "transfer", pl.col("share").is_not_null())
        assert set(rich["n_refits"]) == wanted
    code, _, err = donorgrid("analyse", "drawn", "--rich-refits", "1")
    assert code == 2
    assert "--rich-refits" in err


def test_simulated_answers_are_analysed_as_an_import_is(donorgrid, tmp_path: Path) -> None:
    assert donorgrid("simulate", "--out", "drawn", "--answers", *GRID, "--flip-rate", 0.1)[0] == 0
    code, out, _ = donorgrid("analyse", "drawn", "--json")
    assert code == 0
    assert {row["regime"]: row["n"] for row in json.loads(out)["regimes"]}["transfer"] == 30
    code, out, _ = donorgrid("power", *GRID[:4], "--noise-of", "drawn", "--json")
    rows = json.loads(out)
    assert {row["origin"] for row in rows} == {"measured"}
    assert rows[0]["flip_rate"] == pytest.approx(0.1, abs=0.02)
    assert donorgrid("simulate", "--out", "drawn")[0] == 2


def test_power_of_a_study_uses_its_own_items_and_seeds(donorgrid, finished: Path) -> None:
    code, out, _ = donorgrid("power", finished, "--flip-rate", 0.05, "--json")
    assert code == 0
    cell = json.loads(out)[0]
    assert (cell["n_items"], cell["n_seeds"], cell["flip_rate"]) == (8, 1, 0.05)
    assert cell["items_needed"] > 1000


def test_deltas_go_out_and_come_back(donorgrid, finished: Path, tmp_path: Path) -> None:
    code, _, _ = donorgrid("export", "table", finished, "mine.parquet")
    assert code == 0
    code, out, _ = donorgrid("import", "table", "mine.parquet", "--out", "back")
    assert (code, "imported 9 rows" in out) == (0, True)
    assert donorgrid("analyse", "back")[0] == 0
    assert donorgrid("analyse", finished)[0] == 0
    ours, again = (pl.read_csv(root / "tables" / "regimes.csv") for root in (finished, tmp_path / "back"))
    assert again["mean_pp"].to_list() == pytest.approx(ours["mean_pp"].to_list())
    assert donorgrid("export", "table", finished, "mine.parquet")[0] == 2


def test_an_adapter_goes_out_with_its_profile(donorgrid, finished: Path, tmp_path: Path) -> None:
    code, _, _ = donorgrid("export", "adapter", finished, "--source", "colours/de", "--out", "adapter")
    assert code == 0
    card = (tmp_path / "adapter" / "README.md").read_text()
    assert "colours" in card
    assert yaml.safe_load(card.split("---")[1])["library_name"] == "peft"


@pytest.mark.parametrize("trainer", ["trl", "llama-factory", "axolotl"])
def test_a_run_goes_out_as_the_job_of_another_trainer(donorgrid, finished: Path, tmp_path: Path, trainer: str) -> None:
    words = ("--source", "colours/de", "--out", "job", "--trainer", trainer)
    code, out, err = donorgrid("export", "training", finished, *words)
    assert (code, err) == (0, "")
    written = Path("".join(out.split("wrote ")[1].split()))
    assert yaml.safe_load((tmp_path / written).read_text())
    assert len((tmp_path / "job" / "data" / "train.jsonl").read_text().splitlines()) == 10


def test_a_task_goes_out_for_lm_eval(donorgrid, finished: Path, tmp_path: Path) -> None:
    code, _, _ = donorgrid("export", "lm-eval", finished.parent / "colours.yaml", "-l", "de", "--out", "tasks")
    assert code == 0
    assert yaml.safe_load((tmp_path / "tasks" / "colours_de.yaml").read_text())["output_type"] == "multiple_choice"


BAD = {
    "no such source": (["export", "adapter", "{study}", "--source", "colours/fr", "--out", "x"], "colours/fr"),
    "no such seed": (
        ["export", "adapter", "{study}", "--source", "colours/de", "--train-seed", "5", "--out", "x"],
        "there are [17]",
    ),
    "no such trainer": (
        ["export", "training", "{study}", "--source", "colours/de", "--trainer", "trll", "--out", "x"],
        "did you mean 'trl'",
    ),
    "no such outputs": (["import", "lm-eval", "nowhere", "--mapping", "none.yaml"], "none.yaml"),
    "no such table": (["import", "table", "none.csv"], "none.csv"),
    "a spread without a number": (["simulate", "--spread", "source"], "expected NAME=PP"),
    "an unknown component": (["simulate", "--spread", "sauce=1"], "did you mean 'source'"),
    "two noises": (["power", "--flip-rate", "0.1", "--noise-of", "{study}"], "give one of them"),
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_line_and_exit_code_2(donorgrid, finished: Path, words: str) -> None:
    given, expected = BAD[words]
    code, out, err = donorgrid(*(str(finished) if one == "{study}" else one for one in given))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert expected in err
