"""The optional part of an installation: what trains and scores models comes with the extra ``train``."""

from importlib.util import find_spec

from donorgrid.core.errors import InputError

TRAINING_PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "numba",
    "datasets",
    "tokenizers",
    "huggingface_hub",
    "safetensors",
)
"""Packages that only the extra ``train`` installs; pyproject.toml lists the same ones."""


def require_training(command: str) -> None:
    """Raises InputError unless the extra ``train`` is installed. Loads none of its packages.

    ``command`` is what the user wants to do, such as ``run``; the message begins with it.
    """
    for package in TRAINING_PACKAGES:
        if find_spec(package) is None:
            raise missing_training(command, package)


def missing_training(command: str, package: str) -> InputError:
    """Returns the error for a command whose package of the extra ``train`` is not installed.

    Parameters
    ----------
    command : str
        What the user wants to do, such as ``run``.
    package : str
        The import name of the missing package.

    Returns
    -------
    InputError
        One line that names the package and the extra.
    """
    return InputError(f'{command} needs {package}, which is not installed: pip install "donorgrid[train]"')
