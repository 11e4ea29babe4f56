"""What the step player is given: the whole run in short (`model_of`), and full steps on demand
(`Traces`).

The model is JSON for `static/player.js`, which a notebook mounts as well:

    source   lines of [class, text] words         ran     {line: times executed}
    steps    [kind, line, title, short, ms, cached] each
    folds    {from, to, line, rounds: [first step of each round]} for loops
    start    the step to open at: the failing one, else the first tool call
    picture  {url, width, height}                  told    the rationale, or None
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from threading import Lock
from typing import Any

from workbench.records import Rationale
from workbench.screen.highlight import highlight
from workbench.screen.steps import Shown, Step, places, steps_of
from workbench.screen.views import rationale_view
from workbench.store import Run

FOLDED = 3
"""Rounds from which a loop is folded."""

KEPT = 32
"""Runs whose steps are kept built."""

MOST = 100
"""Full steps given at once."""


class Traces:
    """Steps of runs, built once: a run's steps are asked for again and again while somebody walks
    through it.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], list[Step]] = OrderedDict()
        self._lock = Lock()

    def steps(self, run: Run, size: tuple[int, int] | None) -> list[Step]:
        trace = run.trace
        if trace is None:
            return []
        key = (
            trace.id,
            trace.failure,
            len(trace.events),
            size,
        )  # a run that broke may come back under its id
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        built = steps_of(trace.events, size)
        with self._lock:
            self._kept[key] = built
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return built


def model_of(
    run: Run, steps: Sequence[Step], picture: Mapping[str, Any], rationale: Rationale | None
) -> dict[str, Any]:
    """The run in short."""
    events = run.trace.events if run.trace is not None else ()
    ran = Counter(
        event.line for event in events if event.kind in ("line", "branch", "call", "return")
    )
    for event in events:
        if event.kind in ("tool", "print", "exception") and not ran[event.line]:
            ran[event.line] = 1  # a line that began and did not end
    failing = next((at for at in reversed(range(len(steps))) if steps[at].kind == "error"), None)
    asking = next((at for at, step in enumerate(steps) if step.kind == "tool"), 0)
    return {
        "source": highlight(run.program.source),
        "ran": ran,
        "steps": [[s.kind, s.line, s.title, s.short, round(s.ms, 2), s.cached] for s in steps],
        "folds": folds(steps),
        "start": asking if failing is None else failing,
        "picture": dict(picture),
        "told": told_of(rationale, steps),
    }


def full(steps: Sequence[Step], first: int, last: int) -> list[dict[str, Any]]:
    """Steps `first` to `last` (not included) in full."""
    return [asdict(step) for step in steps[max(first, 0) : min(last, first + MOST)]]


def variables(steps: Sequence[Step], at: int) -> list[dict[str, Any]]:
    """What every variable of the step's frame holds behind it."""
    if not 0 <= at < len(steps):
        return []
    held: dict[str, Shown] = {}
    for step in steps[: at + 1]:
        if step.frame == steps[at].frame:
            held.update(
                {one["name"]: one["value"] for one in step.changed if one["name"] != "returned"}
            )
    return [{"name": name, "value": value} for name, value in held.items()]


def folds(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Loops of several rounds, the outermost that has enough of them.

    A round runs from one step with the loop's mark (same line, same frame) to the next; the last
    one is taken to be as long as the one before it at most, and to end with the trace.
    """
    found: list[dict[str, Any]] = []
    at = 0
    while at < len(steps):
        rounds = _rounds(steps, at) if steps[at].form else []
        if len(rounds) >= FOLDED:
            end = _end(steps, rounds)
            found.append({"from": at, "to": end, "line": steps[at].line, "rounds": rounds})
            at = end
        else:
            at += 1
    return found


def _rounds(steps: Sequence[Step], at: int) -> list[int]:
    """First steps of the rounds of the loop that begins at `at`: until something outside the loop's
    lines runs.
    """
    line, frame, form = steps[at].line, steps[at].frame, steps[at].form
    rounds = [at]
    inside = {line}
    for index in range(at + 1, len(steps)):
        step = steps[index]
        if step.frame != frame:
            continue
        if step.line == line and step.form == form:
            inside.update(s.line for s in steps[rounds[-1] : index] if s.frame == frame)
            rounds.append(index)
        elif len(rounds) > 1 and step.line not in inside and step.line < line:
            break
    return rounds


def _end(steps: Sequence[Step], rounds: Sequence[int]) -> int:
    lines = {step.line for step in steps[rounds[0] : rounds[-1]]}
    frame = steps[rounds[0]].frame
    for index in range(rounds[-1] + 1, len(steps)):
        step = steps[index]
        if step.frame == frame and (
            step.line not in lines or step.kind in ("end", "error") or step.title == "while"
        ):
            return index
    return len(steps)


def told_of(rationale: Rationale | None, steps: Sequence[Step]) -> dict[str, Any] | None:
    """A rationale whose sentences name the steps that they state."""
    view = rationale_view(rationale)
    if view is None:
        return None
    place = places(steps)
    return {
        "sentences": [
            {
                "pieces": [{"text": piece.text, "box": piece.box} for piece in sentence.pieces],
                "supported": sentence.supported,
                "steps": sorted({place[seq] for seq in sentence.events if seq in place}),
            }
            for sentence in view.sentences
        ],
        "issues": list(view.issues),
        "writer": view.writer,
    }
