"""A template ends: its text, its steps and its time are bounded, and what ordinary templates do is not."""

import re
import time
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.tasks import find_task, load_cell
from donorgrid.tasks.prompts import bounded_regex, template_budget
from donorgrid.tasks.prompts.bounded_regex import find_all, substitute
from donorgrid.tasks.prompts.templates import InvalidDocument, render

DOUBLING = "{% set ns = namespace(x='a') %}{% for i in range(60) %}{% set ns.x = ns.x OP ns.x %}{% endfor %}{{ ns.x }}"
TEN = "0123456789"
ENDLESS = [
    "{{ 'a' * 10**9 }}",
    "{{ 10**9 * 'a' }}",
    "{{ [0] * 10**9 }}",
    "{{ 10**(10**10) }}",
    "{{ 7 ** 99999999 }}",
    "{{ 'a'|center(10**9) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ '\t'.expandtabs(10**9) }}",
    "{{ (1).to_bytes(10**9, 'big') }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=10**9) }}",
    "{{ ('{0}' * 10**5).format('a' * 10**5) }}",
    "{{ ('a' * 10**6)|replace('a', 'b' * 10**6) }}",
    "{{ ('a' * 10**6).replace('', 'b' * 10**6) }}",
    "{{ ('a' * 10**6).join(['b'] * 10**6) }}",
    "{{ (['b'] * 10**6)|join('a' * 10**6) }}",
    "{{ range(100000)|map('string')|join('a' * 10**6) }}",
    "{{ ['a' * 10**6] * 10**6 }}",
    "{{ ('a' * 10**5)|map('center', 1000)|list|length }}",
    "{{ [1]|batch(10**9, 0)|list }}",
    "{{ [1]|slice(10**9)|list }}",
    "{{ 1|round(10**8, 'ceil') }}",
    "{{ ('\n' * 10**6)|indent(999) }}",
    "{{ {'a': {'b': 1}}|tojson(10**8) }}",
    "{{ ([[0] * 1000] * 5000)|sum(start=[])|length }}",
    DOUBLING.replace("OP", "~"),
    DOUBLING.replace("OP", "+"),
    "{% set l = [0] %}{% for i in range(60) %}{% if l.extend(l) %}{% endif %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}xxxxxxxxxx{% endfor %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% set x %}{% for a in range(99999) %}{{ text }}{% endfor %}{% endset %}{{ x }}",
    "{{ ('x' * 5000)|regex_replace('(x+x+)+(y|z)(a|b)*?\\\\1{2}q', '') }}",
]


@pytest.mark.parametrize("template", ENDLESS)
def test_an_endless_template_is_one_line_soon(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_budget, "SECONDS", 0.5)
    monkeypatch.setattr(bounded_regex, "SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(InputError) as error:
        render(template, {"text": TEN * 100})
    assert time.monotonic() - began < 6
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 300
    assert re.match(r"template .*: (it |its filter |the regular expression )", message), message


@pytest.mark.parametrize("template", ["{{ lipsum() }}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"])
def test_other_faults_are_invalid_documents(template: str) -> None:
    with pytest.raises(InvalidDocument):
        render(template, {})


@pytest.mark.parametrize("template", ["(" * 20_000, "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{% if 1 %}" * 300])
def test_a_template_nested_too_deep_is_one_line(template: str) -> None:
    if not template.startswith("{"):
        assert render(template, {}) == template
        return
    with pytest.raises(InputError) as error:
        render(template, {})
    assert "\n" not in str(error.value)


ORDINARY = [
    ("{{ a ~ ' and ' ~ b ~ 3 ~ [1, 'x'] }}", "one and two3[1, 'x']"),
    ("{% for c in list %}{{ loop.index }}{{ ',' if not loop.last }}{{ loop.length }} {% endfor %}", "1,3 2,3 33 "),
    ("{{ list|map('upper')|join(', ') }}", "X, Y, Z"),
    ("{{ '%s: %d' % (a, 20_000_000) }}", "one: 20000000"),
    ("{{ '{:>5}|{}'.format('a', 20_000_000) }}", "    a|20000000"),
    ("{{ a * 2 + b }} {{ 2 ** 10 }} {{ 7 % 4 }}", "oneonetwo 1024 3"),
    ("{{ a|replace('o', '0')|center(7) }}{{ a.upper().ljust(5) }}|", "  0ne  ONE  |"),
    ("{% for k, v in {'p': 1}.items() %}{{ k }}={{ v }}{% else %}none{% endfor %}", "p=1"),
    ("{% for x in [] %}{% else %}none{% endfor %}{% for x in list if x != 'y' %}{{ x }}{% endfor %}", "nonexz"),
    ("{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f(a) }}{{ list|length }}{{ list[1] }}", "<one>3y"),
    ("{{ [1, 2, 3]|sum }}{{ 'x'|default('y') }}{{ {'a': 1}|tojson }}", '6x{"a": 1}'),
    ("{{ a|regex_replace('(o)(n)', '\\\\2\\\\1') }}", "noe"),
    ("{{ text|length }}", "1000000"),
]


@pytest.mark.parametrize(("template", "expected"), ORDINARY)
def test_ordinary_templates_render_as_before(template: str, expected: str) -> None:
    document = {"a": "one", "b": "two", "list": ["x", "y", "z"], "text": TEN * 100_000}
    assert render(template, document) == expected


def test_regular_expressions_find_what_re_finds_and_end() -> None:
    for pattern in (r"(\d+)", r"(\w)(\w)?", r"#### (\-?[0-9\.\,]+)", r"(?i)the answer is ([a-d])"):
        for text in ("12 and 345", "#### -1,5 x", "The answer is B", ""):
            assert find_all(pattern, text) == re.findall(pattern, text)
            assert substitute(pattern, "<>", text) == re.sub(pattern, "<>", text)
    with pytest.raises(InputError, match=r"^the regular expression '.*' takes longer than 1 seconds on one text$"):
        find_all(r"(x+x+)+(y|z)(a|b)*?\1{2}q", "x" * 5000)
    with pytest.raises(re.error):
        find_all("(", "")


def test_the_message_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "?", "answer": 0}\n')
    (tmp_path / "t.yaml").write_text(
        "task: t\noutput_type: multiple_choice\ndataset_path: json\ndataset_kwargs: {data_files: {test: q.jsonl}}\n"
        "test_split: test\ndoc_to_text: \"{{ 'a' * 10**9 }}\"\ndoc_to_choice: [x, y]\ndoc_to_target: answer\n"
        "languages: [en]\n"
    )
    with pytest.raises(InputError, match=r"^task file t.yaml: template .*: it makes a text or list of more than 5,000"):
        load_cell(find_task("t.yaml", folder=tmp_path), "en", sources={})
