"""The events of a question under way, as the column of its side takes them: JSON, told apart by
`kind`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypedDict

from app.answers import Round, version_of
from workbench.boxes_in_text import NamedBox
from workbench.pipeline.live_events import (
    Event,
    Finished,
    Pointed,
    Queued,
    Side,
    Started,
    Stepped,
    TextPiece,
    Times,
    Wrote,
)
from workbench.records import Failure, Task, TraceEvent
from workbench.screen.highlight import Words, highlight
from workbench.screen.steps import StepBox, steps_of
from workbench.verify.answers import canonical

MOST_STEPS = 300
"""Steps sent while a program runs."""

PACE = 0.08
"""Seconds between two messages of one stream, at least; what comes between is sent together."""


@dataclass(frozen=True, slots=True)
class WaitNews:
    """Others are before the question."""

    ahead: int
    kind: Literal["queued"] = "queued"


@dataclass(frozen=True, slots=True)
class StartNews:
    """It is the question's turn."""

    cold: bool
    """Whether models are loaded first."""
    kind: Literal["started"] = "started"


@dataclass(frozen=True, slots=True)
class TextNews:
    """A piece of an answer or a rationale, which stands behind the earlier ones."""

    part: Literal["answer", "rationale"]
    text: str
    kind: Literal["said"] = "said"


CodeNews = TypedDict("CodeNews", {"kind": Literal["code"], "from": int, "lines": Sequence[Words]})
"""The program's lines from line `from` on (counted from 0), coloured; those before are as they
were.  It is not a dataclass because `from` is a keyword of Python.
"""


@dataclass(frozen=True, slots=True)
class ProgramNews:
    """The program is complete."""

    kind: Literal["wrote"] = "wrote"


@dataclass(frozen=True, slots=True)
class LiveStep:
    """A step of the program, as a cell of its strip shows it."""

    kind: str
    line: int
    title: str
    short: str
    error: str
    ms: float
    boxes: Sequence[StepBox]


StepsNews = TypedDict(
    "StepsNews", {"kind": Literal["steps"], "from": int, "steps": Sequence[LiveStep]}
)
"""The steps from step `from` on (counted from 0); those before are as they were."""


