"""The names of a study on disk: what may become part of a path, and where each file lies.

Only ``StudyFolder`` builds or parses a file name.
"""

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.records import Baseline, Prompted, Recipe, Run, Source, Subject

_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST_NAME = 96
_LONGEST_SHOWN = 100
_MOST_BYTES = 255
_SEPARATORS = frozenset("/\\@+")


def check_name(name: str, *, what: str) -> str:
    """Returns ``name`` if it may become part of a path.

    Parameters
    ----------
    name : str
        1 to 96 of the letters a-z and A-Z, digits, '.', '_' and '-', with a letter or digit at both ends.
    what : str
        What the name names, for the message.

    Returns
    -------
    str
        ``name``.

    Raises
    ------
    InputError
        If the name holds anything else.
    """
    if len(name) > _LONGEST_NAME or not _SAFE.fullmatch(name):
        allowed = "letters, digits, '.', '_', '-', at most 96, a letter or digit at both ends"
        raise InputError(f"{what} {_shown(name)}: allowed are {allowed}")
    return name


def check_part(name: str, *, what: str) -> str:
    """Returns ``name`` if it may stand between the separators of a path, and stays there.

    Names of tasks and languages come from files of others, in any script, so more is allowed than by ``check_name``.

    Parameters
    ----------
    name : str
        1 to 96 printable characters without ``/``, ``\\``, ``@`` and ``+``, with no ``.`` or ``-`` at its beginning.
    what : str
        What the name names, for the message.

    Returns
    -------
    str
        ``name``.

    Raises
    ------
    InputError
        If the name is something else.
    """
    printable = name.isprintable() and not set(name) & _SEPARATORS
    if not name or not printable or len(name.encode()) > _MOST_BYTES or len(name) > _LONGEST_NAME or name[0] in ".-":
        raise InputError(
            f"{what} {_shown(name)}: it becomes part of a path; allowed are 1 to {_LONGEST_NAME} printable characters "
            r"without '/', '\', '@' and '+', and no '.' or '-' at the beginning"
        )
    return name


def check_path(path: str, *, what: str) -> str:
    """Returns ``path`` if an operating system can open it: no NUL, no part above 255 bytes.

    Parameters
    ----------
    path : str
        A path or the name of something that may be a path.
    what : str
        What the path names, for the message.

    Returns
    -------
    str
        ``path``.

    Raises
    ------
    InputError
        If it is no path.
    """
    try:
        longest = max(len(os.fsencode(part)) for part in path.split("/"))
    except UnicodeEncodeError:
        longest = _MOST_BYTES + 1
    if longest > _MOST_BYTES or "\0" in path:
        raise InputError(
            f"{what} {_shown(path)}: it is no path; a name has at most {_MOST_BYTES} bytes, none of them NUL"
        )
    return path


def _shown(name: str) -> str:
    whole = name.isprintable() and len(name) <= _LONGEST_SHOWN
    return f"'{name}'" if whole else f"{name[:_LONGEST_SHOWN]!r}{'…' if len(name) > _LONGEST_SHOWN else ''}"


@cache
def recipe_folder(recipe: Recipe) -> str:
    """Returns ``name-<8 hex>``. The digits digest the hyperparameters, so an edited recipe gets its own folder."""
    return f"{check_part(recipe.name, what='recipe name')}-{digest_of(recipe.hyperparameters)[:8]}"


def source_folder(source: Source) -> str:
    """Returns ``task@language``, ``mix+name`` or ``shuffled+task@language``; a checked name holds no '@' or '+'."""
    if source.kind == "mix":
        return f"mix+{check_part(source.name, what='name of a mix')}"
    (cell,) = source.cells
    plain = f"{check_part(cell.task, what='task name')}@{check_part(cell.language, what='language')}"
    return plain if source.control is None else f"{source.control_name}+{plain}"


def seed_folder(run: Run) -> str:
    """Returns ``seed17``; ``-data3`` and ``-n200`` follow if they are not the defaults.

    ``-e0.5`` follows for a checkpoint, ``-strength0.25`` for a strength.
    """
    data = f"-data{run.data_seed}" if run.data_seed else ""
    size = f"-n{run.train_size}" if run.train_size is not None else ""
    checkpoint = f"-e{run.checkpoint!r}".removesuffix(".0") if run.checkpoint is not None else ""
    strength = f"-strength{run.strength!r}".removesuffix(".0") if run.strength is not None else ""
    return f"seed{run.train_seed}{data}{size}{checkpoint}{strength}"


def subject_name(subject: Subject) -> str:
    """Returns a name that no other subject of a study has.

    It is ``model/base`` for a baseline, ``model/source--seed`` for a prompted model and ``model/source--recipe--seed``
    for a run.
    """
    model = check_name(subject.model, what="model name")
    if isinstance(subject, Baseline):
        return f"{model}/base" + ("" if subject.replicate is None else f"-{subject.replicate}")
    if isinstance(subject, Prompted):
        return f"{model}/{source_folder(subject.source)}--seed{subject.draw_seed}"
    return f"{model}/" + "--".join((source_folder(subject.source), recipe_folder(subject.recipe), seed_folder(subject)))


@dataclass(frozen=True)
class StudyFolder:
    """The paths of one study's files, below ``root``."""

    root: Path

    @property
    def study_file(self) -> Path:
        """The resolved study, every default written out."""
        return self.root / "study.yaml"

    @property
    def plan(self) -> Path:
        """The work keys of the study, and facts about its models."""
        return self.root / "plan.json"

    @property
    def claims(self) -> Path:
        """The claims on work in progress."""
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
        """The folder of a run's adapter, in PEFT's format: the same one at every strength."""
        return (
            self.root
            / "adapters"
            / check_name(run.model, what="model name")
            / source_folder(run.source)
            / recipe_folder(run.recipe)
            / seed_folder(run.as_trained)
        )

    def items(self, subject: Subject) -> Path:
        """The Parquet file with the item answers of one subject."""
        return self.root / "items" / f"{subject_name(subject)}.parquet"

    def claim(self, key: str, generation: int) -> Path:
        """The claim on one piece of work; a take-over of a dead claim has the next generation."""
        return self.claims / f"{key}.{generation}"
