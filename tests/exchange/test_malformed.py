"""Whatever is wrong with an output, a table or a mapping, the answer is one line that says what and where."""

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lm_eval_outputs import DATE, RUNS, sample_rows, write_mapping, write_output, write_rows, write_runs

from donorgrid.analyse.reading.released_names import from_released
from donorgrid.core.errors import InputError
from donorgrid.exchange import ImportedAnswers, import_lm_eval, import_table

HEAD = "model,source_task,source_language,target_task,target_language"
ROW = "m,quiz,de,quiz,it"


def one_line(error: pytest.ExceptionInfo[InputError], expected: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert re.search(expected, message), message


TABLES = [
    ("t.csv", "", r"t\.csv: not readable as csv: "),
    ("t.csv", f"{HEAD},delta_pp\n", r"t\.csv: the table has no rows"),
    ("t.csv", f"{HEAD}\n{ROW}\n", r"t\.csv: it has neither a delta nor a score and its baseline; needed is "),
    ("t.csv", f"{HEAD},score\n{ROW},0.5\n", r"neither a delta nor a score and its baseline"),
    ("t.csv", f"{HEAD.replace('model,', 'modle,')},delta_pp\n{ROW},1\n", r"column 'model' .* did you mean 'modle'\?"),
    ("t.csv", f"{HEAD},delta_pp\n{ROW},1\n,quiz,de,quiz,fr,2\n", r"row 2: column 'model' is empty$"),
    ("t.csv", f"{HEAD},delta_pp\n{ROW},1\nm,,,quiz,fr,2\n", r"row 2: column 'source_task' is empty; .*baseline_rows"),
    ("t.csv", f"{HEAD},delta_pp\n{ROW},one\n", r"row 1: column 'delta_pp' is 'one', expected a number"),
    ("t.csv", f"{HEAD},delta_pp,n_items\n{ROW},1,few\n", r"column 'n_items' is 'few', expected a whole number"),
    ("t.csv", f"{HEAD},score,score_base\n{ROW},51,50\n", r"'score' is 51.0, expected a proportion.*percent: \[score\]"),
    ("t.csv", f"{HEAD},score,score_base\n{ROW},-3,0.5\n", r"'score' is -3.0, expected a proportion from 0 to 1$"),
    ("t.csv", f"{HEAD},delta_pp\n{ROW},1\n{ROW},2\n", r"2 rows share their key, .*train_seed, .* may tell them apart"),
    ("t.csv", f"{HEAD},delta_pp\n{ROW},1,2,3\n", r"t\.csv: not readable as csv: "),
    ("t.csv", b"model,\xff\xfe\nx,y\n", r"t\.csv: "),
    ("t.parquet", "no parquet", r"t\.parquet: not readable as parquet: "),
    ("t.xlsx", "x", r"t\.xlsx: expected a table that ends in \.csv, \.tsv, \.parquet"),
]


@pytest.mark.parametrize(("name", "text", "expected"), TABLES, ids=[expected for *_, expected in TABLES])
def test_a_table_that_is_none(tmp_path, name, text, expected):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        import_table([str(tmp_path / name)], to_our_names=from_released)
    one_line(error, expected)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(InputError) as error:
        import_table([str(tmp_path / "none.csv")], to_our_names=from_released)
    one_line(error, r"none\.csv: no such file")


TABLE_MAPPINGS = [
    ({"columns": {"model": "modl"}}, r"t\.csv: column 'modl' \(for model\) is missing; did you mean 'model'\?"),
    ({"columns": {"model": "source_task"}}, r"column 'model' is there already"),
    ({"colums": {}}, r"map\.yaml: colums: unknown key; allowed are .*did you mean 'columns'\?"),
    ({"percent": ["scroe"]}, r"percent: column 'scroe' is missing"),
    ({"percent": ["model"]}, r"percent: row 1: column 'model' is 'm', expected a number"),
    ({"values": {"lang": {"x": "y"}}}, r"values: column 'lang' is missing"),
    ({"values": {"model": {"x": 3}}}, r"map\.yaml: values.model.x: Input should be a valid string, found 3"),
    ({"baseline_rows": {"column": "kind"}}, r"baseline_rows.column: column 'kind' is missing"),
    ({"baseline_rows": {"column": "model", "value": "none"}}, r"baseline_rows: 0 rows of base models and 1 others"),
    ({"values": {"target_language": {"it": "Itallan"}}}, r"map\.yaml: values: 'Itallan' is no language"),
    ({"baseline_rows": {}}, r"baseline_rows.column: is missing"),
]


@pytest.mark.parametrize(("mapping", "expected"), TABLE_MAPPINGS, ids=[expected for _, expected in TABLE_MAPPINGS])
def test_a_mapping_that_does_not_fit_a_table(tmp_path, mapping, expected):
    (tmp_path / "t.csv").write_text(f"{HEAD},score\n{ROW},0.5\n")
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(mapping))
    with pytest.raises(InputError) as error:
        import_table([str(tmp_path / "t.csv")], to_our_names=from_released, mapping_file=tmp_path / "map.yaml")
    one_line(error, expected)


