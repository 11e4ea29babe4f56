"""The learning rate as a function of the step alone."""

from __future__ import annotations

import math

from workbench.train.job import Job


def total_steps(job: Job, examples: int) -> int:
    """Steps of a whole run over so many training examples."""
    return job.steps or max(1, round(job.epochs * -(-examples // job.batch)))


def rate(job: Job, step: int, total: int) -> float:
    """Learning rate of a step, counted from 0: linear warm-up, then down to 0 as the schedule says."""
    warm = max(1, round(job.warmup * total))
    if step < warm:
        return job.lr * (step + 1) / warm
    done = (step - warm) / max(1, total - warm)
    left = {"cosine": 0.5 + 0.5 * math.cos(math.pi * done), "linear": 1.0 - done, "constant": 1.0}[job.schedule]
    return job.lr * left
