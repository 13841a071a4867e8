"""Finds the task that a study names: in the catalog, a YAML task file, a plain data file, or the installed lm-eval."""

from collections.abc import Mapping, Sequence
from glob import escape
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.names import check_path
from donorgrid.facts.languages import language_label, one_language_each, spelling_of
from donorgrid.tasks.documents.file_content import FORMATS, is_data_file
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL, lm_eval_task
from donorgrid.tasks.task_files.keys import TaskKeys
from donorgrid.tasks.task_files.parsing import parse_keys
from donorgrid.tasks.task_files.plain import Columns, task_of_plain
from donorgrid.tasks.task_files.task_file import PLACEHOLDER, CellKeys, TaskFile, at_language
from donorgrid.tasks.task_files.yaml_files import read_task_yaml

CATALOG = Path(__file__).parent / "catalog"
_SUFFIXES = (".yaml", ".yml")
_PER_LANGUAGE = ("dataset_path", "dataset_name", "dataset_kwargs")


def catalog_names() -> tuple[str, ...]:
    """Returns the names of the shipped tasks, sorted."""
    return tuple(sorted(path.stem for path in CATALOG.glob("*.yaml")))


def find_task(
    name_or_path: str, *, folder: Path, languages: Sequence[str] = (), columns: Columns | None = None
) -> TaskFile:
    """Find a task.

    Parameters
    ----------
    name_or_path
        A catalog name, ``lm_eval:NAME``, or a path. A path with ``{language}`` names one task file per language; one
        that ends in .jsonl, .json, .csv, .tsv or .parquet is a plain data file.
    folder
        Where relative paths start: the study file's folder.
    languages
        The languages of a file that does not state them.
    columns
        For a plain data file whose columns have other names: our name to the file's.

    Returns
    -------
    TaskFile
        The task with its checked keys; no document has been read.

    Raises
    ------
    InputError
        If there is no such task, or its file cannot be used.
    """
    check_path(name_or_path, what="task")
    if name_or_path.startswith(LM_EVAL):
        _refuse_columns(name_or_path, columns)
        return lm_eval_task(name_or_path.removeprefix(LM_EVAL), languages=languages)
    if name_or_path in catalog_names():
        _refuse_columns(name_or_path, columns)
        return task_of_yaml(CATALOG / f"{name_or_path}.yaml", languages=languages)
    path = folder / name_or_path
    if is_data_file(path):
        return task_of_plain(name_or_path, folder=folder, columns=columns, languages=languages)
    _refuse_columns(name_or_path, columns)
    if path.suffix not in _SUFFIXES:
        raise InputError(
            f"task '{name_or_path}': not in the catalog{suggestion(name_or_path, catalog_names())}; allowed: "
            f"{', '.join(catalog_names())}, 'lm_eval:NAME', or the path of a file that ends in "
            f"{', '.join([*_SUFFIXES, *FORMATS])}"
        )
    if PLACEHOLDER in name_or_path:
        return _one_file_per_language(path, languages)
    return task_of_yaml(path, languages=languages)


def _refuse_columns(name: str, columns: Columns | None) -> None:
    if columns:
        raise InputError(
            f"task '{name}': columns ({', '.join(columns)}) can be named for a plain data file only, which ends in "
            f"{', '.join(FORMATS)}"
        )


def task_of_yaml(path: Path, *, languages: Sequence[str] = ()) -> TaskFile:
    """Read the task of a YAML file that serves all its languages.

    Parameters
    ----------
    path
        The file.
    languages
        Its languages, where the key ``languages`` is missing.

    Returns
    -------
    TaskFile

    Raises
    ------
    InputError
        If the file cannot be used, or nothing in it says which language a document has.
    """
    content = read_task_yaml(path)
    where = f"task file {path.name}"
    stated = content.get("languages") or list(languages)
    keys = parse_keys({**content, "languages": stated}, where=where)
    written = one_language_each(keys.languages, where=where)
    if not keys.languages:
        raise InputError(
            f"{where}: no languages are given; add a key such as 'languages: [en]', or name one file per "
            "language by a path with {language} in it"
        )
    if len(keys.languages) > 1 and not _differs_by_language(content):
        raise InputError(
            f"{where}: {len(keys.languages)} languages, but dataset_path, dataset_name and data_files "
            "have no {language} in them"
        )
    return _task(content, dict.fromkeys(written, content), path=path, written=written)


def _differs_by_language(content: Mapping[str, Any]) -> bool:
    return any(content.get(key) != at_language(content.get(key), "") for key in _PER_LANGUAGE)


def _one_file_per_language(path: Path, languages: Sequence[str]) -> TaskFile:
    if PLACEHOLDER in str(path.parent):
        raise InputError(f"task '{path}': {{language}} is allowed in the file's name only")
    prefix, suffix = path.name.split(PLACEHOLDER, 1)
    files = path.parent.glob(f"{escape(prefix)}*{escape(suffix)}")
    existing = sorted(file.name[len(prefix) : len(file.name) - len(suffix)] for file in files)
    written = spelling_of(languages, existing, where=f"task '{path}'")
    if not written:
        raise InputError(f"task '{path}': no file has a name of this form")
    contents = {
        language: read_task_yaml(path.with_name(prefix + spelling + suffix)) for language, spelling in written.items()
    }
    name = path.name.removesuffix(path.suffix).replace(PLACEHOLDER, "").strip("._-") or "task"
    return _task({**next(iter(contents.values())), "task": name}, contents, path=path, written=written)


def _task(
    shared: Mapping[str, Any], contents: Mapping[str, Mapping[str, Any]], *, path: Path, written: Mapping[str, str]
) -> TaskFile:
    cells = {
        language: _cell(content, language, path=path, written=written[language])
        for language, content in contents.items()
    }
    first = next(iter(cells.values())).keys
    metadata = first.metadata
    return TaskFile(
        name=str(shared["task"]),
        title=str(metadata.get("title", shared["task"])),
        licence=str(metadata.get("licence", metadata.get("license", "not stated"))),
        languages=tuple(cells),
        metrics=first.metrics,
        metrics_not_read=first.metrics_not_read,
        cells=cells,
    )


def _cell(content: Mapping[str, Any], language: str, *, path: Path, written: str) -> CellKeys:
    where = f"task file {path.name.replace(PLACEHOLDER, written)}"
    raw_names = content.get("language_names")
    names = {language_label(str(key)): value for key, value in raw_names.items()} if isinstance(raw_names, dict) else {}
    name = names.get(language, written)
    localised = {key: at_language(value, name) if key in _PER_LANGUAGE else value for key, value in content.items()}
    keys = parse_keys(localised, where=where)
    words = next((of for key, of in keys.words.items() if language_label(key) == language), None)
    if keys.words and words is None:
        raise InputError(f"{where}: key 'words' has none for the language '{language}'")
    return CellKeys(
        keys=keys, where=where, folder=path.parent, variables={"words": words} if words else {}, notes=_notes(keys)
    )


def _notes(keys: TaskKeys) -> tuple[str, ...]:
    if not keys.dataset_kwargs.trust_remote_code:
        return ()
    return ("trust_remote_code: true has no effect: code of a data set is never run",)
