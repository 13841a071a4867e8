"""Doing a study's work: in this process, or in several that share the folder by claims."""

from donorgrid import models
from donorgrid.core.errors import DonorgridError
from donorgrid.pipeline import run
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.options import RunOptions, WorkerOptions
from donorgrid.pipeline.run.processes import run_processes, start_preloading
from donorgrid.pipeline.run.progress import Watch
from donorgrid.pipeline.run.work_meter import WorkGauge, WorkMeter, empty_row
from donorgrid.pipeline.run.work_sizes import work_sizes
from donorgrid.pipeline.session.devices import default_jobs, is_probably_cpu


def preload(options: RunOptions) -> None:
    """Start loading torch for several processes on the CPU, if the work will be done by such."""
    if is_probably_cpu(options.device) and options.limit is None and (options.jobs or default_jobs("cpu")) > 1:
        start_preloading()


def choose_device(prepared: Prepared, options: RunOptions) -> str:
    """The device of a run.

    Parameters
    ----------
    prepared : Prepared
        The study.
    options : RunOptions
        The device that the user chose.

    Returns
    -------
    str
        A device of torch.

    Raises
    ------
    InputError
        If the device is not there, or a model's weights cannot be kept as the study asks on it.
    """
    device = models.loading.pick_device(options.device)
    for model in prepared.study.models:
        models.quantising.check_weights(model.weights, device=device)
    return device


def do_work(
    prepared: Prepared, plan: WorkPlan, options: RunOptions, *, device: str, n_left: int, watch: Watch
) -> list[DonorgridError]:
    """Train and score what is left of a study.

    Parameters
    ----------
    prepared : Prepared
        The study.
    plan : WorkPlan
        Its work keys.
    options : RunOptions
        Jobs, shard and limits.
    device : str
        The device of torch.
    n_left : int
        The subjects that are left; no more processes are started.
    watch : Watch
        Reads the progress now and then while the work goes on.

    Returns
    -------
    list of DonorgridError
        Why processes of several broke off; a lone process raises. Failed work is recorded in the study's folder.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C or SIGTERM, when all processes have ended.
    """
    jobs = options.jobs or default_jobs(device)
    worker_options = WorkerOptions(device=device, shard=options.shard, limit=options.limit, together=options.together)
    if jobs == 1 or options.limit is not None:
        sizes, row = work_sizes(prepared), empty_row()
        watch.follow(WorkGauge([row], sizes))
        meter = WorkMeter(row, sizes, on_change=watch.glance)
        run.worker.Worker(prepared, plan, worker_options, watch.progress, meter).run()
        return []
    return run_processes(prepared, plan, worker_options, jobs=min(jobs, n_left), watch=watch)
