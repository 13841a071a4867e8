"""The JSON of a check, and its documentation."""

import json
from pathlib import Path

from answers_by_hand import target_answers

from donorgrid.check import CheckSettings, judge, to_json_data

SETTINGS = CheckSettings(limit_pp=1.0)


def test_the_json_has_everything_as_plain_data() -> None:
    targets = [target_answers("on/de", (40, 2), (3, 3), role="on"), target_answers("a/de", (0, 50), (40, 0))]
    content = to_json_data(judge("base", ["first", "second"], targets, SETTINGS, notes=["a note"]), exit_code=1)
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["form"] == 2
    assert (again["limit_pp"], again["confidence"], again["exit_code"]) == (-1.0, 0.9, 1)
    assert [adapter["joint"] for adapter in again["adapters"]] == ["harmed", "safe"]
    assert again["adapters"][0]["targets"][1]["lost"] == 50
    assert again["recommendation"]["name"] == "second"
    assert again["comparisons"][0]["first"] == "first"
    assert again["notes"] == ["a note"]
    assert set(again) == {
        "form",
        "base",
        "limit_pp",
        "confidence",
        "harm_prior",
        "exit_code",
        "conclusion",
        "next",
        "adapters",
        "broken_by_all",
        "comparisons",
        "recommendation",
        "notes",
        "strengths",
    }


def test_every_key_of_the_json_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
    targets = [target_answers("on/de", (40, 2), (3, 3), role="on"), target_answers("a/de", (0, 50), (40, 0))]
    content = to_json_data(judge("base", ["first", "second"], targets, SETTINGS), exit_code=1)
    keys = {*content, *content["adapters"][0], *content["adapters"][0]["targets"][0]}
    keys |= {*content["comparisons"][0], *content["recommendation"]}
    assert not {key for key in keys if f"`{key}`" not in text}
