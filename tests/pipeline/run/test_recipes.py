"""Recipes side by side in one study: LoRA, DoRA and full fine-tuning, from the training to the tables and out again."""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from donorgrid.core.errors import InputError, StoreError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Baseline, Run
from donorgrid.models.fast_cpu.bf16_products import bf16_kernel
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.pipeline.check.subjects import find_base, find_subjects
from donorgrid.pipeline.exchange.export_run import export_run_adapter
from donorgrid.pipeline.exchange.select_run import RunSelection
from donorgrid.pipeline.planning.study_cost import estimate
from donorgrid.pipeline.prepare.manifest import manifest_of
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import Prepared, prepare
from donorgrid.pipeline.prepare.work_keys import make_workplan
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.pipeline.session.study_session import StudySession
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.store.adapters import read_stamp
from donorgrid.store.answers import read_answers
from donorgrid.train.batches import Texts
from donorgrid.train.losses import Losses
from donorgrid.train.network_parameters import NetworkParameters
from donorgrid.train.trainable import Trainable
from running import QUICK
from worlds import RECIPE, make_study

WHOLE = {"method": "full", "epochs": 2, "learning_rate": 0.002, "precision": "fp32"}
RECIPES = {"lora": RECIPE, "dora": {**RECIPE, "method": "dora"}, "full": WHOLE}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    root = tmp_path_factory.mktemp("recipes")
    file = make_study(root, recipes=RECIPES, sources=["colours/de"], targets=["colours/de", "colours/it"])
    folder = StudyFolder(root / "tiny")
    progress = run_study(file, folder.root, options=RunOptions(device="cpu", jobs=1))
    assert (progress.done, progress.failed, progress.total) == (4, 0, 4)
    return prepare(file, folder)


def run_of(prepared: Prepared, recipe: str) -> Run:
    return next(run for run in prepared.grid.runs if run.recipe.name == recipe)


def test_tables_tell_the_recipes_apart(done: Prepared) -> None:
    tables = analyse_folder(done.folder, QUICK).tables
    for name in ("deltas", "regimes"):
        assert tables[name]["recipe"].unique().sort().to_list() == ["dora", "full", "lora"]
    logliks = {
        recipe: read_answers(done.folder.items(run_of(done, recipe)))["choice_logliks_nats"].explode()
        for recipe in RECIPES
    }
    assert (logliks["lora"] - logliks["dora"]).abs().max() > 1e-3
    assert (logliks["lora"] - logliks["full"]).abs().max() > 1e-3


def test_full_checkpoint_on_disk_gives_the_answers_of_the_study(done: Prepared) -> None:
    run = run_of(done, "full")
    network = AutoModelForCausalLM.from_pretrained(done.folder.adapter(run), dtype=torch.float32).eval()
    answers = read_answers(done.folder.items(run)).filter(pl.col("target_language") == "it")
    cell = next(cell for cell in done.grid.targets if cell.language == "it")
    tokenizer = AutoTokenizer.from_pretrained(done.folder.adapter(run))
    items = encode_items(done.cells[cell].test, tokenizer, chat_template=False).items
    theirs = [nats for item in score_options(network, items, max_length=256) for nats in item]
    assert answers["choice_logliks_nats"].explode().to_list() == pytest.approx(theirs, abs=1e-4)


def test_order_of_the_recipes_changes_no_answer(done: Prepared, tmp_path: Path) -> None:
    """What a full fine-tuning or a DoRA adapter did to the base in memory is gone for the next one."""
    backwards = dict(reversed(RECIPES.items()))
    file = make_study(tmp_path, recipes=backwards, sources=["colours/de"], targets=["colours/de", "colours/it"])
    folder = StudyFolder(tmp_path / "tiny")
    run_study(file, folder.root, options=RunOptions(device="cpu", jobs=1))
    for subject in (Baseline(model="llama"), *(run_of(done, recipe) for recipe in RECIPES)):
        assert read_answers(folder.items(subject)).equals(read_answers(done.folder.items(subject)))


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors", "donorgrid.json"])
def test_damaged_checkpoint_is_never_used(done: Prepared, tmp_path: Path, damage: str) -> None:
    whole = done.folder.adapter(run_of(done, "full"))
    copy = shutil.copytree(whole, tmp_path / "copy")
    assert read_stamp(copy) == read_stamp(whole)
    (copy / damage).write_text("{}")
    with pytest.raises(StoreError, match="run again"):
        read_stamp(copy)


