"""Tasks whose answers are generated: their texts, what ends an answer, how it is read, and when it is right."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.core.errors import InputError
from donorgrid.tasks import find_task, generation_rules, load_cell, show_cell, validate_task
from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.lm_eval.cells import load_lm_eval_cell
from donorgrid.tasks.lm_eval.named_tasks import lm_eval_task as lm_eval_by_name
from donorgrid.tasks.task_files.key_blocks import ExactMatch, FilterStep
from lm_eval_requests import as_chat, lm_eval_task, our_items

pytestmark = pytest.mark.filterwarnings("ignore")  # those of lm-eval and what it imports

MGSM = [
    {"question": "Wie viel {{ist}} 2 + 3?", "answer": None, "answer_number": 5, "equation_solution": None},
    {"question": "Frage: Und 1.000?", "answer": "Es sind 1000.", "answer_number": 1000, "equation_solution": None},
]
GENERATE = {
    "output_type": "generate_until",
    "doc_to_choice": None,
    "doc_to_target": "answer",
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 7},
    "metric_list": [{"metric": "exact_match"}],
}
NUMBER = FilterStep(function="regex", regex_pattern=r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)


def rules(*steps: FilterStep, **options: bool) -> GenerationRules:
    return GenerationRules(until=(), max_new_tokens=1, steps=steps, exact_match=ExactMatch(**options))


@pytest.mark.parametrize("language", find_task("mgsm", folder=Path()).languages)
def test_mgsm_asks_what_lm_eval_asks(language, tmp_path):
    task = find_task("mgsm", folder=tmp_path)
    theirs = lm_eval_task(f"mgsm/direct/mgsm_direct_{language}.yaml", MGSM, tmp_path)
    cell = task.cell(language)
    ours = our_items(task, language, MGSM)
    for template in (None, as_chat):
        theirs.build_all_requests(apply_chat_template=template is not None, chat_template=template)
        contexts = [one.args[0] for one in theirs.instances]
        turns = [[{"role": "user", "content": item.context}] for item in ours]
        assert [as_chat(one) if template else item.context for one, item in zip(turns, ours, strict=True)] == contexts
    found = generation_rules(task, language)
    kwargs = theirs.instances[0].args[1]
    assert list(found.until) == kwargs["until"]
    assert [item.choices for item in ours] == [(str(theirs.doc_to_target(one)),) for one in MGSM]
    assert cell.keys.target_delimiter == theirs.config.target_delimiter


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab -$,.0159\n", max_size=20), st.sampled_from(["5", "-1", "1,000", "a b", ""]))
def test_answers_are_read_and_judged_as_lm_eval_does(text, gold):
    from lm_eval.api.metrics import exact_match_hf_evaluate
    from lm_eval.filters.extraction import RegexFilter, WhitespaceFilter

    theirs = RegexFilter(regex_pattern=NUMBER.regex_pattern, group_select=-1).apply([[text]], [{}])
    (their_number,) = next(iter(theirs))
    assert rules(NUMBER).answer_in(text) == their_number
    after = FilterStep(function="regex", regex_pattern="-(.*)")
    ((their_rest,),) = RegexFilter(regex_pattern="-(.*)").apply([[text]], [{}])
    assert rules(after).answer_in(text) == their_rest
    ((trimmed,),) = WhitespaceFilter().apply([[text]], [{}])
    assert rules(FilterStep(function="remove_whitespace")).answer_in(text) == trimmed
    for options in ({}, {"ignore_case": True, "ignore_punctuation": True}, {"ignore_numbers": True}):
        right = exact_match_hf_evaluate([their_number], [gold], **options)["exact_match"]
        assert rules(NUMBER, **options).is_right(text, (gold,)) == bool(right)


def test_any_of_several_accepted_answers_is_right():
    assert rules().is_right("Rom", ("Roma", "Rom"))
    assert not rules().is_right("Rome", ("Roma", "Rom"))


def test_a_generation_task_must_be_asked_for(write_task, load):
    path = write_task(**GENERATE)
    with pytest.raises(InputError, match="output_type is 'generate_until', which cannot be scored by options"):
        load(path)
    cell = load(path, allow_generation=True)
    assert [item.choices for item in cell.test] == [("0",), ("1",), ("2",)]
    assert cell.train[1].target == " 1"
    assert cell.train[1].alternatives == ()


def test_few_shot_examples_show_the_accepted_answer(write_task, load):
    path = write_task(**GENERATE, num_fewshot=1, fewshot_split="train")
    context = load(path, allow_generation=True).test[0].context
    assert context.startswith("world/de train")
    assert context.count("?") == 2
    assert context.endswith("world/de test 0?")


def test_show_says_what_ends_an_answer_and_what_is_right(write_task, load, tmp_path):
    path = write_task(**GENERATE)
    shown = show_cell(
        load(path, allow_generation=True), rules=generation_rules(find_task(path.name, folder=tmp_path), "de")
    )
    assert "GENERATING  item i0" in shown
    assert r"stops before '\n', or after 7 tokens" in shown
    assert "right -> '0'" in shown


def test_validate_reads_generation_tasks(tmp_path):
    task = find_task("mgsm", folder=tmp_path)
    report = validate_task(task, sources={"juletxara/mgsm": lambda *_: MGSM * 5}, languages=["de", "zh"])
    assert report.sound
    assert report.counts["de"]["train"].kept == 4
    assert report.counts["zh"]["test"].kept == 6


def test_plain_files_with_prompt_and_reply(tmp_path):
    rows = [{"id": f"r{n}", "language": "de", "split": split, "prompt": f"{n} + 1 =", "reply": str(n + 1)}
            for n, split in enumerate(["train", "test", "test"])]  # fmt: skip
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = find_task("sums.jsonl", folder=tmp_path)
    cell = load_cell(task, "de", sources={}, allow_generation=True)
    assert task.generates
    assert (cell.train[0].prompt, cell.train[0].target) == ("0 + 1 =", " 1")
    assert [(item.id, item.context, item.choices) for item in cell.test] == [
        ("r1", "1 + 1 =", ("2",)),
        ("r2", "2 + 1 =", ("3",)),
    ]
    assert generation_rules(task, "de").is_right("  2 ", ("2",))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric_list": [{"metric": "acc"}]}, "metric_list: exact_match is needed for generate_until"),
        ({"metric_list": [{"metric": "exact_match", "ignore_cases": True}]}, "'ignore_cases': Extra"),
        ({"generation_kwargs": {"do_sample": True}}, "key 'generation_kwargs.do_sample' is True"),
        ({"generation_kwargs": {"temperature": 0.7}}, "key 'generation_kwargs.temperature' is 0.7"),
        ({"generation_kwargs": {"max_gen_toks": 0}}, "key 'generation_kwargs.max_gen_toks' is 0"),
        ({"filter_list": [{"name": "a", "filter": [{"function": "majority_vote"}]}]}, "is 'majority_vote': "),
        ({"filter_list": [{"name": n, "filter": []} for n in "ab"]}, "answer_filter: missing; say .* counts: a, b"),
        ({"answer_filter": "x"}, "answer_filter: 'x' is no filter of filter_list"),
        ({"doc_to_choice": ["a"]}, "unknown key 'doc_to_choice'"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named(write_task, load, changes, expected):
    with pytest.raises(InputError, match=expected) as error:
        load(write_task(**{**GENERATE, **changes}), allow_generation=True)
    assert "\n" not in str(error.value)


def test_a_pattern_that_is_none_is_named(write_task, tmp_path):
    steps = [{"name": "a", "filter": [{"function": "regex", "regex_pattern": "("}]}]
    task = find_task(write_task(**GENERATE, filter_list=steps).name, folder=tmp_path)
    with pytest.raises(InputError, match=r"filter_list: regex_pattern '\(': missing \)"):
        generation_rules(task, "de")


LM_EVAL_FILE = """
task: {name}
output_type: generate_until
dataset_path: json
dataset_kwargs: {{data_files: {{train: {data}, test: {data}}}, cache_dir: {cache}}}
training_split: train
test_split: test
doc_to_text: q
doc_to_target: a
{more}
"""
FILTERS = """
filter_list:
  - {name: strict-match, filter: [{function: take_first}]}
  - {name: flexible-extract, filter: [{function: regex, regex_pattern: '[0-9]+', group_select: -1}]}
