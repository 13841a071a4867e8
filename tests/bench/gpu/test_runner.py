"""Stages cannot hurt each other: one that fails, hangs or dies has a result, and a later call goes on."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from gpu_kit.runner import Settings, Stage, order, read_results, run_stages


def good(_: Settings, report: object) -> None:
    report(value=1.5, ok=True)


def bad(_: Settings, report: object) -> None:
    report(value=2)
    raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")


def endless(_: Settings, report: object) -> None:
    report(value=3)
    time.sleep(60)


def dying(_: Settings, report: object) -> None:
    report(value=4)
    os._exit(7)


KIT = Path(__file__).parents[3] / "benchmarks" / "gpu"
STAGES = [
    Stage(name="bad", run=bad, limit_s=20, least_s=1),
    Stage(name="endless", run=endless, limit_s=1.0, least_s=1),
    Stage(name="dying", run=dying, limit_s=20, least_s=1),
    Stage(name="good", run=good, limit_s=20, least_s=1),
    Stage(name="long", run=good, limit_s=900, least_s=800),
]


def test_every_stage_has_a_result_at_once_and_what_it_had_reported(tmp_path: Path) -> None:
    lines: list[str] = []
    settings = Settings(device="cpu", work=tmp_path / "work")
    results = run_stages(STAGES, settings, out=tmp_path, limit_s=60, say=lines.append)
    found = {name: (result["status"], result["value"]) for name, result in results.items()}
    expected = {"bad": ("failed", 2), "endless": ("out of time", 3), "dying": ("died", 4), "good": ("done", 1.5)}
    assert found == expected
    assert results["bad"]["error"] == "RuntimeError: CUDA error: an illegal memory access was encountered"
    assert results["dying"]["exit_code"] == 7
    assert [json.loads(line) for line in lines] == list(results.values())
    assert (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines() == lines
    assert "illegal memory access" in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_a_later_call_runs_what_was_never_tried_and_then_what_failed(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    lines = [{"stage": "bad", "status": "failed"}, {"stage": "good", "status": "done"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"stage": "cut of', encoding="utf-8")
    results = read_results([tmp_path / "none.jsonl", file])
    assert [stage.name for stage in order(STAGES, results)] == ["endless", "dying", "long", "bad"]


def test_a_stage_that_is_done_stays_done(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    lines = [{"stage": "good", "status": "done", "value": 1}, {"stage": "good", "status": "died"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert read_results([file])["good"]["value"] == 1


def test_the_script_prints_results_and_a_second_call_has_nothing_left(tmp_path: Path) -> None:
    script = [str(KIT / "run.py"), "--out", str(tmp_path), "--device", "cpu", "--tiny", "--stages", "machine", "4 bit"]
    for expected in (["machine", "4 bit qwen2.5-0.5b", "estimate"], ["estimate"]):
        done = subprocess.run([sys.executable, *script], check=True, capture_output=True, text=True)
        *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line["stage"] for line in lines] == expected
        assert last == {"left": []}
    assert "| machine | done | True |" in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_a_fresh_process_runs_a_stage_without_the_packages_that_a_gpu_image_lacks(tmp_path: Path) -> None:
    hidden = {"polars", "pydantic", "babel", "langcodes", "language_data", "marisa_trie", "bitsandbytes", "chardet"}
    hidden |= {"evaluate", "pytablewriter", "rouge_score", "sqlitedict", "word2number", "more_itertools", "typepy"}
    code = (
        "import runpy, sys\n"
        "from importlib.machinery import PathFinder\n"
        "class Hiding(PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        f"        return None if name.split('.')[0] in {hidden!r} else PathFinder.find_spec(name, path, target)\n"
        "sys.meta_path[:] = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    (tmp_path / "results.json").write_text("{}", encoding="utf-8")
    command = [sys.executable, "-c", code, str(KIT / "run.py"), "--only", "scoring peer llama-3.2-1b"]
    command += ["--to", str(tmp_path / "stage.json"), "--work", str(tmp_path), "--out", str(tmp_path)]
    subprocess.run([*command, "--device", "cpu", "--tiny"], check=True, capture_output=True)
    result = json.loads((tmp_path / "stage.json").read_text(encoding="utf-8"))
    assert (result["status"], result["ok"]) == ("done", True), result
