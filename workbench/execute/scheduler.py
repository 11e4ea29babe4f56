"""Many programs at once: they ask, the scheduler answers.

Worker threads drive programs in the sandbox from pause to pause; a paused program is parked as
bytes.  Calls of all programs wait in one queue per tool.  A batch starts when it is full, when no
program can move before it is answered, or when its oldest call has waited `PATIENCE` seconds, so
that nothing ever idles and one slow program stalls nobody.  Equal calls are asked once.  A batch
that does not fit into memory is asked in halves, and the next ones are smaller.  Traces come out in
the order of the jobs whatever the timing.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from workbench.boxes import Box
from workbench.errors import EngineError, ImageError, RefusedRequest, ToolFailure
from workbench.execute.cache import ResultCache
from workbench.execute.run import ProgramRun, ToolAnswer
from workbench.execute.sandbox import Sandbox
from workbench.execute.values import Border, Unfit
from workbench.made_pictures import MadeRegion
from workbench.ports import ConcurrentTool, Images, Tool
from workbench.records import (
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
    storable,
)

PATIENCE = 0.05
"""Seconds that a call waits at most for others to join its batch while programs still move."""

OnEvent = Callable[[str, TraceEvent], None]
"""Called with the program's id and each event, in the caller's thread."""


@dataclass(slots=True)
class _Waiting:
    """One distinct call and the runs that wait for it."""

    call: ToolCall
    key: str
    """The call's content key."""
    runs: list[ProgramRun]
    border: Border
    """The border of the first run, through which the result passes."""
    since: float
    """When the call was made, by `time.perf_counter`."""


@dataclass(slots=True)
class _Queue:
    """The calls that wait for one tool."""

    tool: Tool
    waiting: OrderedDict[str, _Waiting] = field(default_factory=OrderedDict)
    running: dict[str, _Waiting] = field(default_factory=dict)
    """Calls in the batches under way."""
    busy: int = 0
    """Number of batches under way."""
    began: float = 0.0
    """When the latest of them began, by `time.perf_counter`."""
    at_once: int = 1
    """Number of batches that may be under way."""
    size: int = 1
    """Most calls of one batch: the tool's own bound, less where a batch did not fit into memory."""

    @property
    def free(self) -> bool:
        """Whether another batch may start."""
        return self.busy < self.at_once


def _batches_at_once(tool: Tool) -> int:
    return tool.concurrency if isinstance(tool, ConcurrentTool) else 1


@dataclass(frozen=True, slots=True)
class Means:
    """The parts of an executor that the scheduler uses."""

    tools: Mapping[str, Tool]
    images: Images
    cache: ResultCache
    sandbox: Sandbox
    ref: PartRef
    ref_key: Mapping[str, Any]
    """`ref` as content keys read it."""
    key: Callable[[ToolCall], str]
    """Gives the content key of a call."""
    workers: int
    """Threads that drive programs."""
    window: int
    """Programs in flight at most."""
    cancelled: threading.Event
    """Set when the executor is closed."""


