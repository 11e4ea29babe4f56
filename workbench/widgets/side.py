"""SideBySide: one question about one picture, answered by a program and by the student, while one
watches.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import traitlets
from PIL import Image

from workbench.errors import InputError
from workbench.images import ImageFolder
from workbench.pipeline.ask import question_task
from workbench.pipeline.live import Live
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
from workbench.records import Task, TraceEvent
from workbench.screen import views
from workbench.screen.steps import StepBox, steps_of
from workbench.settings import Profile, find_profile, read_profile
from workbench.store import Project
from workbench.widgets import pictures, plain
from workbench.widgets.base import Widget, script
from workbench.widgets.current import current_or_none
from workbench.widgets.trace import TracePlayer

PACE = 0.1
"""Seconds between two drawings of one side, at least."""
MOST_STEPS = 200
"""Steps drawn of a run; `player` shows them all."""

_lives: dict[str, Live] = {}
"""Sides by profile: models are loaded once in a kernel."""


class SideBySide(Widget):
    """Ask both: the program writes itself and runs at the left, the student answers at the right.

    Traits: `question` (both ways), `answers`, `busy` (read them).  Work is done in threads: the
    kernel stays free.

    Args:
        picture: its path, its digest in the project, or the picture.
        question: is asked at once; may be left out.
        choices: options of a multiple-choice question.
        project: where digests are looked up; the notebook's own when left out.
        profile: which parts; the project's when left out, the embedded ones without a project.
        sides: which columns; `base` is the model before it was taught, where the student is another
            one.

    Raises:
        ImageError: the picture cannot be read.
        InputError: the question is far too long, or there is no such side.
    """

    _esm = script("side.js")
    picture = traitlets.Bytes().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    """Size of the picture, pixels."""
    question = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)
    """{side: answer, or None while there is none}."""
    sides: traitlets.List[Side] = traitlets.List().tag(sync=True)
    pipeline = traitlets.Dict().tag(sync=True)
    student = traitlets.Dict().tag(sync=True)
    base = traitlets.Dict().tag(sync=True)
    names = traitlets.Dict().tag(sync=True)
    """{side: its title, and which model answers}."""

    def __init__(
        self,
        picture: Path | str | Image.Image,
        question: str = "",
        *,
        choices: Sequence[str] = (),
        project: Project | None = None,
        profile: Profile | None = None,
        sides: Sequence[Side] = ("pipeline", "student"),
    ) -> None:
        project = current_or_none(project)
        self._image = pictures.open_picture(picture, project.images if project else None)
        if self._image is None:
            raise InputError(
                "which picture? give its path, its digest in the project, or the picture"
            )
        self._digest, self._choices = _digest_of(self._image), tuple(choices)
        if profile is None and project is not None:
            profile = project.profile()
        if profile is None:
            profile = read_profile(find_profile("embedded"))
        self._live = _live_of(profile)
        if unknown := set(sides) - set(self._live.sides):
            raise InputError(
                f"no side is called {', '.join(unknown)}; there are: {', '.join(self._live.sides)}"
            )
        self._lock = threading.Lock()
        self._cancels: dict[Side, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self.finished: dict[Side, Finished] = {}
        super().__init__(
            picture=pictures.to_webp(self._image, 480),
            about={"width": self._image.width, "height": self._image.height},
            sides=list(sides),
            names={side: asdict(name) for side, name in self._live.names.items()},
            question=" ".join(question.split()),
        )
        if question:
            self.ask()

    def ask(self, question: str | None = None) -> None:
        """Ask every side; what was under way is cancelled."""
        task = question_task(
            self._digest, self.question if question is None else question, self._choices
        )
        self.cancel()
        for thread in self._threads:
            thread.join(timeout=5)
        with self._lock, self.hold_sync():
            self.question, self.busy, self.finished = task.question, True, {}
            self.answers = dict.fromkeys(self.sides)
            for side in self.sides:
                setattr(self, side, {"says": "asked"})
        self._cancels = {side: threading.Event() for side in self.sides}
        self._threads = [
            threading.Thread(
                target=self._listen, args=(side, task), name=f"side-{side}", daemon=True
            )
            for side in self.sides
        ]
        for thread in self._threads:
            thread.start()

    def cancel(self, side: Side | None = None) -> None:
        """Stop one side, or all."""
        for name, event in self._cancels.items():
            if side in (None, name):
                event.set()

    def wait(self, timeout: float | None = None) -> dict[Side, Finished]:
        """Wait for the answers (the kernel is not free meanwhile); those that came in time."""
        until = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
        return dict(self.finished)

    def player(self) -> TracePlayer:
        """The program's run, to step through.  Raises InputError while there is none."""
        pipeline = self.finished.get("pipeline")
        if pipeline is None or pipeline.trace is None:
            raise InputError("no program has run to its end yet; wait() does")
        return TracePlayer(pipeline.trace, program=pipeline.program, picture=self._image)

    def close(self) -> None:
        """Cancel what is under way, and end the widget; the models stay loaded."""
        self.cancel()
        super().close()

    def answer(self, request: Mapping[str, Any]) -> Any:
        if request.get("do") == "ask":
            return self.ask(str(request.get("question", "")))
        if request.get("do") == "cancel":
            return self.cancel(request.get("side"))
        raise InputError(f"this widget cannot do {request.get('do')!r:.40}")

    def _listen(self, side: Side, task: Task) -> None:
        """Fold one side's events into what is drawn of it."""
        assert self._image is not None
        column, sent = _Column(self._image.size), 0.0
        for event in self._live.answer(side, task, self._cancels[side]):
            column.take(event)
            if isinstance(event, TextPiece | Stepped) and time.monotonic() - sent < PACE:
                continue
            sent = time.monotonic()
            with self._lock:
                if isinstance(event, Finished):
                    self.finished[side] = event
                    self.answers = {**self.answers, side: event.answer}
                    self.busy = len(self.finished) < len(self.sides)
                setattr(self, side, asdict(column.view()))

    def plain(self) -> str:
        assert self._image is not None
        rows = [
            (self.names[side]["title"], _answer_words(end)) for side, end in self.finished.items()
        ]
        program = self.finished["pipeline"].program if "pipeline" in self.finished else None
        source = plain.code(program.source) if program is not None else ""
        image = pictures.inline(self._image)
        return f"{image}<p><b>{plain.text(self.question)}</b></p>{plain.facts(rows)}{source}"


