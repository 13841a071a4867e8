"""lm-eval's rules for templates, checked against lm-eval itself where that is the law."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.tasks.prompts.templates import InvalidDocument, answer_of, choices_of, render, text_of


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("q", " Q\n"),
        ("{{q}}\n", " Q\n\n"),
        ("q: {{q.strip()}}", "q: Q"),
        ("{{ q | regex_replace('Q', 'R', 1) }}", " R\n"),
    ],
)
def test_a_column_name_stands_for_its_value_and_whitespace_is_kept(spec, expected):
    assert text_of(spec, {"q": " Q\n"}, key="doc_to_text") == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [(1, 1), ("number", 1), ("{{number}}", 1), ("label", 2), ("{{label}}", 2), ("truth", 1), ("C", 2)],
)
def test_the_answer_is_a_number_or_one_of_the_choices(spec, expected):
    document = {"number": 1, "label": "C", "truth": True}
    assert answer_of(spec, document, ("A", "B", "C")) == expected


def test_a_digit_in_a_column_of_text_is_a_choice_not_a_number():
    assert answer_of("label", {"label": "1"}, ("1", "0")) == 0
    assert answer_of("{{label}}", {"label": "1"}, ("1", "0")) == 1
    with pytest.raises(InvalidDocument, match="'1' is none of the choices"):
        answer_of("label", {"label": "1"}, ("a", "b"))


TEXTS = st.text(min_size=1, max_size=12).filter(str.strip)


@settings(max_examples=80, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_choices_come_through_a_template_unchanged(choices):
    assert choices_of("{{ texts }}", {"texts": choices}) == tuple(choices)
    assert choices_of("{{ texts | map('string') | list }}", {"texts": choices}) == tuple(choices)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30))
def test_rendering_equals_lm_evals(text):
    utils = pytest.importorskip("lm_eval.utils")
    template = (
        r"Q: {{ t | trim | replace(' [title]', '. ') | regex_replace('\\[.*?\\]', '') }}"
        + "\nA:{% if t %} {{t}}{% endif %}\n"
    )
    assert render(template, {"t": text}) == utils.apply_template(template, {"t": text})
