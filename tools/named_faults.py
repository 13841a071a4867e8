"""The named faults: one-line changes of the package that would give a wrong number or verdict without an error."""

from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
FAULTS = ROOT / "tools" / "faults"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    ``file`` is a module of the package (``score/choose.py``), in which ``before`` stands exactly once and is replaced
    by ``after``. ``tests`` are the test files that notice it. ``why`` says what would go wrong unseen.
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    why: str

    def is_called(self, wanted: str) -> bool:
        """Whether ``wanted`` is a part of the fault's name, or the beginning of its file."""
        return wanted in self.name or self.file.startswith(wanted)

    def problem(self) -> str | None:
        """Why the fault cannot be tried: its text or its tests are gone. None where it can be."""
        path = ROOT / "src" / "donorgrid" / self.file
        if not path.is_file():
            return f"{self.name}: there is no module {self.file}"
        count = path.read_text(encoding="utf-8").count(self.before)
        if count != 1:
            return f"{self.name}: {self.file} has the text {self.before!r} {count} times; expected once"
        if self.before == self.after:
            return f"{self.name}: the texts before and after are the same"
        missing = [test for test in self.tests if not (ROOT / test).exists()]
        if missing or not self.tests:
            return f"{self.name}: there is no test {missing[0] if missing else 'at all'}"
        return None


def read_faults() -> list[Fault]:
    """All named faults, in the order of their files."""
    entries = [one for path in sorted(FAULTS.glob("*.yaml")) for one in yaml.safe_load(path.read_text("utf-8"))]
    return [Fault(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
