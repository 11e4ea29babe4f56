"""`vpd next`: what to do next under a budget, and what its order saves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from workbench.cli.text import console, open_to_look, percent, safe, seconds
from workbench.curate.budget import NextStep, Saving
from workbench.pipeline.planning import NextPlan, next_steps, saving
from workbench.store import Project, Selection


def main(
    project: Path | None,
    minutes: float,
    programs: int,
    more: int,
    split: str | None,
    top: int,
    replay: bool,
    goal: float,
    as_json: bool,
) -> None:
    """Print the best use of a budget; with `replay`, what its order would have saved.

    Args:
        project: folder of the project; None takes the one around the current folder.
        minutes: of a person.
        programs: that may be written.
        more: programs that a question gets at once.
        split: take only the questions of this split.
        top: number of steps of each kind that are printed.
        replay: replay the stored decisions instead.
        goal: share of the accepts that the replay is to reach.
        as_json: print JSON instead of text.
    """
    out = console()
    with open_to_look(project) as opened:
        if replay:
            _replay(out, saving(opened, goal), as_json)
            return
        plan = next_steps(opened, minutes, programs, more, Selection(split))
        if as_json:
            print(json.dumps(asdict(plan), indent=1))
            return
        _print(out, opened, plan, minutes, top)


def _print(out: Console, project: Project, plan: NextPlan, minutes: float, top: int) -> None:
    weighed = ", ".join(f"{number} to {action}" for action, number in plan.candidates.items())
    out.print(f"weighed: {weighed}; chances of acceptance: {plan.acceptance}")
    guess = "" if plan.measured else ", a guess, since nobody has decided yet"
    title = f"a person, {minutes:g} minutes (a decision takes {seconds(plan.seconds)}{guess})"
    _part(out, project, title, plan.people, top)
    if plan.programs:
        number = sum(round(step.cost) for step in plan.programs)
        _part(out, project, f"the sampler, {number} programs", plan.programs, top)
        out.print("a larger k samples more: vpd run --k N (for every question of the run)")


def _part(out: Console, project: Project, title: str, steps: Sequence[NextStep], top: int) -> None:
    """Print what one budget is spent on.

    Args:
        out: where to print.
        project: has the questions.
        title: of the budget.
        steps: the best first.
        top: how many are printed.
    """
    gain = sum(step.gain for step in steps)
    out.print(f"{title}: {len(steps)} questions, {gain:.1f} more to teach from expected")
    tasks = {task.id: task for task in project.tasks([step.task_id for step in steps[:top]])}
    for step in steps[:top]:
        out.print(
            f"  {step.gain:.2f}  {step.action:<7} {safe(step.task_id, 60)}  "
            f"{safe(tasks[step.task_id].question, 80)}"
        )
        out.print(f"        {safe(step.why, 200)}")
    if len(steps) > top:
        out.print(f"  and {len(steps) - top} more; give --top")


def _replay(out: Console, result: Saving | str, as_json: bool) -> None:
    if as_json:
        value = {"reason": result} if isinstance(result, str) else asdict(result)
        print(json.dumps(value, indent=1))
        return
    if isinstance(result, str):
        out.print(f"nothing can be replayed: {result}")
        return
    out.print(
        f"{result.decisions} stored decisions, {result.accepted} of them accepts, replayed "
        f"{result.draws} times on four fifths of them, until {percent(result.goal)} of the accepts "
        "are made"
    )
    out.print(
        f"predicted acceptance: {result.needed:.1f} decisions; random order: {result.random:.1f}"
    )
    out.print(
        f"saved: {percent(result.saved)} ({percent(result.low)} to {percent(result.high)}, 95 % of "
        "the draws)"
    )
    if result.low <= 0:
        out.print("the interval holds 0: on these decisions the order saves nothing that is sure")