class Batching:
    """One call of `Executor.run`."""

    def __init__(
        self,
        means: Means,
        jobs: Iterable[tuple[Task, Program, Mapping[int | str, Value]]],
        on_event: OnEvent | None,
        cancelled: threading.Event | None = None,
    ) -> None:
        self.means = means
        self.cancelled = cancelled or means.cancelled
        self.jobs = enumerate(jobs)
        self.on_event = on_event
        self.queues = {
            name: _Queue(tool, at_once=_batches_at_once(tool), size=max(tool.batch_size, 1))
            for name, tool in means.tools.items()
        }
        self.ready: queue.PriorityQueue[tuple[int, int, ProgramRun | None, ToolAnswer | None]] = (
            queue.PriorityQueue()
        )
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.moving = 0
        """Number of runs that are with the workers."""
        self.open = 0
        """Number of runs that have not ended."""
        self.fresh: deque[ProgramRun] = deque()
        """Runs that have not started."""
        self.under_way: dict[int, ProgramRun] = {}
        self.done: dict[int, ProgramRun] = {}
        self.stopped = threading.Event()
        self.exhausted = False

    def traces(self) -> Iterator[Trace]:
        """One trace per job, in the jobs' order; closing the iterator cancels what is under way."""
        threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(self.means.workers)
        ]
        at_once = sum(line.at_once for line in self.queues.values())
        pool = ThreadPoolExecutor(max(at_once, 1), thread_name_prefix="tool")
        for thread in threads:
            thread.start()
        following = 0
        try:
            while True:
                self._admit()
                self._feed()
                if following in self.done:
                    run = self.done.pop(following)
                    following += 1
                    trace = run.trace()
                    self._show(run, trace.events[run.next_event :])
                    yield trace
                elif self.open == 0 and self.exhausted:
                    return
                else:
                    self._take(pool)
        finally:
            self.stopped.set()
            for i in range(len(threads)):
                self.ready.put((-1, i, None, None))
            for thread in threads:
                thread.join()
            pool.shutdown(wait=True, cancel_futures=True)
            for run in self.under_way.values():
                run.close()

    def _admit(self) -> None:
        while not self.exhausted and self.open + len(self.done) < self.means.window:
            job = next(self.jobs, None)
            if job is None:
                self.exhausted = True
                return
            index, (task, program, overrides) = job
            self._start(index, task, program, overrides)

    def _start(
        self, index: int, task: Task, program: Program, overrides: Mapping[int | str, Value]
    ) -> None:
        means = self.means
        failure = None
        try:
            sizes = [self._size(digest) for digest in task.images]
        except ImageError as error:
            sizes = [(1, 1)]
            failure = Failure("infra", f"the task's picture cannot be opened: {error}", None)
        wholes = tuple(
            Region(digest, width, height, Box(0, 0, width, height))
            for digest, (width, height) in zip(task.images, sizes, strict=False)
        )
        every = 64 if self.on_event is None else 1
        run = ProgramRun(
            *(index, task, program, wholes, means.sandbox, means.ref, means.ref_key),
            *(every, overrides),
        )
        if failure is not None:
            run.failure, run.done = failure, True
            self.done[index] = run
            return
        self.open += 1
        self.fresh.append(run)

    def _size(self, digest: str) -> tuple[int, int]:
        """Width and height of a picture, in pixels.

        They are kept in the cache, because decoding a picture costs more than a program.
        """
        key = content_key("size", digest)
        _, size = self.means.cache.get(key)
        if isinstance(size, tuple) and len(size) == 2:
            width, height = size
            if type(width) is int and type(height) is int and width > 0 and height > 0:
                return width, height
        opened = self.means.images.open(digest).size
        self.means.cache.put("size", [(key, opened)])
        return opened

    def _feed(self) -> None:
        """Start as many programs as there are sandbox processes, and more while tools are at work.

        A program beyond the processes has another one parked, which costs milliseconds; that pays
        while a slow tool works and the next batch can be filled, not when a tool could answer those
        that wait already.
        """
        while self.fresh and self.moving < 2 * self.means.workers:
            if len(self.under_way) >= self.means.sandbox.hold and not self._worth_parking():
                return
            run = self.fresh.popleft()
            run.started = time.perf_counter()
            self.under_way[run.index] = run
            self._move(run, None)

    def _worth_parking(self) -> bool:
        lines = self.queues.values()
        if any(line.waiting and (line.free or len(line.waiting) >= line.size) for line in lines):
            return False
        return any(line.busy and time.perf_counter() - line.began >= PATIENCE for line in lines)

    def _move(self, run: ProgramRun, answer: ToolAnswer | None) -> None:
        """Hand a run to the workers.

        Answered runs go before new ones, so that few programs wait half-way.
        """
        self.moving += 1
        self.ready.put((1 if answer is None else 0, run.index, run, answer))

    # -- worker threads

    def _work(self) -> None:
        while True:
            _, _, run, answer = self.ready.get()
            if run is None:
                return
            try:
                if self._is_stopped():
                    run.cancel()
                else:
                    run.advance(answer, self._lookup, self._is_stopped)
                    if run.call is not None:
                        run.call_time = time.perf_counter()
            except Exception as error:  # a fault of ours costs one run, not all
                run.give_up(error)
            except BaseException as error:
                self.inbox.put(("bug", run, error))
                return
            self.inbox.put(("moved", run, None))

    def _is_stopped(self) -> bool:
        return self.stopped.is_set() or self.means.cancelled.is_set() or self.cancelled.is_set()

    def _lookup(self, run: ProgramRun, number: int, call: ToolCall) -> ToolAnswer | None:
        if self.on_event is not None:
            self.inbox.put(("events", run, run.fresh_events()))
        key = run.call_key = self.means.key(call)
        for name in (number, key):
            if name in run.overrides:
                spec = self.means.tools[call.tool].spec
                return ToolAnswer(True, run.border.result(run.overrides[name], spec, call))
        return self._remembered(run, call, key)

    def _remembered(self, run: ProgramRun, call: ToolCall, key: str) -> ToolAnswer | None:
        """The answer that the cache has; None where it has none, or none that the tool could give.

        The cache is a file that others may write: what it holds passes the same border as a tool's
        own result.
        """
        hit, value = self.means.cache.get(key)
        if not hit:
            return None
        try:
            value = _checked(run.border, self.means.tools[call.tool], call, value)
            if isinstance(value, MadeRegion):
                self.means.images.open(value.image)  # the cache may outlive the pictures
            return ToolAnswer(True, value, cached=True)
        except (Unfit, ImageError):
            return None

    # -- the caller's thread

    def _take(self, pool: ThreadPoolExecutor) -> None:
        """Handle one message of the workers or tools, or start batches when none comes."""
        self._start_batches(pool)
        try:
            kind, subject, content = self.inbox.get(
                timeout=PATIENCE if self.fresh or self._has_calls() else None
            )
        except queue.Empty:
            self._start_batches(pool)
            return
        if kind == "moved":
            self.moving -= 1
            self._take_back(subject)
        elif kind == "answered":
            self._deliver(subject, content)
        elif kind == "events":
            self._show(subject, content)
        else:
            raise content
        if self.inbox.empty():
            self._start_batches(pool)

    def _has_calls(self) -> bool:
        return any(q.waiting and q.free for q in self.queues.values())

    def _take_back(self, run: ProgramRun) -> None:
        if self.on_event is not None:
            self._show(run, run.fresh_events())
        if run.done:
            run.seconds = time.perf_counter() - run.started
            self.done[run.index] = self.under_way.pop(run.index)
            self.open -= 1
            return
        assert run.call is not None
        key = run.call_key
        line = self.queues[run.call.tool]
        waiting = line.running.get(key) or line.waiting.get(key)
        if waiting is not None:
            waiting.runs.append(run)
            return
        answer = self._remembered(run, run.call, key)
        if answer is not None:  # it came while this run was being parked
            self._move(run, answer)
            return
        line.waiting[key] = _Waiting(run.call, key, [run], run.border, run.call_time)

    def _start_batches(self, pool: ThreadPoolExecutor) -> None:
        now = time.perf_counter()
        is_stopped = self._is_stopped()
        for line in self.queues.values():
            if is_stopped:
                for waiting in line.waiting.values():
                    for run in waiting.runs:
                        self._move(run, None)
                line.waiting.clear()
            if not line.free or not line.waiting:
                continue
            first = next(iter(line.waiting.values()))
            if len(line.waiting) >= line.size or self.moving == 0 or now - first.since >= PATIENCE:
                batch = sorted(line.waiting.values(), key=lambda w: w.runs[0].index)[: line.size]
                for waiting in batch:
                    line.running[waiting.key] = line.waiting.pop(waiting.key)
                line.busy += 1
                line.began = now
                pool.submit(self._ask, line, batch)

    def _ask(self, line: _Queue, batch: list[_Waiting]) -> None:
        """Run one batch in a tool's thread and hand its checked results to the caller's thread."""
        try:
            began = time.perf_counter()
            results, fit = ask_tool(line.tool, [w.call for w in batch], self.means.images)
            if fit < len(batch):
                line.size = max(min(line.size, fit), 1)
            share = (time.perf_counter() - began) * 1000 / len(batch)
            answers = []
            for waiting, result in zip(batch, results, strict=True):
                answer = self._answer(line.tool, waiting, result)
                queued = max(began - waiting.since, 0.0) * 1000
                answers.append((waiting, answer, share, queued, len(batch)))
            good = [(w.key, a.value) for w, a, *_ in answers if a.ok]
            self.means.cache.put(line.tool.spec.name, good)
            self.inbox.put(("answered", line, answers))
        except BaseException as error:  # a bug of ours, or the interpreter is going down
            self.inbox.put(("bug", line, error))

    def _answer(self, tool: Tool, waiting: _Waiting, result: Any) -> ToolAnswer:
        if isinstance(result, EngineError):
            return ToolAnswer(False, None, _short(result), is_breakdown=True)
        if isinstance(result, ToolFailure):
            return ToolAnswer(False, None, _short(result))
        try:
            return ToolAnswer(True, _checked(waiting.border, tool, waiting.call, result))
        except Unfit as unfit:
            return ToolAnswer(False, None, f"the tool gave {unfit}")

    def _deliver(
        self, line: _Queue, answers: list[tuple[_Waiting, ToolAnswer, float, float, int]]
    ) -> None:
        line.busy -= 1
        for waiting, answer, share, queued, size in answers:
            line.running.pop(waiting.key, None)
            for i, run in enumerate(sorted(waiting.runs, key=lambda r: r.index)):
                own = ToolAnswer(
                    answer.ok,
                    answer.value,
                    answer.error,
                    share if i == 0 else 0.0,
                    queued,
                    size,
                    i > 0,
                    answer.is_breakdown,
                )
                self._move(run, own)

    def _show(self, run: ProgramRun, events: Sequence[TraceEvent]) -> None:
        if self.on_event is not None:
            for event in events:
                self.on_event(run.program.id, event)


