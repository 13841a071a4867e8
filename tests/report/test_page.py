import re
from typing import Any

import polars as pl
import pytest
from example_tables import Page, example_deltas, example_head, example_tables

from donorgrid.core.errors import InputError
from donorgrid.report import Failure, render_report
from donorgrid.report.formatting import shown, signed_pp

ELEVEN = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")
HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}"


def page_of(tables: dict[str, pl.DataFrame], **head: object) -> Page:
    return Page.read(render_report(tables, example_head(tables["deltas"], **head)))


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("regimes", "Transfer by regime"),
        ("harm_breakdown", "Where the harm is"),
        ("roles_language", "Languages"),
        ("roles_task", "Tasks"),
        ("roles_family", "Language families"),
        ("matrix_language", "Language to language, within one task"),
        ("matrix_task", "Task to task, within one language"),
    ],
)
def test_the_tables_on_the_page_are_the_tables_given(name: str, caption: str) -> None:
    tables = example_tables(example_deltas())
    rows = page_of(tables).tables[caption][1:]
    ends = [name for name in tables[name].columns if name.endswith(("rate_low", "rate_high"))]

    def text(row: dict[str, Any], column: str) -> str:
        value, *interval = (
            shown(column, row[f"{column}{end}"]) for end in ("", "_low", "_high") if f"{column}{end}" in row
        )
        return f"{value} ({' to '.join(interval)})" if f"{column}_low" in ends else value

    wanted = [
        {text(row, column) for column in row if column not in (*ends, "harm_limit_pp")}
        for row in tables[name].to_dicts()
    ]
    assert [set(row) for row in rows] == wanted


def test_the_pareto_table_names_its_sources() -> None:
    tables = example_tables(example_deltas(models=("one", "two")))
    rows = page_of(tables).tables["Sources, on and off their task"][1:]
    first = tables["pareto"].row(0, named=True)
    assert len(rows) == tables["pareto"].height == 18
    assert rows[0][:3] == ["one", "continent/de", signed_pp(first["on_task_pp"])]


def test_the_matrix_is_there_without_a_script() -> None:
    deltas = example_deltas()
    page = page_of(example_tables(deltas))
    ((header, *rows),) = [rows for caption, rows in page.tables.items() if caption.startswith("Delta in pp")]
    assert header[1:] == [row[0] for row in rows]
    for source, *texts in rows:
        values = deltas.filter(pl.col("source_name") == source)["delta_pp"]
        assert texts == [signed_pp(value) for value in values]
    coloured = [
        attributes["class"] for tag, attributes in page.tags if tag == "rect" and set(attributes) == {"class", "x"}
    ]
    assert len(coloured) == 81
    assert "".join(name.removeprefix("k") for name in coloured) == page.data["views"][0]["letters"]


def test_the_script_reads_the_values_of_the_deltas() -> None:
    deltas = example_deltas(models=("one", "two"))
    views = page_of(example_tables(deltas)).data["views"]
    assert [view["model"] for view in views] == ["all models (mean)", "one", "two"]
    for view in views[1:]:
        values = deltas.filter(pl.col("model") == view["model"])["delta_pp"]
        assert view["deltas"] == [round(100 * value) for value in values]


def test_the_summary_says_what_was_measured() -> None:
    tables = example_tables(example_deltas(models=("one", "two")))
    text = page_of(tables, n_cells_planned=170, language_names={"de": "German"}).text
    transfer = tables["regimes"].row(by_predicate=pl.col("regime") == "transfer", named=True)
    assert "36 adapters from 9 sources (2 base models, 1 recipe, 2 train seeds)" in text
    assert f"the mean delta is {signed_pp(transfer['mean_pp'])} ± " in text
    assert "8 planned cells missing" in text
    best = tables["roles_language"].sort("donor_pp", descending=True).row(0, named=True)
    name = {"de": "German (de)"}.get(best["language"], best["language"])
    low, high = (signed_pp(best[f"donor_{end}_pp"]) for end in ("low", "high"))
    assert f"Best donor language: {name} {signed_pp(best['donor_pp'])} ({low} to {high}) pp." in text


