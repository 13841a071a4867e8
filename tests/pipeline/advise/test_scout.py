"""Scouting: what is trained first, when it stops, and that it goes on where it was interrupted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, evidence_of, make_wish
from donorgrid.pipeline.advise.known_cells import read_cells
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.advise.scout import SCOUT_FILE, scout_study
from donorgrid.pipeline.advise.scouting import Scouted, Scouting, run_scouting
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.plan.files import read_study
from worlds import make_study

CELLS = [Cell(task=task, language=language) for task in ("ask", "read", "tell") for language in ("de", "en", "hi")]
SOURCES = {str(cell): {cell: 1.0} for cell in CELLS}


def recorded(folder: Path, *, gain_pp: float, wobble_pp: float = 0.5) -> pl.DataFrame:
    """A full grid: ``read`` gives to ``tell``, nothing else gives anything."""
    rng = np.random.default_rng(4)
    rows = [
        {
            "model": "new-1b",
            "recipe": "lora",
            "source_task": source.task,
            "source_language": source.language,
            "target_task": target.task,
            "target_language": target.language,
            "delta_pp": gain_pp * ((source.task, target.task) == ("read", "tell")) + wobble_pp * rng.standard_normal(),
            "se_pp": 0.3,
            "n_items": 400,
            "n_seeds": 1,
        }
        for source in CELLS
        for target in CELLS
    ]
    pl.DataFrame(rows).write_csv(folder / "all.csv")
    (cells,) = read_cells([folder / "all.csv"])
    return cells.cells


def scout_recorded(cells: pl.DataFrame, *, budget: int, trained: Sequence[str] = ()) -> tuple[Scouted, list[list[str]]]:
    """Scouts a grid that was measured already; a source is shown when it is chosen."""
    request = AdviceRequest(given=[Path("unread")], wanted={"tell/de": 1.0}, budget=budget, n_draws=600)
    start = EvidenceAtHand(model="new-1b", family="new", cells=None, arms=[("", None)], planned=SOURCES)
    scouting = Scouting(sources=SOURCES, wish=make_wish(request, start), request=request, start=start)
    rounds: list[list[str]] = []

    def measure(chosen: Sequence[str]) -> EvidenceAtHand:
        rounds.append(list(chosen))
        visible = MeasuredCells(cells=cells.filter(pl.col("source_name").is_in(chosen)))
        return evidence_of([visible], [], model="new-1b")

    return run_scouting(scouting, measure, trained=trained), rounds


def test_the_first_round_trains_every_task_and_each_further_one_a_single_source(tmp_path: Path) -> None:
    scouted, rounds = scout_recorded(recorded(tmp_path, gain_pp=1.0, wobble_pp=1.0), budget=5)
    assert sorted(name.split("/")[0] for name in rounds[0]) == ["ask", "read", "tell"]
    assert [len(chosen) for chosen in rounds] == list(range(3, 3 + len(rounds)))
    assert len(scouted.trained) == len(set(scouted.trained)) <= 5
    assert scouted.trained == tuple(rounds[-1])


def test_it_stops_early_where_more_would_not_change_the_choice(tmp_path: Path) -> None:
    scouted, _ = scout_recorded(recorded(tmp_path, gain_pp=25.0), budget=9)
    assert scouted.stopped == "the choice is safe"
    assert len(scouted.trained) < 9
    assert scouted.recommendation.decision.chosen is not None
    assert scouted.recommendation.decision.chosen.option.name.startswith("read/")


def test_it_ends_with_the_budget_and_goes_on_from_what_was_chosen(tmp_path: Path) -> None:
    cells = recorded(tmp_path, gain_pp=0.0, wobble_pp=2.0)
    scouted, _ = scout_recorded(cells, budget=3)
    assert (scouted.stopped, len(scouted.trained)) == ("the budget is spent", 3)
    further, rounds = scout_recorded(cells, budget=4, trained=scouted.trained)
    assert rounds[0] == list(scouted.trained)
    assert further.trained[:3] == scouted.trained


def test_a_study_is_scouted_in_its_folder_and_resumed(tmp_path: Path) -> None:
    limits = {"train_items": 12, "test_items": 8}
    file = make_study(tmp_path, languages=["de", "en"], limits=limits)
    request = AdviceRequest(given=[file], wanted={"colours/de": 1.0}, budget=1, n_draws=200)
    options = RunOptions(device="cpu", jobs=1)
    first = scout_study(file, request, options=options)
    assert first.stopped == "the budget is spent"
    folder = tmp_path / "tiny"
    adapters = {path: path.stat().st_mtime_ns for path in folder.glob("adapters/**/adapter_model.safetensors")}
    assert len(adapters) == 1
    both = scout_study(file, replace(request, budget=2), options=options)
    assert both.trained[0] == first.trained[0]
    assert {path: path.stat().st_mtime_ns for path in adapters} == adapters
    assert read_study(folder / SCOUT_FILE).languages == ["de", "en"]


def test_a_study_that_cannot_be_scouted_is_one_line(tmp_path: Path) -> None:
    file = make_study(tmp_path, languages=["de", "en"])
    request = AdviceRequest(given=[file], wanted={"colours/fr": 1.0}, budget=1)
    with pytest.raises(InputError, match="colours/fr is no target of the study"):
        scout_study(file, request)
    several = make_study(tmp_path, languages=["de", "en"], train_sizes=[6, None])
    with pytest.raises(InputError, match="train_sizes: scout takes a study with one of them, found 2"):
        scout_study(several, request)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / SCOUT_FILE).write_text(make_study(tmp_path, languages=["de", "it"]).read_text())
    file = make_study(tmp_path, languages=["de", "en"])
    with pytest.raises(InputError, match="of another study"):
        scout_study(file, AdviceRequest(given=[file], wanted={"colours/de": 1.0}, budget=1))
