"""Adapters at several strengths, as subjects of a whole small study: W0 + strength (W' - W0), without new training."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Baseline, Run
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base, load_tokenizer
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.pipeline.analyse.tables import analyse_folder, study_deltas
from donorgrid.pipeline.exchange.export_run import export_run_adapter
from donorgrid.pipeline.exchange.export_scaled import Scaling
from donorgrid.pipeline.exchange.select_run import RunSelection, find_run
from donorgrid.pipeline.planning.study_cost import estimate
from donorgrid.pipeline.prepare.study import prepare, study_paths
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.pipeline.prepare.work_keys import make_workplan
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress, Watch
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.pipeline.session import study_session, training
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.store.answers import read_answers
from running import QUICK
from worlds import RECIPE, make_study

WHOLE = {"method": "full", "epochs": 2, "learning_rate": 0.002, "precision": "fp32"}
SMALL: dict[str, Any] = {
    "sources": ["colours/de", "colours/en"],
    "strengths": [0, 0.5, 1, 1.5],
    "recipes": {"tiny": RECIPE},
    "limits": {"train_items": 12, "test_items": 8},
}
WITHOUT = {key: value for key, value in SMALL.items() if key != "strengths"}


def run(file: Path, **options: Any) -> tuple[Progress, StudyFolder]:
    path, folder = study_paths(file, None)
    return run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1, **options)), folder


def nats(folder: StudyFolder, subject: Run | Baseline) -> list[list[float]]:
    return read_answers(folder.items(subject))["choice_logliks_nats"].to_list()


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
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyFolder]:
    file = make_study(tmp_path_factory.mktemp("study"), **SMALL)
    progress, folder = run(file)
    assert (progress.done, progress.failed, progress.total) == (1 + 2 * 4, 0, 9)
    return file, folder


def test_strength_0_is_the_base_and_the_others_lie_on_a_line(finished: tuple[Path, StudyFolder]) -> None:
    file, folder = finished
    trained, at_0, half, more = prepare(*study_paths(file, None)).grid.runs[:4]
    assert [one.strength for one in (trained, at_0, half, more)] == [None, 0.0, 0.5, 1.5]
    base = nats(folder, Baseline(model="llama"))
    assert nats(folder, at_0) == base
    assert all(nats(folder, one) != base for one in (trained, half, more))
    assert len({str(nats(folder, one)) for one in (trained, half, more)}) == 3


@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_answers_are_those_of_peft_with_its_factor_b_scaled(
    finished: tuple[Path, StudyFolder], strength: float
) -> None:
    """The plain scorer reads every option by itself, in PEFT's own modules."""
    file, folder = finished
    prepared = prepare(*study_paths(file, None))
    subject = next(one for one in prepared.grid.runs if one.strength == strength)
    model = find_model("llama", revision=None, folder=file.parent, built_in={})
    base, tokenizer = load_base(model, precision="fp32", device="cpu"), load_tokenizer(model)
    with quiet_deprecations():
        adapted = PeftModel.from_pretrained(base.network, folder.adapter(subject))
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.mul_(strength)
    for target in prepared.grid.targets:
        items = encode_items(prepared.cells[target].test, tokenizer, chat_template=False).items
        expected = score_options(adapted.base_model.model, items, max_length=256)
        for ours, theirs in zip(
            read_answers(folder.items(subject), (target,))["choice_logliks_nats"].to_list(), expected, strict=True
        ):
            assert ours == pytest.approx(theirs, abs=1e-5)


def test_one_adapter_serves_every_strength(finished: tuple[Path, StudyFolder]) -> None:
    _, folder = finished
    assert len(list(folder.root.glob("adapters/**/adapter_model.safetensors"))) == 2
    assert sorted(path.stem.rpartition("--")[2] for path in folder.root.glob("items/llama/colours@de*")) == [
        *("seed17", "seed17-strength0", "seed17-strength0.5", "seed17-strength1.5")
    ]


