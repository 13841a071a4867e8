"""Study files, templates of prompts, and folders of studies and imports that somebody damaged."""

import json
from pathlib import Path

import yaml
from cases import Case
from damage import damaged, json_bytes, scarred, sometimes_scarred, texts, yaml_bytes, yaml_files
from hypothesis import strategies as st
from world import files_of, yaml_of

_DATA = (
    "colours.yaml",
    "colours-de-train.jsonl",
    "colours-de-test.jsonl",
    "colours-en-train.jsonl",
    "colours-en-test.jsonl",
)
_FURTHER = {
    "sources": ["colours/de", {"mix": {"colours/de": 1, "colours/en": 2.0}, "name": "both"},
                {"control": "shuffled", "of": "colours/de"}, {"control": "few-shot", "of": "colours/en", "shots": 2}],
    "targets": "all",
    "train_sizes": [None, 8],
    "data_seeds": [0, 1],
    "checkpoints": [0.5],
    "metric": "acc",
    "harm_limit_pp": 2.0,
    "split_seed": 1,
    "keep_adapters": ["colours/de"],
    "scoring": {"precision": "fp32", "chat_template": False, "chat_template_args": {"enable_thinking": False}},
    "models": [{"id": "llama", "name": "tiny", "family": "Llama", "size_b": 0.1}],
    "tasks": ["colours.yaml", {"task": "questions.jsonl", "columns": {"question": "question"}, "answers_from": 0}],
}  # fmt: skip


def studies(world: Path) -> st.SearchStrategy[Case]:
    """Study files for the commands that read one."""
    plain = yaml_of(world, "tiny.yaml")
    # `run` is left to the study folders: a sound study would be trained here.
    commands = st.sampled_from(
        [("plan", "s.yaml", "--no-trial"), ("plan", "s.yaml", "--no-trial"), ("power", "s.yaml"), ("fetch", "s.yaml"),
         ("export", "training", "s.yaml", "--source", "colours/de", "--out", "x"), ("status", "s.yaml"), ("analyse",
         "s.yaml")]
    )  # fmt: skip
    keys = st.lists(st.sampled_from(sorted(_FURTHER)), max_size=4, unique=True)
    documents = keys.map(lambda names: plain | {name: _FURTHER[name] for name in names})
    contents = documents.flatmap(yaml_files)
    return st.builds(
        lambda words, content: Case(
            words=words, files={"s.yaml": content}, copied=(*_DATA, "questions.jsonl"),
            names=("s.yaml", "colours", "questions", "'s'", "s: ", "s/"),
        ),
        commands,
        contents,
    )  # fmt: skip


def damaged_folders(world: Path) -> st.SearchStrategy[Case]:
    """Folders of a finished study in which files are damaged, gone, swapped or strange."""
    files = files_of(world, "tiny")
    commands = st.sampled_from(
        [("status", "tiny.yaml"), ("status", "tiny.yaml", "--verify"), ("status", "tiny", "--json"), ("analyse",
        "tiny"),
         ("report", "tiny"), ("export", "table", "tiny", "out.csv"), ("power", "--noise-of", "tiny"),
         ("export", "adapter", "tiny", "--source", "colours/de", "--out", "x"), ("plan", "tiny.yaml", "--no-trial"),
         ("run", "tiny.yaml", "--jobs", "1", "--limit", "1")]
    )  # fmt: skip
    return st.builds(
        lambda words, change, stray: Case(
            words=words, files={**change[0], **stray}, without=change[1], copied=("tiny", "tiny.yaml", *_DATA),
            names=("tiny",)
        ),
        commands,
        _changes(files),
        st.one_of(st.just({}), _strays()),
    )  # fmt: skip


def damaged_imports(world: Path) -> st.SearchStrategy[Case]:
    """Folders of imported answers in which files are damaged, gone, swapped or strange."""
    files = files_of(world, "imported")
    commands = st.sampled_from(
        [
            ("analyse", "imported"),
            ("report", "imported"),
            ("power", "--noise-of", "imported"),
            ("analyse", "imported/import.json"),
        ]
    )
    return st.builds(
        lambda words, change: Case(
            words=words, files=change[0], without=change[1], copied=("imported",), names=("imported",)
        ),
        commands,
        _changes(files),
    )


@st.composite
def _changes(draw: st.DrawFn, files: dict[str, bytes]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    changed: dict[str, bytes] = {}
    gone: list[str] = []
    for name in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=2, unique=True)):
        how = draw(st.sampled_from(["bytes", "bytes", "values", "values", "gone", "other file", "empty"]))
        if how == "gone":
            gone.append(name)
        elif how == "other file":
            changed[name] = files[draw(st.sampled_from(sorted(files)))]
        elif how == "empty":
            changed[name] = b""
        else:
            changed[name] = draw(_values_of(name, files[name]) if how == "values" else scarred(files[name]))
    return changed, tuple(gone)


