"""Which process is this, and does another one still live? Process ids are reused; a birth mark tells them apart."""

import hashlib
import os
import socket
from pathlib import Path


def host_mark() -> str:
    """Eight hex digits for this machine's name, short enough for a file name."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def birth_mark(pid: int) -> str | None:
    """A mark that tells a process of this machine from a later one with the same id; None when it is gone."""
    if not Path("/proc/self/stat").exists():
        return _alive_by_signal(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]


def _alive_by_signal(pid: int) -> str | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return "alive"
    return "alive"
