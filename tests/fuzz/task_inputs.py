"""Task files, donorgrid's and lm-eval's, and data files in every format that is read."""

import bz2
import csv
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow
from cases import Case
from damage import damaged, json_bytes, json_lines, sometimes_scarred, values, yaml_files
from hypothesis import strategies as st
from world import PROMPTS, QUESTIONS, yaml_of

_DATA = ("colours-de-train.jsonl", "colours-de-test.jsonl", "colours-en-train.jsonl", "colours-en-test.jsonl")
_OWN = {
    "language_names": {"de": "de", "en": "en", "it": "it"},
    "words": {"de": {"yes": "ja"}, "en": {"yes": "yes"}, "it": {"yes": "si"}},
    "cluster_column": "question",
    "hold_out": {"train_share": 0.4, "seed": 42},
    "num_fewshot": 2,
    "fewshot_split": "train",
    "fewshot_config": {
        "sampler": "first_n",
        "split": "train",
        "samples": [{"question": "a", "choices": ["b"], "answer": 0}],
    },
    "train": {"prompt": "{{ question }}", "target": " {{ letter }}", "loss_on": "all", "max_tokens": 20, "keep": "end"},
    "metadata": {"title": "x", "licence": "y", "n_choices": 3, "translation": "none", "version": 1.0},
    "gen_prefix": "x",
    "target_delimiter": "",
    "description": "Colours.\n",
    "from_lm_eval": {"preamble": "truthfulqa/utils.py:PREAMBLE"},
}
_LM_EVAL = {
    "tag": ["quiz_tasks"],
    "task": "quiz_de",
    "dataset_path": "json",
    "dataset_kwargs": {
        "data_files": {"train": "colours-de-train.jsonl", "test": "colours-de-test.jsonl"},
        "trust_remote_code": True,
    },
    "output_type": "multiple_choice",
    "training_split": "train",
    "test_split": "test",
    "doc_to_text": "Question: {{question}}\nAnswer:",
    "doc_to_target": "answer",
    "doc_to_choice": "{{choices}}",
    "should_decontaminate": True,
    "doc_to_decontamination_query": "question",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}, {"metric": "mcc"}],
    "metadata": {"version": 1.0},
}
_GENERATED = {
    "output_type": "generate_until",
    "doc_to_target": "{{ choices[answer] }}",
    "doc_to_choice": None,
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 5, "do_sample": False, "temperature": 0.0},
    "filter_list": [{"name": "x", "filter": [{"function": "regex", "regex_pattern": "(\\w+)", "group_select": -1},
    {"function": "take_first"}]}],
    "metric_list": [{"metric": "exact_match", "ignore_case": True, "regexes_to_ignore": [","]}],
}  # fmt: skip
_COMMANDS = st.sampled_from(
    [("tasks", "validate", "t.yaml"), ("tasks", "show", "t.yaml"), ("tasks", "validate", "t.yaml", "-l", "de"),
     ("export", "lm-eval", "t.yaml", "-l", "de", "--out", "x"), ("tasks", "show", "t.yaml", "-l", "en", "--tokenizer",
     "llama")]
)  # fmt: skip


def task_files(world: Path) -> st.SearchStrategy[Case]:
    """Task files with donorgrid's keys."""
    plain = yaml_of(world, "colours.yaml")
    keys = st.lists(st.sampled_from(sorted(_OWN)), max_size=4, unique=True)
    documents = st.builds(
        lambda names, generated: plain | {name: _OWN[name] for name in names} | (_GENERATED if generated else {}),
        keys,
        st.booleans(),
    )
    return st.builds(_task_case, _COMMANDS, documents.flatmap(yaml_files))


def lm_eval_tasks(world: Path) -> st.SearchStrategy[Case]:
    """Task files as lm-eval has them, with includes."""
    del world
    included = st.sampled_from([{}, {"include": "u.yaml"}, {"include": ["u.yaml", "t.yaml"]}, {"include": "../t.yaml"}])
    generated = st.sampled_from([{}, {}, _GENERATED])
    documents = st.builds(lambda further, other: _without_nulls(_LM_EVAL | other | further), included, generated)
    return st.builds(
        lambda words, content, below: _task_case(words, content, {"u.yaml": below}),
        _COMMANDS,
        documents.flatmap(yaml_files),
        yaml_files({"task_list": [], "doc_to_text": "{{question}}", "num_fewshot": 0, "tag": "x"}),
    )


