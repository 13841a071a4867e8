"""A task from a plain JSONL, CSV or Parquet file with the columns id, language, question, choices, answer.

A task that generates its answers has prompt and reply instead of the last three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.facts.languages import language_label, spelling_of
from donorgrid.tasks.documents.file_content import FORMATS, data_suffix
from donorgrid.tasks.documents.local_files import Rows, read_rows
from donorgrid.tasks.task_files.answers import Convention
from donorgrid.tasks.task_files.parsing import parse_keys
from donorgrid.tasks.task_files.plain_rows import (
    ANSWERS_FROM,
    REPLY_COLUMNS,
    SPLITS,
    check_columns,
    convention_in,
    names_for,
    plain_documents,
    splits_in,
)
from donorgrid.tasks.task_files.task_file import PLACEHOLDER, CellKeys, TaskFile

Columns = Mapping[str, str | Sequence[str]]
COLUMNS = ("id", "language", "split", "question", "choices", "answer", "prompt", "reply")
CHOICE_COLUMNS = ("question", "choices", "answer")
SPLIT_PLACEHOLDER = "{split}"
_CHOICE = {
    "output_type": "multiple_choice",
    "doc_to_text": "Question: {{question}}\nAnswer:",
    "doc_to_choice": "choices",
    "doc_to_target": "answer",
}
_GENERATION: dict[str, Any] = {
    "output_type": "generate_until",
    "doc_to_text": "prompt",
    "doc_to_target": "reply",
    "generation_kwargs": {"until": ["\n\n"]},
    "filter_list": [{"name": "trimmed", "filter": [{"function": "remove_whitespace"}]}],
    "metric_list": [{"metric": "exact_match"}],
}


def task_of_plain(
    reference: str, *, folder: Path, columns: Columns | None = None, languages: Sequence[str] = ()
) -> TaskFile:
    """Make the task of a plain data file.

    The context is ``Question: {question}``, a line break and ``Answer:``; options are scored by their full text. With
    the columns prompt and reply the model continues the prompt up to an empty line, and is right if that is the reply.

    Parameters
    ----------
    reference
        A path that may hold ``{language}`` and ``{split}`` (train, test). Otherwise the columns language and split say
        what a row belongs to; without a column split every row is for the test.
    folder
        Where a relative path starts.
    columns
        Our column name to the file's. ``choices`` may be a list of columns; in a single CSV column it is a JSON list.
        The key ``answers_from`` (0, 1, letters, text) says how answers name the right choice.
    languages
        The languages wanted; by default those of the paths or the rows.

    Returns
    -------
    TaskFile

    Raises
    ------
    InputError
        If a file, a column or a language is missing, or a split is neither train nor test.
    """
    names = _names(columns or {}, reference)
    existing = _languages_of_paths(reference, folder, needed=not languages)
    if not languages and not existing:
        existing = _languages_of_rows(reference, folder, names)
    written = spelling_of(languages, existing, where=f"task '{reference}'")
    by_path: dict[str, _TestFile] = {}
    for path in dict.fromkeys(reference.replace(PLACEHOLDER, spelling) for spelling in written.values()):
        by_path[path] = _test_file(path, folder=folder, names=names)
    cells = {code: _cell(by_path[reference.replace(PLACEHOLDER, written[code])], code) for code in written}
    name = Path(reference).name.split(".")[0].replace(PLACEHOLDER, "").replace(SPLIT_PLACEHOLDER, "").strip("._-")
    first = next(iter(cells.values())).keys
    return TaskFile(
        name=name or Path(reference).parent.name or "task",
        title=name,
        licence="not stated",
        languages=tuple(cells),
        metrics=first.metrics,
        cells=cells,
    )


def _names(columns: Columns, reference: str) -> dict[str, str | Sequence[str]]:
    for name in columns:
        if name not in (*COLUMNS, ANSWERS_FROM):
            raise InputError(
                f"task '{reference}': column map names '{name}'{suggestion(name, COLUMNS)}; allowed: "
                f"{', '.join([*COLUMNS, ANSWERS_FROM])}"
            )
    for name, column in columns.items():
        if name != "choices" and not isinstance(column, str):
            raise InputError(f"task '{reference}': several columns for '{name}'; only choices may have them")
    given = {ANSWERS_FROM: columns[ANSWERS_FROM]} if ANSWERS_FROM in columns else {}
    return {name: columns.get(name, name) for name in COLUMNS} | given


def _languages_of_paths(reference: str, folder: Path, *, needed: bool) -> list[str]:
    if PLACEHOLDER not in reference:
        return []
    head, suffix = reference.replace(SPLIT_PLACEHOLDER, "test").split(PLACEHOLDER, 1)
    if "/" in suffix or PLACEHOLDER in suffix:
        raise InputError(f"task '{reference}': {{language}} is allowed once, in the file's name")
    start = folder / (head + "x")  # with a letter, so that a name that starts with {language} has its folder as parent
    prefix = start.name[:-1]
    paths = start.parent.glob(f"{escape(prefix)}*{escape(suffix)}")
    languages = sorted(path.name[len(prefix) : len(path.name) - len(suffix)] for path in paths)
    if not languages and needed:
        raise InputError(f"task '{reference}': no file in {start.parent} has a name of this form")
    return languages


def _languages_of_rows(reference: str, folder: Path, names: Mapping[str, str | Sequence[str]]) -> list[str]:
    column = names["language"]
    path = folder / reference.replace(SPLIT_PLACEHOLDER, "test")
    rows = read_rows(path, as_text=True)
    if rows and column not in rows[0]:
        raise InputError(
            f"task file {path.name}: column '{column}' (language) is missing{suggestion(str(column), rows[0])}; it has "
            f"{', '.join(rows[0])}"
        )
    spellings = {str(row[str(column)]) for row in rows if row[str(column)] not in (None, "")}
    languages = sorted({language_label(spelling) for spelling in spellings})
    if not languages:
        raise InputError(f"task file {path.name}: no rows with a language")
    return languages


@dataclass(frozen=True, kw_only=True)
class _TestFile:
    """A file with test rows: what it is called, and how it is read. ``files`` has the split that can train, too."""

    files: Mapping[str, str]
    folder: Path
    where: str
    names: Mapping[str, str | Sequence[str]]
    convention: Convention | None
    by_split: bool
    has_ids: bool

    def documents(self, rows: Rows, split: str, language: str) -> Rows:
        """The documents of one split and language; a file of its own for training has a convention of its own."""
        convention = self.convention
        if convention is not None and self.by_split and split == "train":
            convention = convention_in(rows, self.names, where=f"task file {Path(self.files[split]).name}")
        return plain_documents(rows, split, names=self.names, language=language, convention=convention)


def _test_file(path: str, *, folder: Path, names: Mapping[str, str | Sequence[str]]) -> _TestFile:
    files = {split: path.replace(SPLIT_PLACEHOLDER, split) for split in SPLITS}
    where = f"task file {Path(files['test']).name}"
    if not (folder / files["test"]).is_file():
        raise InputError(f"{where}: there is no such file in {(folder / files['test']).parent}")
    rows = read_rows(folder / files["test"], as_text=True)
    replies = (
        bool(rows)
        and names["reply"] in rows[0]
        and not (isinstance(names["choices"], str) and names["choices"] in rows[0])
    )
    fitted = names_for(rows, names) if rows else names
    check_columns(rows, fitted, REPLY_COLUMNS if replies else CHOICE_COLUMNS, where=where)
    by_split = SPLIT_PLACEHOLDER in path
    trainable = (folder / files["train"]).is_file() if by_split else "train" in splits_in(rows, fitted, where=where)
    return _TestFile(
        files={split: files[split] for split in SPLITS if split == "test" or trainable},
        folder=folder,
        where=where,
        names=fitted,
        convention=None if replies else convention_in(rows, fitted, where=where),
        by_split=by_split,
        has_ids=fitted["id"] in rows[0],
    )


def _cell(file: _TestFile, language: str) -> CellKeys:
    trainable = "train" in file.files
    content: dict[str, Any] = {
        "task": "plain",
        **(_GENERATION if file.convention is None else _CHOICE),
        "dataset_path": FORMATS[data_suffix(Path(file.files["test"]))],
        "dataset_kwargs": {"data_files": dict(file.files)},
        "training_split": "train" if trainable else None,
        "test_split": "test",
        "id_column": "id" if file.has_ids else None,
    }
    return CellKeys(
        keys=parse_keys(content, where=file.where),
        where=file.where,
        folder=file.folder,
        adapt=partial(file.documents, language=language),
        notes=(file.convention.note,) if file.convention is not None and file.convention.note else (),
    )
