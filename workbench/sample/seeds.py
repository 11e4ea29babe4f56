"""Seeds of samples: each follows from its question, or from the program before it, alone."""

from __future__ import annotations

from workbench.records import Program, Task, content_key

VERSION = "1"
"""Changes whenever the account of an earlier program (`again.account`) tells something else."""


def sample_seed(task: Task, seed: int, index: int, draw: int = 0) -> int:
    """The seed of one drawing of a sample, which depends on its question and numbers alone.

    Args:
        task: the question.
        seed: the run's seed.
        index: number of the sample among those of its question.
        draw: how many times the sample was drawn before.
    """
    again = (draw,) if draw else ()
    key = content_key("sample", seed, task.id, task.question, index, *again)
    return int(key[:15], 16) % 2**53


def again_seed(program: Program, seed: int) -> int:
    """The seed of the program that is written after this one.

    Args:
        program: the earlier one.
        seed: the run's seed.
    """
    return int(content_key("again", VERSION, seed, program.id)[:13], 16)
