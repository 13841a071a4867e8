"""``donorgrid scout``: trains the sources of a study within a budget, those first that tell most."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from donorgrid.core.atomic_files import make_folder
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Cell
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, evidence_of, make_wish
from donorgrid.pipeline.advise.known_cells import read_cells
from donorgrid.pipeline.advise.next_study import source_entry
from donorgrid.pipeline.advise.recommend import Recommendation
from donorgrid.pipeline.advise.released_knowledge import knowledge_path
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.advise.scouting import Scouted, Scouting, run_scouting
from donorgrid.pipeline.prepare.study import study_paths
from donorgrid.pipeline.prepare.study_files import relocated_study
from donorgrid.pipeline.prepare.study_grid import read_grid
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.plan.files import make_study, read_study, write_study
from donorgrid.plan.grid import Grid
from donorgrid.plan.study import CellSpec, ControlSpec, MixSpec, Study
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

SCOUT_FILE = "scout.yaml"


@dataclass(frozen=True, kw_only=True)
class ScoutCallbacks:
    """Who hears of the work: each receives what its name says."""

    on_progress: Callable[[Progress], None] = lambda _: None
    on_note: Callable[[str], None] = lambda _: None
    on_round: Callable[[Sequence[str], Recommendation], None] = lambda *_: None


def scout_study(
    study: str | Path,
    request: AdviceRequest,
    *,
    out: str | Path | None = None,
    options: RunOptions | None = None,
    callbacks: ScoutCallbacks | None = None,
) -> Scouted:
    """Train the sources of a study that tell most, within a budget, and say what to train on.

    What was chosen stands in ``scout.yaml`` in the study's folder, so that an interrupted scouting goes on.

    Parameters
    ----------
    study : str or Path
        A study file with one model and one recipe.
    request : AdviceRequest
        What is wanted and guarded, knowledge of other models, and the budget in sources.
    out : str or Path, optional
        The study's folder, where it is not the default.
    options : RunOptions, optional
        Device, jobs and limits of the runs.
    callbacks : ScoutCallbacks, optional
        Who hears of the work.

    Returns
    -------
    Scouted

    Raises
    ------
    InputError
        If the study has several models or recipes, or was scouted otherwise, or a target is not in it.
    """
    study_file, folder = study_paths(Path(study), None if out is None else Path(out))
    whole, _, grid = read_grid(study_file)
    _check_one_arm(whole, study_file)
    work = _ScoutedStudy(
        study=relocated_study(whole, study_file.parent, folder.root),
        grid=grid,
        folder=folder,
        knowledge=[knowledge_path(path) for path in request.knowledge],
        options=options or RunOptions(),
        callbacks=callbacks or ScoutCallbacks(),
    )
    start = work.start(request.family)
    wish = make_wish(request, start)
    missing = [cell for cell in wish.targets if cell not in grid.targets]
    if missing:
        raise InputError(f"{study_file}: {missing[0]} is no target of the study; it has {_few(grid.targets)}")
    scouting = Scouting(sources=work.sources, wish=wish, request=request, start=start)
    return run_scouting(scouting, work.measure, trained=work.formerly_chosen(), on_round=work.callbacks.on_round)


@dataclass(frozen=True, kw_only=True)
class _ScoutedStudy:
    """A study whose sources are trained a few at a time, in one folder."""

    study: Study
    grid: Grid
    folder: StudyFolder
    knowledge: Sequence[Path]
    options: RunOptions
    callbacks: ScoutCallbacks
    sources: Mapping[str, SourceParts] = field(init=False)

    def __post_init__(self) -> None:
        plain = [run.source for run in self.grid.runs if run.source.kind != "control"]
        object.__setattr__(self, "sources", {source.name: dict(source.parts) for source in plain})

    @property
    def file(self) -> Path:
        """The study of what was chosen so far."""
        return self.folder.root / SCOUT_FILE

    def start(self, family: str | None) -> EvidenceAtHand:
        """What is known before anything is trained; every target of the study can be guarded."""
        known = evidence_of([], read_cells(self.knowledge), model=self.study.models[0].name, family=family)
        return replace(known, planned=self.sources, planned_targets=self.grid.targets)

    def formerly_chosen(self) -> list[str]:
        """The sources that a former scouting chose. Raises InputError if it was one of another study."""
        if not self.file.exists():
            return []
        former = read_study(self.file)
        same = {"sources": self.study.sources, "keep_adapters": self.study.keep_adapters}
        if former.model_copy(update=same) != self.study:
            raise InputError(f"{self.file}: of another study; move it away, or name another folder with --out")
        chosen = [] if isinstance(former.sources, str) else [_name(entry) for entry in former.sources]
        return [name for name in chosen if name in self.sources]

    def measure(self, chosen: Sequence[str]) -> EvidenceAtHand:
        """Trains what is not trained yet, and reads everything that was measured."""
        make_folder(self.folder.root)
        write_study(self._study_of(chosen), self.file)
        run_study(
            self.file,
            self.folder.root,
            options=self.options,
            on_progress=self.callbacks.on_progress,
            on_note=self.callbacks.on_note,
        )
        given, known = read_cells([self.folder.root]), read_cells(self.knowledge)
        return evidence_of(given, known, model=self.study.models[0].name)

    def _study_of(self, chosen: Sequence[str]) -> Study:
        """The study with the chosen sources and its few-shot prompts, which nothing is trained for."""
        written = [] if isinstance(self.study.sources, str) else self.study.sources
        prompts = [entry for entry in written if isinstance(entry, ControlSpec) and entry.control == "few-shot"]
        sources = [source_entry(self.sources[name], name) for name in chosen]
        kept = self.study.keep_adapters
        if not isinstance(kept, str):
            kept = [cell for cell in kept if f"{cell.task}/{cell.language}" in chosen] or "none"
        study = self.study.model_copy(update={"keep_adapters": kept}).model_dump(mode="json")
        content = {**study, "sources": [*sources, *(prompt.model_dump(mode="json") for prompt in prompts)]}
        return make_study(content, origin=str(self.file))


def _name(entry: CellSpec | MixSpec | ControlSpec) -> str:
    if isinstance(entry, CellSpec):
        return f"{entry.task}/{entry.language}"
    return entry.name if isinstance(entry, MixSpec) else ""


def _check_one_arm(study: Study, file: Path) -> None:
    """Checks that a choice of sources is all that is open."""
    counts = {
        "models": len(study.models),
        "recipes": len(study.recipes),
        "train_sizes": len(study.train_sizes),
        "data_seeds": len(study.data_seeds),
    }
    for key, count in counts.items():
        if count > 1:
            raise InputError(f"{file}: {key}: scout takes a study with one of them, found {count}")
    if study.checkpoints:
        raise InputError(f"{file}: checkpoints: scout takes a study without them")


def _few(cells: Sequence[Cell]) -> str:
    return ", ".join(map(str, cells[:3])) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")