MAPPINGS = [
    ({"tasks": None}, r"map\.yaml: tasks: is missing"),
    ({"tasks": {}}, r"map\.yaml: tasks: .*at least 1 item"),
    ({"tasks": {"quiz": "quiz"}}, r"map\.yaml: tasks: pattern 'quiz': \{language\} must stand in it once"),
    ({"tasks": {"quizz_{language}": "q"}}, r"tasks: no pattern .* matches a task .*\(quiz_de, quiz_it\)"),
    ({"runs": {"base": RUNS["base"]}}, r"runs: model 'qwen' has only its base model; add a run with a 'source'"),
    ({"runs": {"de": RUNS["de"]}}, r"runs: model 'qwen' has no run with 'baseline: true'"),
    ({"runs": {**RUNS, "x": RUNS["de"]}}, r"runs: 'x' names no output of lm-eval; looked beneath "),
    ({"runs": {**RUNS, "it": RUNS["de"]}}, r"runs: 'it' is a second run of qwen, quiz/de"),
    ({"runs": {**RUNS, "it": RUNS["base"]}}, r"runs: 'it': model 'qwen' has two runs with 'baseline: true'"),
    ({"runs": {**RUNS, "it": {"model": "qwen"}}}, r"runs.it: needs either 'baseline: true' or a 'source'"),
    ({"runs": {**RUNS, "it": {"model": "qwen", "source": "quiz"}}}, r"cell 'quiz': expected 'task/language'"),
    ({"runs": {**RUNS, "it": {"model": "qwen", "source": "q/it", "train_seed": -1}}}, r"train_seed: .*found -1"),
    ({"runs": {**RUNS, "it": {"model": "qwen", "seed": 3, "source": "q/it"}}}, r"runs.it.seed: unknown key"),
    ({"languages": {"de": "Germn"}}, r"map\.yaml: languages.de: 'Germn' is no language; allowed: a code \(de\), "),
    ({"tasks": {"quiz_de": {"task": "quiz", "language": "dutsch"}}}, r"language: 'dutsch' is no language"),
    ({"id_field": "question_id"}, r"id_field 'question_id' is missing; a document has \['id', 'question'"),
    ({"id_field": "answer"}, r"id_field 'answer': 1 IDs stand there twice, such as '1'"),
    ({"filter": "flexible"}, r"has no filter 'flexible'; it has \['none'\]"),
]  # fmt: skip


def read_all(paths: list[Path], mapping: Path) -> None:
    imported = import_lm_eval(paths, mapping_file=mapping)
    if isinstance(imported, ImportedAnswers):
        for subject in imported.subjects:
            imported.read(subject)


