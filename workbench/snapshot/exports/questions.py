"""Questions about an example in other tools: exports ask them, imports read the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from workbench.records import REASON_WORDS, Reason

Kind = Literal["accept", "reject", "skip"]
DECISIONS: tuple[Kind, ...] = get_args(Kind)

REASON_TITLES: Mapping[Reason, str] = {**REASON_WORDS, "other": "other (say it in the note)"}
"""Why an example is rejected, as the other tool shows it."""
