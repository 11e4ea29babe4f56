"""Which rows belong together: the parts in force, and the tasks looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STAGES = ("import", "sample", "execute", "verify", "rationalize", "predict")
"""The loop's stages in their order; each fills what the one before it left."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Keys of the parts in force (see `rows.part_key`); None where none has run yet.

    Records of other parts stay in the store: go back to an earlier prompt and its rows count again.
    """

    sampler: str | None = None
    executor: str | None = None
    verifier: str | None = None
    writer: str | None = None
    student: str | None = None
    k: int = 5
    """Programs per task."""
    seed: int = 0

    def parameters(self) -> dict[str, Any]:
        return {
            "sampler": self.sampler, "executor": self.executor, "verifier": self.verifier, "writer": self.writer,
            "student": self.student, "k": self.k, "seed": self.seed,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """The first `limit` tasks, in order of import, of one split (or of all)."""

    split: str | None = None
    limit: int | None = None

    def parameters(self) -> dict[str, Any]:
        return {"split": self.split, "limit": self.limit if self.limit is not None else 2**62}
