"""A whole small study on real checkpoints: run, resume, change, analyse."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
import torch
import yaml
from safetensors.torch import load_file

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.analyse.table_files import write_tables
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.pipeline.planning.study_cost import estimate
from donorgrid.pipeline.prepare.study import study_folder, study_paths
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress
from donorgrid.pipeline.run.run_study import run_study
from running import QUICK
from worlds import RECIPE, make_checkpoint, make_study


def run(file: Path) -> tuple[Progress, StudyFolder]:
    path, folder = study_paths(file, None)
    return run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1)), folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


def test_every_source_answers_every_target(tmp_path: Path) -> None:
    progress, folder = run(make_study(tmp_path))
    assert (progress.done, progress.failed, progress.total) == (4, 0, 4)
    analysed = analyse_folder(folder)
    assert analysed.n_cells_done == analysed.n_cells_planned == 9
    assert analysed.tables["regimes"].height > 0


def test_a_second_run_does_nothing_and_the_tables_are_the_same_bytes(tmp_path: Path) -> None:
    file = make_study(tmp_path)
    _, folder = run(file)
    before = contents(folder.root / "items")
    write_tables(analyse_folder(folder).tables, tmp_path / "first")
    run(file)
    assert contents(folder.root / "items") == before
    write_tables(analyse_folder(folder).tables, tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_a_changed_recipe_is_new_work_and_the_old_stays(tmp_path: Path) -> None:
    _, folder = run(make_study(tmp_path))
    before = contents(folder.root / "items")
    progress, _ = run(make_study(tmp_path, recipes={"tiny": {**RECIPE, "rank": 2}}))
    assert progress.done == 4
    after = contents(folder.root / "items")
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 3


def test_a_diverged_run_is_a_recorded_failure_and_the_others_go_on(tmp_path: Path) -> None:
    recipes = {"tiny": RECIPE, "wild": {**RECIPE, "learning_rate": 1.0, "max_grad_norm": 1e30, "alpha": 1e30}}
    progress, folder = run(make_study(tmp_path, recipes=recipes))
    assert (progress.done, progress.failed, progress.total) == (4, 3, 7)
    assert analyse_folder(folder).n_cells_done == 9


@pytest.mark.parametrize("keep", ["none", ["colours/de"]])
def test_adapters_that_are_not_kept_are_deleted_and_not_trained_again(tmp_path: Path, keep: object) -> None:
    file = make_study(tmp_path, keep_adapters=keep)
    _, folder = run(file)
    kept = list((folder.root / "adapters").rglob("adapter_model.safetensors"))
    assert len(kept) == (0 if keep == "none" else 1)
    before = contents(folder.root / "items")
    run(file)
    assert contents(folder.root / "items") == before


def test_three_architectures_in_one_study(tmp_path: Path) -> None:
    for kind in ("qwen2", "gemma3"):
        make_checkpoint(kind, tmp_path / kind)
    models = ["llama", "./qwen2", {"id": str(tmp_path / "gemma3"), "family": "Gemma 3", "size_b": 0.1}]
    progress, folder = run(make_study(tmp_path, models=models, limits={"train_items": 12, "test_items": 8}))
    assert (progress.done, progress.failed) == (12, 0)
    deltas = analyse_folder(folder, QUICK).tables["deltas"]
    assert sorted(deltas["model"].unique()) == ["gemma3", "llama", "qwen2"]
    assert deltas.height == 27


def test_a_study_folder_may_be_moved_with_what_it_names(tmp_path: Path) -> None:
    _, folder = run(make_study(tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    moved = StudyFolder(tmp_path / "there" / folder.root.name)
    progress = run_study(moved.study_file, moved.root, options=RunOptions(device="cpu", jobs=1))
    assert (progress.done, progress.left) == (4, 0)


def test_a_plain_data_file_is_a_task(tmp_path: Path) -> None:
    rows = ["key,lang,split,text,a,b,gold"]
    for language in ("de", "en"):
        for split, count in (("train", 12), ("test", 6)):
            rows += [f"{split}{n},{language},{split},rot {n}?,blau,rot,{n % 2}" for n in range(count)]
    columns = {
        "id": "key",
        "language": "lang",
        "question": "text",
        "choices": ["a", "b"],
        "answer": "gold",
    }
    file = make_study(tmp_path, tasks=[{"task": "quiz.csv", "columns": columns}], languages=["de", "en"])
    (tmp_path / "quiz.csv").write_text("\n".join(rows) + "\n")
    progress, folder = run(file)
    assert (progress.done, progress.failed) == (3, 0)
    assert run(folder.study_file)[0].left == 0
    assert set(analyse_folder(folder, QUICK).tables["deltas"]["n_items"]) == {6}


def test_controls_and_rank_stabilised_lora_run_beside_plain_cells(tmp_path: Path) -> None:
    controls = [{"control": kind, "of": "colours/de"} for kind in ("shuffled", "content-free")]
    recipes = {"plain": RECIPE, "stable": {**RECIPE, "method": "rslora"}}
    limits = {"train_items": 12, "test_items": 8}
    file = make_study(tmp_path, sources=["colours/de", *controls], recipes=recipes, limits=limits)
    progress, folder = run(file)
    assert (progress.done, progress.failed, progress.total) == (7, 0, 7)
    tables = analyse_folder(folder, QUICK).tables
    assert set(tables["specific_regimes"]["control"]) >= {"shuffled", "content-free"}
    assert set(tables["deltas"]["recipe"]) == {"plain", "stable"}


def test_answers_may_be_generated(tmp_path: Path) -> None:
    file = make_study(tmp_path, tasks=["sums.yaml"], languages=["de", "en"], recipes={"tiny": {**RECIPE, "epochs": 6}})
    for split, count in (("train", 20), ("test", 4)):
        rows = [{"id": f"{split}{n}", "prompt": f"rot {n}", "reply": "blau"} for n in range(count)]
        for language in ("de", "en"):
            lines = [json.dumps(row) + "\n" for row in rows]
            (tmp_path / f"sums-{language}-{split}.jsonl").write_text("".join(lines))
    task = {
        "task": "sums",
        "languages": ["de", "en"],
        "output_type": "generate_until",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {split: f"sums-{{language}}-{split}.jsonl" for split in ("train", "test")}},
        "training_split": "train",
        "test_split": "test",
        "id_column": "id",
        "doc_to_text": "prompt",
        "doc_to_target": "reply",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 4},
        "filter_list": [{"name": "first", "filter": [{"function": "regex", "regex_pattern": r"(\w+)"}]}],
        "metric_list": [{"metric": "exact_match"}],
    }
    (tmp_path / "sums.yaml").write_text(yaml.safe_dump(task))
    progress, folder = run(file)
    assert (progress.done, progress.failed) == (3, 0)
    (own,) = folder.root.glob("items/llama/sums@de--*.parquet")
    texts = pl.read_parquet(own)
    assert texts["generated"].null_count() == 0
    assert texts["correct"].to_list() == [re.findall(r"\w+", text)[:1] == ["blau"] for text in texts["generated"]]
    assert texts["correct"].sum() > 0  # twenty times the same reply: it is learned
    deltas = analyse_folder(folder, QUICK).tables["deltas"]
    assert deltas.height == 4
    assert deltas["score_base"].to_list() == [0.0] * 4
    cost = estimate(file, folder, device="cpu", jobs=1)
    assert any("generated" in note for note in cost.notes)


def test_runs_trained_together_equal_runs_trained_alone_and_one_may_diverge(tmp_path: Path) -> None:
    wild = {**RECIPE, "learning_rate": 1.0, "max_grad_norm": 1e30, "alpha": 1e30}
    limits = {"train_items": 12, "test_items": 8}
    file = make_study(tmp_path, recipes={"tiny": RECIPE, "wild": wild}, limits=limits)
    alone, together = (StudyFolder(tmp_path / name) for name in ("alone", "together"))
    for folder, size in ((alone, None), (together, 2)):
        options = RunOptions(device="cpu", jobs=1, together=size)
        progress = run_study(file, folder.root, options=options)
        assert (progress.done, progress.failed) == (4, 3)
    for path in alone.root.glob("adapters/**/adapter_model.safetensors"):
        ours, theirs = (load_file(root / path.relative_to(alone.root)) for root in (alone.root, together.root))
        for name, weight in ours.items():
            torch.testing.assert_close(theirs[name], weight, rtol=1e-4, atol=1e-6)


def test_the_folder_in_which_no_study_was_run_is_named(tmp_path: Path) -> None:
    file = make_study(tmp_path)
    with pytest.raises(InputError, match=f"{file}: no study was run here"):
        study_folder(file)
    with pytest.raises(InputError, match=f"no study was run with --out {tmp_path / 'other'}"):
        study_folder(file, tmp_path / "other")
