"""The steps that analyse, as Python users and the command line take them: no models, no torch.

What is given is a study (its file or folder), an import, or tables of deltas.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from donorgrid.analyse import AnalysisSettings, read_tables
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.tables import READ_FORMATS, TABLE_FORMATS
from donorgrid.exchange import is_import, read_import
from donorgrid.facts.distances import Distances
from donorgrid.facts.typology import uriel_distances
from donorgrid.pipeline.analyse.measured import (
    MeasuredCells,
    measured_in_files,
    measured_in_folder,
    measured_in_import,
)
from donorgrid.pipeline.analyse.table_files import write_tables
from donorgrid.pipeline.analyse.tables import (
    BY_SEED,
    DELTAS,
    Analysed,
    Change,
    analyse_files,
    analyse_folder,
    analyse_import,
)
from donorgrid.pipeline.prepare.study import study_folder
from donorgrid.pipeline.prepare.study_files import read_workplan

ANALYSIS_FOLDER = Path("analysis")
Given = str | Path


def analyse_study(
    given: Given | Sequence[Given], out: Given | None = None, *, change: Change = lambda settings: settings
) -> Analysed:
    """Analyse a study, finished or not, an import, or tables of deltas, and write ``tables/``.

    Parameters
    ----------
    given : str, Path, or a sequence of them
        A study (its file or folder), an import, or tables of deltas (.csv, .tsv, .parquet).
    out : str or Path, optional
        Where the tables go. The default is the folder of the study or import, and ``analysis`` for tables.
    change : callable
        From the settings of the study, or the defaults, to those that are used.

    Returns
    -------
    Analysed

    Raises
    ------
    InputError
        If there is nothing that can be analysed.
    """
    analysed = analysis_of(_as_given(given), out, change=change)
    write_tables(analysed.tables, output_folder(_as_given(given), out).tables)
    return analysed


def analysis_of(given: Sequence[Path], out: Given | None = None, *, change: Change) -> Analysed:
    """Analyse as ``analyse_study`` does, and write nothing.

    Parameters
    ----------
    given : str, Path, or a sequence of them
        As in ``analyse_study``.
    out : str or Path, optional
        As in ``analyse_study``.
    change : callable
        As in ``analyse_study``.

    Returns
    -------
    Analysed
    """
    folder, paths = output_folder(given, out), _paths(given)
    with threadpool_limits(limits=1):  # the matrices are small: threads of the linear algebra would only wait
        if _are_tables(paths):
            return analyse_files(paths, change=change)
        if is_import(paths[0]):
            return analyse_import(paths[0], change(AnalysisSettings()))
        return analyse_folder(folder, change=change)


def measured_in(given: Given | Sequence[Given]) -> MeasuredCells:
    """The cells of a study, an import or tables with their noise: what a decision is based on, without the analysis.

    Parameters
    ----------
    given : str, Path, or a sequence of them
        As in ``analyse_study``.

    Returns
    -------
    MeasuredCells

    Raises
    ------
    InputError
        If there is nothing that can be analysed.
    """
    paths = _paths(given)
    if _are_tables(paths):
        return measured_in_files(paths)
    if is_import(paths[0]):
        return measured_in_import(paths[0])
    return measured_in_folder(output_folder(_as_given(given), None))


def typology(given: Given | Sequence[Given], out: Given | None = None) -> Mapping[str, Distances]:
    """URIEL+'s distances between the languages of what is analysed, for ``AnalysisSettings.distances``.

    Parameters
    ----------
    given : str, Path, or a sequence of them
        As in ``analyse_study``.
    out : str or Path, optional
        As in ``analyse_study``.

    Returns
    -------
    mapping of str to Distances
        By the kind of distance.

    Raises
    ------
    InputError
        If the extra ``typology`` is not installed.
    """
    paths = _paths(given)
    if _are_tables(paths):
        languages = read_tables(paths).deltas["target_language"].unique().sort().to_list()
    elif is_import(paths[0]):
        subjects = read_import(paths[0]).subjects
        sources = [subject.source for subject in subjects if subject.source]
        languages = sorted({cell.language for source in sources for cell in source.cells})
    else:
        languages = list(read_workplan(output_folder(paths, out)).study.language_codes)
    return uriel_distances(languages)


def output_folder(paths: Sequence[Path], out: Given | None) -> StudyFolder:
    """The folder that an analysis is written to.

    Parameters
    ----------
    paths : sequence of Path
        A study, an import, or tables.
    out : str or Path, optional
        As in ``analyse_study``.

    Returns
    -------
    StudyFolder

    Raises
    ------
    InputError
        For several paths that are not all tables.
    """
    if out is None and len(paths) == 1 and _table_in(paths[0]):
        return StudyFolder(paths[0])
    paths = _paths(paths)
    if _are_tables(paths):
        return StudyFolder(ANALYSIS_FOLDER if out is None else Path(out))
    if len(paths) > 1:
        raise InputError(f"{paths[1]}: one study at a time, or any number of tables ({', '.join(READ_FORMATS)})")
    if is_import(paths[0]):
        return StudyFolder(paths[0] if out is None else Path(out))
    return study_folder(paths[0], out)


def _paths(given: Given | Sequence[Given]) -> list[Path]:
    return [_table_in(path) or path for path in _as_given(given)]


def _as_given(given: Given | Sequence[Given]) -> list[Path]:
    return [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]


def _table_in(path: Path) -> Path | None:
    """The table of deltas in a folder that is neither a study nor item answers: an imported or simulated one."""
    if not path.is_dir() or StudyFolder(path).plan.exists() or is_import(path):
        return None
    tables = (path / f"{name}{kind}" for name in (BY_SEED, DELTAS) for kind in TABLE_FORMATS)
    return next((table for table in tables if table.is_file()), None)


def _are_tables(paths: Sequence[Path]) -> bool:
    return all(path.suffix.lower() in READ_FORMATS for path in paths)
