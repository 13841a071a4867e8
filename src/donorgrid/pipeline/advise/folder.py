"""Writes a recommendation into a folder: what was said, every option as a table, and the studies that come next."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.advise.json_form import decision_as_json, items_as_json, steps_as_json
from donorgrid.core.atomic_files import make_folder, whole_file
from donorgrid.core.tables import write_csv
from donorgrid.pipeline.advise.next_study import NextStudy, write_next_studies
from donorgrid.pipeline.advise.recommend import Recommendation

ADVICE_FOLDER = Path("advice")
_JSON, _OPTIONS = "advice.json", "options.csv"


def as_json(recommendation: Recommendation) -> dict[str, Any]:
    """Returns a recommendation as plain data."""
    decision = decision_as_json(recommendation.decision, recommendation.wish, recommendation.advice)
    return {
        "model": recommendation.model,
        **decision,
        "items_needed": items_as_json(recommendation.items),
        "missing_comparators": list(recommendation.missing),
        "next": steps_as_json(recommendation.next_steps),
        "notes": list(recommendation.notes),
    }


def write_recommendation(recommendation: Recommendation, folder: Path) -> list[NextStudy]:
    """Write ``advice.json``, ``options.csv``, and the studies of what comes next.

    Parameters
    ----------
    recommendation : Recommendation
        What to write.
    folder : Path
        Where; it may exist.

    Returns
    -------
    list of NextStudy
        The studies that were written, if measurements were planned.
    """
    make_folder(folder)
    content = as_json(recommendation)
    with whole_file(folder / _JSON) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    rows = [{name: value for name, value in row.items() if name != "specific"} for row in content["options"]]
    with whole_file(folder / _OPTIONS) as unfinished:
        write_csv(pl.DataFrame(rows, infer_schema_length=None), unfinished)
    return write_next_studies(
        recommendation.next_steps,
        recommendation.arm.options,
        recommendation.wish,
        recommendation.evidence,
        out=folder,
    )
