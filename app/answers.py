"""Live answers for the pages: pictures that visitors bring, questions under way, and their events
as JSON.

Pictures that nobody decided on stay in the project's cache folder, the newest few hundred; a vote
or a place in the queue makes the picture, the question, the program with its trace and the
predictions part of the project.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from workbench.boxes_in_text import NamedBox
from workbench.errors import ImageError, InputError
from workbench.images import ImageFolder
from workbench.pipeline.live_events import (
    Event,
    Finished,
    Pointed,
    Queued,
    Side,
    Started,
    Stepped,
    TextPiece,
    Wrote,
)
from workbench.records import Region, Task, TraceEvent
from workbench.screen.highlight import highlight
from workbench.screen.steps import steps_of
from workbench.store import Project
from workbench.store.reading.ids import program_indexes
from workbench.verify.answers import canonical

MOST_PICTURES = 200
"""Visitors' pictures kept."""

MOST_ROUNDS = 200
"""Questions whose answers are held for a vote."""

MOST_STEPS = 300
"""Steps sent while a program runs."""

PACE = 0.08
"""Seconds between two messages of one stream, at least; what comes between is sent together."""

_RUN = re.compile(r"[A-Za-z0-9._:-]{8,64}")


class Pictures:
    """Pictures of a project and of its visitors, by digest."""

    def __init__(self, project: Project) -> None:
        self.project = project.images
        self.guests = ImageFolder(project.path / "cache" / "compare")
        self._lock = threading.Lock()

    def of(self, digest: str) -> ImageFolder:
        """The folder that holds a picture."""
        return self.project if self.project.path(digest) is not None else self.guests

    def open(self, digest: str) -> Image.Image:
        return self.of(digest).open(digest)

    def crop(self, region: Region) -> Image.Image:
        return self.of(region.image).crop(region)

    def take(self, data: bytes) -> str:
        """Keep a visitor's picture; returns its digest.  Raises ImageError if it cannot be read."""
        part = self.guests.root / f"{uuid.uuid4().hex}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            return self.add(part)
        except ImageError as error:
            raise ImageError(str(error).replace(str(part), "the file")) from error
        finally:
            part.unlink(missing_ok=True)

    def add(self, source: Path) -> str:
        """Keep a copy of a picture file; the oldest give way."""
        with self._lock:
            digest = self.guests.add(source)
            paths = sorted(self.guests.root.glob("??/*"), key=lambda path: path.stat().st_mtime)
            for path in paths[:-MOST_PICTURES]:
                self.guests.drop(path.stem)
        return digest

    def keep(self, digest: str) -> None:
        """Make a picture the project's own.  Raises InputError when a visitor's picture has given
        way to newer ones.
        """
        path = self.of(digest).path(digest)
        if path is None:
            raise InputError("this picture is no longer held; give it again")
        self.project.add(path)


@dataclass(slots=True)
class Round:
    """One question with what each side made of it."""

    task: Task
    sides: dict[Side, Finished] = field(default_factory=dict)
    running: dict[Side, threading.Event] = field(default_factory=dict)


class Rounds:
    """The latest questions asked, by the id that the asking page made."""

    def __init__(self) -> None:
        self._rounds: OrderedDict[str, Round] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, run: str, task: Task, side: Side) -> tuple[Round, threading.Event]:
        """Hold a question for its answers; a second side joins the first one's round.

        Args:
            run: id that the page made.
            task: the question.
            side: that answers it.

        Returns:
            The round, and the event that cancels this side.

        Raises:
            InputError: the id is not as expected, or is that of another question.
        """
        if not _RUN.fullmatch(run):
            raise InputError("run must be 8 to 64 letters, digits or . _ : -")
        with self._lock:
            one = self._rounds.setdefault(run, Round(task))
            if one.task != task:
                raise InputError("this run is that of another question; make a new id")
            self._rounds.move_to_end(run)
            while len(self._rounds) > MOST_ROUNDS:
                self._rounds.popitem(last=False)
            one.running[side] = threading.Event()
            return one, one.running[side]

    def of(self, run: str) -> Round:
        """A question's answers.  Raises InputError when they are not held any more."""
        with self._lock:
            one = self._rounds.get(run)
        if one is None:
            raise InputError("these answers are no longer held; ask again, then vote")
        return one

    def cancel(self, run: str, side: str | None = None) -> int:
        """Stop what is under way, on one side or on all; returns how many sides that were."""
        running = [event for name, event in self.of(run).running.items() if side in (None, name)]
        for event in running:
            event.set()
        return len(running)


