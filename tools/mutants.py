"""Do the tests notice a fault? Puts small faults into a copy of the package and says which ones the tests let pass.

    python tools/mutants.py --named                        every fault of tools/faults/*.yaml
    python tools/mutants.py --named holm                   the named faults whose name contains "holm"
    python tools/mutants.py --named score/                 the named faults of one room
    python tools/mutants.py src/donorgrid/score/choose.py  generated faults of one module

The working tree is never changed. Exit code 1 when a fault survives, 2 when a fault cannot be tried.

Generated faults come from mutmut (``pip install "donorgrid[mutants]"``). It runs the tests of one module once to learn
which test reaches which function, and then forks one process per fault. It leaves decorated functions out (compiled
kernels, cached functions, properties): these have named faults. Measured on two shared cores with Python 3.11: for the
11 faults of score/choose.py and tests/score/test_choose.py, mutmut 3.8.1 took 14 seconds, cosmic-ray 8.7.0, which
starts pytest anew for each fault, 153.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from named_faults import ROOT, Fault, read_faults

PACKAGE = ROOT / "src" / "donorgrid"
PASSED, FAILED, SURVIVED, UNUSABLE = 0, 1, 1, 2
LONGEST_S = 600
"""A test run that takes longer counts as one that noticed the fault: it hangs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the faults that the command line names; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--named", nargs="*", metavar="NAME", help="try the named faults, or some of them")
    parser.add_argument("--tests", nargs="+", help="the tests of the module; default: those that mirror it")
    parser.add_argument("module", nargs="?", type=Path, help="a module of src/donorgrid whose faults are generated")
    given = parser.parse_args(arguments)
    if given.named is not None:
        return try_named(given.named)
    if given.module is None:
        parser.error("give --named, or a module of src/donorgrid")
    return try_generated(given.module, given.tests)


def try_named(wanted: Sequence[str]) -> int:
    """Try the named faults, after one run of their tests without any fault."""
    faults = [fault for fault in read_faults() if not wanted or any(map(fault.is_called, wanted))]
    wrong = [fault.problem() for fault in faults if fault.problem()]
    if wrong or not faults:
        print("\n".join(wrong) or f"no named fault contains {' or '.join(wanted)}", file=sys.stderr)
        return UNUSABLE
    tests = sorted({test for fault in faults for test in fault.test_files()})
    if run_tests(PACKAGE.parent, tests) != PASSED:
        print(f"these tests fail without any fault: {' '.join(tests)}", file=sys.stderr)
        return UNUSABLE
    survivors = []
    for fault in faults:
        with faulty_copy(fault) as source:
            code = run_tests(source, fault.test_files())
        if code not in (PASSED, FAILED):
            print(f"{fault.name}: pytest ended with code {code}", file=sys.stderr)
            return UNUSABLE
        survivors += [fault] if code == PASSED else []
        print(f"{'SURVIVED' if code == PASSED else 'noticed '}  {fault.name}", flush=True)
    for fault in survivors:
        print(f"\n{fault.name}: {fault.why}\n  {fault.where}\n  - {fault.before}\n  + {fault.after}")
    print(f"{len(survivors)} of {len(faults)} faults survived")
    return SURVIVED if survivors else 0


@contextmanager
def faulty_copy(fault: Fault) -> Iterator[Path]:
    """A copy of src with one fault in it, to be put first on Python's path."""
    with tempfile.TemporaryDirectory(prefix="donorgrid-fault-") as folder:
        source = Path(folder) / "src"
        shutil.copytree(PACKAGE.parent, source, ignore=shutil.ignore_patterns("__pycache__"))
        fault.apply(source / "donorgrid")
        yield source


def run_tests(source: Path, tests: Sequence[str]) -> int:
    """Pytest's exit code on the tests, with the package in ``source``, up to the first failure."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment(source), capture_output=True, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return FAILED
    return done.returncode


def environment(source: Path) -> dict[str, str]:
    """The variables of a test run: the package of ``source`` first, no network, no data from outside."""
    path = os.pathsep.join([str(source), *filter(None, [os.environ.get("PYTHONPATH")])])
    fixed = {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "DONORGRID_SHARED_DATA": "/nonexistent"}
    return {**os.environ, **fixed, "PYTHONDONTWRITEBYTECODE": "1"}


def try_generated(module: Path, tests: Sequence[str] | None) -> int:
    """Let mutmut try its faults on one module."""
    inside = module.resolve().relative_to(PACKAGE) if module.resolve().is_relative_to(PACKAGE) else None
    if inside is None or not module.is_file():
        print(f"{module}: expected a module of {PACKAGE.relative_to(ROOT)}", file=sys.stderr)
        return UNUSABLE
    if find_spec("mutmut") is None:
        print('generated faults need mutmut: pip install "donorgrid[mutants]"', file=sys.stderr)
        return UNUSABLE
    chosen = list(tests or mirrored_tests(inside))
    print(f"{module} against {' '.join(chosen)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="donorgrid-faults-") as name:
        folder = Path(name)
        for part in ("src", "tests"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        settings = f'source_paths = ["src"]\nonly_mutate = ["src/donorgrid/{inside}"]\n'
        settings += f"pytest_add_cli_args_test_selection = {chosen}\n".replace("'", '"')
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        (folder / "pyproject.toml").write_text(f"{project}\n[tool.mutmut]\n{settings}", encoding="utf-8")
        return _run_mutmut(folder)


def mirrored_tests(inside: Path) -> list[str]:
    """The test file that mirrors a module of the package, or the tests of its room."""
    own = Path("tests") / inside.parent / f"test_{inside.name}"
    return [str(own if (ROOT / own).exists() else own.parent)]


def _run_mutmut(folder: Path) -> int:
    mutated = folder / "mutants" / "src"
    mutated.mkdir(parents=True)  # Python passes over a folder of its path that is not there when it starts

    def mutmut(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mutmut", *arguments]
        return subprocess.run(command, cwd=folder, env=environment(mutated), capture_output=True, text=True)

    run = mutmut("run")
    tried = re.findall(r"(\d+)/(\d+) ", run.stdout)
    if run.returncode or not tried:
        print(run.stdout[-1000:] + run.stderr[-1000:], file=sys.stderr)
        return UNUSABLE
    survivors = re.findall(r"^\s*(\S+): (survived|no tests|suspicious)$", mutmut("results").stdout, flags=re.MULTILINE)
    for name, verdict in survivors:
        print(f"\n{verdict}: {name}\n{mutmut('show', name).stdout.strip()}")
    print(f"{len(survivors)} of {tried[-1][1]} faults survived")
    return SURVIVED if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
