"""What the step player is given: the whole run in short (`model_of`), and full steps on demand
(`Traces`).

The records are JSON for `static/player.js`, which a notebook mounts as well.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from typing_extensions import TypedDict

from workbench.records import Rationale
from workbench.screen.highlight import Words, highlight
from workbench.screen.loop_boxes import add_loop_boxes
from workbench.screen.steps import NamedValue, Step, ValueText, places, steps_of
from workbench.screen.views import PictureView, Piece, rationale_view
from workbench.store import Run

FOLDED = 3
"""Rounds from which a loop is folded."""

KEPT = 32
"""Runs whose steps are kept built."""

MOST = 100
"""Full steps given at once."""

StepCell = tuple[str, int, str, str, float, bool]
"""A step in short: kind, line, title, the line below the title, milliseconds, from the cache."""

Fold = TypedDict("Fold", {"from": int, "to": int, "line": int, "rounds": list[int]})
"""A loop of several rounds: steps `from` to `to` (not included), the line of the loop, and the
first step of each round.  It is not a dataclass because `from` is a keyword of Python.
"""


@dataclass(frozen=True, slots=True)
class PlayerSentence:
    """A sentence of the rationale beside the steps."""

    pieces: Sequence[Piece]
    supported: bool
    """Whether something in the trace supports it."""
    steps: Sequence[int]
    """Steps that the sentence states."""


@dataclass(frozen=True, slots=True)
class PlayerRationale:
    """The rationale beside the steps."""

    sentences: Sequence[PlayerSentence]
    issues: Sequence[str]
    """What speaks against its faithfulness, in sentences."""
    writer: str


@dataclass(frozen=True, slots=True)
class PlayerModel:
    """A run in short, for the step player."""

    source: Sequence[Words]
    """The program's lines as coloured words."""
    ran: Mapping[int, int]
    """How often each line was executed."""
    steps: Sequence[StepCell]
    folds: Sequence[Fold]
    start: int
    """The step to open at (`telling_step`)."""
    picture: PictureView
    told: PlayerRationale | None
    full: Sequence[Step] = ()
    """The first steps in full, where they come along."""
    wrong: int | None = None
    """The step that is marked as the first wrong one."""
    mark: str | None = None
    """Id of an event that does nothing but mark the first wrong step."""
    trace: str = ""
    """Id by which the run was opened, and `task` that of its question, where a page needs them."""
    task: str = ""
    text: str = ""
    """The program's text, where it can be edited."""


class Traces:
    """Steps of runs, built once: a run's steps are asked for again and again while somebody walks
    through it.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], list[Step]] = OrderedDict()
        self._lock = Lock()

    def steps(self, run: Run, picture: PictureView) -> list[Step]:
        """The steps of a run on the picture, or the pictures, of its question."""
        trace = run.trace
        if trace is None:
            return []
        # more than the id, because a run that broke may come back under its id
        size, number = picture.size, 1 + len(picture.more)
        key = (trace.id, trace.failure, len(trace.events), size, number)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        steps = steps_of(trace.events, size, number)
        add_loop_boxes(steps, run.program.source)
        with self._lock:
            self._kept[key] = steps
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return steps


def model_of(
    run: Run, steps: Sequence[Step], picture: PictureView, rationale: Rationale | None
) -> PlayerModel:
    """The run in short.

    Args:
        run: a program that was run.
        steps: the run's steps.
        picture: the run's picture.
        rationale: the wording to show beside the steps.
    """
    return PlayerModel(
        source=highlight(run.program.source),
        ran=_line_counts(run),
        steps=[(s.kind, s.line, s.title, s.short, round(s.ms, 2), s.cached) for s in steps],
        folds=folds(steps),
        start=telling_step(steps),
        picture=picture,
        told=player_rationale(rationale, steps),
    )


def telling_step(steps: Sequence[Step]) -> int:
    """The step that says most of a run at one look: the failing one, else the first tool call that
    has boxes as its result, else the first tool call, else the first step.
    """
    failing = [at for at, step in enumerate(steps) if step.kind == "error"]
    calls = [at for at, step in enumerate(steps) if step.kind == "tool"]
    with_boxes = [at for at in calls if any(box.role == "result" for box in steps[at].boxes)]
    return [*failing[-1:], *with_boxes, *calls, 0][0]


def _line_counts(run: Run) -> dict[int, int]:
    """How often each line of a program was executed."""
    events = run.trace.events if run.trace is not None else ()
    counts = Counter(
        event.line for event in events if event.kind in ("line", "branch", "call", "return")
    )
    for event in events:
        if event.kind in ("tool", "print", "exception") and not counts[event.line]:
            counts[event.line] = 1  # a line that began and did not end
    return dict(counts)


def full(steps: Sequence[Step], first: int, last: int) -> list[Step]:
    """Steps `first` to `last` (not included), at most `MOST` of them.

    Args:
        steps: all steps of a run.
        first: index of a step.
        last: index of a step.
    """
    return list(steps[max(first, 0) : min(last, first + MOST)])


def variables(steps: Sequence[Step], at: int) -> list[NamedValue]:
    """What every variable of the step's frame holds behind it."""
    if not 0 <= at < len(steps):
        return []
    values: dict[str, ValueText] = {}
    for step in steps[: at + 1]:
        if step.frame == steps[at].frame:
            values.update({one.name: one.value for one in step.changed if one.name != "returned"})
    return [NamedValue(name, value) for name, value in values.items()]


def folds(steps: Sequence[Step]) -> list[Fold]:
    """Loops of several rounds, the outermost that has enough of them.

    A round runs from one step with the loop's mark (same line, same frame) to the next; the last
    one is taken to be as long as the one before it at most, and to end with the trace.
    """
    loops: list[Fold] = []
    at = 0
    while at < len(steps):
        rounds = _rounds(steps, at) if steps[at].form else []
        if len(rounds) >= FOLDED:
            end = _end(steps, rounds)
            loops.append({"from": at, "to": end, "line": steps[at].line, "rounds": rounds})
            at = end
        else:
            at += 1
    return loops


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
    """The first step behind a loop's last round."""
    lines = {step.line for step in steps[rounds[0] : rounds[-1]]}
    frame = steps[rounds[0]].frame
    for index in range(rounds[-1] + 1, len(steps)):
        step = steps[index]
        if step.frame == frame and (
            step.line not in lines or step.kind in ("end", "error") or step.title == "while"
        ):
            return index
    return len(steps)


def player_rationale(rationale: Rationale | None, steps: Sequence[Step]) -> PlayerRationale | None:
    """A rationale whose sentences name the steps that they state."""
    view = rationale_view(rationale)
    if view is None:
        return None
    place = places(steps)
    sentences = [
        PlayerSentence(
            sentence.pieces,
            sentence.supported,
            sorted({place[seq] for seq in sentence.events if seq in place}),
        )
        for sentence in view.sentences
    ]
    return PlayerRationale(sentences, view.issues, view.writer)
