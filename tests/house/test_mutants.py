"""The named faults of tools/faults can still be put into the package: their texts and their tests are there."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from named_faults import Fault, read_faults  # noqa: E402


def test_every_named_fault_still_applies() -> None:
    problems = [problem for fault in read_faults() if (problem := fault.problem()) is not None]
    assert not problems, "correct tools/faults/*.yaml:\n" + "\n".join(problems)


def test_names_are_unique_and_reasons_are_given() -> None:
    faults = read_faults()
    assert len({fault.name for fault in faults}) == len(faults) >= 43
    assert all(fault.why for fault in faults)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"before": "no such text"}, "has the text 'no such text' 0 times"),
        ({"before": "import"}, "expected once"),
        ({"after": "def choose("}, "before and after are the same"),
        ({"tests": ("tests/score/test_no_such.py",)}, "there is no test tests/score/test_no_such.py"),
    ],
)
def test_a_fault_that_cannot_be_tried_says_why(change: dict[str, object], problem: str) -> None:
    values = {
        "name": "f",
        "where": "score/choose.py",
        "before": "def choose(",
        "after": "def chosen(",
        "tests": ("tests/score/test_choose.py",),
        "why": "w",
    }
    assert problem in str(Fault(**{**values, **change}).problem())


def test_the_copy_has_the_fault_and_the_package_has_not(tmp_path: Path) -> None:
    fault = next(fault for fault in read_faults() if fault.name == "truncation off by one")
    (original,) = fault.modules(ROOT / "src" / "donorgrid")
    package = tmp_path / "donorgrid"
    copy = package / original.relative_to(ROOT / "src" / "donorgrid")
    copy.parent.mkdir(parents=True)
    copy.write_text(original.read_text())
    assert fault.apply(package) == copy
    assert fault.after in copy.read_text()
    assert fault.before in original.read_text()


def test_an_unknown_name_is_an_error_of_its_own() -> None:
    command = [sys.executable, str(ROOT / "tools" / "mutants.py"), "--named", "no such fault"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (2, "no named fault contains no such fault")
