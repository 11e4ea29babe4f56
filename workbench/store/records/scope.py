"""Which rows belong together: the parts in force, and the tasks looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STAGES = ("import", "sample", "execute", "verify", "rationalize", "predict")
"""The loop's stages in their order; each fills what the one before it left."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Keys of the parts in force (see `rows.part_key`); None for a role that no part has played.

    Records of other parts stay in the store: go back to an earlier prompt and its rows count again.
    """

    sampler: str | None = None
    executor: str | None = None
    verifier: str | None = None
    writer: str | None = None
    student: str | None = None
    k: int = 5
    """Programs of a task."""
    seed: int = 0
    """The seed that the programs' own seeds are drawn from."""

    def parameters(self) -> dict[str, Any]:
        """Parameters of statements, by name."""
        return {
            "sampler": self.sampler,
            "executor": self.executor,
            "verifier": self.verifier,
            "writer": self.writer,
            "student": self.student,
            "k": self.k,
            "seed": self.seed,
        }


LATEST = """
SELECT arg_max(sampler, id) AS sampler, arg_max(executor, id) AS executor,
    arg_max(verifier, id) AS verifier, arg_max(writer, id) AS writer,
    arg_max(student, id) AS student, arg_max(k, id) AS k, arg_max(seed, id) AS seed
FROM run"""
"""The part of each role in the latest run that names one; k and seed of the latest run."""


def to_scope(row: Mapping[str, Any]) -> Scope:
    """The scope in a row of `LATEST`; the default one before any run."""
    if row["k"] is None:
        return Scope()
    return Scope(**{name: row[name] for name in Scope.__slots__})


@dataclass(frozen=True, slots=True)
class Selection:
    """The first `limit` tasks, in order of import, of one split and one source (or of all)."""

    split: str | None = None
    limit: int | None = None
    source: str | None = None
    """Source of the tasks, as in `Task.source`."""

    def parameters(self) -> dict[str, Any]:
        """Parameters of statements, by name."""
        limit = self.limit if self.limit is not None else 2**62
        return {"split": self.split, "limit": limit, "source": self.source}
