"""Every name of a study on disk: what may become a path, where each file lies, how it gets there whole.

One class, ``StudyFolder``, owns all file names; nothing else builds or parses one.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.processes import birth_mark, host_mark
from donorgrid.core.records import Baseline, Prompted, Recipe, Run, Source, Subject

_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST_NAME = 96
_UNFINISHED = ".unfinished-"


def check_name(name: str, *, what: str) -> str:
    """``name`` itself when it may become part of a path; InputError otherwise.

    Allowed: 1 to 96 of the letters a-z, digits, '.', '_' and '-', with a letter or digit at both ends.
    """
    if len(name) > _LONGEST_NAME or not _SAFE.fullmatch(name):
        allowed = "letters, digits, '.', '_', '-', at most 96, a letter or digit at both ends"
        raise InputError(f"{what} '{name}': allowed are {allowed}")
    return name


@cache
def recipe_folder(recipe: Recipe) -> str:
    """``name-<8 hex>``: the digits come from the hyperparameters, so an edited recipe never shares a folder."""
    return f"{recipe.name}-{digest_of(recipe.hyperparameters)[:8]}"


def source_folder(source: Source) -> str:
    """``task@language``, ``mix+name``, ``shuffled+task@language``: '@' and '+' never stand in a checked name."""
    if source.kind == "mix":
        return f"mix+{source.name}"
    (cell,) = source.cells
    plain = f"{cell.task}@{cell.language}"
    return plain if source.control is None else f"{source.control_name}+{plain}"


def seed_folder(run: Run) -> str:
    """``seed17``, with ``-data3`` and ``-n200`` when those draws are not the defaults, ``-e0.5`` for a checkpoint."""
    data = f"-data{run.data_seed}" if run.data_seed else ""
    size = f"-n{run.train_size}" if run.train_size is not None else ""
    after = f"-e{run.checkpoint!r}".removesuffix(".0") if run.checkpoint is not None else ""
    return f"seed{run.train_seed}{data}{size}{after}"


def subject_name(subject: Subject) -> str:
    """``model/base``, ``model/source--seed``, ``model/source--recipe--seed``: no two subjects of a study share one."""
    model = check_name(subject.model, what="model name")
    if isinstance(subject, Baseline):
        return f"{model}/base" + ("" if subject.replicate is None else f"-{subject.replicate}")
    if isinstance(subject, Prompted):
        return f"{model}/{source_folder(subject.source)}--seed{subject.draw_seed}"
    return f"{model}/" + "--".join((source_folder(subject.source), recipe_folder(subject.recipe), seed_folder(subject)))


@dataclass(frozen=True)
class StudyFolder:
    """Where everything of one study lies."""

    root: Path

    @property
    def study_file(self) -> Path:
        """The resolved study, every default written out."""
        return self.root / "study.yaml"

    @property
    def plan(self) -> Path:
        """The keys of the study's work, and what is known of its models."""
        return self.root / "plan.json"

    @property
    def claims(self) -> Path:
        """Work in hand."""
        return self.root / "claims"

    @property
    def tables(self) -> Path:
        """The analysed tables, CSV."""
        return self.root / "tables"

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.root / "report.html"

    def table(self, name: str) -> Path:
        """One analysed table."""
        return self.tables / f"{name}.csv"

    def process_file(self, kind: str, process: str) -> Path:
        """A log that one process writes alone (``failures-….jsonl``, ``manifest-….json``), merged on reading."""
        suffix = "json" if kind == "manifest" else "jsonl"
        return self.root / "log" / f"{kind}-{process}.{suffix}"

    def process_files(self, kind: str) -> list[Path]:
        """All processes' files of one kind, in the order of their names."""
        return sorted((self.root / "log").glob(f"{kind}-*"))

    def adapter(self, run: Run) -> Path:
        """The folder of a run's adapter, in PEFT's format."""
        return (
            self.root
            / "adapters"
            / check_name(run.model, what="model name")
            / source_folder(run.source)
            / recipe_folder(run.recipe)
            / seed_folder(run)
        )

    def items(self, subject: Subject) -> Path:
        """The Parquet file with the item answers of one subject."""
        return self.root / "items" / f"{subject_name(subject)}.parquet"

    def claim(self, key: str, generation: int) -> Path:
        """The claim on one piece of work; a take-over of a dead claim is the next generation."""
        return self.claims / f"{key}.{generation}"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file whole: the body writes to the path that it is given, which then replaces ``path`` in one step."""
    unfinished = _unfinished(path)
    try:
        yield unfinished
        _to_disk(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Write a folder whole: it appears under ``path`` complete, or not at all. A former folder there is replaced."""
    unfinished = _unfinished(path)
    unfinished.mkdir()
    try:
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                _to_disk(file)
        remove_folder(path)
        unfinished.rename(path)
    finally:
        if unfinished.exists():
            shutil.rmtree(unfinished)


def make_exclusively(path: Path, text: str) -> bool:
    """Make a file with its text in one step; False when it exists already. Exactly one of many processes gets True.

    A link to a finished file does what O_EXCL does, and the file is never seen empty.
    """
    unfinished = _unfinished(path)
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def remove_folder(path: Path) -> None:
    """Delete a folder so that no half of it is ever seen under its name. Nothing happens when there is none."""
    if path.exists():
        former = _unfinished(path)
        path.rename(former)
        shutil.rmtree(former)


def remove_unfinished(root: Path) -> int:
    """Delete what processes of this machine that no longer live left half written; how many things that were."""
    removed = 0
    # os.walk, unlike rglob, passes over folders that another process takes away meanwhile.
    for place, folders, files in os.walk(root):
        for name in (*folders, *files):
            if name.startswith(_UNFINISHED) and _is_abandoned(name):
                path = Path(place, name)
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                removed += 1
    return removed


def _is_abandoned(name: str) -> bool:
    host, pid, _ = name.rsplit("-", 3)[1:]
    return host == host_mark() and birth_mark(int(pid)) is None


def _unfinished(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{_UNFINISHED}{path.name}-{host_mark()}-{os.getpid()}-{secrets.token_hex(4)}")


def _to_disk(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