def test_hostile_names_are_text() -> None:
    deltas = example_deltas().with_columns(
        model=pl.lit(HOSTILE), recipe=pl.lit(HOSTILE), target_task=pl.lit(HOSTILE) + pl.col("target_task")
    )
    failures = (Failure(model=HOSTILE, source=HOSTILE, reason=HOSTILE),)
    html = render_report(
        example_tables(deltas),
        example_head(deltas, title=HOSTILE, warnings=(HOSTILE,), failures=failures, versions={HOSTILE: HOSTILE}),
    )
    page = Page.read(html)
    plain = Page.read(render_report(example_tables(example_deltas()), example_head(example_deltas())))
    assert "<script>alert" not in html
    assert page.text.count(HOSTILE) >= 8
    assert "49" not in page.tables["Work that failed"][1][0]
    assert page.data["views"][0]["model"] == HOSTILE
    assert [tag for tag, _ in page.tags].count("script") == [tag for tag, _ in plain.tags].count("script") == 2
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_characters_that_nobody_sees_are_shown_escaped() -> None:
    hidden = "ab\u202ecd\u200b\ufeff\x07"
    deltas = example_deltas(models=(hidden,)).with_columns(recipe=pl.lit(hidden))
    tables = example_tables(deltas)
    failures = (Failure(model=hidden, source=hidden, reason=hidden),)
    text = render_report(tables, example_head(deltas, title=hidden, failures=failures))
    assert not {character for character in "\u202e\u200b\ufeff\x07" if character in text}
    assert text.count("ab\\u202ecd\\u200b\\ufeff\\x07") > 5
    assert not re.search(r"[^\\]\\u202e", text.replace("ab\\u202ecd", "").replace("ab\\\\u202ecd", ""))


def test_the_page_loads_nothing_from_the_network() -> None:
    html = render_report(example_tables(example_deltas()), example_head(example_deltas()))
    outside = [
        (tag, name, value)
        for tag, attributes in Page.read(html).tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "data", "poster", "xlink:href")
        and not (value or "").startswith(("#", "data:,"))
    ]
    assert outside == []
    assert not re.search(r"https?://|url\((?!#)|@import|fetch\(|XMLHttpRequest|import\(|[\"'(=]//\w", html)
    assert "default-src 'none'" in html