def _checked(border: Border, tool: Tool, call: ToolCall, result: Any) -> Value:
    """A tool's result, as it may reach the program.  Raises Unfit."""
    value = border.result(result, tool.spec, call)
    if tool.spec.name == "best_image_match":
        patches = call.arguments["list_patches"]
        if not (isinstance(value, int) and isinstance(patches, list) and 0 <= value < len(patches)):
            raise Unfit(f"best_image_match returned {value}, which is no index of its list")
    return value


def ask_tool(
    tool: Tool, calls: Sequence[ToolCall], images: Images
) -> tuple[Sequence[Value | ToolFailure | EngineError], int]:
    """The results of one batch, and how many of its calls fit into memory together.

    When the batch breaks as a whole, the tool gets its halves, so that each failure stays that of
    its own call, and what an endpoint answered before it went away is kept.  The number that fits
    is that of all calls, or of the largest part that went through; a call that does not fit alone
    tells nothing about the others.

    Args:
        tool: The tool.
        calls: Calls of this tool.
        images: Where the tool finds pictures.
    """
    fit = len(calls)
    problem: ToolFailure | EngineError
    try:
        results = list(tool(calls, images))
        if len(results) == len(calls):
            return results, fit
        problem = ToolFailure(f"the tool gave {len(results)} results for one call")
    except ToolFailure as error:
        problem = error
    except RefusedRequest as error:
        problem = ToolFailure(str(error))
    except EngineError as error:
        problem = error
    except Exception as error:  # whatever a tool raises is data for the program that asked
        problem = ToolFailure(f"{type(error).__name__}: {error}")
        if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
            fit = 0 if len(calls) > 1 else sys.maxsize
    if len(calls) == 1:
        return [problem], fit
    half = len(calls) // 2
    (first, some), (second, others) = (
        ask_tool(tool, part, images) for part in (calls[:half], calls[half:])
    )
    return [*first, *second], fit or max(some, others)


def _short(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return storable(text)[:300]