def _without_nulls(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _task_case(words: tuple[str, ...], content: bytes, further: dict[str, bytes] | None = None) -> Case:
    return Case(
        words=words,
        files={"t.yaml": content, **(further or {})},
        copied=_DATA,
        names=("t.yaml", "u.yaml", "colours", "'t'", "quiz", " t/"),
    )


_COLUMNS = st.lists(
    st.sampled_from(["question=question", "question=id", "choices=choices", "choices=id", "choices=a", "choices=b",
    "answers_from=0",
                     "answers_from=1", "answers_from=text", "answers_from=x", "answer=question", "id=answer",
                     "language=id", "split=id"]),
    max_size=3,
)  # fmt: skip


def data_files(world: Path) -> st.SearchStrategy[Case]:
    """Plain data files for `tasks` and `export`: text, JSON and Parquet, compressed or not."""
    del world
    commands = st.sampled_from([("tasks", "validate"), ("tasks", "show"), ("export", "lm-eval")])
    return st.builds(_data_case, commands, _COLUMNS, st.one_of(_json(), _separated(), _parquet(), _compressed()))


def _data_case(words: tuple[str, ...], columns: list[str], file: tuple[str, bytes]) -> Case:
    name, content = file
    further = ["-l", "de", "--out", "x"] if words[0] == "export" else []
    options = [word for column in columns for word in ("--columns", column)]
    names = (name, "'q'", "q/", "q: ", *(["--columns"] if columns else []))
    return Case(words=(*words, name, *further, *options), files={name: content}, names=names)


_ROWS: list[Any] = [*QUESTIONS, {**PROMPTS[0], "reply": "red"}]


def _json() -> st.SearchStrategy[tuple[str, bytes]]:
    lists = damaged(QUESTIONS).map(json_bytes).flatmap(sometimes_scarred)
    return st.one_of(
        json_lines(QUESTIONS).map(lambda content: ("q.jsonl", content)),
        json_lines([{"prompt": "a", "reply": "b", "id": 1}, {"prompt": "c", "reply": "d", "id": 2}]).map(
            lambda content: ("q.jsonl", content)
        ),
        lists.map(lambda content: ("q.json", content)),
        values.map(lambda value: ("q.json", json_bytes(value))),
    )


@st.composite
def _separated(draw: st.DrawFn) -> tuple[str, bytes]:
    rows = draw(damaged(QUESTIONS))
    flat = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    names = list(dict.fromkeys(str(name) for row in flat for name in row)) or ["id"]
    stream = io.StringIO()
    writer = csv.writer(
        stream, delimiter=draw(st.sampled_from(",;\t|")), lineterminator=draw(st.sampled_from(["\n", "\r\n"]))
    )
    writer.writerow(names)
    for row in flat:
        writer.writerow([str(row.get(name, "")) for name in names])
    content = stream.getvalue().encode("utf-8", "surrogatepass")
    return draw(st.sampled_from(["q.csv", "q.tsv"])), draw(sometimes_scarred(content))


@st.composite
def _parquet(draw: st.DrawFn) -> tuple[str, bytes]:
    """Columns of one type each, as Parquet demands, but of any type."""
    columns: dict[str, Any] = {
        "id": draw(st.sampled_from([["a", "b"], [1, 1], [None, None], [b"x", b"y"], [[1], [2]], [1.5, float("nan")]])),
        "question": draw(st.sampled_from([["q", "r"], [1, 2], [None, "x"], [["a"], ["b"]], [b"\xff", b"y"]])),
        "choices": draw(st.sampled_from([[["x", "y"]] * 2, ["['x', 'y']"] * 2, [[1, 2]] * 2, [[], []], [None, None],
        [{"text": ["x", "y"], "label": ["A", "B"]}] * 2])),
        "answer": draw(st.sampled_from([[0, 1], ["A", "B"], [0.0, 1.0], [True, False], [None, 0], ["x", "y"], [5, -1],
        [float("nan"), 0.0], [[0], [1]]])),
    }  # fmt: skip
    if draw(st.booleans()):
        columns["language"] = draw(
            st.sampled_from([["de", "en"], [None, "de"], [1, 2], ["", " "], ["no", "\x00"], [["de"], ["en"]]])
        )
    if draw(st.integers(0, 4)) == 0:
        del columns[draw(st.sampled_from(sorted(columns)))]
    stream = io.BytesIO()
    pl.DataFrame(columns).write_parquet(stream)
    return "q.parquet", draw(sometimes_scarred(stream.getvalue()))


@st.composite
def _compressed(draw: st.DrawFn) -> tuple[str, bytes]:
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": _zstd}
    name, content = draw(st.one_of(_json(), _separated()))
    suffix = draw(st.sampled_from(sorted(pack)))
    packed = pack[draw(st.sampled_from([suffix, suffix, suffix, "gz"]))](content)
    return f"{name}.{suffix}", draw(sometimes_scarred(packed))


def _zstd(content: bytes) -> bytes:
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))
