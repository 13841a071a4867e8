"""A benchmark's facts have one home, the catalog's file; whatever else names a benchmark agrees with it."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from donorgrid import pocket
from donorgrid.analyse import AnalysisSettings
from donorgrid.facts.benchmarks import Translation, benchmarks, benchmarks_by_any_name, n_choices, translations
from donorgrid.plan.presets import PRESETS
from donorgrid.tasks import catalog_names, find_task
from lm_eval_requests import CASES, our_items

DOCS = Path(__file__).parents[2] / "docs"


def test_every_task_of_the_catalog_has_its_facts() -> None:
    assert tuple(benchmarks()) == catalog_names()
    for benchmark in benchmarks().values():
        assert benchmark.translation in get_args(Translation)
        assert all(isinstance(fact, str) and fact for fact in (benchmark.source, benchmark.citation))
        assert benchmark.n_choices is None or benchmark.n_choices >= 2


def test_a_task_file_and_its_facts_say_the_same() -> None:
    for name, benchmark in benchmarks().items():
        task = find_task(name, folder=Path())
        assert (task.name, task.title, task.licence) == (name, benchmark.title, benchmark.licence)
        assert task.generates <= (benchmark.n_choices is None)


def test_aliases_are_unique() -> None:
    names = [name for one in benchmarks().values() for name in (one.name, *one.aliases)]
    assert max(Counter(names).values()) == 1
    assert len(benchmarks_by_any_name()) == len(names)


@pytest.mark.parametrize(
    ("name", "translation", "choices"),
    [
        ("paws-x", "human", 2),
        ("pawsx", "human", 2),
        ("arc", "machine", 4),
        ("m_arc", "machine", 4),
        ("truthfulqa", "machine", None),
        ("mgsm", "human", None),
        ("include", None, 4),
        ("continent", None, 4),
        ("sib200", "human", 7),
        ("no_such_task", None, None),
    ],
)
def test_an_analysis_knows_a_benchmark_by_name_and_by_alias(name, translation, choices) -> None:
    settings = AnalysisSettings()
    assert settings.translations.get(name) == translations().get(name) == translation
    assert settings.n_choices.get(name) == n_choices().get(name) == choices


@pytest.mark.parametrize("name", sorted(set(CASES) - {"truthfulqa"}))
def test_items_have_as_many_choices_as_the_facts_say(name: str, tmp_path: Path) -> None:
    _, language, rows = CASES[name]
    items = our_items(find_task(name, folder=tmp_path), language, rows)
    ((most, _),) = Counter(len(item.choices) for item in items).most_common(1)
    assert most == benchmarks()[name].n_choices


def test_tasks_without_a_case_have_as_many_choices_as_the_facts_say() -> None:
    keys = find_task("sib200", folder=Path()).cell("en").keys
    assert len(keys.doc_to_choice) == benchmarks()["sib200"].n_choices
    for task in pocket.TASKS:
        choices = {len(document["choices"]) for document in pocket.documents(f"{task}/en", "test")}
        assert choices == {benchmarks()[task].n_choices}


def test_presets_name_tasks_of_the_catalog_and_call_their_data_what_they_are() -> None:
    for name, preset in PRESETS.items():
        facts = [benchmarks()[task] for task in preset.fields["tasks"]]
        if "human-translated" in preset.title:
            assert {benchmark.translation for benchmark in facts} == {"human"}, name


def test_the_docs_list_the_catalog() -> None:
    text = (DOCS / "tasks.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"## The catalog\n(.*?)\n\n", text, flags=re.DOTALL)
    assert sorted(set(re.findall(r"`([a-z0-9_-]+)`", listed))) == list(catalog_names())


def test_the_facts_load_no_task_code() -> None:
    code = (
        "import sys; from donorgrid.facts import benchmarks; benchmarks.translations();"
        "sys.exit(any(name.startswith('donorgrid.tasks') or name == 'torch' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
