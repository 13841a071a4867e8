"""How a process works on a study."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """A process's device, its shard (i, n) of the runs, and at most how many subjects it takes.

    ``together``: how many adapters are trained at once. None: one on a CPU, so that a study repeats byte for byte, and
    what a short trial finds fastest on another device.
    """

    device: str = "cpu"
    shard: tuple[int, int] | None = None
    limit: int | None = None
    together: int | None = None
