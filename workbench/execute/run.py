"""One program's run, from source to trace: a state that worker threads drive from pause to pause.

A run has no thread and no clock of its own.  `advance` takes it from its start, or from the answer
to its pending call, to the next call whose answer is not known yet, or to its end.  When a worker
dies the run is replayed from its log of calls: no tool is asked again, and each replayed call must
equal the logged one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from workbench.events import MAX_TRACE, tool_seconds
from workbench.execute.language.header import setup, unserved
from workbench.execute.language.instrument import Instrumented
from workbench.execute.language.refused import RefusedProgram
from workbench.execute.messages import (
    Crashed,
    Ended,
    Flushed,
    Raised,
    Step,
    Stopped,
    ToolRequest,
)
from workbench.execute.sandbox import Sandbox, Session
from workbench.execute.trace import Recorder
from workbench.execute.values import Border, Unfit, answer_text
from workbench.made_pictures import MAX_MADE
from workbench.records import (
    JSON,
    ErrorKind,
    Failure,
    PartRef,
    Program,
    Region,
    Task,
    ToolCall,
    Trace,
    TraceEvent,
    Value,
    content_key,
)

ATTEMPTS = 3
"""Number of times that a run is started at most, when its worker dies."""

_MESSAGES: Mapping[str, str] = {
    "steps": "the program executed more than {steps} statements",
    "output": "the program printed more than {output} characters",
    "time": "time limit exceeded: the program computed for more than {seconds:g} seconds",
}

_REFUSALS = ("unsupported", "source", "value")
"""Kinds of failure whose line no report tells; the sandbox has to find it."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The outcome of one tool call."""

    ok: bool
    value: Value
    """The result; None where the call failed."""
    error: str = ""
    """Why the call failed."""
    duration_ms: float = 0.0
    """The call's share of its batch, milliseconds."""
    queue_ms: float = 0.0
    """Time that the call waited for its batch to start, milliseconds."""
    batch_size: int = 1
    """Calls of the batch."""
    cached: bool = False
    """True if the result came from the cache or from an equal call."""
    is_breakdown: bool = False
    """True if what the tool asks is away, which is no answer to anybody."""

    def payload(self) -> dict[str, JSON]:
        """The outcome as the `tool_result` event has it, without the result."""
        error = {} if self.ok else {"error": self.error}
        return {
            "ok": self.ok,
            **error,
            "duration_ms": round(self.duration_ms, 3),
            "queue_ms": round(self.queue_ms, 3),
            "batch_size": self.batch_size,
            "cached": self.cached,
        }


class Lookup(Protocol):
    """Answers a call at once where an override or the cache has its result."""

    def __call__(self, run: ProgramRun, number: int, call: ToolCall) -> ToolAnswer | None: ...


