"""How long a stage took, by the wall and by the processors, children's time included."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of one way on one repeat. ``share`` is the part of the whole work that was done: 1 is all of it."""

    way: str
    stage: str
    repeat: int
    wall_s: float
    cpu_s: float
    share: float = 1.0


class Clock:
    """Collects stages."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    @contextmanager
    def stage(self, way: str, stage: str, *, repeat: int, share: float = 1.0) -> Iterator[None]:
        """Time the body as one stage."""
        wall, cpu = time.perf_counter(), cpu_s()
        yield
        self.stages.append(
            Stage(
                way=way,
                stage=stage,
                repeat=repeat,
                wall_s=time.perf_counter() - wall,
                cpu_s=cpu_s() - cpu,
                share=share,
            )
        )

    def whole_s(self, way: str, stage: str, *, of_cpu: bool) -> float:
        """The fastest repeat of a stage in seconds, as it would be for the whole work."""
        return min(
            (one.cpu_s if of_cpu else one.wall_s) / one.share
            for one in self.stages
            if (one.way, one.stage) == (way, stage)
        )


def cpu_s() -> float:
    """Processor seconds of this process and of the children that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
