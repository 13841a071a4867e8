"""How long ``donorgrid check`` takes for two adapters against 8 targets of 200 items each on the pocket model.

    python benchmarks/check_speed.py

Trains two adapters first (not timed), then runs the command twice in processes of their own: with an empty cache, and
again, when nothing is left to answer.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from donorgrid.pocket import documents

COMMAND = (sys.executable, "-c", "from donorgrid.cli import main; main()")
TARGETS = [(task, language) for task in ("continent", "currency", "language", "place") for language in ("de", "en")]
N_ITEMS = 200
STUDY = {
    "models": ["pocket"],
    "tasks": ["continent"],
    "languages": ["de", "fr"],
    "sources": ["continent/de", "continent/fr"],
    "recipes": {"pocket": "pocket"},
    "train_seeds": [17],
    "limits": {"train_items": 64, "test_items": 4},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        adapters = train(root)
        files = write_targets(root)
        words = [*COMMAND, "check", "pocket", *adapters, "--cache", "cache"]
        words += [word for file in files for word in ("--guard", file)]
        print(f"{len(adapters)} adapters, {len(files)} targets of {N_ITEMS} items, {os.cpu_count()} cores")
        print(f"load average {os.getloadavg()[0]:.1f}, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}")
        print("with an empty cache:", timed(words, root))
        print("the same again:", timed(words, root))


def timed(words: list[str], root: Path) -> str:
    """Wall time, and processor time of this process's child, which other work on the machine hardly changes."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{time.perf_counter() - began:.1f} s, of which {spent:.1f} s on the processor"


def train(root: Path) -> list[str]:
    (root / "s.yaml").write_text(yaml.safe_dump(STUDY))
    subprocess.run([*COMMAND, "run", "s.yaml", "--jobs", "1"], cwd=root, check=True)
    for number, path in enumerate(sorted((root / "s" / "adapters").glob("*/*/*/seed17"))):
        shutil.copytree(path, root / f"adapter{number}")
    return ["adapter0", "adapter1"]


def write_targets(root: Path) -> list[str]:
    files = []
    for task, language in TARGETS:
        rows = [*documents(f"{task}/{language}", "test"), *documents(f"{task}/{language}", "train")][:N_ITEMS]
        path = root / f"{task}-{language}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        files.append(path.name)
    return files


if __name__ == "__main__":
    main()
