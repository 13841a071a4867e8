"""How much work the subjects of a study are."""

from pathlib import Path

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Baseline, Prompted, Run
from donorgrid.pipeline.prepare.study import prepare
from donorgrid.pipeline.run.work_sizes import work_sizes
from worlds import RECIPE, make_study


def test_work_is_in_characters_and_grows_with_epochs_and_examples(tmp_path: Path) -> None:
    sources = ["colours/de", {"control": "few-shot", "of": "colours/de", "shots": 3}]
    recipes = {"once": {**RECIPE, "epochs": 1}, "thrice": {**RECIPE, "epochs": 3}}
    file = make_study(tmp_path, sources=sources, targets=["colours/de"], recipes=recipes, checkpoints=[1])
    prepared = prepare(file, StudyFolder(tmp_path / "out"))
    sizes = work_sizes(prepared)
    assert list(sizes) == list(prepared.grid.subjects)
    items = prepared.cells[prepared.grid.targets[0]].test
    read = sum(len(item.context) + 2 * sum(1 + len(choice) for choice in item.choices) for item in items)
    n_parameters = prepared.models["llama"].n_parameters
    (base,) = (subject for subject in sizes if isinstance(subject, Baseline))
    (prompted,) = (subject for subject in sizes if isinstance(subject, Prompted))
    assert sizes[base].score == read * n_parameters
    (shown,) = prepared.examples.values()
    n_shown = sum(len(example.text) for example in shown)
    assert sizes[prompted].score == (read + len(items) * n_shown) * n_parameters
    runs = {(run.recipe.name, run.checkpoint): sizes[run] for run in sizes if isinstance(run, Run)}
    once, thrice = runs["once", None], runs["thrice", None]
    assert thrice.train == pytest.approx(3 * once.train)
    assert runs["thrice", 1].train == 0.0
    # 24 texts, of which 3 validate: 21 are trained on, in batches of 8
    assert (once.n_steps, thrice.n_steps) == (3, 9)
    texts = prepared.cells[prepared.grid.source_cells[0]].train
    mean = sum(len(text.prompt) + len(text.target) for text in texts) / len(texts)
    assert once.train == pytest.approx(mean * (21 + 3 / 3) * n_parameters)
