"""Whether a rationale says no more than the answer: `The largest object is a sheep. Thus, the
answer is sheep.`

Such a text shows nothing that a student could learn to see; it is counted and, unless it is asked
for, no target of training.
"""

from __future__ import annotations

import re

from workbench.boxes_in_text import boxes_in
from workbench.evidence import EvidenceKind
from workbench.rationalize.check.stop_words import STOCK
from workbench.rationalize.check.support import WORD, stem

_ABSENT = re.compile(r"\b(?:no|none|neither|not)\b", re.IGNORECASE)


def is_bare(text: str, question: str, answer: str, evidence: EvidenceKind | None) -> bool:
    """Whether a rationale has no box and no word that is in neither question nor answer.

    Where a detector looked for something and it is not there, no box can be shown: to say so is
    more than the answer.

    Args:
        text: the rationale.
        question: what was asked.
        answer: what the run answered.
        evidence: what the answer rests on.
    """
    if boxes_in(text):
        return False
    reasons = text.rpartition("Thus,")[0]
    if evidence == "search" and _ABSENT.search(reasons):
        return False
    stems = {stem(word) for word in WORD.findall(f"{question} {answer}")}
    words = {word.lower() for word in WORD.findall(reasons)} - STOCK
    return {stem(word) for word in words} <= stems
