"""The subjects of a check at several strengths, and the curves that their answers give."""

from collections.abc import Sequence
from dataclasses import replace

from donorgrid.check import CheckSettings, StrengthCurve, TargetAnswers, strength_curve
from donorgrid.core.errors import InputError
from donorgrid.pipeline.check.request import CheckRequest
from donorgrid.pipeline.check.subjects import CheckSubject

TRIED = (0.25, 0.5, 0.75, 1.0)
"""The strengths of ``--find-strength`` where none are named."""


def strengths_of(request: CheckRequest) -> tuple[float, ...]:
    """The strengths that a check needs, in order; the adapter itself (1) is always there. Empty if none are wanted."""
    wanted = request.strengths or (TRIED if request.find_strength else ())
    return tuple(sorted({*wanted, 1.0})) if wanted else ()


def scaled_subjects(
    subjects: Sequence[CheckSubject], base: CheckSubject, strengths: Sequence[float]
) -> tuple[CheckSubject, ...]:
    """Every adapter and checkpoint at every strength but 1.

    Parameters
    ----------
    subjects : sequence of CheckSubject
        The adapters and checkpoints as they are.
    base : CheckSubject
        The base; strength 0 of everything.
    strengths : sequence of float
        The strengths.

    Returns
    -------
    tuple of CheckSubject
        Subject by subject, in the order of the strengths.

    Raises
    ------
    InputError
        If a checkpoint has another tokenizer than the base: there is none in between.
    """
    return tuple(_at(subject, base, strength) for subject in subjects for strength in strengths if strength != 1)


def _at(subject: CheckSubject, base: CheckSubject, strength: float) -> CheckSubject:
    name = f"{subject.name} at strength {strength:g}"
    if strength == 0:
        return replace(base, name=name, notes=())
    if subject.adapter is not None:
        return replace(subject, name=name, strength=strength, notes=())
    if subject.folder.tokenizer_digest != base.folder.tokenizer_digest:
        raise InputError(
            f"'{subject.name}': its tokenizer is another than that of {base.name}; between the two there is none: only "
            "strengths 0 and 1 are possible (or give --tokenizer)"
        )
    checkpoint, digest = subject.folder.path, subject.folder.weights_digest
    return CheckSubject(name=name, folder=base.folder, adapter=checkpoint, adapter_digest=digest, strength=strength)


def curves(
    subjects: Sequence[CheckSubject],
    strengths: Sequence[float],
    targets: Sequence[TargetAnswers],
    settings: CheckSettings,
    *,
    chooses: bool,
) -> tuple[StrengthCurve, ...]:
    """The curve of every adapter.

    Parameters
    ----------
    subjects : sequence of CheckSubject
        The adapters and checkpoints as they are.
    strengths : sequence of float
        The strengths.
    targets : sequence of TargetAnswers
        The answers of ``subjects`` and then of ``scaled_subjects``.
    settings : CheckSettings
        The limit and the levels.
    chooses : bool
        Whether a strength is chosen.

    Returns
    -------
    tuple of StrengthCurve
        Empty without strengths.
    """
    others = [strength for strength in strengths if strength != 1]
    if not strengths:
        return ()
    return tuple(
        strength_curve(
            subject.name,
            {
                1.0: index,
                **{strength: len(subjects) + index * len(others) + number for number, strength in enumerate(others)},
            },
            targets,
            settings,
            chooses=chooses,
        )
        for index, subject in enumerate(subjects)
    )
