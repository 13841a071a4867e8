"""Finds the results files of lm-eval in folders, and says which files were seen and left out.

lm-eval writes ``results_DATE.json`` below ``--output_path FOLDER``, and ``X_DATE.json`` for ``--output_path X.json``.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.exchange.lm_eval.files import Output, read_output, samples_name
from donorgrid.exchange.lm_eval.json_text import read_json_object

_FURTHER_KEYS = ("config", "configs", "versions", "n-shot")
"""Keys of which lm-eval writes at least one beside ``results``."""


@dataclass(frozen=True, kw_only=True)
class OutputFiles:
    """The results files below some paths.

    Attributes
    ----------
    outputs : tuple of Output
        In the order of their paths.
    roots : tuple of Path
        The given folders, and the folders of given files; absolute.
    left_out : mapping of Path to str
        Other JSON files and samples, with the reason why they are left out.
    """

    outputs: tuple[Output, ...]
    roots: tuple[Path, ...]
    left_out: Mapping[Path, str]

    def notes(self) -> tuple[str, ...]:
        """Returns a line for every file that was left out."""
        return tuple(f"left out, because {reason}: {path}" for path, reason in self.left_out.items())


def find_outputs(paths: Iterable[Path]) -> OutputFiles:
    """Reads the results files among paths.

    Parameters
    ----------
    paths : iterable of Path
        Results files, or folders with results files at any depth.

    Returns
    -------
    OutputFiles
        The results files, and every file that was left out.

    Raises
    ------
    InputError
        If a path does not exist or holds no results file, or a given file or a ``results_*.json`` is not lm-eval's.
    """
    outputs: dict[Path, Output] = {}
    left_out: dict[Path, str] = {}
    samples: list[Path] = []
    roots: dict[Path, None] = {}
    for path in paths:
        start = _existing(path)
        roots[start if start.is_dir() else start.parent] = None
        files = list(_files_below(start))
        for file in files:
            if file.resolve() in outputs:
                continue  # found below another path, or by a link
            if file.name.startswith("samples_") and file.suffix == ".jsonl":
                samples.append(file)
            elif file == start or (file.name.startswith("results_") and file.suffix == ".json"):
                outputs[file.resolve()] = read_output(file)
            elif file.suffix.lower() == ".json":
                _read_or_leave_out(file, outputs, left_out)
        if not any(file.resolve() in outputs for file in files):
            raise InputError(
                f"{path}: holds no results_*.json or NAME_DATE.json of lm-eval (written by 'lm_eval --output_path')"
            )
    for file in samples:
        if not any(_has_samples(output, file) for output in outputs.values()):
            left_out[file] = "its results file is not there"
    return OutputFiles(outputs=tuple(outputs.values()), roots=tuple(roots), left_out=left_out)


def absolute(path: Path) -> Path:
    """Returns an absolute path without ``..``; unlike ``Path.resolve``, it keeps links."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _existing(path: Path) -> Path:
    if "\0" not in str(path) and path.exists():
        return absolute(path)
    raise InputError(f"{path}: no such file or folder")


def _files_below(start: Path) -> Iterator[Path]:
    """Yields the files below a folder, in the order of their names; linked folders are followed once."""
    if not start.is_dir():
        yield start
        return
    entered = {os.path.realpath(start)}
    for parent, folders, files in os.walk(start, followlinks=True, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not _entered(Path(parent, name), entered))
        yield from (Path(parent, name) for name in sorted(files))


def _entered(folder: Path, entered: set[str]) -> bool:
    real = os.path.realpath(folder)
    is_known = real in entered
    entered.add(real)
    return is_known


def _refuse(error: OSError) -> None:
    """Raises what ``os.walk`` would pass over: a folder that cannot be read is said."""
    raise error


def _read_or_leave_out(file: Path, outputs: dict[Path, Output], left_out: dict[Path, str]) -> None:
    try:
        content = read_json_object(file)
        if "results" not in content or not any(isinstance(content.get(key), dict) for key in _FURTHER_KEYS):
            left_out[file] = "it holds no results of lm-eval"
        else:
            outputs[file.resolve()] = read_output(file)
    except InputError as error:
        left_out[file] = str(error).removeprefix(f"{file}: ")


def _has_samples(output: Output, samples: Path) -> bool:
    same_folder = samples.parent == output.path.parent
    return same_folder and any(
        samples.name == samples_name(name, output.date) for name in (*output.tasks, *output.groups)
    )
