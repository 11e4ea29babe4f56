"""Sessions of Monty: programs are prepared, started, resumed and parked as bytes.

What it covers: a program has no file, network, environment, clock, randomness, module or object of
the host; it computes in a worker process under limits of time, memory and recursion, and can only
ask for the tools of its API.  What it does not cover: timing side channels, a flaw in Monty that
survives the worker's jail, a kernel bug.  For a public service put a virtual machine around it.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic_monty as monty

from workbench.api import Api
from workbench.errors import EngineError
from workbench.execute.language.check import RefusedProgram, check
from workbench.execute.language.desugar import Desugarer
from workbench.execute.language.instrument import Instrumented, instrument
from workbench.execute.language.prelude import PROBE, prelude_text
from workbench.execute.language.same_as_python import Exact
from workbench.limits import Limits
from workbench.records import ErrorKind, Failure, Region

VERSION = "2"
"""Version of this front end; it changes whenever the same program may give another trace."""

PREPARED = 256
"""Number of prepared programs that are remembered."""

PROGRAM_FILE = "<python-input-1>"
"""Monty's name for the second text of a session, the program; the first is the prelude."""


def engine_version() -> str:
    """This front end's version and Monty's."""
    return f"{VERSION}+monty-{importlib.metadata.version('pydantic-monty')}"


def prepare(source: str, api: Api, limits: Limits, traced: bool = True) -> Instrumented:
    """Check, rewrite and instrument a program.

    Args:
        source: The program's text, as a model wrote it.
        api: The tools that the program may call.
        limits: How large and how deeply nested the source may be.
        traced: Whether every step is reported; see `instrument`.

    Raises:
        RefusedProgram: the program may not run.
    """
    checked = check(source, api, limits)
    try:
        checked.tree = Exact(checked).run()
        desugarer = Desugarer(checked, api)
        tree = desugarer.run()
        program = instrument(tree, desugarer.sites, traced)
        program.rare = checked.rare
        return program
    except RecursionError:
        raise RefusedProgram("source", "the source is nested too deeply", None) from None
    except ValueError as error:  # what ast.unparse says of some f-strings
        raise RefusedProgram(
            "unsupported", f"an f-string cannot be rewritten ({error}); use str.format", None
        ) from None


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


class Raised(Exception):
    """The program ended with an error, or against a limit that Monty keeps."""

    def __init__(self, failure: Failure, type_name: str, text: str, events: Any) -> None:
        super().__init__(text)
        self.events = events
        self.failure = failure
        self.type_name = type_name
        self.text = text


class Crashed(Exception):
    """The worker died or hung and was replaced; the run can be replayed."""

    def __init__(self, message: str, hung: bool = False) -> None:
        super().__init__(message)
        self.hung = hung


