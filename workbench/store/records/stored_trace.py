"""A stored trace whose evidence is derived when somebody asks for it.

To follow a run through its program takes fifty times as long as to store the run, and evidence is
asked for of the runs that are right and of those that are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from workbench.evidence import EvidenceKind
from workbench.records import Trace

Derive = Callable[[Trace], EvidenceKind | None]


class StoredTrace(Trace):
    """A trace whose evidence the store lacks; equal to the trace that has it.

    It is made like any trace; `lazily` says how its evidence is derived.
    """

    __slots__ = ("_derive", "_evidence")

    @property
    def evidence(self) -> EvidenceKind | None:
        """What the answer rests on, derived at the first look."""
        derive: Derive | None = getattr(self, "_derive", None)
        # Two threads may both derive it; what they put in place is the same.
        if derive is not None:
            object.__setattr__(self, "_evidence", derive(self))
            object.__setattr__(self, "_derive", None)
        evidence: EvidenceKind | None = getattr(self, "_evidence", None)
        return evidence

    @evidence.setter
    def evidence(self, value: EvidenceKind | None) -> None:
        object.__setattr__(self, "_evidence", value)

    @property
    def derived(self) -> bool:
        """Whether somebody has looked, so that the store may keep what was derived."""
        return getattr(self, "_derive", None) is None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        names = (field.name for field in fields(Trace) if field.compare)
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = Trace.__hash__


def lazily(derive: Derive, values: dict[str, Any]) -> Trace:
    """A trace whose evidence `derive` gives.

    Args:
        derive: is called with the trace at the first look.
        values: the other fields of the trace.
    """
    trace = StoredTrace(**values)
    object.__setattr__(trace, "_derive", derive)
    return trace
