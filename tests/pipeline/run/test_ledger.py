"""What is done: answers stand only for the training, the adapter and the targets that they were given for."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Baseline, Cell, Recipe, Run, Source
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.pipeline.prepare.study import prepare
from donorgrid.pipeline.prepare.work_keys import WorkPlan, make_workplan
from donorgrid.pipeline.run.ledger import Ledger, subjects_of_shard
from donorgrid.store.answers import AnswersFooter, write_answers
from worlds import make_study

NO_ROWS = pl.DataFrame(schema=dict(ITEM_ANSWERS.columns))


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> WorkPlan:
    root = tmp_path_factory.mktemp("ledger")
    return make_workplan(prepare(make_study(root, keep_adapters="none"), StudyFolder(root / "out")))


def footer_of(plan: WorkPlan, run: Run) -> AnswersFooter:
    keys = {str(target): plan.scoring_key(run, target, "digest") for target in plan.grid.targets}
    return AnswersFooter(training_key=plan.training_key(run), adapter_digest="digest", scoring_keys=keys)


def missing(plan: WorkPlan, folder: StudyFolder, footer: AnswersFooter, digest: str | None = None) -> list[str]:
    run = plan.grid.runs[0]
    write_answers(folder.items(run), NO_ROWS, footer)
    return [str(target) for target in Ledger(plan, folder).status(run, adapter_digest=digest).missing]


def test_answers_of_this_training_and_adapter_stand(plan: WorkPlan, tmp_path: Path) -> None:
    folder, run = StudyFolder(tmp_path), plan.grid.runs[0]
    assert len(Ledger(plan, folder).status(run).missing) == 3
    assert missing(plan, folder, footer_of(plan, run)) == []
    assert missing(plan, folder, footer_of(plan, run), "digest") == []
    assert Ledger(plan, folder).status(run).done


def test_answers_of_another_training_or_adapter_do_not(plan: WorkPlan, tmp_path: Path) -> None:
    folder, run = StudyFolder(tmp_path), plan.grid.runs[0]
    footer = footer_of(plan, run)
    assert len(missing(plan, folder, replace(footer, training_key="former"))) == 3
    assert len(missing(plan, folder, replace(footer, examples_key="shown"))) == 3
    assert len(missing(plan, folder, footer, "retrained")) == 3


def test_answers_under_another_condition_are_given_again_alone(plan: WorkPlan, tmp_path: Path) -> None:
    folder, run = StudyFolder(tmp_path), plan.grid.runs[0]
    footer = footer_of(plan, run)
    changed = replace(footer, scoring_keys={**footer.scoring_keys, "colours/en": "former"})
    assert missing(plan, folder, changed) == ["colours/en"]
    further = replace(footer, scoring_keys={**footer.scoring_keys, "colours/fr": "no target of this study any more"})
    assert missing(plan, folder, further) == []


@pytest.mark.parametrize("n_shards", [1, 2, 3, 4, 9])
def test_every_run_belongs_to_one_shard_and_every_shard_has_the_baselines(n_shards: int) -> None:
    cells = [Cell(task="t", language=language) for language in ("de", "en", "it", "pt")]
    recipe = Recipe(name="r")
    runs = [Run(model="m", source=Source.of_cell(cell), recipe=recipe, train_seed=17) for cell in cells]
    courses = [one for run in runs for one in (run, replace(run, checkpoint=1.0))]
    subjects = (Baseline(model="m"), *courses)
    shards = [subjects_of_shard(subjects, (index, n_shards)) for index in range(1, n_shards + 1)]
    assert all(shard[0] == subjects[0] for shard in shards)
    assert sorted(map(str, (run for shard in shards for run in shard[1:]))) == sorted(map(str, courses))
    assert all(one.course in shard for shard in shards for one in shard if isinstance(one, Run))