def test_equal_input_gives_equal_bytes() -> None:
    deltas = example_deltas(models=("one", "two"))
    first, second = (render_report(example_tables(deltas), example_head(deltas)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("n_tasks", "languages", "models", "limit_kb"), [(3, ELEVEN[:6], 1, 150), (4, ELEVEN, 1, 350), (4, ELEVEN, 9, 700)]
)
def test_the_page_stays_small(n_tasks: int, languages: tuple[str, ...], models: int, limit_kb: int) -> None:
    deltas = example_deltas(n_tasks, languages, tuple(f"Some-Model-{number}B-Instruct" for number in range(models)))
    size = len(render_report(example_tables(deltas), example_head(deltas)).encode())
    assert 1000 * limit_kb / 3 < size < 1000 * limit_kb


def test_a_single_cell_makes_a_page() -> None:
    deltas = example_deltas(n_tasks=1, languages=("de",))
    page = page_of({"deltas": deltas})
    assert page.data["digits"] == "0"
    assert "1 adapter" not in page.text
    assert "2 adapters from 1 source" in page.text


def test_without_mt_cl_there_are_no_empty_figures() -> None:
    deltas = example_deltas(languages=("de",))
    full = example_tables(deltas)
    empty = ("roles_language", "roles_family", "pareto", "matrix_language")
    page = page_of({name: frame.clear() if name in empty else frame for name, frame in full.items()})
    assert "Languages" not in page.tables
    assert "Tasks" in page.tables
    assert "On-task against off-task" not in page.text


def test_a_study_where_all_failed_still_says_so() -> None:
    deltas = example_deltas()
    failures = (Failure(model="one", source="continent/de", reason="diverged"),)
    head = example_head(deltas, failures=failures, n_cells_done=0)
    page = Page.read(render_report({"deltas": deltas.clear()}, head))
    assert "81 planned cells missing" in page.text
    assert page.tables["Work that failed"][1][-1] == "diverged"
    assert page.data == {}


def test_a_planned_source_that_was_never_measured_is_a_hatched_row() -> None:
    deltas = example_deltas().filter(pl.col("source_name") != "currency/en")
    page = page_of(example_tables(deltas), sources=("currency/en",))
    assert [line["name"] for line in page.data["sources"]][4] == "currency/en"
    assert page.data["views"][0]["letters"][36:45] == "." * 9
    assert [
        attributes["class"] for tag, attributes in page.tags if attributes.get("x") == "0" and "width" not in attributes
    ][4] == "missing"


def test_few_shot_controls_are_named() -> None:
    deltas = example_deltas()
    few_shot = deltas.filter(pl.col("source_name") == "language/de").with_columns(
        recipe=pl.lit("untrained"), source_kind=pl.lit("control"), source_name=pl.lit("few-shot-4:language/de")
    )
    sentence = "Controls without training (solved items are put before every question): few-shot-4:language/de."
    assert sentence in page_of(example_tables(deltas) | {"deltas": pl.concat([deltas, few_shot])}).text
    assert "Controls without training" not in page_of(example_tables(deltas)).text


def test_several_arms_are_shown_in_turn() -> None:
    tables = example_tables(example_deltas())
    both = {
        name: pl.concat([frame.with_columns(recipe=pl.lit(recipe)) for recipe in ("lora-1", "full-2")])
        for name, frame in tables.items()
    }
    page = page_of(both)
    headings = page.text.count("lora-1: Over "), page.text.count("full-2: Over ")
    assert headings == (1, 1)
    assert [view["variant"] for view in page.data["views"]] == ["full-2", "lora-1"]


def test_doses_are_compared_in_their_order() -> None:
    tables = example_tables(example_deltas())
    caption = "Recipes and doses side by side"
    assert caption not in page_of(tables).tables
    doses = (None, 1.0, 0.5)
    regimes = [
        tables["regimes"].with_columns(
            recipe=pl.lit("lora"), checkpoint=pl.lit(dose, dtype=pl.Float64), mean_pp=pl.lit(float(number))
        )
        for number, dose in enumerate(doses)
    ]
    rows = page_of({**tables, "regimes": pl.concat(regimes)}).tables[caption]
    assert rows[0] == ["arm", "MT-ML pp", "MT-CL pp", "CT-ML pp", "CT-CL pp", "transfer pp", *rows[0][6:]]
    assert [row[0] for row in rows[1:]] == ["lora, after 0.5 epochs", "lora, after 1 epoch", "lora"]
    assert [row[5] for row in rows[1:]] == ["+2.00", "+1.00", "0.00"]


def test_optional_tables_are_shown_and_unknown_ones_ignored() -> None:
    tables = example_tables(example_deltas())
    noise = pl.DataFrame(
        {"regime": ["MT-CL"], "harm_rate": [0.2], "expected_harm_rate_no_effect": [0.125], "bh_harmed": [3]}
    )
    index = pl.DataFrame({"level": ["model"], "regime": ["MT-CL"], "median": [0.25], "q1": [0.1], "q3": [0.5]})
    variance = pl.DataFrame({"scope": ["transfer"], "fit": ["crossed"], "component": ["source"], "share": [0.354]})
    degenerate = pl.DataFrame({"model": ["one"], "task": ["currency"], "language": ["zh"], "reason": ["at chance"]})
    further = {"noise": noise, "consistency": index, "variance": variance, "degenerate": degenerate}
    page = page_of({**tables, **further, "unknown": pl.DataFrame({"secret": ["42"]})})
    assert page.tables["Harm and noise"][1] == ["MT-CL", "20.0%", "12.5%", "3"]
    assert page.tables["Agreement between models"][1][2:] == ["0.25", "0.1", "0.5"]
    assert page.tables["Where the variance lies"][1][-1] == "35.4%"
    assert "zh†" in page.text
    assert "secret" not in page.text


def test_a_missing_table_and_another_limit_are_one_line() -> None:
    tables = example_tables(example_deltas())
    with pytest.raises(InputError, match="table 'deltas' is missing"):
        render_report({"regimes": tables["regimes"]}, example_head(tables["deltas"]))
    with pytest.raises(InputError, match="harm limit of 1 pp; expected 2 pp"):
        render_report(tables, example_head(tables["deltas"], harm_limit_pp=2.0))
