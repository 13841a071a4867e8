"""Where a check may write: the page never over anything but an earlier page, and a check file only below its folder."""

from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.core.names import check_path

_MARK = b'<meta name="generator" content="donorgrid">'
_HEAD_BYTES = 4096
_SUFFIXES = (".html", ".htm")


def page_in_folder(written: str, folder: Path, *, where: str) -> Path:
    """Returns the path of the key ``report`` of a check file.

    Parameters
    ----------
    written : str
        The key's value.
    folder : Path
        The check file's folder.
    where : str
        The check file, for messages.

    Returns
    -------
    Path
        A file in the folder or below it.

    Raises
    ------
    InputError
        If the path is absolute, leads out of the folder, or has another suffix than .html or .htm.
    """
    path = path_in_folder(written, folder, key="report", where=where)
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{where}: report '{written}': expected a name that ends in {' or '.join(_SUFFIXES)}")
    return path


def path_in_folder(written: str, folder: Path, *, key: str, where: str) -> Path:
    """Returns the path that a check file says to write to.

    Parameters
    ----------
    written : str
        The key's value.
    folder : Path
        The check file's folder.
    key : str
        The key, ``report`` or ``cache``, which is also the name of an option.
    where : str
        The check file, for messages.

    Returns
    -------
    Path
        The folder or a path below it.

    Raises
    ------
    InputError
        If the path is absolute or leads out of the folder.
    """
    path = folder / check_path(written, what=f"{where}: {key}")
    if Path(written).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"{where}: {key} '{written}': it leads out of the file's folder; a place elsewhere can be named by --{key}"
        )
    return path


def check_page(page: Path) -> Path:
    """Returns the path of a page if it is free, or holds an earlier page or an empty file. Else InputError."""
    check_path(str(page), what="--report")
    if page.is_dir():
        raise InputError(f"--report {page}: it is a folder; give the name of a file")
    if not page.exists():
        return page
    if not page.is_file():
        raise InputError(f"--report {page}: it is no file; give the name of a file")
    with page.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if head and _MARK not in head:
        raise InputError(f"--report {page}: it is there already and is no page of donorgrid; give another name")
    return page
