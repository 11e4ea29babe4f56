"""The card of a recipe: which paper, what it computes, what to expect of it, and how to run it.

A recipe's file holds `CARD = Card(...)` with plain values only, so that `workbench.catalogue` reads
cards without importing torch, and where torch is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from workbench.records import JSON

Port = Literal[
    "objective", "teacher", "selector", "synthesizer", "critic", "policy", "memory", "probe",
    "tool", "transform",
]  # fmt: skip
"""An extension point at which a published method enters the loop."""
PORTS: tuple[Port, ...] = get_args(Port)

PORT_WORDS: Mapping[Port, str] = {
    "objective": "what the student is taught by, in training",
    "teacher": "who teaches the student, in training",
    "selector": "which rows of a snapshot count, and how much",
    "synthesizer": "new questions from pictures and traces",
    "critic": "how likely people are to accept a run",
    "policy": "training by reward",
    "memory": "corrections that come back into the prompt",
    "probe": "a measurement with its intervals",
    "tool": "one more thing that programs may ask",
    "transform": "from one student to another",
}
"""What each extension point changes, as people read it."""

Grade = Literal["A", "B", "C"]
"""A: first-class.  B: can be chosen.  C: only the kernel that carries over from another domain."""
Level = Literal["V1", "V2", "V3"]
LEVEL_WORDS: Mapping[Level, str] = {
    "V1": "computes: it equals independently derived values",
    "V2": "behaves: its invariants hold, and it runs in the loop",
    "V3": "measured: compared with the plain control over five seeds or more",
}
"""What a level says; a null result is V3 too, and its card says that it is one."""
Provenance = Literal["X+", "X", "C", "N", "R"]
PROVENANCE_WORDS: Mapping[Provenance, str] = {
    "X+": "the authors' released code was run, and an independent derivation agreed",
    "X": "an independent derivation agreed with the authors' released function",
    "C": "read in the authors' released code",
    "N": "from notes of others that quote the paper",
    "R": "reconstructed from the abstract; call it 'after' the paper",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a reader has to know of a recipe before running it."""

    name: str
    """The name under which it is registered, and of its file."""
    port: Port
    paper: str
    """Title of the paper, with the method's own name first where it has one."""
    year: int
    grade: Grade
    level: Level
    provenance: Provenance
    idea: str
    """One or two sentences for somebody who does not know the paper."""
    formula: str
    """As implemented, in plain text with the symbols of the code."""
    command: str
    """A command that runs it on the bundled project."""
    expect: str
    """What comes out of it here: the number to expect, or that nothing was measured yet."""
    needs: tuple[str, ...] = ()
    """Extension points of other parts that have to be chosen with it, for example `teacher`."""
    link: str = ""
    """Address of the paper or of its code."""
    defaults: Mapping[str, JSON] = field(default_factory=dict)
    """Arguments of the part with the values that hold unless others are given."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where each default comes from, by argument."""
    traps: tuple[str, ...] = ()
    """Faults of the released code that this file does not repeat, and mistakes that are near."""
    not_reproduced: tuple[str, ...] = ()
    """Parts of the paper that this recipe leaves out."""
