"""Sessions of Monty: programs are prepared, started, resumed and parked as bytes.

What it covers: a program has no file, network, environment, clock, randomness, module or object of
the host; it computes in a worker process under limits of time, memory and recursion, and can only
ask for the tools of its API.  What it does not cover: timing side channels, a flaw in Monty that
survives the worker's jail, a kernel bug.  For a public service put a virtual machine around it.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic_monty as monty

from workbench.api import Api
from workbench.errors import EngineError
from workbench.execute.language.check import check
from workbench.execute.language.desugar import Desugarer
from workbench.execute.language.instrument import Instrumented, instrument
from workbench.execute.language.prelude import prelude_text
from workbench.execute.language.refused import RefusedProgram
from workbench.execute.language.regular import answer, constant_questions
from workbench.execute.language.same_as_python import Exact
from workbench.execute.messages import (
    Crashed,
    LeftOver,
    Raised,
    Step,
    Stopped,
    asks_of_a_pattern,
    crash_of,
    error_of,
    left_over,
    step_of,
)
from workbench.execute.worker_time import limit_worker, worker_time
from workbench.limits import Limits

VERSION = "6"
"""Version of this front end; it changes whenever the same program may give another trace."""

PREPARED = 256
"""Number of prepared programs that are remembered."""

PATIENCE = 20
"""Multiple of its processor time that a program may take where the machine is busy."""


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
        patterns = constant_questions(checked.nodes, checked.modules)
        checked.tree = Exact(checked).run()
        desugarer = Desugarer(checked, api)
        tree = desugarer.run()
        has_try = any(isinstance(node, ast.Try) for node in checked.nodes)
        program = instrument(tree, desugarer.sites, traced, has_try)
        program.needs = 2 if checked.library else int(checked.rare)
        if checked.rare:
            program.patterns = {question: answer(question) for question in patterns}
        program.arguments = checked.arguments
        return program
    except RecursionError:
        raise RefusedProgram("source", "the source is nested too deeply", None) from None
    except ValueError as error:  # what ast.unparse says of some f-strings
        raise RefusedProgram(
            "unsupported", f"an f-string cannot be rewritten ({error}); use str.format", None
        ) from None


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
        self._making = threading.Lock()
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
            request_timeout=limits.seconds * PATIENCE + 30.0,
            feed_duration_limit_grace=max(limits.seconds, 5.0),
            max_checkouts_per_worker=2000,
        )
        self._pool.__enter__()
        try:
            self._texts = prelude_text(api, limits)
            self._bases: dict[int, bytes] = {}
            self.base(0)
        except monty.MontyError as error:
            self.close()
            raise EngineError(f"the sandbox cannot start: {error}") from error

    def base(self, needs: int) -> bytes:
        """A session with as many further parts of the prelude, which programs start from.

        Most programs need none, so that such a session is made for the first that does.
        """
        with self._making:  # one of the pool's workers is kept for this
            if needs not in self._bases:
                with self.checkout(max(self.limits.seconds, PATIENCE)) as session:
                    session.feed_run("\n".join(self._texts[: needs + 1]))
                    self._bases[needs] = session.dump()
        return self._bases[needs]

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

    def checkout(self, seconds: float | None = None) -> monty.MontySession:
        """A fresh session of Monty under the limits; `seconds` replaces their time."""
        limits = self._limits.copy()
        if seconds is not None:
            limits["max_feed_duration_secs"] = seconds
        return self._pool.checkout(
            limits=limits,
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

    Args:
        sandbox: Where it runs.
        program: What runs.
        seconds: Seconds that it may compute; None takes the limit.
        patient: Whether those are seconds of the processor, so that a busy machine cannot use
            them up; needs `worker_time`.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        program: Instrumented,
        seconds: float | None = None,
        patient: bool = False,
    ) -> None:
        self._sandbox = sandbox
        self._program = program
        self._seconds = sandbox.limits.seconds if seconds is None else seconds
        self._patient = patient
        self._session: monty.MontySession | None = None
        self._snapshot: Any = None
        self._parked: bytes | None = None
        self._lost = False
        self._lock = threading.Lock()
        self._began = 0.0
        self._used = 0.0

    def processor_seconds(self) -> float | None:
        """Seconds of the processor that the program has used; None where that cannot be told."""
        now = worker_time(self._session.worker_pid) if self._session is not None else self._began
        return None if now is None else self._used + now - self._began

    def start(self, head: str, every: int) -> Step:
        """Begin the program; `head` sets it up, `every` events are handed over at a time."""
        positional = [text for text in self._program.arguments if "=" not in text]
        named = [text.split("=") for text in self._program.arguments if "=" in text]
        keywords = ", ".join(f"'{name}': {value}" for name, value in named)
        if self._program.patterns:
            head += f"; __ANSWERS__.update({self._program.patterns!r})"
        code = (
            f"__EVERY__ = {every}; {head}\n{self._program.code}\n"
            f"__main__(execute_command, [{', '.join(positional)}], {{{keywords}}}, "
            f"{self._program.tracked})"
        )

        def begin() -> Any:
            try:
                base = self._sandbox.base(self._program.needs)
            except monty.MontyError as error:  # which would else pass for the program's own
                raise Crashed(f"the sandbox cannot start: {error}") from error
            session = self._open()
            session.load_session(base)
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
        session = self._sandbox.checkout(self._seconds * (PATIENCE if self._patient else 1))
        try:
            session.__enter__()
        except BaseException:
            self._sandbox.leave()
            raise
        self._session = session
        self._began = worker_time(session.worker_pid) or 0.0
        if self._patient:
            limit_worker(session.worker_pid, self._began - self._used + self._seconds)
        return session

    def _release(self) -> None:
        session = self._session
        if session is not None:
            self._used = self.processor_seconds() or self._used
            self._session = None
            self._began = 0.0
            if self._patient:
                limit_worker(session.worker_pid, None)
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
                    if asks_of_a_pattern(snapshot.args):
                        snapshot = snapshot.resume({"return_value": answer(snapshot.args[2])})
                        continue
                    self._snapshot = snapshot
                    return step_of(snapshot.args)
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
            raise error_of(error, self._program, self._left_over()) from None
        except monty.MontyCrashedError as error:
            raise crash_of(error) from error
        except (monty.MontyError, TimeoutError, OSError) as error:
            raise Crashed(str(error)) from error

    def _left_over(self) -> LeftOver | None:
        """What the program had not handed over when an error ended it.

        The session outlives the error, so that it can still be read.
        """
        try:
            assert self._session is not None
            snapshot = self._session.feed_start("__last__()", print_callback=_no_print)
            return (
                left_over(snapshot.args) if isinstance(snapshot, monty.FunctionSnapshot) else None
            )
        except (monty.MontyError, RuntimeError, OSError, AssertionError):
            return None  # the error took the worker with it


def _no_print(stream: str, text: str) -> None:
    """Programs print through the prelude; what Monty itself would print is left out."""
