"""The demo: the whole path on the built-in pocket world."""

from collections.abc import Callable
from pathlib import Path

import yaml

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.jobs import RunOptions, run_study
from donorgrid.pipeline.progress import Progress
from donorgrid.plan.presets import study_preset


def run_demo(
    out: Path, options: RunOptions, on_progress: Callable[[Progress], None], *, n_sources: int | None = None
) -> StudyFolder:
    """Run the demo study into ``out``; ``n_sources`` keeps its first sources only. Analysis and report come after."""
    content = dict(study_preset("demo"))
    if n_sources is not None:
        cells = [f"{task}/{language}" for task in content["tasks"] for language in content["languages"]]
        content["sources"] = cells[:n_sources]
    folder = StudyFolder(out)
    out.mkdir(parents=True, exist_ok=True)
    written = out / "demo.yaml"
    written.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    run_study(written, folder, options, on_progress)
    return folder
