"""What a session says: a message of the prelude as a step, an error of Monty's as a failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pydantic_monty as monty

from workbench.execute.language.instrument import Instrumented
from workbench.execute.language.prelude import PROBE
from workbench.records import ErrorKind, Failure

PROGRAM_FILE = "<python-input-1>"
"""Monty's name for the second text of a session, the program; the first is the prelude."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """The program handed over events and goes on when it is resumed."""

    events: Any


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The program called a tool and waits for the answer."""

    events: Any
    tool: Any
    site: Any
    frame: Any
    arguments: Any


@dataclass(frozen=True, slots=True)
class Stopped:
    """The program reached a limit, or something that the sandbox cannot do; it does not go on."""

    events: Any
    kind: Any
    message: Any
    site: Any
    line: Any = None
    """Line of the source that the program had reached; None where the prelude does not know it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`execute_command` returned."""

    events: Any
    answer: Any


Step = Flushed | ToolRequest | Stopped | Ended


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What the sandbox still held when an error ended the program."""

    events: Any
    """The events that the program had not handed over."""
    stopped: tuple[str, str] | None = None
    """Kind and message, where the prelude itself ended the program but could not wait."""
    line: int | None = None
    """Line at which the error arose, in a program that follows its own lines."""
    of_tool: bool = False
    """True if the error is the one that a tool's failure raised."""


def left_over(arguments: tuple[Any, ...]) -> LeftOver | None:
    """What the prelude's last message holds; None where it is not whole."""
    if len(arguments) != 4 or type(arguments[2]) is not tuple or len(arguments[2]) != 4:
        return None
    stopped, line, running, of_tool = arguments[2]
    line = line if type(line) is int else running
    return LeftOver(
        arguments[1],
        stopped if type(stopped) is tuple and len(stopped) == 2 else None,
        line if type(line) is int else None,
        of_tool is True,
    )


class Raised(Exception):
    """The program ended with an error, or against a limit that Monty keeps."""

    def __init__(
        self,
        failure: Failure,
        type_name: str,
        text: str,
        left: LeftOver | None,
        has_key: bool = False,
    ) -> None:
        super().__init__(text)
        self.left = left
        self.has_key = has_key
        self.failure = failure
        self.type_name = type_name
        self.text = text


class Crashed(Exception):
    """The worker died or hung and was replaced; the run can be replayed."""

    def __init__(self, message: str, hung: bool = False) -> None:
        super().__init__(message)
        self.hung = hung


def asks_of_a_pattern(arguments: tuple[Any, ...]) -> bool:
    """Whether a message of the prelude asks what a regular expression means."""
    return len(arguments) == 4 and arguments[0] == 4 and arguments[3] == PROBE


def step_of(arguments: tuple[Any, ...]) -> Step:
    """A message of the prelude as a step.

    Near its recursion limit Monty puts a text in place of what is nested deeper.  The probe, nested
    deeper than anything that is sent, shows whether that happened.

    Raises:
        Raised: it did; the kind of the failure is `recursion`.
    """
    empty: tuple[Any, ...] = (None, None, None, None)
    op, events, payload, probe = arguments if len(arguments) == 4 else empty
    if probe != PROBE or type(op) is not int:
        failure = Failure("recursion", "maximum recursion depth exceeded", None)
        raise Raised(failure, "RecursionError", failure.message, None)
    if op == 0:
        return Flushed(events)
    if op == 1:
        tool, site, frame, arguments = payload
        return ToolRequest(events, tool, site, frame, arguments)
    if op == 2:
        return Stopped(events, *payload)
    return Ended(events, payload)


def error_of(
    error: monty.MontyRuntimeError | monty.MontySyntaxError,
    program: Instrumented,
    left: LeftOver | None,
) -> Raised:
    """An error of Monty's with its kind, and with the line of the source where it arose.

    Args:
        error: The error.
        program: The program that it ended.
        left: What the sandbox still held; None where it is gone.
    """
    type_and_text, text = str(error.display("type-msg")), str(error.display("msg"))
    name = type_and_text.split(":", 1)[0].strip() or type(error.exception()).__name__
    line = left.line if left is not None else None
    if line is None:
        line = _line_of(error, program)
    kind = _kind_of(error, name, text)
    message = type_and_text if kind == "runtime" else text
    has_key = name == "KeyError" and ":" in type_and_text
    return Raised(Failure(kind, message[:1000], line), name, text, left, has_key)


def _line_of(
    error: monty.MontyRuntimeError | monty.MontySyntaxError, program: Instrumented
) -> int | None:
    """The line of the innermost call that Monty's traceback names."""
    line = None
    offset = 1  # the program's code follows one line of set-up
    for frame in error.traceback():
        if frame.filename == PROGRAM_FILE and 0 <= frame.line - 1 - offset < len(program.lines):
            line = program.lines[frame.line - 1 - offset] or line
    return line


def _kind_of(
    error: monty.MontyRuntimeError | monty.MontySyntaxError, name: str, text: str
) -> ErrorKind:
    if name == "MemoryError":
        return "memory"
    if name == "TimeoutError" and "time limit exceeded" in text:
        return "time"
    if name == "RecursionError" and text.startswith("maximum recursion depth"):
        return "recursion"
    of_monty = name in ("NotImplementedError", "RuntimeError") and _is_refusal(error)
    return "unsupported" if of_monty or isinstance(error, monty.MontySyntaxError) else "runtime"


def _is_refusal(error: monty.MontyRuntimeError | monty.MontySyntaxError) -> bool:
    """Whether Monty refused something as it parsed, when no function runs yet.

    Where it would have to wait inside an operation of its own, the prelude marks the run.  All else
    the program raised, whatever its error says.
    """
    frames = error.traceback()
    return not frames or frames[-1].function_name is None


def crash_of(error: monty.MontyCrashedError) -> Raised | Crashed:
    """What the death of a worker means: a crash, or the end of its processor time."""
    if "SIGXCPU" in str(error):  # `limit_worker` bounds the time of patient sessions
        return Raised(Failure("time", "time limit exceeded", None), "TimeoutError", "", None)
    if error.timed_out:
        return Crashed("the worker did not answer and was ended", hung=True)
    return Crashed(f"the worker died ({error})")
