"""One reader for YAML that a user wrote: words are words, and whatever is wrong is one line."""

import pytest
from pydantic import BaseModel

from donorgrid.core.errors import InputError
from donorgrid.core.yaml_files import Truth, parse_yaml


class _Keys(BaseModel, strict=True):
    wanted: Truth = False
    name: str = ""


def test_bare_words_and_dates_are_text() -> None:
    written = (
        "languages: [no, on, Yes, OFF]\non: 2024-13-45\nborn: 2024-01-02\nrate: 5e-5\nplain: [true, False, 1, 0.5]"
    )
    assert parse_yaml(written) == {
        "languages": ["no", "on", "Yes", "OFF"],
        "on": "2024-13-45",
        "born": "2024-01-02",
        "rate": 5e-5,
        "plain": [True, False, 1, 0.5],
    }


@pytest.mark.parametrize(
    ("word", "value"), [("yes", True), ("on", True), ("no", False), ("Off", False), ("true", True)]
)
def test_a_bare_word_is_true_or_false_where_that_is_expected(word: str, value: bool) -> None:
    assert _Keys.model_validate(parse_yaml(f"wanted: {word}")).wanted is value
    with pytest.raises(ValueError, match="valid boolean"):
        _Keys.model_validate(parse_yaml(f"wanted: '{word}'"))


def test_a_bare_word_is_a_name_where_that_is_expected() -> None:
    name = _Keys.model_validate(parse_yaml("name: no")).name
    assert (name, type(name)) == ("no", str)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: key 'a' stands twice"),
        ("a: &a [*a]", "key 'a': its lists and mappings contain themselves"),
        ("a: &a {b: *a}", "key 'a': its lists and mappings contain themselves"),
        ("[" * 5000, "not YAML: nested too deep"),
        ("a: " + "9" * 5000, "not YAML: Exceeds the limit"),
        ("a: " + "9" * 40, "key 'a': a number has more than 64 bits"),
        ("a: !!binary aGk=", "key 'a': found a bytes"),
        ("a: !!timestamp 2024-01-01", "key 'a': found a date"),
        ("a: !!int ''", "not YAML: a value does not fit its tag"),
        ("a: !!bool perhaps", "not YAML: a value does not fit its tag"),
        ("a: !!timestamp x", "not YAML: a value does not fit its tag"),
        ("a: 0x_", "not YAML: invalid literal"),
        ("a: !!python/object/apply:os.system [id]", "not YAML: line 1: could not determine a constructor"),
        ('a: "\\ud800"', "line 1: holds half of a character"),
        ("? [1]\n: 2", "not YAML: line 1: found unhashable key"),
        ("a: [", "not YAML: line 1: "),
    ],
)
def test_whatever_is_wrong_is_one_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_yaml(text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