def test_tables_have_an_arm_for_each_strength(finished: tuple[Path, StudyFolder]) -> None:
    _, folder = finished
    analysed = analyse_folder(folder, QUICK)
    assert analysed.n_cells_done == analysed.n_cells_planned == 2 * 4 * 3
    arms = analysed.tables["regimes"].select("recipe", "checkpoint", "strength").unique(maintain_order=True).rows()
    assert arms == [("tiny", None, 1.0), ("tiny", None, 0.0), ("tiny", None, 0.5), ("tiny", None, 1.5)]
    deltas = analysed.tables["deltas"].group_by("strength").agg(pl.len(), pl.col("delta_pp").abs().sum())
    assert deltas.sort("strength")["len"].to_list() == [6] * 4
    assert deltas.filter(pl.col("strength") == 0)["delta_pp"].to_list() == [0.0]


def test_strengths_of_a_finished_study_train_nothing_and_leave_its_results_alone(
    tmp_path: Path, trainings: list[int]
) -> None:
    _, folder = run(make_study(tmp_path, **WITHOUT))
    kept = {
        path: path.stat().st_mtime_ns for path in folder.root.rglob("*") if path.suffix in (".parquet", ".safetensors")
    }
    assert len(kept) == 3 + 2
    progress, _ = run(make_study(tmp_path, **SMALL))
    assert (progress.done, progress.failed, trainings) == (9, 0, [1, 1])
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_keys_of_a_study_do_not_change_with_its_strengths(tmp_path: Path) -> None:
    plans = [make_workplan(prepare(*study_paths(make_study(tmp_path, **keys), None))) for keys in (WITHOUT, SMALL)]
    without, with_strengths = plans
    assert without.training_keys == with_strengths.training_keys
    target = without.grid.targets[0]
    for subject in without.grid.subjects:
        assert with_strengths.scoring_key(subject, target, "x") == without.scoring_key(subject, target, "x")
        assert with_strengths.failure_key(subject) == without.failure_key(subject)
    runs = [one for one in with_strengths.grid.runs if one.course == with_strengths.grid.runs[0]]
    assert len({with_strengths.scoring_key(one, target, "x") for one in runs}) == len(runs) == 4
    assert len({with_strengths.claim_key(one) for one in runs}) == 1


def test_checkpoints_have_strengths_too_and_nothing_is_kept_or_trained_twice(
    tmp_path: Path, trainings: list[int]
) -> None:
    changes = {**SMALL, "sources": ["colours/de"], "checkpoints": [1], "strengths": [0.5], "keep_adapters": "none"}
    file = make_study(tmp_path, **changes)
    progress, folder = run(file)
    assert (progress.done, progress.total, trainings) == (1 + 2 * 2, 5, [1])
    assert not list(folder.root.rglob("adapter_model.safetensors"))
    assert run(file)[0].done == 5
    assert trainings == [1]


def test_a_training_that_diverges_fails_at_every_strength(tmp_path: Path) -> None:
    wild = {**RECIPE, "learning_rate": 1.0, "max_grad_norm": 1e30, "alpha": 1e30}
    progress, folder = run(make_study(tmp_path, **{**SMALL, "sources": ["colours/de"], "recipes": {"wild": wild}}))
    assert (progress.done, progress.failed, progress.total) == (1, 4, 5)
    failures = Watch(read_workplan(folder), folder).failures()
    assert {one.strength for one in failures} == {None, 0.0, 0.5, 1.5}


def test_a_strength_that_cannot_be_scored_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = study_session.StudySession.answers

    def answers(self: Any, targets: Any, adapter: Any, **options: Any) -> pl.DataFrame:
        if options["strength"] == 0.5:
            raise RunFailure("no room for it")
        return original(self, targets, adapter, **options)

    monkeypatch.setattr(study_session.StudySession, "answers", answers)
    progress, folder = run(make_study(tmp_path, **{**SMALL, "sources": ["colours/de"]}))
    assert (progress.done, progress.failed) == (4, 1)
    (failure,) = Watch(read_workplan(folder), folder).failures()
    assert (failure.strength, failure.reason) == (0.5, "no room for it")