"""


@pytest.fixture
def registry_of(tmp_path):
    def make(**files: str):
        lm_tasks = pytest.importorskip("lm_eval.tasks")
        data = tmp_path / "rows.jsonl"
        data.write_text('{"q": "Q1", "a": 7}\n{"q": "Q2", "a": ["x", "y"]}\n')
        (tmp_path / "lm").mkdir()
        for name, more in files.items():
            text = LM_EVAL_FILE.format(name=name, data=data, cache=tmp_path / "cache", more=more)
            (tmp_path / "lm" / f"{name}.yaml").write_text(text)
        return lm_tasks.TaskManager(include_path=str(tmp_path / "lm"), include_defaults=False)

    return make


def test_generation_tasks_of_lm_eval_by_name(registry_of):
    registry = registry_of(sums_de=FILTERS, sums_fr="generation_kwargs: {until: ['!'], temperature: '0.0'}")
    task = lm_eval_by_name("sums_{language}", languages=["de", "fr"], registry=registry)
    assert (task.generates, task.metrics, task.has_training_split) == (True, ("acc",), True)
    german, french = (generation_rules(task, language) for language in ("de", "fr"))
    assert (german.until, german.max_new_tokens) == (("\n\n",), 256)
    assert german.is_right("it is 3, no, 7.", ("7",))
    assert (french.until, french.steps) == (("!",), ())


def test_accepted_answers_of_lm_evals_documents(registry_of, tmp_path):
    registry = registry_of(sums_de="")
    (tmp_path / "rows.jsonl").write_text('{"q": "Q1", "a": "7"}\n{"q": "Q2", "a": "8"}\n')
    task = lm_eval_by_name("sums_de", languages=["de"], registry=registry)
    cell = load_lm_eval_cell(task, "de", num_fewshot=None, registry=registry)
    assert [(item.context, item.choices) for item in cell.test] == [("Q1", ("7",)), ("Q2", ("8",))]
    assert (cell.train[0].prompt, cell.train[0].target, cell.train[0].alternatives) == ("Q1", " 7", ())
    with pytest.raises(InputError, match="task 'sums_de': output_type is 'generate_until', which cannot be scored by"):
        load_cell(task, "de", sources={})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            "filter_list: [{name: a, filter: []}, {name: b, filter: []}]",
            r"several filters \['a', 'b'\], but no 'flexible-extract'",
        ),
        ("filter_list: [{name: a, filter: [{function: majority_vote}]}]", "is 'majority_vote'"),
        ("generation_kwargs: {do_sample: true, temperature: 0.7}", "do_sample' is True"),
        ("output_type: loglikelihood", "output_type is 'loglikelihood'; allowed: multiple_choice, generate_until"),
    ],
)
def test_generation_tasks_of_lm_eval_that_are_not_read(registry_of, more, expected):
    with pytest.raises(InputError, match=expected) as error:
        lm_eval_by_name("sums_de", languages=["de"], registry=registry_of(sums_de=more))
    assert "\n" not in str(error.value)