def keep(project: Project, pictures: Pictures, one: Round, seed: int) -> Finished | None:
    """Write a round into the project: picture, question, program, trace, predictions.  What is
    there already stays as it is.

    Args:
        project: where it is stored.
        pictures: the folders that hold its picture.
        one: the round.
        seed: stored with the program.

    Returns:
        The pipeline's side; None where the pipeline has not answered.
    """
    task = one.task
    pictures.keep(task.image)
    if not project.known_tasks([task.id]):
        project.add_tasks([task])
    pipeline = one.sides.get("pipeline")
    if pipeline is not None and pipeline.program is not None:
        program = pipeline.program
        project.add_programs([program], seed)
        places = program_indexes(project.database, task.id)
        if program.id not in places:  # the loop has sampled another one at this place
            project.add_programs([replace(program, index=1 + max(places.values()))], seed)
        if pipeline.trace is not None:
            project.add_traces([pipeline.trace])
    predictions = [prediction for side in one.sides.values() for prediction in side.predictions]
    if predictions:
        project.add_predictions(predictions)
    return pipeline


def messages(
    stream: Iterator[Event], one: Round, size: tuple[int, int]
) -> Iterator[dict[str, Any]]:
    """A stream's events as JSON, `{number: [event, ...]}` at a time; the very last one is
    `finished`.

    Gradio sends its clients the difference to the message before, and is wrong about nested lists
    that shrink; under a key of its own each message is sent whole.

    Args:
        stream: events of one side.
        one: the round, which keeps the answer.
        size: width and height of the picture, pixels.
    """
    telling = _Telling(size, one.task)
    waiting: list[dict[str, Any]] = []
    number, sent = 0, 0.0
    try:
        for event in stream:
            if isinstance(event, Finished):
                one.sides[event.side] = event
                one.running.pop(event.side, None)
            waiting += telling.tell(event)
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
        self.lines: list[Any] = []
        self.events: list[TraceEvent] = []
        self.fresh = False
        self.steps_sent: list[dict[str, Any]] = []

    def tell(self, event: Event) -> list[dict[str, Any]]:
        if isinstance(event, Queued):
            return [{"kind": "queued", "ahead": event.ahead}]
        if isinstance(event, Started):
            return [{"kind": "started", "cold": event.cold}]
        if isinstance(event, TextPiece):
            if event.part != "program":
                return [{"kind": "said", "part": event.part, "text": event.text}]
            self.source += event.text
            return self._code(self.source)
        if isinstance(event, Wrote):
            return [*self._code(event.program.source), {"kind": "wrote"}]
        if isinstance(event, Stepped):
            self.events.append(event.event)
            self.fresh = True
            return []
        if isinstance(event, Pointed):
            return [{"kind": "boxes", "boxes": [_box(one, event.size) for one in event.boxes]}]
        return [*self.steps(), self._finished(event)]

    def _code(self, source: str) -> list[dict[str, Any]]:
        """The lines that have changed since the last time."""
        lines = highlight(source)
        same = _same(self.lines, lines)
        self.lines = lines
        return [{"kind": "code", "from": same, "lines": lines[same:]}]

    def steps(self) -> list[dict[str, Any]]:
        """The steps that have changed since the last time."""
        if not self.fresh or len(self.steps_sent) >= MOST_STEPS:
            return []
        self.fresh = False
        steps = [
            {
                "kind": step.kind,
                "line": step.line,
                "title": step.title,
                "short": step.short,
                "error": step.error,
                "ms": round(step.ms, 1),
                "boxes": [asdict(box) for box in step.boxes],
            }
            for step in steps_of(self.events, self.size)[:MOST_STEPS]
        ]
        same = _same(self.steps_sent, steps)
        self.steps_sent = steps
        return [{"kind": "steps", "from": same, "steps": steps[same:]}]

    def _finished(self, event: Finished) -> dict[str, Any]:
        return {
            "kind": "finished",
            "answer": event.answer,
            "form": None if event.answer is None else canonical(event.answer, self.task),
            "right": event.right,
            "gold": list(self.task.answers),
            "failure": asdict(event.failure) if event.failure is not None else None,
            "cancelled": event.cancelled,
            "times": asdict(event.times),
            "version": _version(event),
            "steps": event.trace.steps if event.trace is not None else None,
            "rationale": next((one.rationale for one in event.predictions if one.rationale), ""),
        }


def _version(event: Finished) -> str:
    return f"{event.maker.name} {event.maker.version}" if event.maker is not None else ""


def _box(one: NamedBox, size: tuple[int, int]) -> dict[str, Any]:
    sides = one.pixels(*size).as_tuple()
    return {"box": [round(side, 1) for side in sides], "start": one.start, "end": one.end}


def _same(before: Sequence[Any], after: Sequence[Any]) -> int:
    """How many entries the two begin with alike."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (old, new) in pairs if old != new), min(len(before), len(after)))


def outputs(one: Round, more: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept with a vote: `more`, and each side's answer, version and times."""
    return {
        **more,
        "sides": {
            side: {
                "answer": end.answer[:500] if end.answer is not None else None,
                "failure": end.failure.kind if end.failure else None,
                "cancelled": end.cancelled,
                "version": _version(end),
                "times": asdict(end.times),
            }
            for side, end in one.sides.items()
        },
    }