@pytest.mark.parametrize("method", ["dora", "full"])
def test_other_methods_lie_between_the_base_and_what_was_trained(tmp_path: Path, method: str) -> None:
    recipes = {"dora": {**RECIPE, "method": "dora"}, "full": WHOLE}
    changes = {**SMALL, "sources": ["colours/de"], "strengths": [0.5], "recipes": {method: recipes[method]}}
    file = make_study(tmp_path, **changes)
    _, folder = run(file)
    prepared = prepare(*study_paths(file, None))
    trained, half = prepared.grid.runs
    model = find_model("llama", revision=None, folder=file.parent, built_in={})
    base, tokenizer = load_base(model, precision="fp32", device="cpu"), load_tokenizer(model)
    if method == "full":
        theirs = load_file(folder.adapter(trained) / "model.safetensors")
    else:
        fresh = load_base(model, precision="fp32", device="cpu").network
        with quiet_deprecations():
            merged = PeftModel.from_pretrained(fresh, folder.adapter(trained)).merge_and_unload()
        theirs = dict(merged.state_dict())
    with torch.no_grad():
        for name, weight in base.network.named_parameters():
            weight.copy_((weight + theirs.get(name, weight)) / 2)
    target = prepared.grid.targets[0]
    items = encode_items(prepared.cells[target].test, tokenizer, chat_template=False).items
    expected = score_options(base.network, items, max_length=256)
    ours = read_answers(folder.items(half), (target,))["choice_logliks_nats"].to_list()
    assert ours == [pytest.approx(one, abs=1e-4) for one in expected]
    assert nats(folder, half) not in (nats(folder, trained), nats(folder, Baseline(model="llama")))


def test_the_plan_counts_strengths_as_scorings_alone(tmp_path: Path) -> None:
    costs = [estimate(*study_paths(make_study(tmp_path, **one), None), device=None, jobs=1) for one in (SMALL, WITHOUT)]
    (with_strengths,), (without,) = (cost.models for cost in costs)
    assert (with_strengths.n_trainings, with_strengths.n_adapters, without.n_adapters) == (2, 8, 2)
    assert with_strengths.train_tokens == without.train_tokens
    assert with_strengths.adapter_bytes == without.adapter_bytes
    assert with_strengths.score_tokens == without.score_tokens * 9 // 3


@pytest.mark.parametrize(
    ("strengths", "said"), [([2], "1.5"), ([-0.5], "0"), ([0.5, 0.5], "twice"), (["much"], "number")]
)
def test_strengths_out_of_range_are_one_line(tmp_path: Path, strengths: list[Any], said: str) -> None:
    with pytest.raises(InputError, match=rf"strengths.*{said}") as caught:
        prepare(*study_paths(make_study(tmp_path, strengths=strengths), None))
    assert "\n" not in str(caught.value)


def test_a_strength_is_exported_as_peft_opens_it_with_its_profile(
    finished: tuple[Path, StudyFolder], tmp_path: Path
) -> None:
    file, folder = finished
    selection = RunSelection(source="colours/de", strength=0.5)
    export_run_adapter(file, selection, tmp_path / "half")
    run_at = find_run(prepare(*study_paths(file, None)).grid, selection)
    original, scaled = (
        load_file(path / "adapter_model.safetensors") for path in (folder.adapter(run_at), tmp_path / "half")
    )
    assert all(torch.equal(scaled[key], value * (0.5 if "lora_B" in key else 1)) for key, value in original.items())
    card = (tmp_path / "half" / "README.md").read_text()
    assert "not exported as it was trained, but at strength 0.5: a LoRA adapter whose factors B are multiplied" in card
    row = study_deltas(folder)["deltas"].filter(
        pl.col("strength") == 0.5, pl.col("source_name") == "colours/de", pl.col("target_language") == "it"
    )
    assert (
        f"| colours | it | {100 * row['score_norm_base'].item():.1f}% | {100 * row['score_norm'].item():.1f}% |" in card
    )
    assert (
        find_run(prepare(*study_paths(file, None)).grid, RunSelection(source="colours/de", strength=1)).strength is None
    )
    with pytest.raises(InputError, match=r"no run with strength '0.3'; there are \['0', '0.5', '1.5'\]"):
        export_run_adapter(file, RunSelection(source="colours/de", strength=0.3), tmp_path / "none")


@pytest.mark.parametrize(
    ("scaling", "said"),
    [
        ({"strength": 2.0}, "--strength 2: expected a number from 0 to 1.5"),
        ({"strength": 0.5, "form": "zip"}, "--as 'zip': allowed are adapter, merged, low-rank"),
        ({"strength": 0.5, "rank": 4}, "--rank 4: expected 1 or more, and with --as low-rank alone"),
    ],
)
def test_a_scaling_out_of_range_is_one_line(scaling: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Scaling(**scaling)
