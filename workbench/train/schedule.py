"""The steps of a run: their number, their learning rates, and the time that they take."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal

from workbench.train.job import Job


def total_steps(job: Job, examples: int) -> int:
    """Steps of a whole run over so many training examples."""
    return job.steps or max(1, round(job.epochs * -(-examples // job.batch)))


@dataclass(frozen=True, slots=True)
class RateSchedule:
    """A linear warm-up, then a fall of some shape.

    The rate depends on the step alone, so that a checkpoint keeps nothing of it.
    """

    total: int
    """Steps of the whole run."""
    warm: int = 0
    """Steps of the warm-up."""
    shape: Literal["cosine", "linear", "constant"] = "cosine"
    end: float = 0.0
    """Share of the peak that is left at the end; a constant rate stays at the peak."""

    @classmethod
    def of(cls, job: Job, total: int) -> RateSchedule:
        """The schedule of a job that takes so many steps."""
        return cls(total, max(1, round(job.warmup * total)), job.schedule)

    def rate(self, peak: float, step: int) -> float:
        """Learning rate of a step, counted from 0, where the highest rate is `peak`."""
        if step < self.warm:
            return peak * (step + 1) / self.warm
        done = (step - self.warm) / max(1, self.total - self.warm)
        left = {
            "cosine": 0.5 + 0.5 * math.cos(math.pi * done),
            "linear": 1.0 - done,
            "constant": 1.0,
        }[self.shape]
        return peak * (self.end + (1.0 - self.end) * left)


class Clock:
    """Estimates the seconds that are left, from the steps since it was made.

    Args:
        done: number of steps that were done before.
        total: number of steps of the run.
    """

    def __init__(self, done: int, total: int) -> None:
        self._start, self._total = done, total
        self._began = time.perf_counter()

    def left(self, done: int) -> float:
        """Seconds left after so many steps."""
        each = (time.perf_counter() - self._began) / (done - self._start)
        return round(each * (self._total - done), 1)
