"""One question about one picture, answered while a person watches, by a program and by models.

Each side is a stream of small events of its own and can fail or be cancelled alone.  The work is
done in a thread that the stream starts, so that whoever reads the stream is never held up; a side
does one question at a time, in the order of asking, and says how many are before it.  Parts are
loaded once and kept; an answer that had to wait for the loading says so (`Times.cold`).  Nothing is
taken from a cache of answers: tools and features of the picture are asked anew each time, or the
times would say nothing.
"""

from __future__ import annotations

import mmap
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from workbench import registry
from workbench.boxes_in_text import NamedBox, boxes_in
from workbench.errors import InputError
from workbench.pipeline.live_events import (
    SIDES,
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
from workbench.pipeline.live_names import SideName, base_checkpoint, side_names
from workbench.pipeline.loop import peak_rss
from workbench.pipeline.parts import Parts
from workbench.ports import Forgetful, Images, StreamingSampler, StreamingStudent, Student
from workbench.records import Failure, PartRef, Prediction, Program, Task, Trace, TraceEvent
from workbench.settings import Profile
from workbench.unanswered import REFUSED, no_answer, reason_line, refusal, with_reason
from workbench.verify.answers import RIGHT, score

_POLL = 0.1
"""Seconds between two looks at whether a stream was cancelled, and at the memory in use."""


class _Cancelled(Exception):
    """The stream was cancelled; raised at the next point where work can end."""


class Live:
    """The sides of one profile, ready to answer; several threads may use it.

    Args:
        profile: names of the parts; a student that is no base model adds the side `base`.
        images: where pictures come from, by digest.
    """

    def __init__(self, profile: Profile, images: Images) -> None:
        self.images = images
        self._parts = Parts(profile, images)
        self._profile = profile
        self._lines = {side: _Line() for side in SIDES}
        self._loading = threading.Lock()
        self._loaded: set[Side] = set()

    @cached_property
    def sides(self) -> tuple[Side, ...]:
        """All sides; `base` is one where the student is not the base model itself."""
        return tuple(self.names)

    @cached_property
    def names(self) -> Mapping[Side, SideName]:
        """What each side is called, and which model stands behind it."""
        return side_names(self._profile)

    def close(self) -> None:
        """End the sandbox processes; streams under way end as failed."""
        self._parts.close()

    def warm(self, side: Side) -> None:
        """Load what a side needs; at once where it is loaded already.

        Raises:
            ProfileError, MissingPart, EngineError: as the parts themselves.
        """
        with self._loading:
            if side not in self._loaded:
                if side == "pipeline":
                    self._parts.build(("sample", "execute"))
                else:
                    _ = self._student(side)
                self._loaded.add(side)

    def answer(
        self, side: Side, task: Task, cancelled: threading.Event | None = None
    ) -> Iterator[Event]:
        """Answer a question; the last event is `Finished`, and nothing is raised on the way.

        Setting `cancelled`, or closing the stream, stops the model and the program at their next
        token or event; a tool's own batch is waited for in the background.

        Args:
            side: who answers.
            task: the question.
            cancelled: ends the answer once it is set.

        Raises:
            InputError: there is no such side.
        """
        if side not in self.sides:
            raise InputError(f"no side is called '{side}'; there are: {', '.join(self.sides)}")
        return self._stream(side, task, cancelled or threading.Event())

    def _stream(self, side: Side, task: Task, cancelled: threading.Event) -> Iterator[Event]:
        asking = _Asking(self, side, task, cancelled)
        thread = threading.Thread(target=asking.work, name=f"live-{side}", daemon=True)
        thread.start()
        peak, last = _memory(), None
        try:
            while not isinstance(last, Finished):
                try:
                    last = asking.events.get(timeout=_POLL)
                except queue.Empty:
                    last = asking.finished(cancelled=True) if cancelled.is_set() else None
                peak = max(peak, _memory())
                if isinstance(last, Finished):
                    last = replace(last, times=replace(last.times, peak_bytes=peak))
                if last is not None:
                    yield last
        finally:
            cancelled.set()

    @cached_property
    def _base(self) -> Student:
        checkpoint = base_checkpoint(self._profile)
        base: Student = registry.build("student", "transformers", checkpoint=checkpoint)
        return base

    def _student(self, side: Side) -> Student:
        return self._parts.student if side == "student" else self._base


@dataclass(slots=True)
class _Asking:
    """One question on one side, in its own thread."""

    live: Live
    side: Side
    task: Task
    cancelled: threading.Event
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    queue_start: float = field(default_factory=time.perf_counter)
    began: float | None = None
    load: float = 0.0
    first: float | None = None
    answered: float | None = None
    cold: bool = False
    answer: str | None = None
    maker: PartRef | None = None
    program: Program | None = None
    trace: Trace | None = None
    predictions: list[Prediction] = field(default_factory=list)

    def work(self) -> None:
        line = self.live._lines[self.side]
        try:
            with line.turn(self._check, lambda ahead: self.events.put(Queued(self.side, ahead))):
                self.began = time.perf_counter()
                self.cold = self.side not in self.live._loaded
                self.events.put(Started(self.side, self.cold))
                self.live.warm(self.side)
                self.load = time.perf_counter() - self.began if self.cold else 0.0
                self._check()
                failure = self._by_program() if self.side == "pipeline" else self._by_model()
            self.events.put(self.finished(failure))
        except _Cancelled:
            self.events.put(self.finished(cancelled=True))
        except Exception as error:  # a fault of any part ends this side alone
            self.events.put(self.finished(Failure("infra", reason_line(refusal(error)))))

    def _by_program(self) -> Failure | None:
        parts = self.live._parts
        sampler, executor, seed = parts.sampler, parts.executor, parts.profile.seed
        self.maker = sampler.ref
        parts.forget()
        if isinstance(sampler, StreamingSampler):
            program = sampler.stream(self.task, seed, self._hear("program"))
        else:  # an endpoint sends the program as one
            program = next(iter(sampler.sample([self.task], 1, seed)))
            self._hear("program")(program.source)
        self.program = program
        self.events.put(Wrote(self.side, program))
        self._check()
        run = next(executor.run([(self.task, program)], self._on_event, self.cancelled))
        trace = with_reason(run, program.problem)
        self._check()
        self.trace, self.answer = trace, trace.answer
        self.answered = time.perf_counter()
        return trace.failure

    def _by_model(self) -> Failure | None:
        student, images = self.live._student(self.side), self.live.images
        self.maker = student.ref
        if isinstance(student, Forgetful):
            student.forget()
        size = images.open(self.task.image).size
        rationale = ""
        boxes: tuple[NamedBox, ...] = ()

        def hear(piece: str) -> None:
            nonlocal rationale, boxes
            say(piece)
            rationale += piece
            before, boxes = boxes, boxes_in(rationale)
            if boxes != before:  # not their number alone: a piece may end within a box's last side
                self.events.put(Pointed(self.side, boxes, size))

        short = self._ask(student, False, self._hear("answer"))
        self.answer, self.answered = short.answer, time.perf_counter()
        say = self._hear("rationale")
        self._ask(student, True, hear)
        return None

    def _ask(self, student: Student, explain: bool, hear: Callable[[str], None]) -> Prediction:
        try:
            if isinstance(student, StreamingStudent):
                prediction = student.stream(self.task, self.live.images, explain, hear)
            else:
                prediction = student.answer([self.task], self.live.images, explain)[0]
                hear(prediction.rationale if explain else prediction.answer)
        except REFUSED as error:  # a row that is kept with a vote, so that it is not asked again
            self.predictions.append(no_answer(self.task, student.ref, refusal(error), explain))
            raise
        self._check()
        self.predictions.append(
            replace(prediction, score=float(self._right(prediction.answer) or 0.0))
        )
        return prediction

    def _hear(self, part: Literal["program", "answer", "rationale"]) -> Callable[[str], None]:
        def hear(piece: str) -> None:
            self._check()
            if self.first is None:
                self.first = time.perf_counter()
            self.events.put(TextPiece(self.side, part, piece))

        return hear

    def _on_event(self, _: str, event: TraceEvent) -> None:
        self._check()
        self.events.put(Stepped(self.side, event))

    def _check(self) -> None:
        if self.cancelled.is_set():
            raise _Cancelled

    def _right(self, answer: str | None) -> bool | None:
        if answer is None or not self.task.labelled:
            return None
        return score(self.task, answer).score >= RIGHT

    def finished(self, failure: Failure | None = None, cancelled: bool = False) -> Finished:
        """The last event, with the answer and the times so far."""
        now = time.perf_counter()
        began = self.began if self.began is not None else now
        times = Times(
            wait=began - self.queue_start,
            load=self.load,
            first=None if self.first is None else self.first - began,
            answer=None if self.answered is None else self.answered - began,
            total=now - began,
            peak_bytes=0,
            cold=self.cold,
        )
        return Finished(
            self.side,
            self.answer,
            self._right(self.answer),
            failure,
            cancelled,
            times,
            self.maker,
            self.program,
            self.trace,
            tuple(self.predictions),
        )


class _Line:
    """The queue in front of a side, in the order of asking."""

    def __init__(self) -> None:
        self._waiting: deque[object] = deque()
        self._moved = threading.Condition()

    @contextmanager
    def turn(self, check: Callable[[], None], tell: Callable[[int], None]) -> Iterator[None]:
        """Wait for a turn and keep it until the block ends.

        `check` may raise to give up; `tell` is called with the number of questions ahead.
        """
        ticket, last = object(), 0
        with self._moved:
            self._waiting.append(ticket)
        try:
            while True:
                check()
                with self._moved:
                    ahead = self._waiting.index(ticket)
                    if ahead == last > 0:
                        self._moved.wait(_POLL)
                        continue
                if ahead == 0:
                    break
                last = ahead
                tell(ahead)
            yield
        finally:
            with self._moved:
                self._waiting.remove(ticket)
                self._moved.notify_all()


def _memory() -> int:
    """Bytes of memory of this process; its highest use where the system gives no current one."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE
    except (OSError, IndexError, ValueError):
        return peak_rss()
