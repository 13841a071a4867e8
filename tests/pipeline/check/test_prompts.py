"""Prompts without a right answer: what is read of them, which checks they allow, who tells languages apart."""

import sys

import pytest

from donorgrid.core.errors import InputError
from donorgrid.pipeline.check import prompts as check_prompts
from donorgrid.pipeline.check.prompts import checks_for, is_prompts, read_prompts
from donorgrid.pipeline.check.reply_checks import identifier, known_languages, validator

SENTENCES = {
    "ar": "لا أعرف لماذا تأخر القطار اليوم، لكننا سنصل قبل المساء.",
    "bn": "আজ ট্রেন কেন দেরি করেছে জানি না, তবে আমরা সন্ধ্যার আগে পৌঁছে যাব।",
    "de": "Ich weiß nicht, warum der Zug heute verspätet ist, aber wir kommen vor dem Abend an.",
    "en": "I do not know why the train is late today, but we will arrive before the evening.",
    "es": "No sé por qué el tren llega tarde hoy, pero llegaremos antes de la noche.",
    "fr": "Je ne sais pas pourquoi le train est en retard, mais nous arriverons avant le soir.",
    "hi": "मुझे नहीं पता कि आज ट्रेन देर से क्यों है, लेकिन हम शाम से पहले पहुँच जाएँगे।",
    "id": "Saya tidak tahu mengapa kereta hari ini terlambat, tetapi kami akan tiba sebelum malam.",
    "it": "Non so perché il treno sia in ritardo oggi, ma arriveremo prima di sera.",
    "ja": "今日はなぜ電車が遅れているのか分かりませんが、夕方までには着きます。",
    "pt": "Não sei por que o trem está atrasado hoje, mas chegaremos antes da noite.",
    "sw": "Sijui kwa nini treni imechelewa leo, lakini tutafika kabla ya jioni.",
    "th": "ฉันไม่รู้ว่าทำไมวันนี้รถไฟจึงมาสาย แต่เราจะไปถึงก่อนค่ำ",
    "zh": "我不知道今天火车为什么晚点，但是我们会在傍晚之前到达。",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_told_by_its_language(language: str) -> None:
    identify = identifier()
    assert identify is not None
    found = identify(SENTENCES[language])
    assert found == language or {found, language} <= {"id", "ms"}


def test_what_is_too_short_is_not_told() -> None:
    identify = identifier()
    assert identify is not None
    assert identify("ok") is None
    assert identify("12345678901234567890") is None
    assert identify("") is None


def rows_of(*rows: dict) -> list[dict]:
    return [{"id": str(place), "prompt": "say it", **row} for place, row in enumerate(rows)]


def test_prompts_are_told_from_items_by_their_columns() -> None:
    assert is_prompts([{"id": "1", "prompt": "x"}], {})
    assert is_prompts([{"ask": "x"}], {"prompt": "ask"})
    for answered in ("reply", "choices", "answer"):
        assert not is_prompts([{"prompt": "x", answered: "y"}], {})


def test_prompts_are_read_by_language() -> None:
    found = read_prompts(
        rows_of({"language": "de"}, {"language": "en"}, {"language": "de"}), {}, where="f", language=None
    )
    assert {language: [one.id for one in asked] for language, asked in found.items()} == {"de": ["0", "2"], "en": ["1"]}
    (language,) = read_prompts(rows_of({}), {}, where="f", language="th")
    assert language == "th"


def test_each_language_gets_the_checks_that_it_allows() -> None:
    (german,) = read_prompts(rows_of({"language": "de-AT"}), {}, where="f", language=None).values()
    assert checks_for(german) == (("not-empty", "no-loop", "language", "no-refusal"), ())
    (klingon,) = read_prompts(rows_of({"language": "tlh"}), {}, where="f", language=None).values()
    checks, notes = checks_for(klingon)
    assert "language" not in checks
    assert "does not know it" in notes[0]
    (silent,) = read_prompts(rows_of({"format": "json"}), {}, where="f", language=None).values()
    assert checks_for(silent) == (("not-empty", "no-loop", "no-refusal", "json"), ())


def test_without_the_identifier_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    monkeypatch.setattr(check_prompts, "identifier", identifier.__wrapped__)
    (german,) = read_prompts(rows_of({"language": "de"}), {}, where="f", language=None).values()
    checks, notes = checks_for(german)
    assert checks == ("not-empty", "no-loop", "no-refusal")
    assert notes == (
        "replies in another language are not looked for: py3langid is not installed; pip install 'donorgrid[guards]'",
    )


def test_without_jsonschema_a_schema_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(
        InputError, match=r"^f: a schema needs the package jsonschema: pip install 'donorgrid\[guards\]'$"
    ):
        validator.__wrapped__('{"type": "object"}', where="f")


def test_schemas_are_held_and_never_fetched() -> None:
    validate = validator('{"type": "object", "required": ["a"]}', where="f")
    assert validate({"a": 1})
    assert not validate({"b": 1})
    far = validator('{"$ref": "https://example.org/schema.json"}', where="f")
    with pytest.raises(InputError, match="refers to another document"):
        far({})


def test_the_identifier_knows_the_languages_of_the_paper() -> None:
    assert known_languages() >= set(SENTENCES)
