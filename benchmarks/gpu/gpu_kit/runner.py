"""Runs stages in turn, each in a process of its own under a time limit, and keeps every result as one line of JSON."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Result = dict[str, Any]
_NEEDED_AT_END_S = 4.0
_CUDA_IN_PARENT = "Cannot re-initialize CUDA in forked subprocess"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How stages run: the device, tiny shapes (a test), where they may write, the results of earlier calls."""

    device: str = "cuda"
    tiny: bool = False
    work: Path = Path("work")
    results: Mapping[str, Result] = field(default_factory=dict)


Report = Callable[..., None]
"""Keeps some keys of a stage's result at once, so that they survive if the stage runs out of time."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Something to measure: its name, its function, its limit in seconds, and the fewest seconds worth a start."""

    name: str
    run: Callable[[Settings, Report], None]
    limit_s: float
    least_s: float = 15.0


def run_stages(
    stages: Sequence[Stage], settings: Settings, *, out: Path, limit_s: float, say: Callable[[str], None]
) -> dict[str, Result]:
    """Runs the stages that have no result yet, then those that failed before, until the time is up.

    A result is printed and appended to ``out/results.jsonl`` at once; what a stage prints goes to ``out/log.txt``.
    """
    end = time.monotonic() + limit_s
    results = dict(settings.results)
    as_fork = True
    for stage in order(stages, results):
        left_s = end - time.monotonic() - _NEEDED_AT_END_S
        if left_s < min(stage.least_s, stage.limit_s):
            continue
        current = Settings(**{**asdict_shallow(settings), "results": results})
        result = run_one(stage, current, out=out, limit_s=min(stage.limit_s, left_s), as_fork=as_fork)
        if as_fork and _CUDA_IN_PARENT in str(result.get("error", "")):
            as_fork = False  # an import has touched the driver: fresh processes from here on
            result = run_one(stage, current, out=out, limit_s=min(stage.limit_s, left_s), as_fork=as_fork)
        results[stage.name] = result
        record(result, out=out, say=say)
    return results


def order(stages: Sequence[Stage], results: Mapping[str, Result]) -> list[Stage]:
    """The stages that are still to run: those never tried, then those that failed or ran out of time."""
    status = {stage.name: results.get(stage.name, {}).get("status") for stage in stages}
    return [stage for stage in stages if status[stage.name] is None] + [
        stage for stage in stages if status[stage.name] in ("failed", "out of time", "died")
    ]


def run_one(stage: Stage, settings: Settings, *, out: Path, limit_s: float, as_fork: bool) -> Result:
    """One stage in a process of its own; the result has what it reported, whatever became of it."""
    settings.work.mkdir(parents=True, exist_ok=True)
    file = settings.work / "stage.json"
    file.unlink(missing_ok=True)
    start = time.monotonic()
    if as_fork:
        process = multiprocessing.get_context("fork").Process(
            target=work, args=(stage, settings, file, out / "log.txt")
        )
        process.start()
        process.join(limit_s)
        if is_late := process.is_alive():
            process.kill()
            process.join()
        code = process.exitcode
    else:
        is_late, code = _run_fresh(stage, settings, file, out, limit_s)
    reported = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    status = "out of time" if is_late else reported.pop("status", "died")
    took = {"stage": stage.name, "status": status, "seconds": round(time.monotonic() - start, 1)}
    return {**took, **reported, **({"exit_code": code} if status == "died" else {})}


def work(stage: Stage, settings: Settings, file: Path, log: Path) -> None:
    """The body of a stage's process."""
    stream = log.open("a", encoding="utf-8", buffering=1)
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    sys.stdout = sys.stderr = stream
    print(f"== {stage.name}")
    result: Result = {}

    def report(**values: Any) -> None:
        result.update(values)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(result), encoding="utf-8")
        partial.replace(file)

    try:
        stage.run(settings, report)
        report(status="done")
    except Exception as error:  # noqa: BLE001 - the other stages go on
        traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        report(status="failed", error=f"{type(error).__name__}: {lines[0][:300]}")


def record(result: Result, *, out: Path, say: Callable[[str], None]) -> None:
    """Prints a result and appends it to ``results.jsonl``."""
    line = json.dumps(result)
    say(line)
    with (out / "results.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_results(files: Sequence[Path]) -> dict[str, Result]:
    """The latest result of each stage in some files of results; a line that is cut off is left out."""
    results: dict[str, Result] = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            try:
                result = json.loads(line)
            except json.JSONDecodeError:
                continue
            known = results.get(result["stage"], {})
            if known.get("status") != "done" or result["status"] == "done":
                results[result["stage"]] = result
    return results


def asdict_shallow(settings: Settings) -> dict[str, Any]:
    """The fields of the settings."""
    return {name: getattr(settings, name) for name in asdict(Settings())}


def _run_fresh(stage: Stage, settings: Settings, file: Path, out: Path, limit_s: float) -> tuple[bool, int | None]:
    (settings.work / "results.json").write_text(json.dumps(settings.results), encoding="utf-8")
    script = Path(__file__).parents[1] / "run.py"
    command = [sys.executable, str(script), "--only", stage.name, "--to", str(file), "--work", str(settings.work)]
    command += ["--device", settings.device, "--out", str(out), *(["--tiny"] if settings.tiny else [])]
    try:
        return False, subprocess.run(command, timeout=limit_s, check=False, capture_output=True).returncode
    except subprocess.TimeoutExpired:
        return True, None
