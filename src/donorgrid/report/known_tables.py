"""The tables that the report knows. Each is checked against its declaration before anything is drawn."""

from collections.abc import Mapping

import polars as pl

from donorgrid.core import tables as declared
from donorgrid.core.errors import InputError
from donorgrid.report.head import ReportHead
from donorgrid.report.headline import UNSHARED

DECLARED = {
    "deltas": declared.DELTAS,
    "regimes": declared.REGIMES,
    "harm_breakdown": declared.HARM_BREAKDOWN,
    "roles_language": declared.ROLES_LANGUAGE,
    "roles_task": declared.ROLES_TASK,
    "roles_family": declared.ROLES_FAMILY,
    "matrix_language": declared.MATRIX_LANGUAGE,
    "matrix_task": declared.MATRIX_TASK,
    "pareto": declared.PARETO,
    "mixes_controls": declared.MIXES_CONTROLS,
    "coverage": declared.COVERAGE,
    "intervals": declared.INTERVALS,
    "baselines": declared.BASELINES,
    "agreement": declared.AGREEMENT,
    "shared_texts": declared.SHARED_TEXTS,
}


def checked_tables(tables: Mapping[str, pl.DataFrame], head: ReportHead) -> dict[str, pl.DataFrame]:
    """Checks the tables that are known here; the others are returned unchanged.

    Parameters
    ----------
    tables
        Table name to table.
    head
        Its harm limit must be that of every table.

    Returns
    -------
    dict of str to polars.DataFrame
        The same tables, with their declared columns first and in their declared types.

    Raises
    ------
    InputError
        If ``deltas`` is absent, a table lacks a column, or a table has another harm limit than ``head``.
    """
    if "deltas" not in tables:
        raise InputError(f"report: table 'deltas' is missing; given are {sorted(tables)}")
    kinds = {name: DECLARED.get(name.removesuffix("_sound").removesuffix(UNSHARED)) for name in tables}
    checked = {name: frame if (kind := kinds[name]) is None else kind.check(frame) for name, frame in tables.items()}
    for name, frame in checked.items():
        limits = frame["harm_limit_pp"].drop_nulls().unique().to_list() if "harm_limit_pp" in frame.columns else []
        different = [limit for limit in limits if limit != head.harm_limit_pp]
        if different:
            raise InputError(
                f"report: table '{name}' has a harm limit of {different[0]:g} pp; expected {head.harm_limit_pp:g} pp, "
                "the study's"
            )
    return checked
