"""Where the page of a check may be written: never over anything but an earlier page."""

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
    path = folder / check_path(written, what=f"{where}: report")
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{where}: report '{written}': expected a name that ends in {' or '.join(_SUFFIXES)}")
    if Path(written).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            f"{where}: report '{written}': it leads out of the file's folder; a page elsewhere can be named by --report"
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
