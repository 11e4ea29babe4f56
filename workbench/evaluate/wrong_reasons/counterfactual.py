"""Whether an answer depends on its tools: programs run again where the tools give other results.

No tool is called: a world's table answers every call.  Hundreds of worlds run at once in the
sandbox, a few milliseconds each.  A call that is not in the table comes about only through the
change, so it counts as an effect too.
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from PIL import Image

from workbench.errors import ToolFailure
from workbench.evaluate.wrong_reasons.perturb import (
    Axis,
    Called,
    Change,
    Site,
    Size,
    calls_of,
    changes,
    key,
)
from workbench.execute import Executor, Limits
from workbench.rationalize.follow.reading import read
from workbench.records import PartRef, Program, Region, Task, ToolCall, ToolSpec, Trace, Value
from workbench.verify.answers import canonical

UNASKED = "this was not asked in the first run"

Moved = Literal["same", "answer", "crash", "asks"]
"""The effect of a change: none, another answer, no answer, or another call of a tool."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A change and its effect on the run."""

    change: Change
    moved: Moved


@dataclass(frozen=True, slots=True)
class Shaken:
    """The effects of all changed worlds of one trace."""

    calls: tuple[Called, ...]
    repeats: bool
    """Whether the unchanged world gives the same answer.

    Where it does not, the effects say nothing: a trace keeps the first items of long lists only.
    """
    effects: tuple[Effect, ...]

    def idle(self) -> list[Called]:
        """The first call of each site whose changes never lead to another answer or call."""
        tried = {site for effect in self.effects for site in effect.change.sites}
        mattered = {
            s for e in self.effects if e.moved in ("answer", "asks") for s in e.change.sites
        }
        first: dict[Site, Called] = {}
        for call in self.calls:
            first.setdefault(call.site, call)
        return [call for site, call in first.items() if site in tried - mattered]

    def mirrored(self, axis: Axis) -> Moved | None:
        """The effect of mirroring the picture; None where there is no box to mirror."""
        return next((effect.moved for effect in self.effects if effect.change.name == axis), None)


class Worlds:
    """Runs programs where a table answers every call; a context manager, shared by many traces.

    Args:
        specs: of the tools that programs may call.
        limits: of each run.
        workers: threads that drive programs.
    """

    def __init__(
        self, specs: Iterable[ToolSpec], limits: Limits | None = None, workers: int | None = None
    ) -> None:
        self._numbers = itertools.count()
        self._worlds: dict[str, tuple[Mapping[str, Value], Size]] = {}
        self._executor = Executor(
            [_Recalled(spec, self._worlds) for spec in specs],
            _Sizes(self._worlds),
            limits,
            workers=workers,
            traced=False,
        )

    def __enter__(self) -> Worlds:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.close()

    def run(
        self, jobs: Iterable[tuple[Task, Program, Mapping[str, Value], Size]]
    ) -> Iterator[tuple[bool, Trace]]:
        """Whether each run ended at a call outside its table, and its trace; in the jobs' order.

        Args:
            jobs: task, program, results by `key`, and the picture's size.
        """
        names: deque[str] = deque()

        def prepared() -> Iterator[tuple[Task, Program, Mapping[int | str, Value]]]:
            for task, program, table, size in jobs:
                # No name is used twice: the executor remembers the results of each picture.
                name = f"world {next(self._numbers)}"
                names.append(name)
                self._worlds[name] = table, size
                yield replace(task, image=name), program, self._without_patch(table)

        for trace in self._executor.replays(prepared()):
            del self._worlds[names.popleft()]
            failure = trace.failure
            yield (
                failure is not None and failure.kind == "tool_error" and UNASKED in failure.message,
                trace,
            )

    def _without_patch(self, table: Mapping[str, Value]) -> dict[int | str, Value]:
        """Results of the calls without a patch, which do not say of which world they are."""
        results: dict[int | str, Value] = {}
        for call, result in table.items():
            tool, arguments = json.loads(call)
            if tool in self._executor.tools and '"type": "patch"' not in call:
                results[self._executor.key(ToolCall(tool, arguments))] = result
        return results


@dataclass(slots=True)
class _Recalled:
    """A tool that answers from the table of the world that its patch is of."""

    spec: ToolSpec
    worlds: Mapping[str, tuple[Mapping[str, Value], Size]]
    batch_size: int = 256
    ref: PartRef = field(default_factory=lambda: PartRef("tool", "recalled", "1"))

    def __call__(self, calls: Sequence[ToolCall], images: object) -> list[Value | ToolFailure]:
        return [self._answer(call) for call in calls]

    def _answer(self, call: ToolCall) -> Value | ToolFailure:
        patch = next(_patches(call.arguments), None)
        if patch is not None:
            table, size = self.worlds[patch.image]
            call_key = key(call.tool, call.arguments)
            if call_key in table:
                placed: Value = _in_own_picture(table[call_key], patch.image, size)
                return placed
        return ToolFailure(f"{UNASKED}: {call.tool}")


def _patches(value: Any) -> Iterator[Region]:
    if isinstance(value, Region):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _patches(item)
    elif isinstance(value, list):
        for item in value:
            yield from _patches(item)


def _in_own_picture(value: Any, image: str, size: Size) -> Any:
    """The value with its patches in the world's own picture."""
    if isinstance(value, Region):
        return replace(value, image=image, width=size[0], height=size[1])
    if isinstance(value, list):
        return [_in_own_picture(item, image, size) for item in value]
    return value


@dataclass(slots=True)
class _Sizes:
    """Blank pictures of the right sizes."""

    worlds: Mapping[str, tuple[Mapping[str, Value], Size]]

    def open(self, digest: str) -> Image.Image:
        return Image.new("1", self.worlds[digest][1])

    def crop(self, region: Region) -> Image.Image:
        return Image.new("RGB", (1, 1))


def shake(worlds: Worlds, rows: Iterable[tuple[Task, Program, Trace]]) -> Iterator[Shaken]:
    """What changed worlds show of each trace, in the rows' order.

    Args:
        worlds: runs the programs.
        rows: task, program and its trace, which ended with an answer; read as they are needed.
    """
    waiting: deque[tuple[Task, Trace, list[Called], list[Change]]] = deque()

    def jobs() -> Iterator[tuple[Task, Program, Mapping[str, Value], Size]]:
        for task, program, trace in rows:
            picture = read(trace).picture
            size = (int(picture.width), int(picture.height)) if picture is not None else (1, 1)
            calls = calls_of(task, trace)
            worlds_of_trace = list(changes(task, calls, size))
            waiting.append((task, trace, calls, worlds_of_trace))
            for change in worlds_of_trace:
                yield task, program, change.table, size

    effects: list[Effect] = []
    for unasked, run in worlds.run(jobs()):
        task, trace, calls, worlds_of_trace = waiting[0]
        effects.append(Effect(worlds_of_trace[len(effects)], _movement(task, trace, unasked, run)))
        if len(effects) == len(worlds_of_trace):
            waiting.popleft()
            yield Shaken(tuple(calls), effects[0].moved == "same", tuple(effects[1:]))
            effects = []


def _movement(task: Task, before: Trace, unasked: bool, after: Trace) -> Moved:
    if unasked:
        return "asks"
    if after.answer is None or before.answer is None:
        return "crash"
    same = canonical(after.answer, task) == canonical(before.answer, task)
    return "same" if same else "answer"
