"""Files of the Hugging Face hub, or of its local cache. Needs the extra ``train``."""

from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from donorgrid.core.errors import InputError


def fetch_model(model_id: str, revision: str | None, *, patterns: Sequence[str], allowed: str) -> Path:
    """Fetches the files of a model.

    Parameters
    ----------
    model_id : str
        The hub ID.
    revision : str, optional
        A commit, branch or tag; None for the main branch.
    patterns : sequence of str
        Which files to fetch, as globs.
    allowed : str
        What a user may give instead, for the message.

    Returns
    -------
    Path
        The folder in the hub's cache.

    Raises
    ------
    InputError
        If the model is missing, gated, or not in the cache while offline.
    """
    where = f"model '{model_id}'" + (f" at revision '{revision}'" if revision else "")
    try:
        return Path(snapshot_download(model_id, revision=revision, allow_patterns=list(patterns)))
    except GatedRepoError as error:
        raise InputError(f"{where}: access is gated; accept its licence on the hub and set HF_TOKEN") from error
    except LocalEntryNotFoundError as error:
        raise InputError(f"{where}: no such folder, and not in the hub's cache while offline; {allowed}") from error
    except HFValidationError as error:
        raise InputError(f"{where}: no such folder, and no hub id; {allowed}") from error
    except HfHubHTTPError as error:
        raise InputError(f"{where}: no such folder, and the hub answers: {str(error).splitlines()[0]}") from error


def find_files(hub_id: str, revision: str | None, *, patterns: Sequence[str]) -> Path | None:
    """Fetches files that may be missing.

    Parameters
    ----------
    hub_id : str
        The hub ID of a model or an adapter.
    revision : str, optional
        A commit, branch or tag; None for the main branch.
    patterns : sequence of str
        Which files to fetch, as globs.

    Returns
    -------
    Path or None
        The folder in the hub's cache; None if the hub has no such ID or cannot be reached.
    """
    try:
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(patterns)))
    except (LocalEntryNotFoundError, HFValidationError, HfHubHTTPError):
        return None