class Sandbox:
    """A pool of Monty workers for one API and one set of limits.

    Each program that runs or waits holds a worker process, up to `hold` of them.  When more
    programs are under way, the one that has waited longest is parked as bytes and another program
    gets its worker.

    Args:
        api: The tools that programs may call.
        limits: What one program may use.
        hold: Worker processes at most; more than the threads that drive them.
        launcher: An executable that starts Monty in a jail; None starts it plainly.
        traced: Whether every step is reported; see `instrument`.

    Raises:
        EngineError: the sandbox cannot start.
    """

    def __init__(
        self, api: Api, limits: Limits, hold: int, launcher: Path | None = None, traced: bool = True
    ) -> None:
        self.api = api
        self.traced = traced
        self.limits = limits
        self.hold = hold
        self._prepared: OrderedDict[str, Instrumented] = OrderedDict()
        self._live = 0
        self._parked = 0
        self._idle: OrderedDict[int, Session] = OrderedDict()
        self._lock = threading.Lock()
        self._limits: monty.ResourceLimits = {
            "max_feed_duration_secs": limits.seconds,
            "max_memory": limits.memory,
            "max_recursion_depth": limits.recursion,
            "max_suspensions": limits.steps + 2 * limits.tool_calls + 1000,
        }
        self._pool = monty.Monty(
            binary_path=launcher,
            min_processes=1,
            max_processes=hold + 1,
            request_timeout=limits.seconds + 5.0,
            max_checkouts_per_worker=2000,
        )
        self._pool.__enter__()
        try:
            with self.checkout() as session:
                most, rare = prelude_text(api, limits)
                session.feed_run(most)
                self.base = session.dump()
            with self.checkout() as session:
                session.feed_run(f"{most}\n{rare}")
                self.whole_base = session.dump()
        except monty.MontyError as error:
            self.close()
            raise EngineError(f"the sandbox cannot start: {error}") from error

    def prepare(self, source: str) -> Instrumented:
        """The prepared program, remembered because samples of one question are often equal.

        Raises:
            RefusedProgram: the program may not run.
        """
        with self._lock:
            if source in self._prepared:
                self._prepared.move_to_end(source)
                return self._prepared[source]
        program = prepare(source, self.api, self.limits, self.traced)
        with self._lock:
            self._prepared[source] = program
            while len(self._prepared) > PREPARED:
                self._prepared.popitem(last=False)
        return program

    def checkout(self) -> monty.MontySession:
        """A fresh session of Monty under the limits."""
        return self._pool.checkout(
            limits=self._limits,
            assert_message_annotations=False,
            os_policy={"sleep": "zero", "random_start": {"seed": 0}, "process_time": "zero"},
        )

    def close(self) -> None:
        """End all workers."""
        self._pool.__exit__(None, None, None)

    def enter(self) -> None:
        """Make room for one more live session, by parking a waiting one if no worker is free."""
        while True:
            with self._lock:
                if self._live < self.hold or not self._idle:
                    self._live += 1
                    return
                _, waiting = self._idle.popitem(last=False)
            waiting.park()

    def leave(self) -> None:
        """Note that a live session has ended or was parked."""
        with self._lock:
            self._live -= 1

    def waiting(self) -> int:
        """Number of programs that wait for a tool now, parked ones included."""
        with self._lock:
            return len(self._idle) + self._parked

    def count_parked(self, change: int) -> None:
        """Note that a program was parked (1), or woken or given up (-1)."""
        with self._lock:
            self._parked += change

    def idle(self, session: Session) -> None:
        """Note that a session waits for an answer and may be parked."""
        with self._lock:
            self._idle[id(session)] = session

    def busy(self, session: Session) -> None:
        """Note that a session is about to go on and may not be parked."""
        with self._lock:
            self._idle.pop(id(session), None)


