"""How a study is run: what a user chooses, and what each process is told."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a study is run, as a user chooses it.

    Attributes
    ----------
    device : str
        "auto", "cpu", or a device of torch such as "cuda".
    jobs : int or None
        Processes that share this machine's cores. None: one per core on a CPU, one on a GPU.
    shard : (int, int) or None
        (i, n): only every n-th run from the i-th on, with i from 1.
    limit : int or None
        Stop after so many baselines and adapters.
    retry_failed : bool
        Forget earlier failures, so that their work is tried again. Failures that were not the work's own, such as too
        little memory, are always forgotten.
    together : int or None
        Adapters that are trained at once. None: 1 on a CPU, so that a study repeats byte for byte; on another device
        the number that a short trial finds fastest.
    redo : bool
        Give results again that another version of donorgrid gave under other keys.
    """

    device: str = "auto"
    jobs: int | None = None
    shard: tuple[int, int] | None = None
    limit: int | None = None
    retry_failed: bool = False
    together: int | None = None
    redo: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """What one process is told: the options above that concern it, with its device resolved ("cpu", "cuda")."""

    device: str = "cpu"
    shard: tuple[int, int] | None = None
    limit: int | None = None
    together: int | None = None
