"""lm-eval, run for real on a base model and two adapters of a study and imported, gives the study's own deltas."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from donorgrid.analyse import AnsweredRun, deltas_by_seed, pair_answers
from donorgrid.core.names import StudyFolder
from donorgrid.exchange import ImportedAnswers, ImportedTable, export_lm_eval_task, import_lm_eval
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.tasks import find_task, load_cell
from running import QUICK, run_here
from worlds import LANGUAGES, make_study

pytestmark = pytest.mark.filterwarnings("ignore")  # those of lm-eval and what it imports

COUNTS = ["n_items", "n_right", "n_right_base", "n_right_norm", "n_right_norm_base", "delta_pp", "se_pp"]
KEY = ["source_name", "target_language", "train_seed"]


def evaluate(model: Path, adapter: Path | None, tasks: Path, out: Path) -> None:
    """What ``lm_eval --model hf --log_samples --output_path out`` does, without its index of tasks and of packages."""
    from lm_eval import evaluator, simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager

    tracker = EvaluationTracker(output_path=str(out))
    arguments: dict[str, Any] = {"pretrained": str(model), "dtype": "float32", "softmax_dtype": "float32"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "add_env_info", lambda _: None)
        found = simple_evaluate(
            model="hf",
            model_args={**arguments, **({"peft": str(adapter)} if adapter else {})},
            tasks=[f"colours_{language}" for language in LANGUAGES],
            task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
            device="cpu",
            batch_size=4,
            log_samples=True,
            evaluation_tracker=tracker,
            bootstrap_iters=0,
        )
    samples = found.pop("samples")
    tracker.save_results_aggregated(results=found, samples=samples)
    for task, rows in samples.items():
        tracker.save_results_samples(task_name=task, samples=rows)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of two sources, its cells as tasks of lm-eval, and lm-eval's outputs with and without items."""
    root = tmp_path_factory.mktemp("study")
    run_here(make_study(root, sources=["colours/de", "colours/it"]), root / "tiny")
    task = find_task("colours.yaml", folder=root)
    for language in LANGUAGES:
        export_lm_eval_task(load_cell(task, language, sources={}), root / "tasks", metrics=task.metrics)
    runs: dict[str, Any] = {"base": {"model": "llama", "baseline": True}}
    adapters: dict[str, Path | None] = {"base": None}
    for path in sorted((root / "tiny" / "adapters").rglob("adapter_config.json")):
        language = path.parents[2].name.partition("@")[2]
        runs[language] = {"model": "llama", "source": f"colours/{language}", "train_seed": 17, "recipe": "tiny"}
        adapters[language] = path.parent
    for name, adapter in adapters.items():
        evaluate(root / "llama", adapter, root / "tasks", root / "items" / name)
    mapping = {"tasks": {"colours_{language}": "colours"}, "runs": runs, "id_field": "id"}
    (root / "items" / "map.yaml").write_text(yaml.safe_dump(mapping))
    shutil.copytree(root / "items", root / "totals", ignore=shutil.ignore_patterns("samples_*"))
    return root


@pytest.fixture(scope="module")
def own(study: Path) -> pl.DataFrame:
    """The study's own deltas by seed."""
    return analyse_folder(StudyFolder(study / "tiny"), QUICK).tables["deltas_by_seed"].sort(KEY)


def test_items_of_lm_eval_give_the_studys_deltas(study: Path, own: pl.DataFrame) -> None:
    imported = import_lm_eval([study / "items"], mapping_file=study / "items" / "map.yaml")
    assert isinstance(imported, ImportedAnswers)
    (base, runs), = imported.models()  # fmt: skip
    labelled = (
        (AnsweredRun(model=run.model, recipe=run.recipe, source=run.source, train_seed=run.train_seed),
         imported.read(run))
        for run in runs
    )  # fmt: skip
    theirs = deltas_by_seed(pair_answers(imported.read(base), labelled), metric="acc_norm").sort(KEY)
    assert theirs.height == 6
    assert theirs.select(*KEY, *COUNTS).equals(own.select(*KEY, *COUNTS))
    assert own["delta_pp"].n_unique() > 1


def test_option_scores_of_lm_eval_are_the_studys(study: Path) -> None:
    imported = import_lm_eval([study / "items"], mapping_file=study / "items" / "map.yaml")
    theirs = imported.read(imported.subjects[0]).sort("target_language", "item_id")
    ours = pl.read_parquet(study / "tiny" / "items" / "llama" / "base.parquet").sort("target_language", "item_id")
    scores = ["choice_logliks_nats", "loglik_precision"]  # lm-eval does not say its precision
    assert theirs.drop(scores).equals(ours.drop(scores))
    for one, other in zip(theirs["choice_logliks_nats"], ours["choice_logliks_nats"], strict=True):
        assert one.to_list() == pytest.approx(other.to_list(), abs=1e-4)


def test_totals_of_lm_eval_give_the_studys_deltas(study: Path, own: pl.DataFrame) -> None:
    imported = import_lm_eval([study / "totals"], mapping_file=study / "totals" / "map.yaml")
    assert isinstance(imported, ImportedTable)
    columns = [*KEY, *COUNTS[:5]]
    assert imported.frame.sort(KEY).select(columns).equals(own.select(columns))


def test_an_exported_task_asks_what_the_study_asks(study: Path) -> None:
    from lm_eval.tasks import TaskManager

    loaded = TaskManager(include_path=str(study / "tasks"), include_defaults=False).load(["colours_de"])["tasks"]
    task = loaded["colours_de"]
    task.build_all_requests()
    items = load_cell(find_task("colours.yaml", folder=study), "de", sources={}).test
    ours = [(item.context, item.delimiter + choice) for item in items for choice in item.choices]
    assert [instance.args for instance in task.instances] == ours
    assert [document["id"] for document in task.eval_docs] == [item.id for item in items]
    rows = (study / "tasks" / "colours_de.jsonl").read_text().splitlines()
    assert len([json.loads(row) for row in rows]) == len(items)
