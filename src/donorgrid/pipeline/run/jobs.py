"""Running a study: in this process, or in several that share the folder by claims, with progress read off the files."""

from collections.abc import Callable
from pathlib import Path

from donorgrid import models
from donorgrid.core.atomic_files import remove_unfinished
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline import prepare as preparing
from donorgrid.pipeline import run
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import Prepared, prepare, write_resolved
from donorgrid.pipeline.prepare.work_keys import make_workplan, write_workplan
from donorgrid.pipeline.run.options import RunOptions, WorkerOptions
from donorgrid.pipeline.run.processes import n_cores, run_processes, warm_up
from donorgrid.pipeline.run.progress import Progress, Watch
from donorgrid.store.claims import remove_dead_claims
from donorgrid.store.logs import forget_failures, write_manifest

_ALWAYS_THERE = ("auto", "cpu")
_GPUS = (Path("/dev/nvidiactl"), Path("/dev/kfd"))


def run_jobs(
    study_file: Path,
    folder: StudyFolder,
    options: RunOptions,
    on_progress: Callable[[Progress], None],
    *,
    on_note: Callable[[str], None] = lambda _: None,
) -> Progress:
    """Do a study's work, or what is left of it. ``on_progress`` hears of every change.

    ``on_note`` hears, before any work, what the reader of the results should know; the manifest keeps it too.

    Raises InputError for bad input before any work is done. Failed work is recorded and left out of later runs, unless
    ``retry_failed``.
    """
    prepared = prepare(study_file, folder)
    folder.root.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder.root)
    write_resolved(prepared, study_file)
    if options.retry_failed:
        forget_failures(folder)
    if options.device not in _ALWAYS_THERE:
        models.loading.pick_device(options.device)
    plan = make_workplan(prepared)
    write_workplan(plan, folder)
    watch = Watch(plan, folder, options.shard)
    tell = _when_changed(on_progress, watch)
    before = tell()
    if before.left:
        if _will_have_processes(options):
            warm_up()
        device = models.loading.pick_device(options.device)
        for model in prepared.study.models:
            models.quantising.check_weights(model.weights, device=device)
        jobs = options.jobs or default_jobs(device)
        _note(prepared, on_note, device=device, jobs=jobs)
        how = WorkerOptions(device=device, shard=options.shard, limit=options.limit, together=options.together)
        if jobs == 1 or options.limit is not None:
            run.worker.Worker(prepared, plan, how, tell).run()
        else:
            run_processes(prepared, plan, how, jobs=min(jobs, before.left), tell=tell)
    after = tell()
    if options.shard is None:
        remove_dead_claims(folder, open_keys=watch.open_keys())
    return after


def _will_have_processes(options: RunOptions) -> bool:
    """Whether the work will be done by processes on the CPU, as far as that can be told before torch is loaded."""
    on_cpu = options.device == "cpu" or (options.device == "auto" and not any(path.exists() for path in _GPUS))
    return on_cpu and options.limit is None and (options.jobs or default_jobs("cpu")) > 1


def _note(prepared: Prepared, on_note: Callable[[str], None], *, device: str, jobs: int) -> None:
    """Say what the user should know before the work, and write the manifest. InputError for what cannot be scored."""
    tokens = {model.name: preparing.token_counts.count_tokens(prepared, model.name) for model in prepared.study.models}
    of_tokens = (
        note for model, counted in tokens.items() for note in preparing.token_counts.token_notes(model, counted)
    )
    shown = [
        one for model in prepared.study.models for one in preparing.few_shot_counts.count_few_shot(prepared, model.name)
    ]
    notes = [*notes_of(prepared), *of_tokens, *preparing.few_shot_counts.few_shot_notes(shown)]
    for note in notes:
        on_note(note)
    made = preparing.manifest.manifest_of(prepared, device=device, jobs=jobs, tokens=tokens, shown=shown, notes=notes)
    write_manifest(prepared.folder, made)


def _when_changed(on_progress: Callable[[Progress], None], watch: Watch) -> Callable[[], Progress]:
    """Look at the folder and tell of the progress when it is another than the last one told."""
    told: list[Progress] = []

    def tell() -> Progress:
        now = watch.look()
        if told != [now]:
            told[:] = [now]
            on_progress(now)
        return now

    return tell


def default_jobs(device: str) -> int:
    """One process per core on a CPU, where small steps do not fill two; one on a GPU."""
    return n_cores() if device == "cpu" else 1
