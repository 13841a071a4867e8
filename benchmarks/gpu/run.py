"""Measures donorgrid on a GPU: from a clone and a folder of wheels, without network, in one or several calls.

    python benchmarks/gpu/run.py --wheels gpu-wheels --out results [--limit 345] [--resume earlier/results.jsonl]

It needs Python with torch, transformers and peft; `make gpu-wheels` downloads the rest on a machine with network.
Every stage runs in a process of its own under a time limit. Its result is printed at once as one line of JSON and
appended to ``results.jsonl`` in ``--out``. ``summary.md`` shows all of them with the estimate of the paper's grid, and
``log.txt`` keeps what the stages print. A later call with the same ``--out``, or with ``--resume``, goes on where the
time was up.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    start = time.monotonic()
    given = _arguments()
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", PYTORCH_NVML_BASED_CUDA_CHECK="1")
    work = given.work or Path(tempfile.mkdtemp(prefix="gpu-kit-"))
    sys.path[:0] = [str(HERE), str(HERE.parents[1] / "src")]
    if given.wheels:
        sys.path.append(str(unpack(given.wheels, work / "site")))
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)

    # After the paths are set, and before any stage: the processes of the stages share what is loaded here.
    from gpu_kit import runner  # noqa: PLC0415
    from gpu_kit.estimate import estimate, page  # noqa: PLC0415
    from gpu_kit.stages import STAGES  # noqa: PLC0415

    given.out.mkdir(parents=True, exist_ok=True)
    if given.only:
        _run_only(given, work, {stage.name: stage for stage in STAGES}[given.only])
        return
    earlier = runner.read_results([*given.resume, given.out / "results.jsonl"])
    settings = runner.Settings(device=given.device, tiny=given.tiny, work=work, results=earlier)
    stages = [stage for stage in STAGES if not given.stages or any(part in stage.name for part in given.stages)]
    results = runner.run_stages(
        stages, settings, out=given.out, limit_s=given.limit - (time.monotonic() - start), say=_say
    )
    runner.record(estimate(results), out=given.out, say=_say)
    (given.out / "summary.md").write_text(page(results), encoding="utf-8")
    left = [stage.name for stage in stages if results.get(stage.name, {}).get("status") != "done"]
    _say(json.dumps({"left": left}))


def unpack(wheels: Path, site: Path) -> Path:
    """Unpacks wheels into a folder for the end of the import path: what the machine has itself comes first."""
    files = sorted(wheels.glob("*.whl"))
    if not files:
        raise SystemExit(f"{wheels}: no wheels; `make gpu-wheels` makes the folder")
    for file in files:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(site)
    return site


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--wheels", type=Path, help="folder of wheels, made by `make gpu-wheels`")
    parser.add_argument("--resume", type=Path, nargs="*", default=[], help="results.jsonl of earlier calls")
    parser.add_argument("--limit", type=float, default=345.0, help="seconds of this call")
    parser.add_argument("--stages", nargs="*", help="only stages whose name contains one of these")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    parser.add_argument("--tiny", action="store_true", help="tiny shapes, to try the script on a CPU")
    parser.add_argument("--work", type=Path, help="working folder (default: a temporary one)")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_only(given: argparse.Namespace, work: Path, stage: object) -> None:
    """One stage in this process, where a forked one cannot use the device."""
    from gpu_kit import runner  # noqa: PLC0415

    results = json.loads((work / "results.json").read_text(encoding="utf-8"))
    settings = runner.Settings(device=given.device, tiny=given.tiny, work=work, results=results)
    runner.work(stage, settings, given.to, given.out / "log.txt")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
