"""Loaded first by the server that jobs are forked off: it ends at once when the process that started it does.

Without this a server that is still loading torch would go on for seconds after its command was killed.
"""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _is_server() -> bool:
    return sys.platform == "linux" and any("multiprocessing.forkserver" in word for word in sys.orig_argv)


if _is_server():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
