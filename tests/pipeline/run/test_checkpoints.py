"""Checkpoints along a training and few-shot prompts, as subjects of a whole small study."""

import json
import random
import signal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Prompted, Run
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base, load_tokenizer
from donorgrid.pipeline.analyse.reporting import write_report
from donorgrid.pipeline.analyse.tables import Analysed, analyse_folder
from donorgrid.pipeline.exchange.select_run import RunSelection, find_run
from donorgrid.pipeline.planning.study_cost import estimate
from donorgrid.pipeline.prepare.study import prepare, study_paths
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.pipeline.prepare.work_keys import make_workplan
from donorgrid.pipeline.run.ledger import subjects_of_shard
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress, Watch
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.pipeline.session import study_session, training
from donorgrid.plan.grid import Grid
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.store.answers import read_answers
from donorgrid.store.logs import read_failures, read_manifests
from donorgrid.tasks import with_examples
from lm_eval_side import lm_eval_answers
from running import QUICK, run_here, start, start_noted, table_bytes
from worlds import RECIPE, make_study

SHOTS = {"control": "few-shot", "of": "colours/de", "shots": 3}
SMALL: dict[str, Any] = {
    "sources": ["colours/de", "colours/en", SHOTS],
    "checkpoints": [0.5, 1],
    "limits": {"train_items": 12, "test_items": 8},
}


def run(file: Path, **options: Any) -> tuple[Progress, StudyFolder]:
    path, folder = study_paths(file, None)
    return run_study(path, folder.root, options=RunOptions(**{"device": "cpu", "jobs": 1, **options})), folder


def grid_of(file: Path) -> Grid:
    return prepare(*study_paths(file, None)).grid


