"""What a look at a job before its start tells: what the student will see, what the run will cost.

The records stand here by themselves, so that a page reads them without loading a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LessonPreview:
    """One lesson as the student gets it."""

    task_id: str
    image: str
    name: str
    weight: float
    pieces: Sequence[tuple[str, bool]]
    """Runs of text, and whether they count in the loss."""
    tokens: int
    """Number of tokens, those of the picture among them."""
    counted: int
    """Number of tokens that count in the loss."""
    picture: int
    """Number of tokens that stand for the picture."""
    more_images: Sequence[str] = ()
    """Digests of the other pictures of a question about several."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost on this machine."""

    steps: int
    """Number of steps."""
    examples: int
    """Number of examples in each step."""
    seconds: float
    """Duration of the whole run, by the tokens of its steps; evaluations are left out."""
    most_seconds: float
    """Duration of the whole run if every step were the longest; evaluations are left out."""
    memory_mb: float
    """Highest use of memory in the longest step: of the GPU, else of the process."""
    disk_mb: float
    """Space that the model and two checkpoints take."""
    basis: str
    """What was measured, and where."""