@pytest.mark.parametrize(("changes", "expected"), MAPPINGS, ids=[expected for _, expected in MAPPINGS])
def test_a_mapping_that_does_not_fit_the_outputs(tmp_path, changes, expected):
    write_runs(tmp_path)
    with pytest.raises(InputError) as error:
        read_all([tmp_path], write_mapping(tmp_path, **changes))
    one_line(error, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("runs: [", r"map\.yaml: not YAML: line 1: "),
        ("- a\n", r"map\.yaml: expected the keys \['tasks', 'runs'"),
        ('a: 1\nb: "\\uD800"\n', r"map\.yaml: line 2: holds half of a character \(a lone surrogate\)"),
        ("a: &a [*a]\nruns: *a\n", r"map\.yaml: "),
        ("runs: {}\nruns: {}\n", r"map\.yaml: line 2: key 'runs' stands twice"),
        ("a: !!python/object/apply:os.system [id]", r"map\.yaml: not YAML: line 1: could not determine a constructor"),
    ],
)
def test_a_mapping_file_that_is_none(tmp_path, text, expected):
    write_runs(tmp_path)
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        read_all([tmp_path], tmp_path / "map.yaml")
    one_line(error, expected)


OTHERWISE = [
    ({"versions": {"quiz_de": 2.0, "quiz_it": 1.0}}, r"task 'quiz_de': task version is 2.0 for .*, but 1.0 for"),
    ({"n-shot": {"quiz_de": 5, "quiz_it": 0}}, r"task 'quiz_de': n-shot is 5 for .*, but 0 for the base model"),
    ({"chat_template_sha": "abc"}, r"chat_template_sha is abc for .*, but None for the base model"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), OTHERWISE, ids=[expected for _, expected in OTHERWISE])
def test_what_was_evaluated_otherwise_is_not_compared(tmp_path, changes, expected):
    mapping = write_runs(tmp_path)
    write_output(tmp_path / "it", seed=2, peft="x", **changes)
    with pytest.raises(InputError) as error:
        read_all([tmp_path], mapping)
    one_line(error, expected)


def _without_last(rows: list[dict]) -> list[dict]:
    return rows[:-1]


def _with(**changes: object):
    return lambda rows: [{**rows[0], **changes}, *rows[1:]]


ITEMS = [
    (_without_last, r"1 items are not both its and its base model's, such as quiz/de/q19"),
    (_with(prompt_hash="x"), r"1 prompts differ from its base model's, such as that of quiz/de/q0"),
    (_with(doc_hash="x"), r"1 documents differ from its base model's, such as that of quiz/de/q0"),
    (_with(acc=0.4), r"'acc' of an item is 0\.4; expected 0 or 1"),
    (_with(filtered_resps=[["x", "y"]] * 3), r"'filtered_resps' of an item are no log-likelihoods"),
    (_with(filtered_resps=[["nan", "False"]] * 3), r"a log-likelihood is not a number"),
    (_with(arguments={}), r"'arguments' of an item do not name its 3 options"),
    (lambda rows: [{key: one for key, one in row.items() if key != "doc_hash"} for row in rows], r"no key 'doc_hash'"),
    (lambda rows: [{key: one for key, one in row.items() if key != "acc"} for row in rows], r"none of the metrics acc"),
    (lambda _: [], r"samples_quiz_de.*: holds no rows"),
    (lambda _: [[1]], r"line 1 is no JSON object"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), ITEMS, ids=[expected for _, expected in ITEMS])
def test_items_that_cannot_be_paired(tmp_path, change, expected):
    mapping = write_runs(tmp_path)
    write_rows(tmp_path / "it" / f"samples_quiz_de_{DATE}.jsonl", change(sample_rows("quiz_de", seed=2)))
    with pytest.raises(InputError) as error:
        read_all([tmp_path], mapping)
    one_line(error, expected)


