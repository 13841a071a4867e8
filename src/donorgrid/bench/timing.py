"""How long a stage takes: wall time, and processor time including that of child processes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of one way in one repeat.

    Attributes
    ----------
    way, stage, repeat
        ``release``, ``peer`` or ``donorgrid``; the stage's name; the repeat's number from 0.
    wall_s, cpu_s
        Seconds by the wall, and of the processor.
    share
        The share of the whole workload that was done, 0-1.
    """

    way: str
    stage: str
    repeat: int
    wall_s: float
    cpu_s: float
    share: float = 1.0


class Clock:
    """Collects the stages of all ways."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def add(self, stage: Stage) -> None:
        """Adds a stage that was timed elsewhere."""
        self.stages.append(stage)

    def subtract_from_last(self, start_up: Stage) -> None:
        """Subtracts a start-up time from the last stage."""
        last = self.stages.pop()
        self.stages.append(replace(last, wall_s=last.wall_s - start_up.wall_s, cpu_s=last.cpu_s - start_up.cpu_s))

    @contextmanager
    def stage(self, way: str, stage: str, *, repeat: int, share: float = 1.0) -> Iterator[None]:
        """Times the ``with`` block as one stage."""
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
        """Seconds of the fastest repeat of a stage, scaled to the whole workload."""
        return min(
            (timed.cpu_s if of_cpu else timed.wall_s) / timed.share
            for timed in self.stages
            if (timed.way, timed.stage) == (way, stage)
        )


def cpu_s() -> float:
    """Processor seconds of this process and of the child processes that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
