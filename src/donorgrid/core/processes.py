"""Identifies processes. Their ids are reused, so a birth mark tells a process from a later one with the same id."""

import hashlib
import os
import socket
from pathlib import Path


def host_mark() -> str:
    """Returns eight hex digits for this machine's name, short enough for a file name."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def birth_mark(pid: int) -> str | None:
    """Returns the birth mark of a running process on this machine; None if it has ended."""
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
