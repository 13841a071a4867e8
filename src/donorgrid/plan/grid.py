"""Lays out the grid of a study: which subjects (baselines, few-shot subjects, runs) answer which target cells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.names import check_part
from donorgrid.core.records import Baseline, Cell, Prompted, Recipe, Run, Source, Subject
from donorgrid.facts.languages import language_label
from donorgrid.plan.recipes import RecipeSpec
from donorgrid.plan.study import CellSpec, ControlSpec, MixSpec, Study


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All work of a study, in a fixed order: every subject answers every target."""

    baselines: tuple[Baseline, ...]
    runs: tuple[Run, ...]
    targets: tuple[Cell, ...]
    prompted: tuple[Prompted, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Baselines first: every delta needs them."""
        return (*self.baselines, *self.prompted, *self.runs)

    @property
    def compared(self) -> tuple[Prompted | Run, ...]:
        """What is compared with a baseline: every subject that is not one."""
        return (*self.prompted, *self.runs)

    @property
    def courses(self) -> tuple[Run, ...]:
        """The trainings, each once, however many checkpoints and strengths it has."""
        return tuple(dict.fromkeys(run.course for run in self.runs))

    @property
    def source_cells(self) -> tuple[Cell, ...]:
        """Every cell that some source trains on, once."""
        return tuple(dict.fromkeys(cell for run in self.runs for cell in run.source.cells))

    @property
    def example_cells(self) -> tuple[Cell, ...]:
        """Every cell whose items are few-shot examples, once."""
        return tuple(dict.fromkeys(cell for subject in self.prompted for cell in subject.source.cells))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell whose texts or items the study needs, once."""
        return tuple(dict.fromkeys((*self.source_cells, *self.targets)))


def make_grid(study: Study, languages_of: Mapping[str, Sequence[str]], *, origin: str = "study") -> Grid:
    """Lay out the grid of a study.

    Parameters
    ----------
    study
        The study.
    languages_of
        Name of each task to its languages, in the study's order of tasks.
    origin
        The study file's name, for messages.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        If a task lacks a language, a source or target is not a cell of the study's tasks, or two sources have one name.
    """
    languages_of = {task: tuple(map(language_label, languages)) for task, languages in languages_of.items()}
    _check_languages(study, languages_of, origin)
    known = Cells(
        cells=tuple(Cell(task=task, language=language) for task in languages_of for language in study.language_codes),
        languages_of=languages_of,
        origin=origin,
    )
    sources = _sources(study, known)
    targets = known.cells if study.targets == "all" else known.listed(study.targets, "targets")
    for cell in dict.fromkeys((*targets, *(cell for source in sources for cell in source.cells))):
        check_part(cell.task, what=f"{origin}: task name")
        check_part(cell.language, what=f"{origin}: task '{cell.task}': language")
    trained = [source for source in sources if source.is_trained]
    _check_kept(study, known, trained)
    return Grid(
        baselines=tuple(Baseline(model=model.name) for model in study.models),
        prompted=tuple(
            Prompted(model=model.name, source=source, draw_seed=seed)
            for model in study.models
            for seed in study.train_seeds
            for source in sources
            if not source.is_trained
        ),
        runs=tuple(_runs(study, trained)),
        targets=targets,
    )


def _runs(study: Study, sources: Sequence[Source]) -> Iterator[Run]:
    """Every training with its checkpoints after it, then each of these adapters at every other strength."""
    recipes = [recipe_record(name, spec) for name, spec in study.recipes.items()]
    for model in study.models:
        for recipe, size, data_seed, seed, source in product(
            recipes, study.train_sizes, study.data_seeds, study.train_seeds, sources
        ):
            course = Run(
                model=model.name, source=source, recipe=recipe, train_seed=seed, data_seed=data_seed, train_size=size
            )
            adapters = [course, *(replace(course, checkpoint=epochs) for epochs in study.checkpoints)]
            yield from adapters
            strengths = [strength for strength in study.strengths if strength != 1]
            yield from (replace(run, strength=strength) for run in adapters for strength in strengths)


def recipe_record(name: str, spec: RecipeSpec) -> Recipe:
    """Make the record of a recipe.

    Parameters
    ----------
    name
        Its name in the study.
    spec
        Its fields.

    Returns
    -------
    Recipe
    """
    fields = dict(spec)
    modules = fields["target_modules"]
    return Recipe(name=name, **{**fields, "target_modules": modules if isinstance(modules, str) else tuple(modules)})


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells that a study may name; InputError for others."""

    cells: tuple[Cell, ...]
    languages_of: Mapping[str, Sequence[str]]
    origin: str

    def listed(self, specs: Sequence[CellSpec], key: str) -> tuple[Cell, ...]:
        """Returns the cells of a list in the study file."""
        return tuple(self.cell(spec.task, spec.language, f"{key}[{index}]") for index, spec in enumerate(specs))

    def parse(self, text: str, key: str) -> Cell:
        """Returns the cell written as ``task/language``."""
        try:
            cell = Cell.parse(text)
        except InputError as error:
            raise InputError(f"{self.origin}: {key}: {error}") from None
        return self.cell(cell.task, cell.language, key)

    def cell(self, task: str, language: str, key: str) -> Cell:
        """Returns the cell if the study has the task and the task has the language."""
        if task not in self.languages_of:
            tasks = list(self.languages_of)
            raise InputError(
                f"{self.origin}: {key}: task '{task}' is none of the study's tasks {tasks}{suggestion(task, tasks)}"
            )
        languages = self.languages_of[task]
        language = language_label(language)
        if language not in languages:
            raise InputError(f"{self.origin}: {key}: {_lacks(task, language, languages)}")
        return Cell(task=task, language=language)


def _check_languages(study: Study, languages_of: Mapping[str, Sequence[str]], origin: str) -> None:
    for task, languages in languages_of.items():
        for language in study.language_codes:
            if language not in languages:
                raise InputError(f"{origin}: languages: {_lacks(task, language, languages)}")


def _check_kept(study: Study, known: Cells, sources: Sequence[Source]) -> None:
    if isinstance(study.keep_adapters, str):
        return
    trained = [str(cell) for source in sources for cell in source.cells]
    for index, cell in enumerate(known.listed(study.keep_adapters, "keep_adapters")):
        if str(cell) not in trained:
            raise InputError(
                f"{known.origin}: keep_adapters[{index}]: '{cell}' is no source of the study"
                f"{suggestion(str(cell), trained)}"
            )


def _lacks(task: str, language: str, languages: Sequence[str]) -> str:
    return f"task '{task}' has no language '{language}'; it has {list(languages)}{suggestion(language, languages)}"


def _sources(study: Study, known: Cells) -> tuple[Source, ...]:
    if study.sources == "all":
        return tuple(Source.of_cell(cell) for cell in known.cells)
    sources = tuple(_source(spec, known, f"sources[{index}]") for index, spec in enumerate(study.sources))
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{known.origin}: sources: '{name}' is listed twice")
    return sources


def _source(spec: CellSpec | MixSpec | ControlSpec, known: Cells, key: str) -> Source:
    if isinstance(spec, CellSpec):
        return Source.of_cell(known.cell(spec.task, spec.language, key))
    if isinstance(spec, ControlSpec):
        cell = known.parse(spec.of, f"{key}.of")
        return Source.of_control(spec.control, cell, shots=spec.shots)
    total = sum(spec.mix.values())
    parts = tuple((known.parse(cell, f"{key}.mix"), weight / total) for cell, weight in spec.mix.items())
    return Source(kind="mix", name=spec.name, parts=parts)
