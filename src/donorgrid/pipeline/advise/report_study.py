"""The report of a study with its section on what to train on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from threadpoolctl import threadpool_limits

from donorgrid.advise.wishes import Wish
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, evidence_of, targets_in
from donorgrid.pipeline.advise.known_cells import models_in, read_cells
from donorgrid.pipeline.advise.page import shown_advice
from donorgrid.pipeline.advise.recommend import recommend, recommend_from
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.pipeline.analyse.analyse_study import Given, analyse_study, output_folder
from donorgrid.pipeline.analyse.reporting import write_report
from donorgrid.pipeline.analyse.tables import Analysed, Change
from donorgrid.report import ShownAdvice

_MOST_MODELS, _MOST_CELLS = 2, 1000
_N_DRAWS, _N_NEXT = 1000, 3
_TOO_LARGE = (
    f"no advice on what to train on, for more than {_MOST_MODELS} models or {_MOST_CELLS:,} cells; name targets with "
    "--for, and the model with --model"
)


def report_study(
    given: Given | Sequence[Given],
    out: Given | None = None,
    *,
    change: Change = lambda settings: settings,
    advice: AdviceRequest | None = None,
) -> Path:
    """Analyse as ``analyse_study`` does and write ``report.html``.

    Parameters
    ----------
    given : str, Path, or a sequence of them
        As in ``analyse_study``.
    out : str or Path, optional
        As in ``analyse_study``.
    change : callable
        As in ``analyse_study``.
    advice : AdviceRequest, optional
        What the section on what to train on answers, where not the default of ``report_advice``.

    Returns
    -------
    Path
        The page.
    """
    paths = [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]
    analysed = analyse_study(paths, out, change=change)
    return write_advised_report(analysed, output_folder(paths, out), paths, advice)[1]


def write_advised_report(
    analysed: Analysed, folder: StudyFolder, given: Sequence[Path], request: AdviceRequest | None
) -> tuple[Analysed, Path]:
    """Write ``report.html`` with its section on what to train on, or with a note that says why it has none.

    Parameters
    ----------
    analysed : Analysed
        The tables.
    folder : StudyFolder
        Where the page goes.
    given : sequence of Path
        What was analysed.
    request : AdviceRequest, optional
        As in ``report_advice``.

    Returns
    -------
    (Analysed, Path)
        The tables with the notes that came along, and the page.
    """
    advice = report_advice(given, request)
    noted = replace(analysed, notes=(*analysed.notes, *advice.notes))
    return noted, write_report(noted, folder, advice=advice.shown)


@dataclass(frozen=True, kw_only=True)
class ReportAdvice:
    """What a report says on what to train on, for each model that something can be said of.

    Attributes
    ----------
    shown : tuple of ShownAdvice
        By model.
    notes : tuple of str
        Why others have no advice.
    """

    shown: tuple[ShownAdvice, ...] = ()
    notes: tuple[str, ...] = ()


def report_advice(given: Sequence[Path], request: AdviceRequest | None = None) -> ReportAdvice:
    """What a report says on what to train on.

    Parameters
    ----------
    given : sequence of Path
        A study, an import, or tables.
    request : AdviceRequest, optional
        What is wanted and guarded. Without it, for each of up to two models and 1,000 cells: the mean over all targets,
        of which at most 5% may be harmed.

    Returns
    -------
    ReportAdvice
        Without a request, larger grids get a note: their advice takes longer than their report.
    """
    if request is not None:
        return ReportAdvice(shown=(shown_advice(recommend(request)),))
    frames = read_cells(given)
    models = models_in(frames)
    if len(models) > _MOST_MODELS or sum(frame.cells.height for frame in frames) > _MOST_CELLS:
        return ReportAdvice(notes=(_TOO_LARGE,))
    with threadpool_limits(limits=1):
        everything = [_on_all_targets(evidence_of(frames, [], model=model), given) for model in models]
    return ReportAdvice(
        shown=tuple(advice for advice in everything if isinstance(advice, ShownAdvice)),
        notes=tuple(note for note in everything if isinstance(note, str)),
    )


def _on_all_targets(evidence: EvidenceAtHand, given: Sequence[Path]) -> ShownAdvice | str | None:
    """The advice, or why there is none; None where no source is a cell, so that there is nothing to advise on."""
    if evidence.cells is None or evidence.cells.filter(source_kind="cell").is_empty():
        return None
    targets = targets_in(evidence.cells)
    wish = Wish(wanted=dict.fromkeys(targets, 1.0), guards=tuple(targets), all_guarded=True)
    request = AdviceRequest(given=given, wanted={str(cell): 1.0 for cell in targets}, n_draws=_N_DRAWS, n_next=_N_NEXT)
    try:
        return shown_advice(recommend_from(evidence, wish, request))
    except InputError as error:
        return f"no advice on what to train {evidence.model} on: {error}"
