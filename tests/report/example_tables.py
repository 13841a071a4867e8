"""Tables of invented studies, and a parser of the page that the tests compare with them."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl

from donorgrid.core import tables as declared
from donorgrid.core.regimes import regime
from donorgrid.core.tables.declaring import ARM
from donorgrid.report import ReportHead, render_report

TASKS = ("continent", "currency", "language")


def example_deltas(
    n_tasks: int = 3, languages: tuple[str, ...] = ("de", "en", "zh"), models: tuple[str, ...] = ("one",)
) -> pl.DataFrame:
    """A full grid of deltas with counts: two seeds of 200 items."""
    draw = np.random.default_rng(7)
    tasks = (*TASKS, *(f"task_{number}" for number in range(n_tasks)))[:n_tasks]
    cells = [(task, language) for task in tasks for language in languages]
    rows = []
    for model in models:
        base = {cell: int(draw.integers(150, 250)) for cell in cells}
        for source in cells:
            for target in cells:
                right = base[target] + int(draw.integers(-40, 60))
                rows.append(
                    {
                        "model": model,
                        "recipe": "lora-0a1b2c3d",
                        "source_kind": "cell",
                        "source_name": "/".join(source),
                        "source_task": source[0],
                        "source_language": source[1],
                        "target_task": target[0],
                        "target_language": target[1],
                        "regime": regime(*source, *target),
                        "n_seeds": 2,
                        "n_items": 400,
                        "n_right_norm": right,
                        "n_right_norm_base": base[target],
                        "metric": "acc_norm",
                        "delta_pp": 100 * (right - base[target]) / 400,
                        "se_pp": float(draw.uniform(0.5, 2.5)),
                    }
                )
    return pl.DataFrame(rows)


def example_head(deltas: pl.DataFrame, **changes: Any) -> ReportHead:
    """The head that fits the deltas."""
    values: dict[str, Any] = {
        "title": "An invented study",
        "models": tuple(deltas["model"].unique(maintain_order=True)),
        "tasks": tuple(deltas["target_task"].unique(maintain_order=True)),
        "languages": tuple(deltas["target_language"].unique(maintain_order=True)),
        "recipes": tuple(deltas["recipe"].unique(maintain_order=True)),
        "train_seeds": (1, 2),
        "metric": "acc_norm",
        "harm_limit_pp": 1.0,
        "n_cells_done": deltas.height,
        "n_cells_planned": deltas.height,
    }
    return ReportHead(**{**values, **changes})


def example_tables(deltas: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """All tables of the analysis with random values: the report only shows them."""
    draw = np.random.default_rng(11)
    languages = deltas["target_language"].unique(maintain_order=True).to_list()
    tasks = deltas["target_task"].unique(maintain_order=True).to_list()
    sources = deltas.select("model", "source_task", "source_language").unique(maintain_order=True)
    regimes = [name for name in ("MT-ML", "MT-CL", "CT-ML", "CT-CL") if name in deltas["regime"].to_list()]
    keys = {
        "regimes": pl.DataFrame({"regime": [*regimes, "transfer"]}),
        "harm_breakdown": pl.DataFrame({"regime": "MT-CL", "by": "target_task", "value": tasks}),
        "roles_language": pl.DataFrame({"language": languages}),
        "roles_task": pl.DataFrame({"task": tasks}),
        "roles_family": pl.DataFrame({"language_family": ["Indo-European", "Sino-Tibetan"]}),
        "matrix_language": _pairs("language", languages),
        "matrix_task": _pairs("task", tasks),
        "pareto": sources,
    }
    return {"deltas": deltas, **{name: _filled(name, frame, draw) for name, frame in keys.items()}}


def _pairs(kind: str, names: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {f"source_{kind}": source, f"target_{kind}": target, "same": source == target}
            for source in names
            for target in names
        ]
    )


def _filled(name: str, keys: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """The declared columns that the keys lack, drawn at random; rates lie in 0-0.5."""
    table = getattr(declared, name.upper())
    drawn = {}
    for column, kind in table.columns.items():
        if column in keys.columns or column in ARM:
            continue
        if column == "harm_limit_pp":
            drawn[column] = np.ones(keys.height)
        elif kind == pl.Boolean:
            drawn[column] = draw.random(keys.height) < 0.5
        elif kind == pl.Int64:
            drawn[column] = draw.integers(1, 5000, keys.height)
        elif "_rate" in column:
            drawn[column] = draw.uniform(0, 0.5, keys.height)
        else:
            drawn[column] = (
                np.abs(draw.normal(0, 3, keys.height)) if "se_" in column else draw.normal(0, 3, keys.height)
            )
    return keys.with_columns(**{column: pl.Series(values) for column, values in drawn.items()})


@dataclass
class Page(HTMLParser):
    """What a page contains: tables by caption (rows of texts), tags with their attributes, the JSON block, and text."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._caption = ""
        self._rows: list[list[str]] = []
        self._json = ""

    @classmethod
    def read(cls, html: str) -> "Page":
        page = cls()
        page.feed(html)
        page.data = json.loads(page._json) if page._json else {}
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append("data" if dict(attrs).get("id") == "data" else tag)
        if tag == "table":
            self._caption, self._rows = "", []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self.tables[self._caption] = self._rows
        while self._open and self._open.pop() not in (tag, "data"):
            pass

    def handle_data(self, text: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "data":
            self._json += text
        elif inside in ("td", "th"):
            self._rows[-1][-1] += text
        elif "caption" in self._open:
            self._caption += text
        if inside not in ("data", "script", "style"):
            self.text += text


def page_with(models: tuple[str, ...] = ("one",), **tables: pl.DataFrame) -> Page:
    """The page of an example study with further tables, or with these instead of its own."""
    deltas = example_deltas(models=models)
    return Page.read(render_report({**example_tables(deltas), **tables}, example_head(deltas)))


def example_intervals(resampled: str = "seeds, items", **more: str) -> pl.DataFrame:
    """Intervals of two regimes, a donor and a source; ``more`` may name another recipe."""
    rows = [
        ("regime", "MT-CL", "mean_pp", 0.5, 0.25, 0.75),
        ("regime", "MT-CL", "positive_rate", 0.6, 0.5, 0.7),
        ("regime", "transfer", "mean_pp", -1.0, -1.5, -0.25),
        ("regime", "transfer", "harm_rate", 0.2, 0.125, 0.3),
        ("language donor", "de", "mean_pp", 1.25, 1.0, 1.5),
        ("source", "continent/de", "mean_pp", 2.0, float("nan"), 3.0),
    ]
    frame = pl.DataFrame(rows, schema=["kind", "name", "statistic", "value", "low", "high"], orient="row")
    return declared.INTERVALS.check(
        frame.with_columns(
            resampled=pl.lit(resampled),
            n_models=pl.lit(1),
            n_draws=pl.lit(1000),
            recipe=pl.lit(more.get("recipe", "lora-0a1b2c3d")),
            train_size=pl.lit(None, dtype=pl.Int64),
        )
    )
