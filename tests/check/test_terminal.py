"""The table of a check in the terminal."""

from io import StringIO

from answers_by_hand import target_answers
from rich.console import Console

from donorgrid.check import CheckSettings, judge, result_table

SETTINGS = CheckSettings(limit_pp=1.0)


def table_of(targets, name: str = "mine") -> str:
    result = judge("base", [name], targets, SETTINGS)
    out = StringIO()
    Console(file=out, width=250, highlight=False, force_terminal=False).print(result_table(result.adapters[0], result))
    return out.getvalue()


def test_the_table_fits_100_columns_with_long_names_and_large_numbers() -> None:
    long_name = target_answers("a-very-long-name-of-a-task-that-hardly-fits-anywhere/zh-Hant", (3, 9), n_items=120_000)
    degenerate = target_answers("format/id", (0, 60), base_right=100)
    text = table_of([long_name, degenerate, target_answers("on/de", (134, 0), role="on")])
    assert max(map(len, text.splitlines())) <= 100
    for expected in (
        "120,000",
        "+33.5",
        "not judged",
        "guarded",
        "to gain on",
        "all guards",
        "undecided",
        "90% intervals",
    ):
        assert expected in text
    assert text.index("guarded") < text.index("not judged") < text.index("format/id")
