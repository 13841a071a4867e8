"""Result tables by the command line: imported, then analysed by the metric that they have."""

from pathlib import Path

import polars as pl

EXAMPLES = Path(__file__).parents[2] / "examples" / "import"
HEAD = "model,source_task,source_language,target_task,target_language"


def acc_table(path: Path, **further: str) -> None:
    cells = [f"{task},{language}" for task in ("quiz", "nli") for language in ("de", "it")]
    rows = [
        f"m,{source},{target},0.5,{0.4 + number / 100}," + ",".join(further.values())
        for source in cells
        for number, target in enumerate(cells)
    ]
    path.write_text("\n".join([f"{HEAD},score,score_base," + ",".join(further), *rows]) + "\n")


def test_the_example_is_imported_as_its_readme_says(donorgrid, tmp_path):
    mapping = EXAMPLES / "table.yaml"
    code, out, err = donorgrid("import", "table", EXAMPLES / "scores.csv", "--mapping", mapping, "--out", "imported")
    assert (code, err) == (0, "")
    assert "it has acc only" in out
    assert pl.read_csv(tmp_path / "imported" / "deltas.csv")["metric"].unique().to_list() == ["acc"]
    assert donorgrid("analyse", "imported")[0] == 0
    assert (tmp_path / "imported" / "tables" / "deltas.csv").exists()


def test_the_metric_may_be_named_and_is_kept(donorgrid, tmp_path):
    acc_table(tmp_path / "t.csv", score_norm="0.6", score_norm_base="0.5")
    assert donorgrid("import", "table", "t.csv", "--out", "acc", "--metric", "acc")[0] == 0
    assert donorgrid("import", "table", "t.csv", "--out", "norm")[0] == 0
    for folder, mean in (("acc", 8.5), ("norm", 10.0)):
        assert donorgrid("analyse", folder)[0] == 0
        assert round(pl.read_csv(tmp_path / folder / "tables" / "deltas.csv")["delta_pp"].mean(), 6) == mean
    code, _, err = donorgrid("import", "table", "t.csv", "--out", "x", "--metric", "f1")
    assert (code, err.strip()) == (2, "error: --metric 'f1': allowed are acc, acc_norm")


def test_analyse_checks_a_table_as_import_does(donorgrid, tmp_path):
    for name, value in (("comma", '"0,5"'), ("percent", "51"), ("word", "half")):
        acc_table(tmp_path / f"{name}.csv", score_norm=value, score_norm_base="0.5")
        wrong = [donorgrid(*words, f"{name}.csv", "--out", "x") for words in (("analyse",), ("import", "table"))]
        assert [code for code, *_ in wrong] == [2, 2]
        assert wrong[0][2] == wrong[1][2]
        assert "row 1: column 'score_norm' is" in wrong[0][2]