def _values_of(name: str, content: bytes) -> st.SearchStrategy[bytes]:
    if name.endswith(".json"):
        return damaged(json.loads(content)).map(json_bytes).flatmap(sometimes_scarred)
    if name.endswith(".jsonl"):
        rows = [json.loads(line) for line in content.splitlines()]
        return damaged(rows).map(lambda new: b"\n".join(map(json_bytes, new if isinstance(new, list) else [new])))
    if name.endswith(".yaml"):
        return damaged(yaml.safe_load(content)).map(yaml_bytes).flatmap(sometimes_scarred)
    return scarred(content)


def _strays() -> st.SearchStrategy[dict[str, bytes]]:
    """Files that donorgrid did not write: claims, logs and unfinished files with any content."""
    names = st.sampled_from(
        ["tiny/claims/x.0", "tiny/claims/.unfinished-x", "tiny/claims/a.b.c", "tiny/claims/0.99999999999999999999",
         "tiny/log/failures-x.jsonl", "tiny/log/manifest-x.json", "tiny/log/x", "tiny/.unfinished-tables",
         "tiny/items/x",
         "tiny/items/llama/x.parquet", "tiny/items/llama/.unfinished-x/y", "tiny/adapters/x", "tiny/tables.old/x.csv"]
    )  # fmt: skip
    contents = st.binary(max_size=40) | st.sampled_from(
        [b"{}\n", b"[]\n", b'{"key": 1}\n', b'{"key": "x", "reason": 3, "subject": null}\n', b"\0\0\0",
        b'{"pid": "x", "host": 3}',
         b'{"pid": 99999999999999999999, "host": "x", "beat": "y"}']
    )  # fmt: skip
    return st.dictionaries(names, contents, min_size=1, max_size=2)


_PIECES = [
    "{{ question }}", "{{ choices[0] }}", "{{ choices[9] }}", "{{ answer }}", "{{ nothing }}", "{{ question | upper }}",
    "{{ question | nothing }}", "{% for c in choices %}{{ c }}{% endfor %}", "{% for i in range(10**9) %}x{% endfor %}",
    "{% if answer %}", "{% endif %}", "{% set x = 1 %}", "{{ x * 10**9 }}", "{{ 'a' * 10**9 }}", "{{ [0] * 10**9 }}",
    "{{ ''.__class__ }}",
    "{{ question.__class__.__mro__ }}", "{{ self }}", "{{ lipsum(n=10**6) }}", "{{ cycler }}", "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}", "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", "{% call m(1) %}{% endcall %}",
    "{% block b %}{% endblock %}",
    "{{ question | regex_replace('(a+)+$', 'b') }}", "{{ question | regex_replace('(', 'b') }}",
    "{{ question | replace('', 'x' * 10**5) }}",
    "{{ question | center(10**9) }}", "{{ '%999999999d' | format(1) }}", "{{ question.format(question) }}",
    "{{ 2 ** 10**8 }}",
    "{{ 1 / 0 }}", "{{ choices | join(',') | list | sort }}", "{{ choices | batch(0) | list }}",
    "{{ choices | slice(0) | list }}",
    "{{ question | int + 1 }}", "{{ 'x' + 1 }}", "{{ (1).__class__ }}", "{{ {} | xmlattr }}",
    "{{ {'a b': 1} | xmlattr }}", "{{ question[::0] }}",
    "{{ choices | random }}", "{{ range(3) | map('nothing') | list }}", "{{ question | tojson }}",
    "{{ undefined.x }}", "{# x", "{{", "}}", "{%", "%}",
    "{{ question | wordwrap(0) }}", "{{ question | indent(10**9) }}", "{{ question | truncate(-1) }}",
    "{{ namespace(x=1) }}",
    "{{ question | groupby('x') | list }}", "{{ question | sum }}", "{{ choices | sum(attribute='x') }}",
    "{{ '\\ud800' }}", "{{ question | urlize }}",
    "{{ loop }}", "{% for x in choices recursive %}{{ loop(choices) }}{% endfor %}",
    "{{ choices.append(choices) }}{{ choices }}", "{{ dict(a=1).a.b }}",
]  # fmt: skip
_templates = st.lists(st.sampled_from(_PIECES) | texts, min_size=1, max_size=4).map("".join)


def templates(world: Path) -> st.SearchStrategy[Case]:
    """Task files whose templates are anything that Jinja may be asked for."""
    plain = yaml_of(world, "colours.yaml")
    keys = st.sampled_from(
        ["doc_to_text", "doc_to_choice", "doc_to_target", "description", "id_column", "gen_prefix", "train"]
    )
    commands = st.sampled_from(
        [
            ("tasks", "show", "t.yaml"),
            ("tasks", "validate", "t.yaml", "-l", "de"),
            ("tasks", "show", "t.yaml", "--tokenizer", "llama"),
        ]
    )

    def case(words: tuple[str, ...], written: dict[str, str]) -> Case:
        changed = {key: {"prompt": text, "target": text} if key == "train" else text for key, text in written.items()}
        return Case(
            words=words, files={"t.yaml": yaml_bytes(plain | changed)}, copied=_DATA, names=("t.yaml", "colours")
        )

    return st.builds(case, commands, st.dictionaries(keys, _templates, min_size=1, max_size=2))
