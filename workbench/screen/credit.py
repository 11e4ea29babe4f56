"""What each tool call of a run is worth, in words: for Step and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.evaluate.wrong_reasons.credit import CallCredit
from workbench.pipeline.crediting import CreditedRun
from workbench.screen.steps import Step


def credit_words(call: CallCredit, author: str) -> str:
    """The credit of a call in words.

    Args:
        call: of a run.
        author: who marked the run's first wrong step; empty where nobody has.
    """
    if call.credit is None:
        return "nothing is known"
    if call.by == "person":
        marked = f"the first wrong step, says {author}"
        return f"{call.credit:+.2f}: {marked if call.credit < 0 else 'before the first wrong step'}"
    if call.credit == 0:
        return "0.00: the answer does not depend on it"
    return f"{call.credit:+.2f}: share of its changes that move the answer"


def with_credit(steps: Sequence[Step], run: CreditedRun | None) -> list[Step]:
    """Steps with what is known of their tool calls as one more fact.

    Args:
        steps: of a run.
        run: its credit; None for a run that is not stored.
    """
    calls = {} if run is None else {one.seq: one for one in run.calls if one.credit is not None}
    credited_steps = []
    for step in steps:
        one = next((calls[raw["seq"]] for raw in step.raw if raw["seq"] in calls), None)
        if one is not None and run is not None:
            step = replace(step, facts=[*step.facts, f"credit {credit_words(one, run.author)}"])
        credited_steps.append(step)
    return credited_steps