TOTALS = [
    ({"n-samples": {}}, r"answered None items, its base model 20; both must have answered the same"),
    ({"results": {"quiz_de": {"acc,none": 0.333}, "quiz_it": {"acc,none": 0.5}}}, r"acc,none is 0.333, no share of 20"),
    ({"results": {"quiz_de": {"f1,none": 0.5}, "quiz_it": {}}}, r"none of the metrics acc, exact_match; it has f1"),
    ({"results": {"quiz_de": {"exact_match,a": 0.5, "exact_match,b": 0.5}}}, r"several filters \(exact_match,a, "),
    ({"results": {"arc_de": {"acc,none": 0.5}}}, r"none of the mapped tasks \['quiz_de', 'quiz_it'\] is there"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), TOTALS, ids=[expected for _, expected in TOTALS])
def test_totals_that_are_no_counts(tmp_path, changes, expected):
    mapping = write_runs(tmp_path, log_samples=False)
    write_output(tmp_path / "it", seed=2, log_samples=False, **changes)
    with pytest.raises(InputError) as error:
        read_all([tmp_path], mapping)
    one_line(error, expected)


RESULTS = [
    ("{", r"results_x\.json: not valid JSON \("),
    ("[1]", r"results_x\.json: no results of lm-eval: expected a JSON object"),
    ("{}", r"results_x\.json: no results of lm-eval: the key 'results' is missing"),
    ('{"results": [1]}', r"no results of lm-eval: the key 'results' is missing or no object of objects"),
    (b"\xff\xfe", r"results_x\.json: cannot be read as UTF-8 text"),
]


@pytest.mark.parametrize(("text", "expected"), RESULTS, ids=[expected for _, expected in RESULTS])
def test_a_results_file_that_is_none(tmp_path, text, expected):
    mapping = write_runs(tmp_path)
    (tmp_path / "base" / "results_x.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        read_all([tmp_path], mapping)
    one_line(error, expected)


def test_paths_that_hold_nothing(tmp_path):
    mapping = write_runs(tmp_path / "in")
    (tmp_path / "empty").mkdir()
    for path, expected in (("empty", r"empty: holds no results_\*\.json"), ("none", r"none: no such file or folder")):
        with pytest.raises(InputError) as error:
            read_all([tmp_path / path], mapping)
        one_line(error, expected)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**400, "\ud800", "9" * 5000, "../..", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answered(paths: list[Path], mapping: Path) -> bool:
    """Whether the answer is rows, or an error of one line."""
    try:
        read_all(paths, mapping)
    except InputError as error:
        return "\n" not in str(error)
    return True


@settings(QUIET, max_examples=12)
@given(st.sampled_from(["results", "versions", "n-shot", "n-samples", "config", "configs", "group_subtasks"]), ANYTHING)
def test_whatever_stands_in_a_results_file_the_answer_is_rows_or_one_line(tmp_path, key, value):
    for log_samples in (True, False):
        mapping = write_runs(tmp_path / str(log_samples), log_samples=log_samples)
        path = tmp_path / str(log_samples) / "it"
        for changed in (value, {"quiz_de": value}, {"quiz_de": {"acc,none": value, "effective": value}}):
            write_output(path, seed=2, peft="x", log_samples=log_samples, **{key: changed})
            assert answered([path.parent], mapping)


@QUIET
@given(st.sampled_from([*sample_rows("quiz_de", seed=0)[0]]), ANYTHING)
def test_whatever_stands_in_an_item_the_answer_is_rows_or_one_line(tmp_path, key, value):
    mapping = write_runs(tmp_path)
    rows = sample_rows("quiz_de", seed=2)
    (tmp_path / "it" / f"samples_quiz_de_{DATE}.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in [{**rows[0], key: value}, *rows[1:]])
    )
    assert answered([tmp_path], mapping)


@QUIET
@given(st.binary(max_size=80))
def test_whatever_bytes_a_file_holds_the_answer_is_one_line(tmp_path, content):
    for name in ("t.csv", "t.tsv", "t.parquet"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as error:
            import_table([str(tmp_path / name)], to_our_names=from_released)
        assert "\n" not in str(error.value)
