"""What a person and a machine see of a check: the table, the sentences, the JSON, the page, the exit code."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from answers_by_hand import made_target
from rich.console import Console

from donorgrid.check import (
    CheckSettings,
    exit_code,
    judge,
    printable,
    render_page,
    result_table,
    summary_lines,
    to_json_data,
)
from donorgrid.check.changed_items import MOST_SHOWN, changes_of
from donorgrid.check.escaping import readable

SETTINGS = CheckSettings(limit_pp=1.0)
EVIL = "<script>alert('x')</script>\x1b[2J\u202e&\"\r\n\tend"


def table_of(targets, name: str = "mine") -> str:
    result = judge("base", [name], targets, SETTINGS)
    out = StringIO()
    Console(file=out, width=250, highlight=False, force_terminal=False).print(result_table(result.adapters[0], result))
    return out.getvalue()


def test_the_table_fits_100_columns_with_long_names_and_large_numbers() -> None:
    long = made_target("a-very-long-name-of-a-task-that-nobody-would-like-to-read/zh-Hant", (3, 9), n_items=120_000)
    degenerate = made_target("format/id", (0, 60), base_right=100)
    text = table_of([long, degenerate, made_target("on/de", (134, 0), role="on")])
    assert max(map(len, text.splitlines())) <= 100
    for shown in (
        "120,000",
        "+33.5",
        "set apart",
        "guarded",
        "to gain on",
        "all guards",
        "undecided",
        "90% intervals",
    ):
        assert shown in text
    assert text.index("guarded") < text.index("set apart") < text.index("format/id")


def test_the_conclusion_is_one_sentence_and_the_next_steps_follow() -> None:
    targets = [
        made_target("on/de", (40, 2), role="on"),
        made_target("a/de", (0, 50)),
        made_target("b/de", (10, 10)),
        made_target("c/de", (4, 8)),
        made_target("d/de", (0, 60), base_right=100),
        made_target("e/de", (40, 0)),
    ]
    lines = summary_lines(judge("base", ["mine"], targets, SETTINGS))
    assert lines[0] == (
        "mine: +9.5 pp on on/de (a gain); of 5 guards 1 safe, 1 harmed (a/de), 3 undecided (b/de, c/de, d/de)."
    )
    steps = " ".join(lines[1:])
    assert "mine lost 50 and gained 0 of 400 items on a/de: do not ship it as it is" in steps
    assert re.search(r"about 3,0\d{2} items would decide b/de \(it has 400\)", steps)
    assert "c/de stands at the limit of −1 pp itself" in steps
    assert "d/de measures format, not skill" in steps


def test_safe_and_unguarded_adapters_are_said_to_be_so() -> None:
    assert summary_lines(judge("base", ["mine"], [made_target("a/de", (40, 0))], SETTINGS)) == [
        "mine: its one guard is safe at a limit of −1 pp."
    ]
    (line,) = summary_lines(judge("base", ["mine"], [made_target("a/de", (2, 40), role="on")], SETTINGS))
    assert line == "mine: −9.5 pp on a/de (a loss); nothing was guarded."


def test_a_lone_harm_that_many_guards_explain_is_said_to_need_fresh_items() -> None:
    targets = [made_target("a/de", (0, 10)), *(made_target(f"g{one}/de", (40, 0)) for one in range(12))]
    result = judge("base", ["mine"], targets, SETTINGS)
    assert result.adapters[0].guards[0].verdict == "harmed"
    assert "among 13 guards one such loss may be luck" in " ".join(summary_lines(result))


@pytest.mark.parametrize(
    ("change", "strict", "lenient"), [((40, 0), 0, 0), ((10, 10), 1, 0), ((0, 50), 1, 1)], ids=["safe", "open", "harm"]
)
def test_the_exit_code_says_whether_every_guard_is_safe(change: tuple[int, int], strict: int, lenient: int) -> None:
    targets = [made_target("a/de", (40, 0)), made_target("b/de", change), made_target("on/de", (0, 90), role="on")]
    result = judge("base", ["mine"], targets, SETTINGS)
    assert (exit_code(result), exit_code(result, allow_undecided=True)) == (strict, lenient)


def test_the_exit_code_is_that_of_the_worst_adapter() -> None:
    result = judge("base", ["one", "two"], [made_target("a/de", (40, 0), (0, 40))], SETTINGS)
    assert exit_code(result) == 1


def test_json_holds_everything_in_plain_numbers() -> None:
    targets = [made_target("on/de", (40, 2), (3, 3), role="on"), made_target("a/de", (0, 50), (40, 0))]
    content = to_json_data(judge("base", ["one", "two"], targets, SETTINGS, notes=["a note"]), exit_code=1)
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["form"] == 1
    assert (again["limit_pp"], again["confidence"], again["exit_code"]) == (-1.0, 0.9, 1)
    assert [one["joint"] for one in again["adapters"]] == ["harmed", "safe"]
    assert again["adapters"][0]["targets"][1]["lost"] == 50
    assert again["recommendation"]["name"] == "two"
    assert again["comparisons"][0]["first"] == "one"
    assert again["notes"] == ["a note"]
    assert set(again) == {
        "form",
        "base",
        "limit_pp",
        "confidence",
        "exit_code",
        "conclusion",
        "next",
        "adapters",
        "broken_by_all",
        "comparisons",
        "recommendation",
        "notes",
    }


def test_the_page_shows_changed_items_side_by_side_and_escapes_everything() -> None:
    texts = [EVIL] * 400
    target = made_target(
        EVIL, (3, 5), contexts=texts, gold_texts=[EVIL, *["y"] * 399], item_ids=[f"{EVIL}{n}" for n in range(400)]
    )
    page = render_page(judge(EVIL, [EVIL], [target], SETTINGS, notes=[EVIL]), [target])
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    assert not set(page) & {"\x1b", "\u202e", "\r"}
    assert r"\x1b[2J\u202e&amp;" in page
    assert page.count('class="item"') == 8
    assert page.count('<span class="lost">') == 5
    for never in ("http://", "https://", "src=", "@import", "url("):
        assert never not in page


def test_the_page_is_the_same_bytes_again_and_says_when_nothing_changed() -> None:
    target = made_target("a/de", (0, 0))
    result = judge("base", ["mine"], [target], SETTINGS)
    assert render_page(result, [target]) == render_page(result, [target])
    assert "it answers every item as the base does" in render_page(result, [target])


def test_long_lists_of_changes_are_cut_and_counted() -> None:
    found = changes_of(made_target("a/de", (0, 150)), 0)
    assert (len(found.changes), found.n_left_out) == (MOST_SHOWN, 50)
    assert found.changes[0].base_said == found.changes[0].gold != found.changes[0].adapter_said


def test_joiners_of_scripts_stay_and_controls_are_written_out() -> None:
    devanagari = "क्\u200dष می\u200cخواهم"
    assert printable(devanagari) == devanagari
    assert printable("a\nb\x07\u2066") == r"a\nb\x07\u2066"
    assert readable("a\n\tb\x9b") == "a\n\tb\\x9b"


def test_every_key_of_the_json_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
    targets = [made_target("on/de", (40, 2), (3, 3), role="on"), made_target("a/de", (0, 50), (40, 0))]
    content = to_json_data(judge("base", ["one", "two"], targets, SETTINGS), exit_code=1)
    keys = {*content, *content["adapters"][0], *content["adapters"][0]["targets"][0]}
    keys |= {*content["comparisons"][0], *content["recommendation"]}
    assert not {key for key in keys if f"`{key}`" not in text}
