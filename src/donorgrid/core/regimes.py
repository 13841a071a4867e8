"""The regime rule: how a target cell relates to the trained source cell.

Only this module decides it. Task comes first: ``MT`` matched task, ``CT`` cross task, ``ML`` matched
language, ``CL`` cross language ("Donors and Recipients", arXiv 2511.13368, section on transfer regimes).
"""

from typing import Any

import numpy as np

REGIMES = ("MT-ML", "MT-CL", "CT-ML", "CT-CL")
TRANSFER_REGIMES = REGIMES[1:]
TRAINED_CELL = REGIMES[0]
TRANSFER = "transfer"
"""The name of all transfer regimes taken together."""
_BY_CODE = np.array(["CT-CL", "CT-ML", "MT-CL", "MT-ML"])


def regime(source_task: Any, source_language: Any, target_task: Any, target_language: Any) -> Any:
    """Names the regime of (source, target) pairs.

    Parameters
    ----------
    source_task : str or array of str, shape (n,)
        The tasks of the trained cells; arrays and strings broadcast.
    source_language : str or array of str, shape (n,)
        Their languages.
    target_task : str or array of str, shape (n,)
        The tasks of the measured cells.
    target_language : str or array of str, shape (n,)
        Their languages.

    Returns
    -------
    str or array of str, shape (n,)
        ``MT-ML``, ``MT-CL``, ``CT-ML`` or ``CT-CL``; a string if all arguments are strings. ``MT-ML`` is the trained
        cell itself and never counts as transfer.

    References
    ----------
    "Donors and Recipients", arXiv 2511.13368, section on transfer regimes.
    """
    same_task = np.equal(np.asarray(source_task, dtype=object), np.asarray(target_task, dtype=object))
    same_language = np.equal(np.asarray(source_language, dtype=object), np.asarray(target_language, dtype=object))
    code = 2 * np.asarray(same_task, dtype=np.intp) + np.asarray(same_language, dtype=np.intp)
    named = _BY_CODE[code]
    return str(named) if named.ndim == 0 else named
