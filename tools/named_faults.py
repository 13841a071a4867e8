"""The named faults: one-line changes of the package that would give a wrong number or verdict without an error."""

from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
FAULTS = ROOT / "tools" / "faults"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Attributes
    ----------
    name : str
        What goes wrong, in a few words.
    where : str
        A room or a module of the package, in which ``before`` stands exactly once.
    before, after : str
        The text that is replaced, and the one that replaces it.
    tests : tuple of str
        Patterns of the test files that notice it; ``**`` stands for any folders.
    why : str
        What would happen unseen.
    """

    name: str
    where: str
    before: str
    after: str
    tests: tuple[str, ...]
    why: str

    def is_called(self, wanted: str) -> bool:
        """True if ``wanted`` is a part of the fault's name, or its room."""
        return wanted in self.name or wanted.rstrip("/") == self.where.split("/")[0]

    def modules(self, package: Path) -> list[Path]:
        """The modules beneath ``where`` that hold the text, once for each time it stands there."""
        place = package / self.where
        paths = sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.is_file() else []
        return [path for path in paths for _ in range(path.read_text(encoding="utf-8").count(self.before))]

    def apply(self, package: Path) -> Path:
        """Replaces the text in a copy of the package; the changed module."""
        (path,) = self.modules(package)
        path.write_text(path.read_text(encoding="utf-8").replace(self.before, self.after), encoding="utf-8")
        return path

    def problem(self) -> str | None:
        """Why the fault cannot be tried: its text or its tests are gone. None where it can be."""
        count = len(self.modules(ROOT / "src" / "donorgrid"))
        if count != 1:
            return f"{self.name}: {self.where} has the text {self.before!r} {count} times; expected once"
        if self.before == self.after:
            return f"{self.name}: the texts before and after are the same"
        missing = [pattern for pattern in self.tests if not any(ROOT.glob(pattern))]
        if missing or not self.tests:
            return f"{self.name}: there is no test {missing[0] if missing else 'at all'}"
        return None

    def test_files(self) -> list[str]:
        """The test files, relative to the project."""
        return sorted({str(path.relative_to(ROOT)) for pattern in self.tests for path in ROOT.glob(pattern)})


def read_faults() -> list[Fault]:
    """All named faults, in the order of their files."""
    entries = [one for path in sorted(FAULTS.glob("*.yaml")) for one in yaml.safe_load(path.read_text("utf-8"))]
    return [Fault(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
