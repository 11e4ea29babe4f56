"""What people are asked about an example in other tools; exports ask it, imports read the answers."""

from __future__ import annotations

DECISIONS = ("accept", "reject", "skip")

REASON_TITLES = {
    "wrong_tool_output": "wrong tool output",
    "wrong_program": "wrong program logic",
    "wrong_reason": "right for the wrong reason",
    "unfaithful": "rationale is not what happened",
    "ambiguous": "ambiguous question",
    "bad_gold": "the gold answer is wrong",
    "unsafe": "unsafe or private",
    "other": "other (say it in the note)",
}
"""Why an example is rejected: the closed list of `workbench.curate.rules`, which a room below cannot import."""
