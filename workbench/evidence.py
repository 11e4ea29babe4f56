"""What the answer of a run may rest on: a closed list, the strongest first.

comparison  places, sizes, distances or numbers of what was found
count       how many things were found
boxes       things that were found and looked at
search      a detector's word that something is there or not, without a box
question    what a model said of the whole picture
knowledge   what a language model knows without the picture
none        nothing: the program answers by itself
"""

from __future__ import annotations

from typing import Literal, get_args

EvidenceKind = Literal[
    "comparison", "count", "boxes", "search", "question", "knowledge", "none",
]  # fmt: skip
"""One kind; a run has the strongest of what its answer rests on."""
EVIDENCE: tuple[EvidenceKind, ...] = get_args(EvidenceKind)

FLAGGED = 0.5
"""From this suspicion on a run counts as flagged by the checks for wrong reasons."""

LOOKED: tuple[EvidenceKind, ...] = ("comparison", "count", "boxes", "search")
"""The kinds of a program that looked for the parts of its answer."""


def rank(kind: EvidenceKind | None) -> int:
    """Place of a kind in the list, from 0 for the strongest; behind all of them without one."""
    return EVIDENCE.index(kind) if kind is not None else len(EVIDENCE)
