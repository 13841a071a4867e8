"""How exact are the estimate of ``plan`` and the time that ``run`` says is left? A small study on a real model.

Everything is counted in processor seconds of one process with one thread, so that other work on the machine does not
count: the estimate of one process beside what the run takes.

    python benchmarks/plan_estimate.py --model FOLDER --data FOLDER

``--data`` holds ``sib200/`` and ``xcopa/`` as examples/tasks/README.md says.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import torch
import yaml

from donorgrid.pipeline.planning import trial
from donorgrid.pipeline.planning.plan_study import plan_study
from donorgrid.pipeline.run import progress, work_meter
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import Progress
from donorgrid.pipeline.run.run_study import run_study

EXAMPLES = Path(__file__).parents[1] / "examples" / "tasks"
SHARES = (0.15, 0.25, 0.5, 0.75, 0.9)


def main() -> None:
    """Plan and run the study, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train-items", type=int, default=48)
    parser.add_argument("--test-items", type=int, default=40)
    given = parser.parse_args()
    clock = SimpleNamespace(perf_counter=time.process_time, monotonic=time.process_time)
    for module in (trial, work_meter, progress):
        module.time = clock  # type: ignore[attr-defined]
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        study = write_study(Path(name), given)
        start = time.process_time()
        cost = plan_study(study, device="cpu", jobs=2)  # as one of two processes, on two cores: one thread each
        estimated = (cost.models[0].seconds or 0.0) + cost.models[0].ready_seconds
        print(f"plan: {time.process_time() - start:.0f} s, estimate of one process {estimated:.0f} s")
        readings: list[tuple[float, Progress]] = []
        start = time.process_time()
        run_study(
            study,
            options=RunOptions(device="cpu", jobs=1),
            on_progress=lambda reading: readings.append((time.process_time() - start, reading)),
        )
        took = time.process_time() - start
    print(f"run: {took:.0f} s; the estimate is {100 * (estimated / took - 1):+.0f}% off")
    for share in SHARES:
        seconds, reading = next(entry for entry in readings if entry[0] >= share * took)
        left = reading.seconds_left or 0.0
        error = 100 * (left / (took - seconds) - 1)
        print(f"after {seconds:.0f} s: {left:.0f} s left, in truth {took - seconds:.0f} s ({error:+.0f}%)")


def write_study(folder: Path, given: argparse.Namespace) -> Path:
    """Two sources and four targets: SIB-200 and XCOPA in Italian and Turkish; the file."""
    for task in ("sib200", "xcopa"):
        shutil.copy(EXAMPLES / f"{task}.yaml", folder)
    (folder / "data").symlink_to(given.data.resolve())
    study = {
        "models": [str(given.model.resolve())],
        "tasks": ["sib200.yaml", "xcopa.yaml"],
        "languages": ["it", "tr"],
        "sources": ["sib200/it", "xcopa/it"],
        "recipes": {"small": {"rank": 16, "epochs": 2, "precision": "fp32"}},
        "train_seeds": [17],
        "limits": {"train_items": given.train_items, "test_items": given.test_items},
        "scoring": {"precision": "fp32"},
        "keep_adapters": "none",
    }
    file = folder / "estimate.yaml"
    file.write_text(yaml.safe_dump(study), encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