@dataclass(slots=True)
class ProgramRun:
    """A program on its way to a trace."""

    index: int
    task: Task
    program: Program
    wholes: tuple[Region, ...]
    """The task's pictures, each as a whole."""
    sandbox: Sandbox
    executor: PartRef
    executor_key: Mapping[str, Any]
    """The executor as the trace's content key reads it."""
    every: int
    """Number of events that are handed over at a time: 64, or 1 for a watcher."""
    overrides: Mapping[int | str, Value] = field(default_factory=dict)
    prepared: Instrumented | None = None
    recorder: Recorder | None = None
    border: Border = field(init=False)
    log: list[tuple[ToolCall, ToolAnswer]] = field(default_factory=list)
    """Calls that were answered so far."""
    call: ToolCall | None = None
    """The call that waits for its answer."""
    call_key: str = ""
    """The content key of that call's answer."""
    session: Session | None = None
    frame: Any = 0
    replayed: int = 0
    """Calls whose answers the present session has; after a crash it gets them from the log."""
    attempts: int = 0
    patient: bool = False
    """True once the machine was too busy for the wall limit; from then on the processor's time
    counts."""
    reached: ErrorKind | None = None
    """The limit that the program reached, while it runs once more to find the line."""
    worked: float = 0.0
    """Seconds of the processor that sessions used, from the first one on."""
    spent: float = 0.0
    """Seconds that the program has used: of the processor in sessions that ended, and of this
    process for what the program reported."""
    answer: str | None = None
    failure: Failure | None = None
    done: bool = False
    call_time: float = 0.0
    """When `call` was made, by `time.perf_counter`."""
    started: float = 0.0
    """When the run started, by `time.perf_counter`."""
    seconds: float = 0.0
    """Time from the start to the end."""
    next_event: int = 0
    """Number of the first event that a watcher has not received."""

    def __post_init__(self) -> None:
        self.border = Border(self.wholes, self.sandbox.limits)

    def advance(
        self, answer: ToolAnswer | None, lookup: Lookup, stopped: Callable[[], bool]
    ) -> None:
        """Go on to the next call whose answer is not known, or to the end.

        Nothing that a program does raises an error here.

        Args:
            answer: The answer to the pending call; None at the start.
            lookup: Gives the answers that are known.
            stopped: Tells whether the run is to be cancelled.
        """
        if answer is not None and answer.is_breakdown:
            self.close()
            self._fail("infra", f"{answer.error}; run it again", self._line())
        elif answer is not None and self.call is not None:
            self.log.append((self.call, answer))
        while not self.done:
            try:
                self._drive(lookup, stopped)
                return
            except Crashed as error:
                self.attempts += 1
                unsure = error.hung and self._can_be_patient()
                self.close()
                if unsure:
                    self._be_patient()
                elif error.hung:
                    self._limit("time", str(error))
                elif self.attempts >= ATTEMPTS:
                    self._fail("infra", f"{error}, {ATTEMPTS} times; run it again", self._line())
                else:
                    self._start_again()

    def _start_again(self) -> None:
        """Go back to the start; the calls so far are answered from the log."""
        self.close()
        self.call, self.recorder, self.replayed = None, None, 0

    def _can_be_patient(self) -> bool:
        """Whether a limit of time is still to be confirmed by the processor's time.

        One run does not tell: a machine that stood still for a second used up the wall's time, and
        many a virtual one charges the processor's time for it too.
        """
        used = self.session.processor_seconds() if self.session is not None else None
        return used is not None and not self.patient

    def _be_patient(self) -> None:
        """Start again, and let the processor's time count from now on."""
        self.patient, self.every, self.spent = True, 1, 0.0
        self._start_again()

    def _line(self) -> int | None:
        return self.recorder.last_line or None if self.recorder else None

    def _drive(self, lookup: Lookup, stopped: Callable[[], bool]) -> None:
        if self.prepared is None:
            try:
                self.prepared = self.sandbox.prepare(self.program.source)
            except RefusedProgram as refused:
                self._fail(refused.kind, refused.message, refused.line)
                return
            if why := unserved(self.prepared.arguments, self.task):
                self._fail("source", why, None)
                return
        try:
            step = self._enter()
            while self._handle(step, lookup):
                if stopped():
                    self.cancel()
                    break
                step = self._resume(step)
        except Raised as raised:
            self._end_by_error(raised)
        if self.done:
            self.close()
        elif self.session is not None:
            self.session.wait()

    def cancel(self) -> None:
        """End the run where it is, with a failure that lets it be run again."""
        self.close()
        self._fail("infra", "the run was cancelled; run it again", self._line())

    def close(self) -> None:
        """Give the sandbox's worker back."""
        if self.session is not None:
            self.worked += self.session.processor_seconds() or 0.0
            self.session.close()
            self.session = None

    def _enter(self) -> Step:
        assert self.prepared is not None
        if self.session is None:
            limits = self.sandbox.limits
            self.recorder = Recorder(
                self.prepared.sites,
                self.wholes[0].height,
                limits.events,
                min(limits.trace, MAX_TRACE),
                self.program.source,
                self.border,
            )
            self.replayed = 0
            most = limits.seconds
            seconds = min(most, max(most - self.spent, most / 4))
            self.session = Session(self.sandbox, self.prepared, seconds, self.patient)
            sizes = [(whole.width, whole.height) for whole in self.wholes]
            head = setup(self.prepared.arguments, self.task, sizes)
            return self.session.start(head, self.every)
        self.replayed = len(self.log)
        return self.session.resume(self._deliver(*self.log[-1]))

    def _resume(self, step: Step) -> Step:
        assert self.session is not None
        if isinstance(step, ToolRequest):
            return self.session.resume(self._deliver(*self.log[self.replayed - 1]))
        return self.session.resume(self.recorder is not None and self.recorder.dropped > 0)

    def _deliver(self, call: ToolCall, answer: ToolAnswer) -> tuple[bool, Any]:
        assert self.recorder is not None
        self.call = None
        if answer.ok and not self.border.admits(answer.value):
            answer = ToolAnswer(False, None, f"a run makes at most {MAX_MADE} pictures")
        self.recorder.tool_result(
            self.replayed - 1, call.tool, self.frame, answer.payload(), answer.value
        )
        if answer.ok:
            return True, self.border.write(answer.value)
        return False, f"{call.tool}: {answer.error}"

    def _handle(self, step: Step, lookup: Lookup) -> bool:
        """Record a step's reports, and tell whether the program can go on at once."""
        self._record(step.events)
        if self.done:
            return False
        if isinstance(step, Flushed):
            return True
        assert self.recorder is not None
        if isinstance(step, Stopped):
            line = step.line if type(step.line) is int else None
            if line is None and self.session and step.kind in _REFUSALS:
                line = self.session.where()
            self._end_at_limit(
                str(step.kind), str(step.message), line or self.recorder.place(step.site)[0]
            )
            return False
        if isinstance(step, Ended):
            self._end(step)
            return False
        return self._request(step, lookup)

    def _record(self, events: Any) -> None:
        """Record reports; what they cost, and what they count, is held to the limits here too.

        The sandbox counts steps and print-outs itself.  This is the second wall, where a program
        cannot reach.
        """
        assert self.recorder is not None
        began = time.thread_time()
        self.recorder.take(events)
        self.spent += time.thread_time() - began
        limits = self.sandbox.limits
        if self.recorder.steps > limits.steps:
            self._end_at_limit("steps", "")
        elif self.recorder.printed > limits.output:
            self._end_at_limit("output", "")
        elif self.spent > limits.seconds:
            self._end_at_limit("time", "")

    def _end_at_limit(self, kind: str, message: str, line: int | None = None) -> None:
        """End the run at a limit, or at something that the sandbox cannot do."""
        limits = self.sandbox.limits
        if kind in _MESSAGES:
            text = _MESSAGES[kind].format(
                steps=limits.steps, output=limits.output, seconds=limits.seconds
            )
            self._limit(kind, text, line)
        else:
            self._limit(kind if kind in _REFUSALS else "runtime", message[:500], line)

    def _request(self, step: ToolRequest, lookup: Lookup) -> bool:
        assert self.recorder is not None
        try:
            call = self._read_call(step)
        except Unfit as unfit:
            self.recorder.last_line = self.recorder.place(step.site)[0]
            self._limit("value", f"a tool was given {unfit}")
            return False
        number = self.replayed
        if number >= self.sandbox.limits.tool_calls:
            self.recorder.last_line = self.recorder.place(step.site)[0]
            self._limit(
                "tool_calls",
                f"the program called tools more than {self.sandbox.limits.tool_calls} times",
            )
            return False
        self.frame = step.frame
        self.recorder.tool_call(number, call, step.site, step.frame)
        if number < len(self.log):
            if self.log[number][0] != call:
                self._fail(
                    "infra", "a replayed run called a tool differently; run it again", self._line()
                )
                return False
            self.replayed += 1
            return True
        self.call = call
        if (answer := lookup(self, number, call)) is not None:
            self.log.append((call, answer))
            self.replayed += 1
            return True
        return False

    def _read_call(self, step: ToolRequest) -> ToolCall:
        spec = self.sandbox.api.spec(step.tool) if type(step.tool) is str else None
        if spec is None or type(step.arguments) is not list:
            raise Unfit("an unknown tool")
        arguments = {str(name): self.border.read(value) for name, value in step.arguments}
        if sum(1 for _ in arguments) > self.sandbox.limits.items:
            raise Unfit("too many arguments")
        expected = {p.name for p in spec.parameters} | ({"patch"} if spec.method else set())
        if set(arguments) != expected:
            raise Unfit(f"arguments that {spec.name} does not take")
        return ToolCall(spec.name, arguments)

    def _end(self, step: Ended) -> None:
        try:
            self.answer = answer_text(self.border.read(step.answer))
            self.done = True
        except Unfit as unfit:
            self._fail("value", f"execute_command returned {unfit}", self._return_line())

    def _return_line(self) -> int | None:
        events = self.recorder.events if self.recorder else []
        return next((e.line for e in reversed(events) if e.kind == "return" and e.frame == 0), None)

    def _end_by_error(self, raised: Raised) -> None:
        kind, left = raised.failure.kind, raised.left
        if kind == "time" and self._can_be_patient():
            self._be_patient()
            raise Crashed("the machine may have been too busy")
        bounded = kind in ("memory", "time", "recursion")
        if left is None and self.every > 1 and bounded:
            # the last events are lost; run it again and report each, to know the line
            self.every, self.reached = 1, kind
            if self.session is not None:
                self.spent += self.session.processor_seconds() or 0.0
            raise Crashed("the worker died")
        if left is not None:
            self._record(left.events)
        if not self.done:
            self._end_where_it_was(raised, self.reached or kind)

    def _end_where_it_was(self, raised: Raised, kind: ErrorKind) -> None:
        """End the run by an error or at a limit, now that all its reports are recorded."""
        assert self.recorder is not None
        left = raised.left
        # time and memory end a program without a traceback; it was then at the statement after the
        # last completed one
        line = raised.failure.line or self.recorder.next_line or self._line()
        if left is not None and left.stopped is not None:
            # where the program could not be suspended, the prelude raised an error instead
            self._end_at_limit(str(left.stopped[0]), str(left.stopped[1]), line)
        elif kind == "time":
            self._end_at_limit(kind, "", line)
        elif kind in ("memory", "recursion"):
            self._limit(kind, raised.failure.message, line)
        else:
            text, message = raised.text, raised.failure.message
            if raised.has_key:
                text = self.recorder.key_text(text, line)
                message = f"{raised.type_name}: {text}"[:1000]
            payload = {"type": raised.type_name, "message": text[:500], "handled": False}
            self.recorder.add("exception", line or 0, 0, payload)
            of_tool = kind == "runtime" and left is not None and left.of_tool
            message = text if of_tool else message
            self._fail("tool_error" if of_tool else kind, message, line)

    def _limit(self, kind: Any, message: str, line: int | None = None) -> None:
        assert self.recorder is not None
        line = line or self._line()
        self.recorder.add("limit", line or 0, 0, {"limit": kind, "message": message})
        self._fail(kind, message, line)

    def _fail(self, kind: ErrorKind, message: str, line: int | None) -> None:
        self.failure = Failure(kind, message, line)
        self.done = True
        self.call = None

    def give_up(self, error: Exception) -> None:
        """End the run because of an error outside the program."""
        self.close()
        self._fail(
            "infra",
            f"the executor failed ({type(error).__name__}: {error}); run it again",
            self._line(),
        )

    def fresh_events(self) -> list[TraceEvent]:
        """The events that a watcher has not received, which count as received from now on."""
        if self.recorder is None:
            return []
        fresh = self.recorder.events[self.next_event :]
        self.next_event += len(fresh)
        return fresh

    def trace(self) -> Trace:
        """The record of the run, which must be done."""
        recorder = self.recorder or Recorder([], self.wholes[0].height, 1, 1)
        events = recorder.finish(self.answer, self.failure, len(self.log))
        # a hostile source may hold lone surrogates, which have no bytes
        source = self.program.source.encode("utf-8", "backslashreplace").decode()
        # a question about one picture keeps the ids that its traces always had
        images = self.task.images if self.task.more_images else self.task.image
        arguments: list[object] = [self.program.id, source, images, self.executor_key]
        changed = {str(k): v for k, v in self.overrides.items()}
        if changed:
            arguments.append(changed)
        return Trace(
            id=content_key(*arguments),
            program_id=self.program.id,
            task_id=self.task.id,
            answer=self.answer,
            failure=self.failure,
            events=events,
            steps=recorder.steps,
            tool_calls=len(self.log),
            seconds=self.seconds,
            executor=self.executor,
            work=self.worked + tool_seconds(events),
        )
