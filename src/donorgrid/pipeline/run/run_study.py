"""The steps that need the extra ``train``: run, demo."""

from collections.abc import Callable
from pathlib import Path

import yaml

from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.study import study_paths
from donorgrid.pipeline.run.jobs import run_jobs
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress
from donorgrid.plan.presets import study_preset

Given = str | Path


def run_study(
    study: Given,
    out: Given | None = None,
    *,
    options: RunOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Progress:
    """Train every source's adapter and score it on every target, or what is left of that; how far the study is now.

    With more than one job, call it under ``if __name__ == "__main__":``, as the jobs are processes that import the
    calling script. Raises InputError before any work when the study cannot be run.
    """
    require_training("run")
    file, folder = study_paths(Path(study), None if out is None else Path(out))
    return run_jobs(file, folder, options or RunOptions(), on_progress, on_note=on_note)


def run_demo(
    out: Given = "demo",
    *,
    options: RunOptions | None = None,
    n_sources: int | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Run the demo study on the built-in pocket world into ``out``; ``n_sources`` keeps its first sources only."""
    require_training("demo")
    content = dict(study_preset("demo"))
    if n_sources is not None:
        cells = [f"{task}/{language}" for task in content["tasks"] for language in content["languages"]]
        if n_sources > len(cells):
            raise InputError(f"n_sources {n_sources}: the demo has {len(cells)} sources")
        content["sources"] = cells[:n_sources]
    folder = StudyFolder(Path(out))
    folder.root.mkdir(parents=True, exist_ok=True)
    written = folder.root / "demo.yaml"
    written.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return run_jobs(written, folder, options or RunOptions(), on_progress)
