"""``donorgrid run`` and ``donorgrid demo``: a study is read once, planned once, and worked on."""

from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import DonorgridError, InputError
from donorgrid.core.extras import require_training
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline import prepare as preparing
from donorgrid.pipeline.prepare.study import prepare, study_paths
from donorgrid.pipeline.prepare.study_files import write_study_files
from donorgrid.pipeline.prepare.work_keys import make_workplan
from donorgrid.pipeline.run.computed_by import computed_by
from donorgrid.pipeline.run.earlier_versions import check_earlier_version
from donorgrid.pipeline.run.healing import heal
from donorgrid.pipeline.run.jobs import choose_device, do_work, preload
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress, Watch
from donorgrid.pipeline.session.devices import check_device, default_jobs
from donorgrid.plan.presets import study_preset
from donorgrid.store.claims import remove_dead_claims
from donorgrid.store.logs import extend_manifest, forget_failures


def run_study(
    study: str | Path,
    out: str | Path | None = None,
    *,
    options: RunOptions | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_note: Callable[[str], None] = lambda _: None,
) -> Progress:
    """Train every source's adapter and score it on every target, or do what is left of that.

    With more than one job, call it under ``if __name__ == "__main__":``: jobs are processes that import the calling
    script.

    Parameters
    ----------
    study : str or Path
        A study file, or a folder that holds ``study.yaml``.
    out : str or Path, optional
        The study's folder, where it is not the default.
    options : RunOptions, optional
        Device, jobs, shard and limits.
    on_progress : callable
        Receives the progress whenever it changes.
    on_note : callable
        Receives, before any work, what a reader of the results should know. The manifest keeps it too.

    Returns
    -------
    Progress
        How far the study is. Failed work is recorded, and left out of later runs unless ``options.retry_failed``.

    Raises
    ------
    InputError
        Before any work, if the study cannot be run.
    DonorgridError
        If a process broke off and the others did not finish its work.
    """
    require_training("run")
    options = options or RunOptions()
    study_file, folder = study_paths(Path(study), None if out is None else Path(out))
    check_device(options.device)
    prepared = prepare(study_file, folder)
    plan = make_workplan(prepared)
    check_earlier_version(plan, folder, redo=options.redo)
    write_study_files(prepared, plan, study_file=study_file)
    heal(plan, folder, on_note)
    forget_failures(folder, passing_only=not options.retry_failed)
    watch = Watch(plan, folder, shard=options.shard, on_change=on_progress)
    n_left = watch.progress().left
    if n_left:
        preload(options)
        device = choose_device(prepared, options)
        jobs = options.jobs or default_jobs(device)
        for note in preparing.manifest.write_study_manifest(prepared, device=device, jobs=jobs):
            on_note(note)
        broken_off = do_work(prepared, plan, options, device=device, n_left=n_left, watch=watch)
        extend_manifest(folder, {"computed_by": computed_by(plan, folder)})
        _check_jobs(broken_off, watch.progress(), on_note)
    final = watch.progress()
    if options.shard is None:
        remove_dead_claims(folder, open_keys=watch.open_keys())
    return final


def _check_jobs(broken_off: Sequence[DonorgridError], progress: Progress, on_note: Callable[[str], None]) -> None:
    """Raises what ended a process, unless the others finished everything."""
    if broken_off and progress.left:
        raise broken_off[0]
    for error in broken_off:
        on_note(f"{error}; the other processes finished its work")


def run_demo(
    out: str | Path = "demo",
    *,
    options: RunOptions | None = None,
    n_sources: int | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Run the demo study on the built-in pocket world.

    Parameters
    ----------
    out : str or Path
        The study's folder.
    options : RunOptions, optional
        Device, jobs, shard and limits.
    n_sources : int, optional
        Keep only the first so many sources.
    on_progress : callable
        Receives the progress whenever it changes.

    Returns
    -------
    Progress
        How far the study is.

    Raises
    ------
    InputError
        If the demo has fewer sources.
    """
    require_training("demo")
    content = dict(study_preset("demo"))
    if n_sources is not None:
        cells = [f"{task}/{language}" for task in content["tasks"] for language in content["languages"]]
        if n_sources > len(cells):
            raise InputError(f"n_sources {n_sources}: the demo has {len(cells)} sources")
        content["sources"] = cells[:n_sources]
    folder = StudyFolder(Path(out))
    study_file = folder.root / "demo.yaml"
    with whole_file(study_file) as unfinished:
        unfinished.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return run_study(study_file, out, options=options, on_progress=on_progress)
