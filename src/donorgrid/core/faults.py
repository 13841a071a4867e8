"""A fault in donorgrid itself: an exception that is no error of the domain and no refusal of the system."""

import os
import sys
import tempfile
import traceback

from donorgrid.core.errors import Fault
from donorgrid.core.version import installed_version


def keep_traceback(error: BaseException) -> Fault:
    """Writes the traceback of a fault into a new file in the folder for temporary files.

    Parameters
    ----------
    error : BaseException
        The exception.

    Returns
    -------
    Fault
        One line: what happened, and where the traceback lies.
    """
    first_line = next(iter(str(error).splitlines()), "")
    what = f"a fault in donorgrid: {type(error).__name__}" + (f": {first_line}" if first_line else "")
    try:
        descriptor, name = tempfile.mkstemp(prefix="donorgrid-fault-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(f"donorgrid {installed_version()}: {' '.join(sys.argv[1:])}\n\n")
            stream.write("".join(traceback.format_exception(error)))
    except OSError as refused:
        return Fault(f"{what}; the traceback could not be kept ({refused.strerror}); --debug shows it")
    return Fault(f"{what}; the traceback lies in {name}")
