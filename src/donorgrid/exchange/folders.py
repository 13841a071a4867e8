"""A folder of imported item answers: one Parquet file per subject, and import.json, which names the subjects."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.atomic_files import whole_file, whole_folder
from donorgrid.core.errors import InputError, StoreError
from donorgrid.core.literal_files import read_parquet
from donorgrid.core.records import Cell, Source
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.exchange.records import ImportedAnswers, ImportedSubject

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
    if folder.exists() and any(folder.iterdir()) and not is_import(folder):
        raise InputError(f"{folder}: is not empty and holds no import; give another folder")
    entries: list[dict[str, Any]] = []
    answers: dict[ImportedSubject, Mapping[tuple[str, str], int]] = {}
    with whole_folder(folder / ITEMS) as items:
        for number, subject in enumerate(imported.subjects):
            name = f"{number:05d}.parquet"
            frame = ITEM_ANSWERS.check(imported.read(subject))
            frame.write_parquet(items / name, compression="zstd")
            answers[subject] = _answer_hashes(frame)
            entries.append({"file": name, **asdict(subject)})
    notes = (*imported.notes, *_unchanged(answers))
    with whole_file(folder / INDEX) as unfinished:
        content = {"subjects": entries, "notes": list(notes)}
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
    """Returns the answers that ``write_import`` wrote. Raises StoreError if the folder is damaged."""
    try:
        content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        files = {_subject(entry): folder / ITEMS / Path(entry["file"]).name for entry in content["subjects"]}
        notes = tuple(map(str, content["notes"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder / INDEX}: not a whole import ({error}); import again") from error

    def read(subject: ImportedSubject) -> pl.DataFrame:
        try:
            return ITEM_ANSWERS.check(read_parquet(files[subject]))
        except (pl.exceptions.PolarsError, FileNotFoundError, InputError) as error:
            raise StoreError(f"{files[subject]}: not a whole file of item answers ({error}); import again") from error

    return ImportedAnswers(subjects=tuple(files), read=read, notes=notes)


def _subject(entry: Mapping[str, Any]) -> ImportedSubject:
    fields = {key: value for key, value in entry.items() if key != "file"}
    source = fields.pop("source")
    return ImportedSubject(source=None if source is None else _source(source), **fields)


def _source(entry: Mapping[str, Any]) -> Source:
    parts = tuple((Cell(**cell), float(weight)) for cell, weight in entry["parts"])
    return Source(
        kind=entry["kind"], name=entry["name"], parts=parts, control=entry["control"], shots=entry.get("shots")
    )
