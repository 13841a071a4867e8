"""Results of other tools: tables, outputs of lm-eval, and the mapping files that say what they hold."""

import csv
import io
from pathlib import Path
from typing import Any

import polars as pl
from cases import Case
from damage import (
    TEXTS,
    damaged,
    json_files,
    json_lines,
    scarred,
    sometimes_scarred,
    texts,
    values,
    yaml_bytes,
    yaml_files,
)
from hypothesis import strategies as st
from lm_eval_outputs import DATE, RUNS, sample_rows
from world import TABLE, files_of

_RELEASED = {
    "model": "model_name", "source_task": "fine_tuned_dataset", "source_language": "fine_tuned_language",
    "target_task": "eval_dataset", "target_language": "eval_language", "score": "score_norm_mean",
    "score_base": "score_norm_base_mean",
}  # fmt: skip
_CELLS = [*TEXTS[:40], "0.5", "-3", "51", "1e309", "0.50", "quiz", "m", "17", "None", "NA"]


def tables(world: Path) -> st.SearchStrategy[Case]:
    """Result tables for `import table` and, without an import, for `analyse` and `report`."""
    del world
    commands = st.sampled_from(
        [("import", "table"), ("import", "table"), ("import", "table", "--metric", "acc"), ("analyse", "--out", "x"),
        ("report", "--out", "x"),
         ("power", "--noise-of")]
    )  # fmt: skip
    files = st.one_of(_separated(), _separated(), _parquet())
    return st.builds(
        lambda words, file: Case(words=(*words, file[0]), files=dict([file]), names=(file[0], "t.")), commands, files
    )


@st.composite
def _separated(draw: st.DrawFn) -> tuple[str, bytes]:
    header, rows = _written(draw)
    stream = io.StringIO()
    separator = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    csv.writer(stream, delimiter=separator).writerows([header, *rows])
    content = stream.getvalue().encode("utf-8", "surrogatepass")
    return draw(st.sampled_from(["t.csv", "t.csv", "t.tsv"])), draw(sometimes_scarred(content))


def _written(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """The table as texts, with damaged cells, columns and rows."""
    released = draw(st.booleans())
    header = [_RELEASED.get(name, name) if released else name for name in TABLE[0]]
    rows = [[str(value) for value in row.values()] for row in TABLE]
    for _ in range(draw(st.integers(0, 4))):
        row, column = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(header) - 1))
        what = draw(st.sampled_from(["cell", "cell", "cell", "column", "header", "row", "drop"]))
        if what == "cell" and column < len(rows[row]):
            rows[row][column] = draw(st.sampled_from(_CELLS))
        elif what == "column":
            value = draw(st.sampled_from(_CELLS))
            rows = [[*line[:column], value, *line[column + 1 :]] for line in rows]
        elif what == "header":
            header[column] = draw(st.sampled_from([*_RELEASED.values(), *_RELEASED, "delta_pp", "delta_acc_pp",
            "model_size", "n_seeds",
                                                   "delta_score_mean_std", "family", "metric", "recipe", "checkpoint",
                                                   "x", ""]))  # fmt: skip
        elif what == "row":
            rows.append(list(rows[row]))
        else:
            rows = rows[:row] or rows
    return header, rows


@st.composite
def _parquet(draw: st.DrawFn) -> tuple[str, bytes]:
    columns: dict[str, list[Any]] = {name: [row[name] for row in TABLE] for name in TABLE[0]}
    for name in draw(st.lists(st.sampled_from(sorted(columns)), max_size=3)):
        value = draw(
            st.sampled_from(
                [None, 1, 0.5, "x", "", "\x00", True, [1], {"a": 1}, b"\xff", float("nan"), float("inf"), -1, 2**63]
            )
        )
        columns[name] = [value] * len(TABLE) if draw(st.booleans()) else [value, *[None] * (len(TABLE) - 1)]
    stream = io.BytesIO()
    pl.DataFrame(columns, strict=False).write_parquet(stream)
    return "t.parquet", draw(sometimes_scarred(stream.getvalue()))


