"""What to measure next, with study files that ``run`` takes; comparators, specific parts, items that would decide."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from donorgrid.cli.app import app
from donorgrid.core.errors import InputError
from donorgrid.pipeline.advise.evidence_at_hand import evidence_of, make_wish
from donorgrid.pipeline.advise.folder import write_recommendation
from donorgrid.pipeline.advise.known_cells import read_cells
from donorgrid.pipeline.advise.limits_of_evidence import refuse_format_alone
from donorgrid.pipeline.advise.page import write_page
from donorgrid.pipeline.advise.recommend import recommend, recommend_from
from donorgrid.pipeline.advise.report_study import report_advice, report_study
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.plan.files import read_study

CELLS = [f"{task}/{language}" for task in ("ask", "read", "tell") for language in ("de", "en")]


def table(path: Path, *, models: tuple[str, ...], sources: tuple[str, ...] = tuple(CELLS), se_pp: float = 0.5) -> Path:
    """``read`` gives 4 pp to ``tell``; every other cell moves by less than half a pp."""
    rows = []
    for number, model in enumerate(models):
        for index, source in enumerate(sources):
            for other, target in enumerate(CELLS):
                effect = 4.0 if (source[:4], target[:4]) == ("read", "tell") else 0.0
                rows.append(
                    {
                        "model": model,
                        "recipe": "lora",
                        **dict(zip(("source_task", "source_language"), source.split("/"), strict=True)),
                        **dict(zip(("target_task", "target_language"), target.split("/"), strict=True)),
                        "delta_pp": effect + ((index * 7 + other * 5 + number * 3) % 11 - 5) / 12,
                        "se_pp": se_pp,
                        "n_items": 400,
                        "n_seeds": 1,
                    }
                )
    pl.DataFrame(rows).write_csv(path)
    return path


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("others") / "others.csv", models=("alpha-1b", "beta-2b", "gamma-3b"))


def ask(**changes: object) -> AdviceRequest:
    return AdviceRequest(**{"given": [], "wanted": {"tell/de": 1.0}, "n_draws": 800, **changes})  # type: ignore[arg-type]


def test_a_new_model_starts_with_a_source_of_every_task_in_a_study_that_run_takes(others: Path, tmp_path: Path) -> None:
    told = recommend(ask(knowledge=[others], model="org/delta-4b", guards=["ask/en"], n_next=3))
    assert sorted(step.measurement.task for step in told.next_steps) == ["ask", "read", "tell"]
    (written,) = write_recommendation(told, tmp_path)
    study = read_study(written.file)
    assert [model.id for model in study.models] == ["org/delta-4b"]
    assert [model.name for model in study.models] == ["delta-4b"]
    assert {f"{source.task}/{source.language}" for source in study.sources} == {  # type: ignore[union-attr]
        step.measurement.label for step in told.next_steps
    }
    assert {f"{target.task}/{target.language}" for target in study.targets} == {"tell/de", "ask/en"}  # type: ignore[union-attr]


def test_without_a_name_of_the_model_no_study_is_written(others: Path, tmp_path: Path) -> None:
    told = recommend(ask(knowledge=[others], n_next=1))
    assert write_recommendation(told, tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"advice.json", "options.csv"}


def test_a_target_that_the_adapters_were_not_scored_on_can_be_measured_next(others: Path, tmp_path: Path) -> None:
    few = table(tmp_path / "few.csv", models=("delta-4b",), sources=("read/en", "ask/en"))
    frame = pl.read_csv(few).filter(pl.concat_str("target_task", "target_language", separator="/") != "tell/de")
    frame.write_csv(few)
    told = recommend(ask(given=[few], knowledge=[others], n_next=20))
    (target,) = [step.measurement for step in told.next_steps if step.measurement.kind == "score a target"]
    assert target.label == "tell/de"
    assert target.cost < 2.0
    assert len(target.index) == 2


def test_a_budget_stops_where_measuring_is_not_worth_it(tmp_path: Path) -> None:
    """Everything was measured with next to no noise: nothing is left to learn."""
    full = table(tmp_path / "full.csv", models=("delta-4b",), se_pp=0.01)
    told = recommend(ask(given=[full], budget=5.0))
    assert all(step.improvement_pp >= 0.05 for step in told.next_steps)
    assert sum(step.measurement.cost for step in told.next_steps) <= 5.0
    assert "read/en" not in {step.measurement.label for step in told.next_steps}
    with pytest.raises(InputError, match="budget 0"):
        ask(given=[full], budget=0.0)


def test_not_training_is_always_compared_and_what_is_missing_is_named(others: Path) -> None:
    told = recommend(ask(knowledge=[others]))
    (nothing,) = [judged for judged in told.decision.ranked if judged.option.comparator == "no training"]
    assert (nothing.gain_pp, nothing.gain_low_pp, nothing.gain_high_pp) == (0.0, 0.0, 0.0)
    assert [name.split(":")[0] for name in told.missing] == ["few-shot prompt"]


def test_the_specific_part_is_what_goes_beyond_controls_and_other_sources(tmp_path: Path) -> None:
    """A content-free control gives 3 of the 4 pp."""
    full = table(tmp_path / "full.csv", models=("delta-4b",), se_pp=0.1)
    frame = pl.read_csv(full).with_columns(
        source_kind=pl.lit("cell"),
        source_name=pl.concat_str("source_task", "source_language", separator="/"),
        control=pl.lit(None, dtype=pl.String),
    )
    control = frame.filter(pl.col("source_name") == "read/de").with_columns(
        source_kind=pl.lit("control"),
        source_name=pl.lit("content-free:read/de"),
        control=pl.lit("content-free"),
        delta_pp=pl.lit(3.0),
    )
    pl.concat([frame, control]).write_csv(full)
    told = recommend(ask(given=[full]))
    best = next(judged for judged in told.decision.ranked if judged.option.name == "read/en")
    parts = {part.against: part.gain_pp for part in best.specific}
    assert parts["content-free adapters"] == pytest.approx(best.gain_pp - 3.0, abs=0.1)
    singles = [judged.gain_pp for judged in told.decision.ranked if len(judged.option.cells) == 1]
    others = (sum(singles) - best.gain_pp) / (len(singles) - 1)
    assert parts["the mean of the other sources"] == pytest.approx(best.gain_pp - others, abs=1e-6)


def test_items_that_would_decide_are_told_where_those_at_hand_cannot(tmp_path: Path) -> None:
    noisy = table(tmp_path / "noisy.csv", models=("delta-4b",), se_pp=3.0)
    told = recommend(ask(given=[noisy], guards=["ask/en"]))
    assert told.decision.action != "train"
    assert told.items is not None
    assert told.items.n_items == 400
    assert told.items.needed is not None
    assert told.items.needed > 800
    assert "Even a perfect measurement with 400 items" in told.advice.to_decide


def test_languages_are_known_by_any_of_their_codes(others: Path) -> None:
    told = recommend(ask(knowledge=[others], wanted={"tell/deu_Latn": 1.0}, guards=["ask/eng"]))
    assert [str(cell) for cell in told.wish.targets] == ["tell/de", "ask/en"]


def test_a_misspelt_task_gets_a_note(others: Path) -> None:
    told = recommend(ask(knowledge=[others], wanted={"tel/de": 1.0}))
    assert any("did you mean 'tell'?" in note for note in told.notes)
    assert "tel/de was measured on no model" in told.advice.untested


def test_knowledge_that_shares_nothing_says_so(others: Path, tmp_path: Path) -> None:
    alien = table(tmp_path / "full.csv", models=("delta-4b",))
    pl.read_csv(alien).with_columns(
        *(pl.lit("sing").alias(f"{end}_task") for end in ("source", "target")),
        *(pl.col(f"{end}_language").replace({"de": "hi", "en": "bn"}) for end in ("source", "target")),
    ).unique(["source_language", "target_language"], maintain_order=True).write_csv(alien)
    told = recommend(ask(given=[alien], knowledge=[others], wanted={"sing/hi": 1.0}))
    assert "no task and no language in common" in told.advice.untested


def test_the_page_shows_the_sentence_the_line_and_the_cost(others: Path, tmp_path: Path) -> None:
    told = recommend(ask(knowledge=[others], model="org/delta-4b", guards=["ask/en"], n_next=2))
    page = write_page(told, tmp_path).read_text(encoding="utf-8")
    assert "What to train on" in page
    assert "limit 10.0%" in page
    assert "What to measure next, and what it would cost" in page
    assert page.count('<circle class="point') == len(told.decision.ranked)
    assert (
        write_page(replace(told, next_steps=()), tmp_path).read_text(encoding="utf-8").count("what it would cost") == 0
    )


def test_the_command_writes_a_folder_and_prints_the_next_command(
    others: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["recommend", "--knowledge", str(others), "--model", "org/delta-4b", "--for", "tell/de", "--next", "1"]
    told = CliRunner().invoke(app, [*words, "--report"])
    assert told.exit_code == 0, told.output
    assert "donorgrid run advice/next.yaml" in told.output
    content = json.loads((tmp_path / "advice" / "advice.json").read_text(encoding="utf-8"))
    assert content["next"][0]["kind"] == "train"
    assert np.isclose(content["next"][0]["cost"], 1.0)
    assert (tmp_path / "advice" / "report.html").is_file()


def test_a_report_says_what_to_train_on_for_all_targets_or_for_those_that_are_named(tmp_path: Path) -> None:
    full = table(tmp_path / "full.csv", models=("delta-4b",))
    (everything,) = report_advice([full]).shown
    assert everything.wish == "the mean over all 6 targets"
    assert everything.sentences[0].startswith("Train on read/")
    (named,) = report_advice([full], ask(given=[full])).shown
    assert named.wish == "tell/de, nothing guarded"
    three = table(tmp_path / "three.csv", models=("a-1b", "b-1b", "c-1b"))
    assert report_advice([three]).shown == ()
    assert "for more than 2 models or 1,000 cells; name targets with --for" in report_advice([three]).notes[0]


def test_the_report_has_the_section(tmp_path: Path) -> None:
    full = table(tmp_path / "full.csv", models=("delta-4b",))
    page = report_study(full, tmp_path / "out").read_text(encoding="utf-8")
    assert 'id="advice"' in page
    assert page.index('id="advice"') < page.index('id="regimes"')


def test_a_report_without_the_section_says_why(tmp_path: Path) -> None:
    three = table(tmp_path / "three.csv", models=("a-1b", "b-1b", "c-1b"))
    told = CliRunner().invoke(app, ["report", str(three), "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    assert "note: no advice on what to train on, for more than 2 models" in told.output
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "no advice on what to train on" in page
    assert 'id="advice"' not in page


def test_the_report_has_the_section_where_tasks_have_slashes_in_their_names(tmp_path: Path) -> None:
    full = table(tmp_path / "full.csv", models=("delta-4b",))
    in_a_suite = ((pl.lit("suite/") + pl.col(name)).alias(name) for name in ("source_task", "target_task"))
    pl.read_csv(full).with_columns(*in_a_suite).write_csv(full)
    assert "Train on suite/read/" in report_study(full, tmp_path / "out").read_text(encoding="utf-8")


def test_a_table_whose_targets_all_start_at_chance_says_that_nothing_can_be_said(others: Path, tmp_path: Path) -> None:
    full = table(tmp_path / "full.csv", models=("delta-4b",))
    cells = read_cells([full])[0].cells.with_columns(degenerate=pl.lit(True))
    evidence = evidence_of([MeasuredCells(cells=cells)], [], model="delta-4b")
    with pytest.raises(InputError, match="nothing can be said, because every measured target starts at chance"):
        refuse_format_alone(evidence)
    request = ask(given=[full])
    told = recommend_from(evidence, make_wish(request, evidence), request)
    assert told.advice.against.startswith("Every wanted target starts at chance")
    refuse_format_alone(evidence_of([MeasuredCells(cells=cells)], read_cells([others]), model="delta-4b"))
