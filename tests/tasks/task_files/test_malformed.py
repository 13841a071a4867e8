"""Every malformed task file and data file is answered by one line that names the file, the key and what is allowed."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from donorgrid.core.errors import InputError
from donorgrid.tasks import find_task, load_cell

LOCAL = {"dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": {"train": "a.jsonl",
         "test": "a.jsonl"}}, "languages": ["de"]}  # fmt: skip
CHANGES = [
    ({"output_type": "loglikelihood"}, r"output_type is 'loglikelihood'; allowed: multiple_choice, generate_until; "),
    ({"output_type": None}, r"colours.yaml: key 'output_type' is missing; allowed: multiple_choice"),
    ({"doc_to_text": None}, r"colours.yaml: key 'doc_to_text' is missing"),
    ({"doc_to_txet": "q"}, r"colours.yaml: unknown key 'doc_to_txet'; did you mean 'doc_to_text'\?; allowed: task,"),
    ({"doc_to_text": 7}, r"colours.yaml: key 'doc_to_text' is 7: Input should be a valid string"),
    ({"doc_to_choice": [1, 2]}, r"colours.yaml: key 'doc_to_choice.*' is .*valid string"),
    ({"process_docs": "x"}, r"colours.yaml: key 'process_docs' is not read; .*'lm_eval:NAME'.*donorgrid\[lm-eval\]"),
    ({"group": "g"}, r"colours.yaml: key 'group' is not read"),
    ({"filter_list": [{"name": "x"}]}, r"colours.yaml: key 'filter_list' is not read"),
    ({"languages": None}, r"colours.yaml: no languages are given; add a key such as 'languages: \[en\]'"),
    ({"languages": [False]}, r"colours.yaml: key 'languages.0' is False: Input should be a valid string"),
    ({"dataset_name": "all"}, r"colours.yaml: 2 languages, but .* have no \{language\} in them"),
    ({"test_split": None}, r"test_split: missing; a task needs test_split or validation_split"),
    ({"metric_list": [{"metric": "f1"}]}, r"metric_list: found f1; at least one of acc, acc_norm is needed"),
    ({"metric_list": [{"metric": "acc", "aggregation": "max"}]}, r"metric_list.0.aggregation' is 'max': .*'mean'"),
    ({"num_fewshot": -1}, r"key 'num_fewshot' is -1: .*greater than or equal to 0"),
    ({"fewshot_config": {"sampler": "balanced"}}, r"key 'fewshot_config.sampler' is 'balanced': .*'default' or"),
    ({"train": {"prompt": "x"}}, r"key 'train.target' is missing"),
    ({"train": {"prompt": "x", "target": "y", "loss": "all"}}, r"unknown key 'train.loss'"),
    ({"train": {"prompt": "x", "target": "y", "loss_on": "none"}}, r"'train.loss_on' is 'none': .*'target' or 'all'"),
    ({"train": {"prompt": "x", "target": "y", "max_tokens": 0}}, r"key 'train.max_tokens' is 0: "),
    ({"hold_out": {"train_share": 0.5}}, r"hold_out: training_split is given too"),
    ({"hold_out": {"train_share": 1.5}, "training_split": None}, r"key 'hold_out.train_share' is 1.5: "),
    ({"language_names": {"xx": "y"}}, r"language_names: 'xx' is none of the languages de, fr"),
    ({"words": {"fr": {"a": "b"}}}, r"key 'words' has none for the language 'de'"),
    ({"dataset_kwargs": {"trust_remote_code": 1}}, r"key 'dataset_kwargs.trust_remote_code' is 1"),
    ({**LOCAL, "dataset_kwargs": {"data_dir": "none"}}, r"colours.yaml: folder .*none does not exist"),
    ({**LOCAL, "dataset_path": "./none"}, r"colours.yaml: folder .*none does not exist"),
    ({"dataset_kwargs": {"dir": "x"}}, r"unknown key 'dataset_kwargs.dir'"),
    ({"doc_to_text": "{{ question"}, r"template '\{\{ question': "),
    ({"dataset_path": "jsno"}, r"colours.yaml: dataset_path is 'jsno'; did you mean 'json'\?; allowed: json, csv"),
    ({"from_lm_eval": {"a": "../x.py:Y"}}, r"from_lm_eval is '../x.py:Y'; expected 'FILE.py:CONSTANT'"),
    ({"from_lm_eval": {"a": "xcopa/utils.py:NONE"}}, r"the installed lm-eval has no NONE in tasks/xcopa/utils.py"),
    ({**LOCAL, "dataset_kwargs": {}}, r"dataset_path 'json' needs dataset_kwargs.data_files"),
    ({**LOCAL, "test_split": "trian"}, r"data_files has no split 'trian'; did you mean 'train'\?; it has"),
    (LOCAL, r"colours.yaml: data file .*a.jsonl \(split 'test'\) does not exist"),
    ({"cluster_column": "passage"}, r"cluster_column 'passage' is no column of the documents; .*: id, question, choic"),
    ({"num_fewshot": 9, "fewshot_split": "train"}, r"num_fewshot is 9, but there are only 3 examples"),
]  # fmt: skip
TEXTS = [
    ("", r"t.yaml: found nothing; expected 'key: value' lines"),
    ("- a\n- b\n", r"t.yaml: found list; expected 'key: value' lines"),
    ("task: [a\n", r"t.yaml: not YAML: line 2: "),
    ("task: !!python/object/apply:os.system [id]\n", r"t.yaml: not YAML: line 1: could not determine a constructor"),
    ("doc_to_text: !function utils.f\noutput_type: multiple_choice\n", r"'doc_to_text' is Python code \(!function uti"),
    ("include: t.yaml\n", r"t.yaml: 'include' leads back to itself"),
    ("include: none.yaml\n", r"task file t.yaml: task file .*none.yaml: there is no such file"),
    ("a: &a [*a]\n", r"t.yaml: key 'a': its lists and mappings contain themselves"),
    ("a: &a {b: *a}\n", r"t.yaml: key 'a': its lists and mappings contain themselves"),
    (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
        r"key 'e': .* more than 100,000",
    ),
    ("a: " + "[" * 40 + "]" * 40 + "\n", r"t.yaml: key 'a': .* nested deeper than 30 levels"),
    ("a: " + "[" * 5000 + "]" * 5000 + "\n", r"t.yaml: not YAML: "),
    ("num_fewshot: 0x" + "f" * 5000 + "\n", r"key 'num_fewshot': a number has more than 64 bits"),
    ("num_fewshot: " + "9" * 5000 + "\n", r"t.yaml: not YAML: "),
    ("a: !!binary aGVsbG8=\n", r"t.yaml: key 'a': found a bytes; expected text, numbers"),
    ("a: !!set {b, c}\n", r"t.yaml: key 'a': found a set; expected text"),
    ("a: !!timestamp 2024-01-01\n", r"t.yaml: key 'a': found a date; expected text"),
    ('a: "\\ud800"\n', r"t.yaml: line 1: holds half of a character \(a lone surrogate\)"),
    ("task: 2024-13-45\noutput_type: multiple_choice\n", r"key '(dataset_path|languages|doc_to_text)' is missing"),
    ("include: 3\n", r"t.yaml: 'include' is 3; expected a file name or a list of them"),
]
ROWS = [
    ("a.jsonl", "{not json}\n", r"a.jsonl: line 1 is not valid JSON"),
    ("a.jsonl", '{"question": "q"}\n["x"]\n', r"a.jsonl: expected one JSON object per line"),
    ("a.jsonl", "", r"a.jsonl: no rows with a language"),
    ("a.jsonl", '{"question": "q", "choices": ["a", "b"], "answer": 0}', r"a.jsonl: column 'language' .* is missing"),
    ("a.jsonl", '{"language": "de", "promt": "q", "reply": ""}', r"column 'prompt' \(prompt\) is missing; did you"),
    ("a.csv", "language,question,choice,answer\nde,q,x,0\n", r"column 'choices' \(choices\) is missing; did you"),
    ("a.csv", "language,question,choices,answer,split\nde,q,x,0,dev\n", r"column 'split' has 'dev'; allowed: train"),
    ("a.csv", "language,question,choices,answer\nde,q,x,0\n", r"none of the 1 documents of a/de test can be used"),
    ("a.csv", 'language,question,choices,answer\nde,q,"[""x"", ""y""]",z\n', r"doc_to_target: 'z' is none of the"),
    ("a.csv", "language,question\nde,q,x,0\n", r"a.csv: not readable as"),
    ("a.csv", b"language,question\n\xff\xfe,q\n", r"a.csv: line 2 is not UTF-8 \(byte 0xff\); save the file as UTF-8$"),
    ("a.csv", "language,question\nde,q\n".encode("utf-16"), r"a.csv: it is written in UTF-16; save it as UTF-8$"),
    ("a.jsonl", b'{"language": "d\xe9"}\n', r"a.jsonl: line 1 is not UTF-8 \(byte 0xe9\)"),
    ("a.parquet", "no parquet", r"a.parquet: not readable as"),
    ("a.jsonl", '{"question": "\\ud800"}\n', r"a.jsonl: line 1: \\ud800 is half of a surrogate pair, which is no text"),
    ("a.jsonl", '{"a": "\\ud83d\\ude00"}\n', r"a.jsonl: column 'language' .* is missing"),
    ("a.jsonl", '{"id": ' + "9" * 5000 + "}", r"a.jsonl: line 1: a number has too many digits"),
    ("a.jsonl", '{"id": ' + "[" * 90 + "]" * 90 + "}", r"a.jsonl: line 1: lists and objects are nested deeper than 50"),
    ("a.jsonl", '{"id": ' + "[" * 90000, r"a.jsonl: line 1 is not valid JSON \(nested too deep\)"),
    ("a.csv", b"PK\x03\x04rest", r"a.csv: it is a ZIP archive; allowed: plain files, and .gz, .bz2"),
    ("a.csv", b"\x1f\x8brest", r"a.csv: the compressed content is damaged"),
]  # fmt: skip


def one_line(error: pytest.ExceptionInfo[InputError], expected: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert re.search(expected, message), message


@pytest.mark.parametrize(("changes", "expected"), CHANGES, ids=lambda one: one if isinstance(one, str) else None)
def test_a_wrong_key_is_named(write_task, load, changes, expected):
    with pytest.raises(InputError) as error:
        load(write_task(**changes))
    one_line(error, expected)


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[expected for _, expected in TEXTS])
def test_a_file_that_is_no_task_file(tmp_path, text, expected):
    (tmp_path / "t.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        find_task("t.yaml", folder=tmp_path)
    one_line(error, expected)


@pytest.mark.parametrize(("name", "text", "expected"), ROWS, ids=[expected for *_, expected in ROWS])
def test_a_plain_file_that_cannot_be_read(tmp_path, name, text, expected):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as error:
        load_cell(find_task(name, folder=tmp_path), "de", sources={})
    one_line(error, expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hellaswga", r"task 'hellaswga': not in the catalog; did you mean 'hellaswag'\?.*allowed: .*xcopa"),
        ("none.yaml", r"none.yaml: there is no such file"),
        ("none_{language}.yaml", r"has a name of this form"),
        ("none_{language}.csv", r"has a name of this form"),
        ("none.csv", r"none.csv: there is no such file"),
    ],
)
def test_a_task_that_is_not_there(tmp_path, name, expected):
    with pytest.raises(InputError) as error:
        find_task(name, folder=tmp_path)
    one_line(error, expected)


def test_dates_are_the_text_that_is_written(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"question": "When?", "answer": 1}\n')
    (tmp_path / "t.yaml").write_text(
        "task: dates\noutput_type: multiple_choice\ndataset_path: json\ndataset_kwargs: {data_files: {test: q.jsonl}}\n"
        "test_split: test\ndoc_to_text: question\ndoc_to_choice: [1999-12-31, '2000-01-01 10:30:00']\n"
        "doc_to_target: answer\nlanguages: [en]\nmetadata: {version: 2024-01-01}\n"
    )
    (item,) = load_cell(find_task("t.yaml", folder=tmp_path), "en", sources={}).test
    assert item.choices == ("1999-12-31", "2000-01-01 10:30:00")


def test_an_unknown_language_names_those_there_are(write_task, load):
    with pytest.raises(InputError, match="task 'colours' has no language 'it'; it has de, fr"):
        load(write_task(), "it")


TEMPLATES = st.sampled_from(
    ["{{", "{% for", "{{ [1] * 2 }}", "{{ question | upper }}", "{{ choices.x }}", "{{ 1 / 0 }}"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | TEMPLATES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("task", "languages", "dataset_name", "dataset_kwargs", "doc_to_text", "doc_to_choice", "doc_to_target"),
        *("train", "hold_out", "words", "metric_list", "fewshot_config", "num_fewshot", "id_column", "metadata"),
        *("description", "gen_prefix", "language_names", "cluster_column", "include"),
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, ANYTHING, min_size=1, max_size=3))
def test_whatever_stands_at_a_key_the_answer_is_items_or_one_line(write_task, load, changes):
    try:
        told = load(write_task(**changes)).test
    except InputError as error:
        told = str(error).splitlines()
    assert told
    assert len(told) == 1 or told[0].id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_whatever_bytes_a_file_holds_the_answer_is_one_line(tmp_path, content):
    for name in ("t.yaml", "t.jsonl", "t.csv", "t.parquet"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError) as error:
            load_cell(find_task(name, folder=tmp_path), "de", sources={})
        assert "\n" not in str(error.value)
