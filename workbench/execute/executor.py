"""The executor: tools, pictures and limits in, one trace per program out."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from workbench.api import Api
from workbench.errors import EngineError
from workbench.execute.cache import ResultCache
from workbench.execute.jail import write_launcher
from workbench.execute.sandbox import Sandbox, engine_version
from workbench.execute.scheduler import Batching, Means, OnEvent
from workbench.limits import Limits
from workbench.ports import Images, Tool
from workbench.records import PartRef, Program, Task, ToolCall, Trace, Value, content_key, for_key


class Executor:
    """Runs programs on pictures with a set of tools.

    Args:
        tools: The tools, each of which programs call by its `spec.name`.
        images: Where pictures come from.
        limits: What one program may use.
        cache: Results of earlier calls; None starts an empty cache in memory.
        workers: Threads that drive programs.  None is one more than there are processors, at most
            eight: one computes in the host while others wait for their sandbox processes.
        window: Programs in flight at most, those that wait for their turn to be yielded included.
        hold: Sandbox processes at most, of about 1 MB each; programs beyond them wait as bytes.
        jail: Whether each sandbox process also goes into a jail of the operating system, where the
            system offers one.
        traced: Whether every step is recorded; untraced runs keep only calls and print-outs, and
            count no steps.

    Raises:
        InputError: two tools have one name.
        EngineError: the sandbox cannot start.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        images: Images,
        limits: Limits | None = None,
        cache: ResultCache | None = None,
        workers: int | None = None,
        window: int = 256,
        hold: int = 32,
        jail: bool = True,
        traced: bool = True,
    ) -> None:
        self.limits = limits or Limits()
        self.api = Api(tool.spec for tool in tools)
        self.tools = {tool.spec.name: tool for tool in tools}
        self.images = images
        self.cache = cache if cache is not None else ResultCache()
        self.workers = max(workers, 1) if workers is not None else min(_processors() + 1, 8)
        self.window = max(window, 1)
        versions = {
            name: f"{tool.ref.name}@{tool.ref.version}" for name, tool in sorted(self.tools.items())
        }
        self._versions = {
            n: content_key(t.ref.name, t.ref.version, dict(t.ref.arguments))
            for n, t in self.tools.items()
        }
        limits_used = {name: getattr(self.limits, name) for name in Limits.__dataclass_fields__}
        self.ref = PartRef(
            "executor",
            "monty",
            engine_version(),
            {"limits": limits_used, "tools": versions, "keys": self._versions},
        )
        self._folder = tempfile.TemporaryDirectory(prefix="vpd-jail-") if jail else None
        self._sandbox = self._start(max(hold, self.workers), traced)
        self._cancelled = threading.Event()
        self._means = Means(
            self.tools,
            images,
            self.cache,
            self._sandbox,
            self.ref,
            for_key(self.ref),
            self.key,
            self.workers,
            self.window,
            self._cancelled,
        )

    def _start(self, hold: int, traced: bool) -> Sandbox:
        launcher = write_launcher(Path(self._folder.name)) if self._folder else None
        self.jailed = launcher is not None
        """Whether the jail is in place; never on Windows."""
        try:
            return Sandbox(self.api, self.limits, hold, launcher, traced)
        except EngineError:
            if launcher is None:
                raise
        self.jailed = False  # a system that offers the jail but does not let Monty start in it
        return Sandbox(self.api, self.limits, hold, None, traced)

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the sandbox processes; runs under way end as cancelled."""
        self._cancelled.set()
        self._sandbox.close()
        if self._folder is not None:
            self._folder.cleanup()

    def waiting(self) -> int:
        """Number of programs that wait for a tool now."""
        return self._sandbox.waiting()

    def key(self, call: ToolCall) -> str:
        """The content key of a call's answer under this executor's tools."""
        return call.key(self._versions[call.tool])

    def run(
        self,
        jobs: Iterable[tuple[Task, Program]],
        on_event: OnEvent | None = None,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Trace]:
        """One trace per job, in the jobs' order.

        A program never raises: whatever it does is in its trace's `failure`.  Closing the iterator
        cancels what is under way.

        Args:
            jobs: Questions, each with a program; taken lazily, at most `window` ahead.
            on_event: Called with each event as it happens, in the caller's thread.
            cancelled: An event that any thread may set to end all programs at their next step.
        """
        return Batching(self._means, ((t, p, {}) for t, p in jobs), on_event, cancelled).traces()

    def replay(
        self,
        task: Task,
        program: Program,
        overrides: Mapping[int | str, Value],
        on_event: OnEvent | None = None,
    ) -> Trace:
        """The trace of a program some of whose tool results are replaced.

        Args:
            task: The question.
            program: The program.
            overrides: Results by call number, from 0, or by call key; other calls are answered
                from the cache or by their tools.
            on_event: Called with each event as it happens, in the caller's thread.
        """
        return next(Batching(self._means, [(task, program, overrides)], on_event).traces())

    def replays(
        self, jobs: Iterable[tuple[Task, Program, Mapping[int | str, Value]]]
    ) -> Iterator[Trace]:
        """One trace per job, in the jobs' order; each job is as for `replay`."""
        return Batching(self._means, jobs, None).traces()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
