"""A folder of imported item answers: one Parquet file per subject, and import.json, which names the subjects."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter

from donorgrid.core.atomic_files import whole_file, whole_folder
from donorgrid.core.digests import digest_of, digest_of_files
from donorgrid.core.errors import InputError, StoreError
from donorgrid.core.json_files import read_json_object
from donorgrid.core.literal_files import read_parquet
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.exchange.records import ImportedAnswers, ImportedSubject

_SUBJECT = TypeAdapter(ImportedSubject)
_MOST = 2**53
INDEX = "import.json"
ITEMS = "items"


def write_import(imported: ImportedAnswers, folder: Path) -> tuple[str, ...]:
    """Writes imported answers into a folder and replaces a previous import there.

    Parameters
    ----------
    imported : ImportedAnswers
        The answers; each subject's are read once.
    folder : Path
        A new or empty folder, or that of a previous import.

    Returns
    -------
    tuple of str
        The notes of the import, and a note for every fine-tune whose answers all equal its base model's.

    Raises
    ------
    InputError
        If the folder holds anything but an import.
    """
    if folder.is_file() or (folder.exists() and any(folder.iterdir()) and not is_import(folder)):
        raise InputError(f"{folder}: is not empty and holds no import; give another folder")
    entries: list[dict[str, Any]] = []
    answers: dict[ImportedSubject, Mapping[tuple[str, str], int]] = {}
    with whole_folder(folder / ITEMS) as items:
        for number, subject in enumerate(imported.subjects):
            name = f"{number:05d}.parquet"
            frame = ITEM_ANSWERS.check(imported.read(subject))
            frame.write_parquet(items / name, compression="zstd")
            answers[subject] = _answer_hashes(frame)
            entries.append({"file": name, "sha256": digest_of_files([items / name]), **asdict(subject)})
    notes = (*imported.notes, *_unchanged(answers))
    with whole_file(folder / INDEX) as unfinished:
        content: dict[str, Any] = {"subjects": entries, "notes": list(notes)}
        content["digest"] = digest_of(content)
        unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return notes


def _answer_hashes(frame: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Returns a hash of the answers to all items of every target, whatever their order."""
    answers = frame.select("item_id", "chosen", "chosen_norm", "generated", "correct", "correct_norm")
    hashed = frame.select("target_task", "target_language", answers=answers.hash_rows())
    sums = hashed.group_by("target_task", "target_language").agg(pl.col("answers").sum())
    return {(task, language): number for task, language, number in sums.iter_rows()}


def _unchanged(answers: Mapping[ImportedSubject, Mapping[tuple[str, str], int]]) -> list[str]:
    bases = {subject.model: hashes for subject, hashes in answers.items() if subject.source is None}
    unchanged = [
        str(subject)
        for subject, hashes in answers.items()
        if subject.source is not None and hashes and hashes.items() <= bases.get(subject.model, {}).items()
    ]
    named = f"all answers equal the base model's (was the adapter applied?): {'; '.join(unchanged)}"
    return [named] if unchanged else []


def refuse_filled(folder: Path) -> None:
    """Raises InputError if the folder holds anything: an export never overwrites files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already; give a new folder")


def is_import(folder: Path) -> bool:
    """True if ``write_import`` wrote this folder."""
    return (folder / INDEX).is_file()


def read_import(folder: Path) -> ImportedAnswers:
    """Returns the answers that ``write_import`` wrote.

    The index holds a digest of its content and of every file of answers. An import of version 0.1.0 has none and is
    read as it is.

    Raises
    ------
    StoreError
        If the index is damaged; ``read`` raises it for damaged answers.
    """
    try:
        content = read_json_object(folder / INDEX)
        if content.keys() - {"subjects", "notes", "digest"}:
            raise ValueError("it has other keys than an import")
        stated = content.pop("digest", None)
        if stated is not None and stated != digest_of(content):
            raise ValueError("its digest is another")
        files = {_subject(entry): _file(entry, folder) for entry in content["subjects"]}
        notes = tuple(map(str, content["notes"]))
    except (InputError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise StoreError(f"{folder / INDEX}: not a whole import ({reason}); import again") from error

    def read(subject: ImportedSubject) -> pl.DataFrame:
        file, digest = files[subject]
        try:
            if digest is not None and digest_of_files([file]) != digest:
                raise InputError("its digest is another")
            return ITEM_ANSWERS.check(read_parquet(file))
        except (pl.exceptions.PolarsError, FileNotFoundError, InputError) as error:
            raise StoreError(f"{file}: not a whole file of item answers ({error}); import again") from error

    return ImportedAnswers(subjects=tuple(files), read=read, notes=notes)


def _file(entry: Mapping[str, Any], folder: Path) -> tuple[Path, str | None]:
    digest = entry.get("sha256")
    return folder / ITEMS / Path(entry["file"]).name, None if digest is None else str(digest)


def _subject(entry: Mapping[str, Any]) -> ImportedSubject:
    fields = {key: value for key, value in entry.items() if key not in ("file", "sha256")}
    if fields.keys() - ImportedSubject.__dataclass_fields__.keys():
        raise ValueError("a subject has other keys than a fine-tune has")
    subject = _SUBJECT.validate_json(json.dumps(fields), strict=True)
    if not all(0 <= seed < _MOST for seed in (subject.train_seed, subject.data_seed, subject.train_size or 0)):
        raise ValueError("a seed or size is no number that an import writes")
    return subject