@dataclass(frozen=True, slots=True)
class TextBox:
    """A box that a rationale names, and the stretch of the text that names it."""

    box: Sequence[float]
    """Left, upper, right and lower end, in pixels."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BoxesNews:
    """All boxes that the rationale has named so far."""

    boxes: Sequence[TextBox]
    kind: Literal["boxes"] = "boxes"


@dataclass(frozen=True, slots=True)
class EndNews:
    """What came of the question on this side; nothing follows."""

    answer: str | None
    """None when there is none: it failed or was cancelled first."""
    form: str | None
    """What the answer means: answers with the same form agree."""
    right: bool | None
    """Against the label; None without a label or an answer."""
    gold: Sequence[str]
    failure: Failure | None
    cancelled: bool
    times: Times
    version: str
    """Name and version of the part that answered; empty when it was never reached."""
    steps: int | None
    """Steps that the program ran; None without a run."""
    rationale: str
    problem: str
    """Why there is no answer, or why it is not whole."""
    kind: Literal["finished"] = "finished"


SideNews = (
    WaitNews | StartNews | TextNews | CodeNews | ProgramNews | StepsNews | BoxesNews | EndNews
)
"""One event of a side, as its column in the page takes it; told apart by `kind`."""


Keep = Callable[[Side, Sequence[SideNews]], None]
"""What keeps all that a side has said, once it is finished."""


def messages(
    stream: Iterator[Event], one: Round, size: tuple[int, int], keep: Keep
) -> Iterator[Mapping[str, Sequence[SideNews]]]:
    """A stream's events as JSON, `{number: [event, ...]}` at a time; the very last one is
    `finished`.

    Gradio sends its clients the difference to the message before, and is wrong about nested lists
    that shrink; under a key of its own each message is sent whole.

    Args:
        stream: events of one side.
        one: the round, which keeps the answer.
        size: width and height of the picture, pixels.
        keep: called with all that the column shows, once the side is finished.
    """
    telling = _Telling(size, one.task)
    waiting: list[SideNews] = []
    number, sent = 0, 0.0
    try:
        for event in stream:
            if isinstance(event, Finished):
                one.sides[event.side] = event
                one.running.pop(event.side, None)
            waiting += telling.tell(event)
            if isinstance(event, Finished):
                keep(event.side, telling.whole(event))
            hurried = not isinstance(event, TextPiece | Stepped)
            if hurried or ((waiting or telling.fresh) and time.monotonic() - sent >= PACE):
                number += 1
                yield {str(number): waiting + telling.steps()}
                waiting, sent = [], time.monotonic()
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()


class _Telling:
    """Turns events into what the page draws: coloured lines of the program, steps, boxes."""

    def __init__(self, size: tuple[int, int], task: Task) -> None:
        self.size, self.task = size, task
        self.source = ""
        self.lines: list[Words] = []
        self.events: list[TraceEvent] = []
        self.fresh = False
        self.steps_sent: list[LiveStep] = []
        self.boxes: BoxesNews | None = None

    def tell(self, event: Event) -> list[SideNews]:
        if isinstance(event, Queued):
            return [WaitNews(event.ahead)]
        if isinstance(event, Started):
            return [StartNews(event.cold)]
        if isinstance(event, TextPiece):
            if event.part != "program":
                return [TextNews(event.part, event.text)]
            self.source += event.text
            return [self._code(self.source)]
        if isinstance(event, Wrote):
            return [self._code(event.program.source), ProgramNews()]
        if isinstance(event, Stepped):
            self.events.append(event.event)
            self.fresh = True
            return []
        if isinstance(event, Pointed):
            self.boxes = BoxesNews([_box(one, event.size) for one in event.boxes])
            return [self.boxes]
        return [*self.steps(), self._end(event)]

    def whole(self, event: Finished) -> list[SideNews]:
        """All that the column shows at the end, for whoever was not there."""
        news: list[SideNews] = []
        if self.lines:
            news.append({"kind": "code", "from": 0, "lines": self.lines})
        if self.steps_sent:
            news.append({"kind": "steps", "from": 0, "steps": self.steps_sent})
        end = self._end(event)
        # the boxes are places in the rationale, which therefore comes before them
        if self.boxes is not None and end.rationale:
            news += [TextNews("rationale", end.rationale), self.boxes]
        return [*news, end]

    def _code(self, source: str) -> CodeNews:
        """The lines that have changed since the last time."""
        lines = highlight(source)
        same = _same(self.lines, lines)
        self.lines = lines
        return {"kind": "code", "from": same, "lines": lines[same:]}

    def steps(self) -> list[SideNews]:
        """The steps that have changed since the last time."""
        if not self.fresh or len(self.steps_sent) >= MOST_STEPS:
            return []
        self.fresh = False
        steps = [
            LiveStep(
                kind=step.kind,
                line=step.line,
                title=step.title,
                short=step.short,
                error=step.error,
                ms=round(step.ms, 1),
                boxes=step.boxes,
            )
            for step in steps_of(self.events, self.size)[:MOST_STEPS]
        ]
        same = _same(self.steps_sent, steps)
        self.steps_sent = steps
        return [{"kind": "steps", "from": same, "steps": steps[same:]}]

    def _end(self, event: Finished) -> EndNews:
        return EndNews(
            answer=event.answer,
            form=None if event.answer is None else canonical(event.answer, self.task),
            right=event.right,
            gold=self.task.answers,
            failure=event.failure,
            cancelled=event.cancelled,
            times=event.times,
            version=version_of(event),
            steps=event.trace.steps if event.trace is not None else None,
            rationale=next((one.rationale for one in event.predictions if one.rationale), ""),
            problem="; ".join(dict.fromkeys(filter(None, (p.problem for p in event.predictions)))),
        )


def _box(one: NamedBox, size: tuple[int, int]) -> TextBox:
    sides = one.pixels(*size).as_tuple()
    return TextBox([round(side, 1) for side in sides], one.start, one.end)


def _same(before: Sequence[Any], after: Sequence[Any]) -> int:
    """How many entries the two begin with alike."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (old, new) in pairs if old != new), min(len(before), len(after)))