_WORDS = {"program": "writes a program", "answer": "answers", "rationale": "explains"}
"""What a side does while it writes a part of its answer."""


@dataclass(slots=True)
class SideView:
    """One side, as its column draws it."""

    says: str = "asked"
    """What the side does now, in a word or two."""
    program: str = ""
    answer: str = ""
    rationale: str = ""
    boxes: list[StepBox] = field(default_factory=list)
    steps: list[tuple[str, int, str, str]] = field(default_factory=list)
    """Kind, line, title, and the line below the title."""
    time: str = ""
    trouble: str = ""
    """Why there is no answer."""
    maker: str = ""
    """The model that answers, with its version."""
    ended: bool = False


class _Column:
    """Folds the events of one side into what is drawn of it."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._events: list[TraceEvent] = []
        self._view = SideView()

    def take(self, event: Event) -> None:
        view = self._view
        if isinstance(event, Queued):
            view.says = f"waits behind {event.ahead}" if event.ahead else "next"
        elif isinstance(event, Started):
            view.says = "loading models" if event.cold else "answers"
        elif isinstance(event, TextPiece):
            view.says = _WORDS[event.part]
            setattr(view, event.part, getattr(view, event.part) + event.text)
        elif isinstance(event, Wrote):
            view.says, view.program = "runs it", event.program.source
        elif isinstance(event, Stepped):
            self._events.append(event.event)
        elif isinstance(event, Pointed):
            boxes = [one.pixels(*event.size) for one in event.boxes]
            view.boxes = [StepBox(box.as_tuple(), "", "result") for box in boxes]
        else:
            self._finish(event)

    def view(self) -> SideView:
        """The column now, with the steps so far and the boxes of the last that has any."""
        steps = steps_of(self._events[: 20 * MOST_STEPS], self._size)[:MOST_STEPS]
        boxes = next((step.boxes for step in reversed(steps) if step.boxes), self._view.boxes)
        cells = [(one.kind, one.line, one.title, one.short) for one in steps]
        return replace(self._view, steps=cells, boxes=boxes)

    def _finish(self, event: Finished) -> None:
        view, times = self._view, event.times
        if event.cancelled:
            view.says = "cancelled"
        else:
            view.says = "failed" if event.failure is not None else "done"
        view.answer = event.answer if event.answer is not None else ""
        rationales = (one.rationale for one in event.predictions if one.rationale)
        view.rationale = next(rationales, view.rationale)
        seconds = times.answer if times.answer is not None else times.total
        view.time = views.duration(seconds) + (", models loaded first" if times.cold else "")
        problems = (one.problem for one in event.predictions if one.problem)
        view.trouble = event.failure.message if event.failure is not None else next(problems, "")
        if event.maker is not None:
            view.maker = f"{event.maker.name} {event.maker.version}"
        view.ended = True


def _answer_words(end: Finished) -> str:
    """The answer, or why there is none."""
    if end.answer is not None:
        return end.answer
    return end.failure.message if end.failure is not None else "cancelled"


def _live_of(profile: Profile) -> Live:
    """The sides of a profile, built once in a kernel."""
    return _lives.setdefault(repr(profile), Live(profile, _folder()))


@cache
def _folder() -> ImageFolder:
    """Pictures that questions were put about; they go with the kernel."""
    place = tempfile.mkdtemp(prefix="vpd-side-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return ImageFolder(Path(place))


def _digest_of(picture: Image.Image) -> str:
    """Digest under which `_folder` holds the picture from now on."""
    path = _folder().root / f"{uuid.uuid4().hex}.png"
    picture.save(path)
    try:
        return _folder().add(path)
    finally:
        path.unlink(missing_ok=True)