def test_without_an_epoch_that_counts_it_is_a_failure_and_the_others_go_on(
    done: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_is_finite(losses: Losses, stack: Trainable, texts_of: Sequence[Texts]) -> list[float | None]:
        found = means(losses, stack, texts_of)
        return [math.nan for _ in found] if isinstance(stack, NetworkParameters) else found

    means = Losses.means
    monkeypatch.setattr(Losses, "means", none_is_finite)
    recipes = {"full": WHOLE, "dora": RECIPES["dora"], "lora": RECIPE}
    file = make_study(tmp_path, recipes=recipes, sources=["colours/de"], targets=["colours/de", "colours/it"])
    folder = StudyFolder(tmp_path / "tiny")
    progress = run_study(file, folder.root, options=RunOptions(device="cpu", jobs=1))
    assert (progress.done, progress.failed, progress.total) == (2, 2, 4)
    assert "training diverged in epoch 1" in "".join(path.read_text() for path in folder.process_files("failures"))
    lora = run_of(done, "lora")
    assert read_answers(folder.items(lora)).equals(read_answers(done.folder.items(lora)))


def test_full_run_is_exported_as_a_checkpoint(done: Prepared, tmp_path: Path) -> None:
    wanted = RunSelection(source="colours/de", recipe="full")
    out = export_run_adapter(done.folder.root, wanted, tmp_path / "out")
    assert (out / "model.safetensors").read_bytes() == (
        done.folder.adapter(run_of(done, "full")) / "model.safetensors"
    ).read_bytes()
    assert "A whole checkpoint: all weights of `llama`" in (out / "README.md").read_text()


def test_plan_counts_what_each_recipe_keeps_on_disk(done: Prepared) -> None:
    cost = estimate(done.folder.study_file, done.folder, device=None, jobs=1)
    kept = sum(file.stat().st_size for run in done.grid.runs for file in done.folder.adapter(run).glob("*.safetensors"))
    assert cost.models[0].adapter_bytes == pytest.approx(kept, rel=0.15)  # headers count too, in files so small


@pytest.mark.parametrize("jobs", [1, 2])
def test_weights_in_four_bit_without_a_gpu_are_one_line_before_any_work(tmp_path: Path, jobs: int) -> None:
    file = make_study(tmp_path, models=[{"id": "llama", "weights": "4bit"}])
    folder = StudyFolder(tmp_path / "tiny")
    with pytest.raises(InputError, match="weights '4bit': they are computed on a CUDA device"):
        run_study(file, folder.root, options=RunOptions(device="cpu", jobs=jobs))
    assert not (folder.root / "items").exists()


def test_weights_in_four_bit_are_other_work(tmp_path: Path) -> None:
    plans = []
    for weights in ("own", "4bit"):
        file = make_study(tmp_path / weights, models=[{"id": "llama", "weights": weights}])
        prepared = prepare(file, StudyFolder(tmp_path / weights / "tiny"))
        plans.append(make_workplan(prepared))
        manifest = manifest_of(prepared, device="cuda", jobs=1, tokens={}, few_shot=[], notes=[])
        active = {"own": "merged", "4bit": "unmerged"}[weights]
        assert (manifest["models"]["llama"]["kept_as"], manifest["models"]["llama"]["adapters_are"]) == (
            weights,
            active,
        )
        assert any("4 bit" in note for note in notes_of(prepared)) == (weights == "4bit")
    one, other = plans
    assert not set(one.training_keys.values()) & set(other.training_keys.values())
    assert not set(one.conditions["llama"].values()) & set(other.conditions["llama"].values())


def test_the_manifest_names_what_computes_bf16(tmp_path: Path) -> None:
    kernels = {}
    for precision in ("fp32", "bf16"):
        file = make_study(tmp_path / precision, scoring={"precision": precision})
        prepared = prepare(file, StudyFolder(tmp_path / precision / "tiny"))
        for device in ("cpu", "cuda"):
            manifest = manifest_of(prepared, device=device, jobs=1, tokens={}, few_shot=[], notes=[])
            kernels[precision, device] = manifest["machine"].get("bf16_kernel")
    assert kernels == {**dict.fromkeys(kernels, None), ("bf16", "cpu"): bf16_kernel()}


def test_check_takes_a_full_checkpoint_for_a_model_with_the_tokenizer_of_its_base(done: Prepared) -> None:
    base = find_base(str(done.models["llama"].path), folder=Path())
    (subject,) = find_subjects([str(done.folder.adapter(run_of(done, "full")))], base, folder=Path())
    assert subject.adapter is None
    assert not subject.is_the_same_as(base)
    assert subject.folder.tokenizer_digest == base.folder.tokenizer_digest


def test_several_at_once_are_asked_for_and_these_train_alone(done: Prepared, tmp_path: Path) -> None:
    recipes = {name: RECIPES[name] for name in ("dora", "full")}
    file = make_study(tmp_path, recipes=recipes, sources=["colours/de", "colours/en"], targets=["colours/de"])
    folder = StudyFolder(tmp_path / "tiny")
    progress = run_study(file, folder.root, options=RunOptions(device="cpu", jobs=1, together=4))
    assert (progress.done, progress.failed) == (5, 0)
    session = StudySession(done, "llama", device="cpu")
    assert [session.training.best_group_size(run_of(done, name), n_texts=8) for name in recipes] == [1, 1]