def written(folder: StudyFolder) -> dict[str, tuple[int, int]]:
    found = [*folder.root.glob("items/*/*.parquet"), *folder.root.glob("adapters/**/adapter_model.safetensors")]
    return {str(path.relative_to(folder.root)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trainings each call of the training loop did."""
    done: list[int] = []
    original = training.train_runs

    def counted(base: Any, corpora: Any, recipe: Any, **options: Any) -> Any:
        done.append(len(corpora))
        return original(base, corpora, recipe, **options)

    monkeypatch.setattr(training, "train_runs", counted)
    return done


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyFolder, Analysed]:
    file = make_study(tmp_path_factory.mktemp("study"), **SMALL)
    progress, folder = run(file)
    assert (progress.done, progress.failed, progress.total) == (1 + 1 + 2 * 3, 0, 8)
    return file, folder, analyse_folder(folder, QUICK)


def test_a_training_is_done_once_for_all_its_checkpoints(tmp_path: Path, trainings: list[int]) -> None:
    file = make_study(tmp_path, **SMALL)
    run(file)
    assert trainings == [1, 1]
    run(file)
    assert trainings == [1, 1]


def test_together_they_are_trained_once_too(tmp_path: Path, trainings: list[int]) -> None:
    progress, _ = run(make_study(tmp_path, **SMALL), together=2)
    assert (trainings, progress.done) == ([2], 8)


def test_a_checkpoint_lies_beside_the_end_of_its_training(finished: tuple[Path, StudyFolder, Analysed]) -> None:
    file, folder, _ = finished
    (course, half, one, *_) = grid_of(file).runs
    assert (course.checkpoint, half.checkpoint, one.checkpoint) == (None, 0.5, 1.0)
    logs = [(folder.adapter(run) / "train_log.jsonl").read_text().splitlines() for run in (course, half, one)]
    assert [len(log) for log in logs] == [2, 0, 1]
    assert logs[2] == logs[0][:1]
    weights = {(folder.adapter(run) / "adapter_model.safetensors").read_bytes() for run in (course, half, one)}
    assert len(weights) >= 2
    assert [folder.adapter(run).name for run in (course, half, one)] == ["seed17", "seed17-e0.5", "seed17-e1"]


def test_tables_have_an_arm_for_each_checkpoint(finished: tuple[Path, StudyFolder, Analysed]) -> None:
    _, _, analysed = finished
    assert analysed.n_cells_done == analysed.n_cells_planned == (1 + 2 * 3) * 3
    arms = analysed.tables["regimes"].select("recipe", "checkpoint").unique(maintain_order=True).rows()
    assert arms == [("tiny", None), ("tiny", 0.5), ("tiny", 1.0)]
    deltas = analysed.tables["deltas"].filter(pl.col("recipe") == "tiny")
    assert deltas.group_by("checkpoint").len().sort("checkpoint").rows() == [(None, 6), (0.5, 6), (1.0, 6)]


def test_what_examples_give_is_a_control_of_every_arm(finished: tuple[Path, StudyFolder, Analysed]) -> None:
    _, _, analysed = finished
    shown = analysed.tables["deltas"].filter(pl.col("recipe") == "untrained")
    assert shown.select("source_kind", "source_name", "control").unique().rows() == [
        ("control", "few-shot-3:colours/de", "few-shot-3")
    ]
    assert shown["regime"].null_count() == shown.height == 3
    against = analysed.tables["specific_regimes"].filter(pl.col("control") == "few-shot-3")
    assert against.filter(pl.col("regime") == "MT-CL")["checkpoint"].to_list() == [None, 0.5, 1.0]
    target = (pl.col("target_language") == "de", pl.col("checkpoint").is_null())
    deltas = analysed.tables["deltas"].filter(*target)
    by_source = dict(deltas.select("source_name", "delta_pp").iter_rows())
    own = against.filter(pl.col("regime") == "MT-ML", pl.col("checkpoint").is_null())
    english = analysed.tables["deltas"].filter(pl.col("target_language") == "en", pl.col("checkpoint").is_null())
    of_english = dict(english.select("source_name", "delta_pp").iter_rows())
    expected = [
        by_source["colours/de"] - by_source["few-shot-3:colours/de"],
        of_english["colours/en"] - of_english["few-shot-3:colours/de"],
    ]
    assert own["mean_pp"].item() == pytest.approx(sum(expected) / 2)
    summary = analysed.tables["mixes_controls"]
    assert summary["source_name"].to_list() == ["few-shot-3:colours/de"] * 3


def test_answers_are_those_of_the_base_model_after_the_examples(finished: tuple[Path, StudyFolder, Analysed]) -> None:
    """The plain scorer reads every option of every prompt by itself."""
    file, folder, _ = finished
    prepared = prepare(*study_paths(file, None))
    (subject,) = prepared.grid.prompted
    model = find_model("llama", revision=None, folder=file.parent, built_in={})
    base, tokenizer = load_base(model, precision="fp32", device="cpu"), load_tokenizer(model)
    for target in prepared.grid.targets:
        items = [with_examples(one, prepared.examples[subject]) for one in prepared.cells[target].test]
        assert items[0].context.count("?") == 3 + prepared.cells[target].test[0].context.count("?")
        expected = score_options(
            base.network, encode_items(items, tokenizer, chat_template=False).items, max_length=256
        )
        found = read_answers(folder.items(subject), (target,))
        assert found["item_id"].to_list() == [item.id for item in items]
        for ours, theirs in zip(found["choice_logliks_nats"].to_list(), expected, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_lm_eval_gives_the_same_answers_after_the_same_examples(finished: tuple[Path, StudyFolder, Analysed]) -> None:
    pytest.importorskip("lm_eval")
    file, folder, _ = finished
    prepared = prepare(*study_paths(file, None))
    (subject,) = prepared.grid.prompted
    training = {one["id"]: one for one in map(json.loads, (file.parent / "colours-de-train.jsonl").open())}
    samples = [training[one.id] for one in prepared.examples[subject]]
    for target in prepared.grid.targets:
        documents = file.parent / f"colours-{target.language}-test.jsonl"
        config = {"samples": samples, "sampler": "first_n"}
        theirs = lm_eval_answers(file.parent / "llama", documents, num_fewshot=3, fewshot_config=config)
        ours = read_answers(folder.items(subject), (target,))
        expected = {one["doc"]["id"]: [float(option[0]) for option in one["filtered_resps"]] for one in theirs}
        for item_id, nats in ours.select("item_id", "choice_logliks_nats").iter_rows():
            assert nats == pytest.approx(expected[item_id], abs=1e-4)


def test_new_checkpoints_of_a_finished_study_leave_its_results_alone(tmp_path: Path, trainings: list[int]) -> None:
    without = {key: value for key, value in SMALL.items() if key != "checkpoints"}
    _, folder = run(make_study(tmp_path, **without))
    before = written(folder)
    progress, _ = run(make_study(tmp_path, **SMALL))
    after = written(folder)
    assert progress.done == progress.total == 8
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2 * 4
    assert trainings == [1, 1, 1, 1]


def test_checkpoints_that_are_not_kept_are_deleted_and_not_trained_again(tmp_path: Path, trainings: list[int]) -> None:
    file = make_study(tmp_path, **SMALL, keep_adapters="none")
    _, folder = run(file)
    assert not list(folder.root.rglob("adapter_model.safetensors"))
    run(file)
    assert trainings == [1, 1]


def test_a_training_that_diverges_fails_with_all_its_checkpoints(tmp_path: Path, trainings: list[int]) -> None:
    wild = {**RECIPE, "learning_rate": 1.0, "max_grad_norm": 1e30, "alpha": 1e30}
    progress, folder = run(make_study(tmp_path, **{**SMALL, "sources": ["colours/de", SHOTS]}, recipes={"wild": wild}))
    assert (progress.done, progress.failed, progress.total) == (2, 3, 5)
    assert trainings == [1]
    failures = read_failures(folder).values()
    assert {one.checkpoint for one in failures} == {None, 0.5, 1.0}
    assert {one.source for one in failures} == {"colours/de"}
    assert len({one.reason for one in failures}) == 1


def test_a_checkpoint_that_cannot_be_scored_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = study_session.StudySession.answers

    def answers(self: Any, targets: Any, adapter: Any, **options: Any) -> pl.DataFrame:
        if adapter is not None and adapter.name.endswith("-e0.5"):
            raise RunFailure("no room for it")
        return original(self, targets, adapter, **options)

    monkeypatch.setattr(study_session.StudySession, "answers", answers)
    file = make_study(tmp_path, **SMALL)
    progress, folder = run(file)
    assert (progress.done, progress.failed, progress.left) == (6, 2, 0)
    failures = Watch(read_workplan(folder), folder).failures()
    assert [(one.source, one.checkpoint, one.reason) for one in failures] == [
        (source, 0.5, "no room for it") for source in ("colours/de", "colours/en")
    ]
    page = write_report(analyse_folder(folder, QUICK), folder).read_text()
    assert page.count("no room for it (after 0.5 epochs)") >= 2
    monkeypatch.undo()
    progress, _ = run(file, retry_failed=True)
    assert (progress.done, progress.failed) == (8, 0)


def test_other_examples_are_new_work_and_the_rest_stays(tmp_path: Path) -> None:
    file = make_study(tmp_path, **SMALL)
    _, folder = run(file)
    before = written(folder)
    documents = tmp_path / "colours-de-train.jsonl"
    plan = make_workplan(prepare(*study_paths(file, None)))
    (shown,) = prepare(*study_paths(file, None)).examples.values()
    lines = documents.read_text().splitlines()
    changed = [line.replace("?", "??") if json.loads(line)["id"] == shown[0].id else line for line in lines]
    documents.write_text("\n".join(changed) + "\n")
    after = make_workplan(prepare(*study_paths(file, None)))
    assert after.example_keys.keys() == plan.example_keys.keys()
    assert after.example_keys != plan.example_keys
    run(make_study(tmp_path, **{**SMALL, "sources": [*SMALL["sources"], {**SHOTS, "shots": 4}]}))
    assert {name: one for name, one in written(folder).items() if name in before} == before
    assert {name for name in written(folder) if name not in before} == {
        "items/llama/few-shot-4+colours@de--seed17.parquet"
    }


def test_every_seed_draws_its_own_examples(tmp_path: Path) -> None:
    prepared = prepare(*study_paths(make_study(tmp_path, **{**SMALL, "train_seeds": [17, 42]}), None))
    drawn = [tuple(one.id for one in prepared.examples[subject]) for subject in prepared.grid.prompted]
    assert [subject.draw_seed for subject in prepared.grid.prompted] == [17, 42]
    assert len(set(drawn)) == 2


def test_prompts_too_long_for_the_model_are_counted_and_listed(tmp_path: Path) -> None:
    """The model reads 256 tokens, and twenty examples may be more than that."""
    notes: list[str] = []
    limits = {"train_items": 20, "test_items": 8}
    changes = {**SMALL, "sources": ["colours/de", {**SHOTS, "shots": 20}], "limits": limits}
    path, folder = study_paths(make_study(tmp_path, **changes), None)
    run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1), on_note=notes.append)
    prepared = prepare(path, folder)
    (subject,) = prepared.grid.prompted
    tokenizer = load_tokenizer(prepared.models["llama"])
    expected = {}
    for target in prepared.grid.targets:
        items = [with_examples(one, prepared.examples[subject]) for one in prepared.cells[target].test]
        encoded = encode_items(items, tokenizer, chat_template=False).items
        lengths = ((one.item.id, len(one.context) + max(map(len, one.continuations))) for one in encoded)
        expected[str(target)] = [[item_id, length - 257] for item_id, length in lengths if length > 257]
    (told,) = read_manifests(folder)[-1]["few_shot"]
    assert told["examples"] == [one.id for one in prepared.examples[subject]]
    assert told["cut"] == {target: cut for target, cut in expected.items() if cut}
    n_cut = sum(map(len, expected.values()))
    assert n_cut > 0
    said = f"few-shot-20:colours/de (seed 17): {n_cut} of 24 prompts are too long"
    assert any(said in note for note in notes)
    assert any(said in note for note in estimate(path, folder, device=None, jobs=1).notes)


def test_too_few_examples_and_checkpoints_too_late_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tiny.yaml: sources: few-shot-25:colours/de: 25 solved .* there are only 24"):
        grid_of(make_study(tmp_path, **{**SMALL, "sources": [{**SHOTS, "shots": 25}]}))
    with pytest.raises(InputError, match=r"checkpoints\[0\]: 2.5 epochs, but recipe 'tiny' ends after 2"):
        grid_of(make_study(tmp_path, checkpoints=[2.5]))


def test_the_plan_counts_a_training_once_and_every_subject_that_is_scored(tmp_path: Path) -> None:
    costs = {}
    for name, changes in {"with": SMALL, "without": {**SMALL, "checkpoints": []}}.items():
        (costs[name],) = estimate(*study_paths(make_study(tmp_path, **changes), None), device=None, jobs=1).models
    assert costs["with"].train_tokens == costs["without"].train_tokens
    assert (costs["with"].n_adapters, costs["without"].n_adapters) == (6, 2)
    assert costs["with"].n_prompted == costs["without"].n_prompted == 1
    assert costs["with"].adapter_bytes == 3 * costs["without"].adapter_bytes
    added = costs["with"].score_tokens - costs["without"].score_tokens
    assert added > 0
    assert added % 4 == 0
    assert costs["without"].score_tokens > added // 4 * 4


def test_a_shard_has_whole_trainings(tmp_path: Path) -> None:
    subjects = grid_of(make_study(tmp_path, **SMALL)).subjects
    shards = [subjects_of_shard(subjects, (number, 3)) for number in (1, 2, 3)]
    of_shard = [{one.course for one in shard if isinstance(one, Run)} for shard in shards]
    assert sum(map(len, of_shard)) == len(set.union(*of_shard)) == 2
    assert sum(isinstance(one, Prompted) for shard in shards for one in shard) == 1
    assert sum(map(len, shards)) == 8 + 2


def test_a_study_of_examples_alone_is_analysed(tmp_path: Path) -> None:
    progress, folder = run(make_study(tmp_path, **{**SMALL, "sources": [SHOTS]}))
    assert progress.done == progress.total == 2
    assert analyse_folder(folder, QUICK).tables["mixes_controls"]["source_name"].to_list() == ["few-shot-3:colours/de"]


def test_a_run_is_named_with_its_checkpoint(tmp_path: Path) -> None:
    grid = grid_of(make_study(tmp_path, **SMALL))
    assert find_run(grid, RunSelection(source="colours/de")).checkpoint is None
    assert find_run(grid, RunSelection(source="colours/de", checkpoint=0.5)).checkpoint == 0.5
    with pytest.raises(InputError, match="no run with checkpoint '2'; there are"):
        find_run(grid, RunSelection(source="colours/de", checkpoint=2))
    with pytest.raises(InputError, match="source 'few-shot-3:colours/de': nothing is trained for it"):
        find_run(grid, RunSelection(source="few-shot-3:colours/de"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes], int]:
    root = tmp_path_factory.mktemp("resumed")
    file = make_study(root, **SMALL)
    start(file, root / "undisturbed", count=root / "calls").join()
    return file, table_bytes(root / "undisturbed"), int((root / "calls").read_text())


@pytest.mark.parametrize("number", range(8))
def test_killed_at_a_random_moment_and_resumed_it_gives_the_same_tables(
    undisturbed: tuple[Path, dict[str, bytes], int], tmp_path: Path, number: int
) -> None:
    file, expected, n_calls = undisturbed
    process = start(file, tmp_path, die_at=random.Random(100 + number).randrange(n_calls))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    before = written(StudyFolder(tmp_path))
    run_here(file, tmp_path)
    assert table_bytes(tmp_path) == expected
    after = written(StudyFolder(tmp_path))
    assert {name: after[name] for name in before} == before
    assert not [*tmp_path.rglob(".unfinished-*"), *tmp_path.glob("claims/*")]


def test_two_processes_share_it_and_train_nothing_twice(
    undisturbed: tuple[Path, dict[str, bytes], int], tmp_path: Path
) -> None:
    file, expected, _ = undisturbed
    notes = [tmp_path / f"notes-{number}" for number in range(2)]
    for process in [start_noted(file, tmp_path / "shared", path) for path in notes]:
        process.join()
        assert process.exitcode == 0
    done = sorted(line.split()[0] for path in notes for line in path.read_text().splitlines())
    assert done == ["score"] * 8 + ["train"] * 2
    assert table_bytes(tmp_path / "shared") == expected