class Session:
    """One program in the sandbox, from its start to its end.

    Only one thread may use it at a time; another one may park it while it waits.
    """

    def __init__(self, sandbox: Sandbox, program: Instrumented) -> None:
        self._sandbox = sandbox
        self._program = program
        self._session: monty.MontySession | None = None
        self._snapshot: Any = None
        self._parked: bytes | None = None
        self._lost = False
        self._lock = threading.Lock()

    def start(self, whole: Region, every: int) -> Step:
        """Begin the program on a picture; `every` events are handed over at a time."""
        head = f"__picture__ = __Picture__({whole.width}, {whole.height}); __EVERY__ = {every}"
        code = f"{head}\n{self._program.code}\n__main__(execute_command)"

        def begin() -> Any:
            session = self._open()
            session.load_session(
                self._sandbox.whole_base if self._program.rare else self._sandbox.base
            )
            return session.feed_start(code, print_callback=_no_print)

        return self._turn(begin)

    def resume(self, answer: Any = None) -> Step:
        """Go on after `Flushed`, or after `ToolRequest` with the tool's `(ok, value)`."""
        self._sandbox.busy(self)
        with self._lock:  # waits for a parking that is under way
            if self._lost:
                raise Crashed("the worker died")
            return self._turn(lambda: self._wake().resume({"return_value": answer}))

    def where(self) -> int | None:
        """The line that the program had reached, after `Stopped`; None where it cannot be told.

        An error is raised inside the program, whose traceback has the line; it ends the program.
        """
        with self._lock:
            try:
                step = self._turn(
                    lambda: self._wake().resume({"exc_type": "RuntimeError", "message": "stopped"})
                )
            except Raised as raised:
                return raised.failure.line
            except Crashed:
                return None
            return step.line if isinstance(step, Stopped) and type(step.line) is int else None

    def _wake(self) -> Any:
        if self._parked is not None:
            parked, self._parked = self._parked, None
            self._sandbox.count_parked(-1)
            self._snapshot = self._open().load_snapshot(
                zlib.decompress(parked), print_callback=_no_print
            )
        return self._snapshot

    def wait(self) -> None:
        """Let the worker be taken while the program waits for an answer."""
        self._sandbox.idle(self)

    def park(self) -> None:
        """Keep the waiting program as bytes and give its worker back."""
        with self._lock:
            try:
                # 190 KB become 50, in a millisecond
                self._parked = zlib.compress(self._snapshot.dump(), 1)
                self._sandbox.count_parked(1)
            except monty.MontyError:
                self._lost = True
            self._snapshot = None
            self._release()

    def close(self) -> None:
        """End the program and give its worker back."""
        self._sandbox.busy(self)
        with self._lock:
            if self._parked is not None:
                self._sandbox.count_parked(-1)
            self._snapshot = self._parked = None
            self._release()

    def _open(self) -> monty.MontySession:
        self._sandbox.enter()
        session = self._sandbox.checkout()
        try:
            session.__enter__()
        except BaseException:
            self._sandbox.leave()
            raise
        self._session = session
        return session

    def _release(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            # the worker may be gone; the pool replaces it
            with contextlib.suppress(monty.MontyError):
                session.__exit__(None, None, None)
            self._sandbox.leave()

    def _turn(self, action: Callable[[], Any]) -> Step:
        try:
            snapshot = action()
            while True:
                if (
                    isinstance(snapshot, monty.FunctionSnapshot)
                    and snapshot.function_name == "__vpd__"
                ):
                    self._snapshot = snapshot
                    return _step(snapshot.args)
                if isinstance(snapshot, monty.FunctionSnapshot):
                    if snapshot.is_os_function:
                        snapshot = snapshot.resume_not_handled()
                    else:
                        message = f"name '{snapshot.function_name}' is not defined"
                        snapshot = snapshot.resume({"exc_type": "NameError", "message": message})
                elif isinstance(snapshot, monty.NameLookupSnapshot):
                    snapshot = snapshot.resume()
                else:
                    raise Crashed("the sandbox ended without an answer")
        except (monty.MontyRuntimeError, monty.MontySyntaxError) as error:
            raise _error_of(error, self._program, self._left_over()) from None
        except monty.MontyCrashedError as error:
            if error.timed_out:
                raise Crashed("the worker did not answer and was ended", hung=True) from error
            raise Crashed(f"the worker died ({error})") from error
        except (monty.MontyError, TimeoutError, OSError) as error:
            raise Crashed(str(error)) from error

    def _left_over(self) -> Any:
        """The events that the program had not handed over when an error ended it.

        The session outlives the error, so that they can still be read.
        """
        try:
            assert self._session is not None
            snapshot = self._session.feed_start(
                "__vpd__(0, __S__[3], None, __PROBE__)", print_callback=_no_print
            )
            return snapshot.args[1] if isinstance(snapshot, monty.FunctionSnapshot) else None
        except (monty.MontyError, RuntimeError, OSError, AssertionError):
            return None  # the error took the worker with it


def _no_print(stream: str, text: str) -> None:
    """Programs print through the prelude; what Monty itself would print is left out."""


def _step(arguments: tuple[Any, ...]) -> Step:
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


def _error_of(
    error: monty.MontyRuntimeError | monty.MontySyntaxError, program: Instrumented, events: Any
) -> Raised:
    inner = error.exception()
    name, text = type(inner).__name__, str(error.display("msg"))
    type_and_text = error.display("type-msg")
    name = type_and_text.split(":", 1)[0].strip() or name
    line = None
    offset = 1  # the program's code follows one line of set-up
    for frame in error.traceback():
        if frame.filename == PROGRAM_FILE and 0 <= frame.line - 1 - offset < len(program.lines):
            line = program.lines[frame.line - 1 - offset] or line
    kind: ErrorKind = "runtime"
    if name == "MemoryError":
        kind = "memory"
    elif name == "TimeoutError" and "time limit exceeded" in text:
        kind = "time"
    elif name == "RecursionError":
        kind = "recursion"
    elif isinstance(error, monty.MontySyntaxError) or (
        name in ("NotImplementedError", "RuntimeError")
        and ("monty" in text or "cannot suspend" in text)
    ):
        kind = "unsupported"
    message = type_and_text if kind == "runtime" else text
    return Raised(Failure(kind, message[:1000], line), name, text, events)
