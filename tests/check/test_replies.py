"""The checks of generated replies, each by what must pass and what must not."""

import pytest

from donorgrid.check import REPLY_CHECKS, Reply, passing_replies
from donorgrid.check.replies import refusal_phrases, refuses


def passes(check: str, text: str, language: str | None = None, identify=None, validate=None) -> bool:
    return bool(passing_replies(check, [Reply(text=text, language=language, validate=validate)], identify)[0])


def test_a_loop_does_not_pass() -> None:
    assert not passes("no-loop", "The answer is yes. " * 8)
    assert passes("no-loop", "The answer is yes.")


def test_blank_replies_are_empty() -> None:
    assert not passes("not-empty", " \n\t ")
    assert passes("not-empty", "x")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I'm sorry, but I can’t help with that.", "en"),
        ("Es tut mir leid, dabei kann ich nicht helfen.", "de"),
        ("Lo siento, no puedo ayudarte.", "es-MX"),
        ("抱歉,我无法回答这个问题。", "zh_Hans"),
        ("ขออภัย ฉันไม่สามารถช่วยได้", "th"),
        ("Samahani, siwezi kusaidia.", "sw"),
        ("I cannot help with that.", "hi"),
        ("I cannot help with that.", None),
    ],
)
def test_refusals_are_found_in_their_language_and_in_english(text: str, language: str | None) -> None:
    assert refuses(text, language)
    assert not passes("no-refusal", text, language)


def test_a_phrase_late_in_an_answer_is_no_refusal() -> None:
    text = "Paris is the capital of France. " * 6 + "What it was before, I cannot say."
    assert passes("no-refusal", text, "en")
    assert passes("no-refusal", "Die Hauptstadt ist Paris.", "de")


def test_phrases_are_there_for_many_languages_and_lower_case() -> None:
    known = refusal_phrases()
    assert len(known) >= 20
    assert all(phrase == phrase.casefold() for phrases in known.values() for phrase in phrases)


def test_language_is_what_the_identifier_says_and_too_short_a_reply_passes() -> None:
    def identify(text: str) -> str | None:
        return {"hallo": "de", "hi": None, "apa kabar": "ms"}[text]

    assert passes("language", "hallo", "de", identify)
    assert passes("language", "hallo", "de-AT", identify)
    assert not passes("language", "hallo", "en", identify)
    assert passes("language", "hi", "en", identify)
    assert passes("language", "apa kabar", "id", identify)


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", '```json\n{"a": 1}\n```', " 3 "])
def test_json_passes(text: str) -> None:
    assert passes("json", text)


@pytest.mark.parametrize("text", ["", "{'a': 1}", '{"a": 1', "NaN", 'Here it is: {"a": 1}', "[" * 100_000])
def test_what_is_no_json_does_not_pass(text: str) -> None:
    assert not passes("json", text)


def test_json_must_be_as_the_schema_asks() -> None:
    assert passes("json", '{"a": 1}', validate=lambda value: "a" in value)
    assert not passes("json", '{"b": 1}', validate=lambda value: "a" in value)


def test_every_check_is_described() -> None:
    assert set(REPLY_CHECKS) == {"not-empty", "no-loop", "language", "no-refusal", "json"}