_TABLE_MAPPING = {
    "columns": {"model": "base", "score": "points", "source_language": "on"},
    "constants": {"recipe": "lora", "family": "Mine"},
    "values": {"target_language": {"de": "German"}, "target_task": {"quiz": "quiz2"}},
    "percent": ["points"],
    "baseline_rows": {"column": "source_task", "value": None},
}
_MAPPING = {
    "tasks": {"quiz_{language}": "quiz", "quiz_en": {"task": "quiz", "language": "en"}},
    "runs": RUNS | {
        "it": {"model": "qwen", "source": {"mix": {"quiz/de": 1, "quiz/it": 2.0}, "name": "both"}, "train_seed": 17,
        "recipe": "lora"},
    },
    "id_field": "id",
    "filter": {"quiz": "none"},
    "languages": {"de": "de", "it": "it"},
    "models": {"qwen": {"family": "Mine", "size_b": 1.0}},
}  # fmt: skip


def mappings(world: Path) -> st.SearchStrategy[Case]:
    """Mapping files of tables and of outputs of lm-eval."""
    del world
    other_names = {"score": "points", "model": "base", "source_language": "on"}
    stream = io.StringIO()
    csv.writer(stream).writerows([[other_names.get(name, name) for name in TABLE[0]], *(row.values() for row in TABLE)])
    table = stream.getvalue().encode()
    names = ("map.yaml", "t.csv", "outputs", "results_", "samples_")
    of_table = yaml_files(_TABLE_MAPPING).map(
        lambda content: Case(
            words=("import", "table", "t.csv", "--mapping", "map.yaml"),
            files={"map.yaml": content, "t.csv": table},
            names=names,
        )
    )
    of_outputs = yaml_files(_MAPPING).map(
        lambda content: Case(
            words=("import", "lm-eval", "outputs", "--mapping", "map.yaml"),
            files={"map.yaml": content},
            copied=("outputs",),
            names=names,
        )
    )
    return st.one_of(of_table, of_outputs)


def outputs(world: Path) -> st.SearchStrategy[Case]:
    """Folders of lm-eval outputs with a damaged results or samples file, imported or drafted."""
    files = files_of(world, "outputs")
    results = f"outputs/it/results_{DATE}.json"
    samples = f"outputs/it/samples_quiz_de_{DATE}.jsonl"
    import json

    sound = json.loads(files[results])
    changes = st.one_of(
        json_files(sound).map(lambda content: {results: content}),
        json_files(sound).map(lambda content: {results: content}),
        json_lines(sample_rows("quiz_de", seed=2)).map(lambda content: {samples: content}),
        scarred(files[samples]).map(lambda content: {samples: content}),
        st.tuples(_odd_names, json_files(sound)).map(lambda pair: {f"outputs/{pair[0]}": pair[1]}),
    )
    commands = st.sampled_from(
        [
            ("import", "lm-eval", "outputs", "--mapping", "map.yaml"),
            ("import", "lm-eval", "outputs", "--mapping", "draft.yaml", "--draft"),
        ]
    )
    mapping = yaml_bytes({"tasks": {"quiz_{language}": "quiz"}, "runs": RUNS, "id_field": "id"})
    missing = st.sampled_from([(), (), (), (samples,), (results,), ("outputs/base",)])
    return st.builds(
        lambda words, change, without: Case(
            words=words, files={"map.yaml": mapping, **change},
            without=tuple(name for name in without if name not in change),
            copied=("outputs",), names=("outputs", "results_", "samples_", "map.yaml", "draft.yaml"),
        ),
        commands, changes, missing,
    )  # fmt: skip


_odd_names = st.sampled_from(
    ["[b]/results_x.json", "results_.json", "it/results_2026-13-45T99-99-99.json",
    "it/x_2026-01-02T03-04-05.678901.json", "a b/results_1.json",
     "é/results_1.json", "it/samples_x.jsonl", "it/samples_quiz_de_x.json", "{x}/results_1.json",
     "../commands/outputs/it/results_9.json", "%s/results_1.json"]
)  # fmt: skip
_ = texts, values, damaged
