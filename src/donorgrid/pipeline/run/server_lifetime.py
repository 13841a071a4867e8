"""Loaded first by the server that jobs are forked off: it ends at once when the process that started it does.

Without this a server that is still loading torch would go on for seconds after its command was killed. The kernel sends
the signal only for a death that comes later, so the pipe that closes with the command is looked at once, too.
"""

import ctypes
import os
import re
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1
_ARGUMENTS = re.compile(r"main\(\d+, (?P<alive>\d+)")
"""How multiprocessing starts the server: its second argument is the pipe that nobody writes to."""


def _is_server() -> bool:
    return sys.platform == "linux" and any("multiprocessing.forkserver" in word for word in sys.orig_argv)


def is_orphan(words: list[str]) -> bool:
    """Whether the process that started the server is gone already.

    Parameters
    ----------
    words
        The server's command line.

    Returns
    -------
    bool
        False where the command line does not name the pipe.
    """
    match = next(filter(None, map(_ARGUMENTS.search, words)), None)
    return match is not None and bool(select.select([int(match["alive"])], [], [], 0)[0])


if _is_server():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if is_orphan(sys.orig_argv):
        os._exit(0)
