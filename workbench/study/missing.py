"""What an evaluation lacks, in words: answers that are missing, and answers that are not whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.evaluate.benchmarks.pope import AS_SUBMITTED


def missing_answers(details: Mapping[str, Any]) -> str:
    """How many questions have no answer and what becomes of them, and how many answers were cut.

    Args:
        details: of an evaluation; earlier ones hold less.
    """
    unreadable = details.get("unreadable", 0)
    missing = details.get("unanswered", 0) - unreadable
    rule = details.get("unanswered_rule", "it counts as wrong")
    submitted = details.get("metrics", {}).get(AS_SUBMITTED, {}).get("value")
    if submitted is not None:
        rule += f", which gives {AS_SUBMITTED.split(',')[0]} {100 * submitted:.1f} %"
    parts = (
        (unreadable, f"{unreadable} without a readable answer"),
        (max(missing, 0), f"{missing} without an answer ({rule})"),
        (details.get("cut", 0), f"{details.get('cut')} cut at the bound of tokens"),
    )
    return ", ".join(words for number, words in parts if number)
