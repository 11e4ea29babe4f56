"""Does the answer depend on what the tools said?  A program is run again in worlds where they say
something else.

No tool is asked: a world's table answers every call.  Hundreds of worlds run at once in the
sandbox, a few milliseconds each.  A program that asks what no table holds was led there by the
change, so that counts as an effect, too.
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
"""What a change did: nothing, another answer, no answer, another question to a tool."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of a change."""

    change: Change
    moved: Moved


@dataclass(frozen=True, slots=True)
class Shaken:
    """What the changed worlds of one trace showed."""

    calls: tuple[Called, ...]
    repeats: bool
    """The unchanged world gave the same answer; without that (a trace keeps the first items of long
    lists only) the effects say nothing.
    """
    effects: tuple[Effect, ...]

    def idle(self) -> list[Called]:
        """The first call of each site whose results never led to another answer or another
        question.
        """
        tried = {site for effect in self.effects for site in effect.change.sites}
        mattered = {
            s for e in self.effects if e.moved in ("answer", "asks") for s in e.change.sites
        }
        first: dict[Site, Called] = {}
        for call in self.calls:
            first.setdefault(call.site, call)
        return [call for site, call in first.items() if site in tried - mattered]

    def mirrored(self, axis: Axis) -> Moved | None:
        """What mirroring the picture did; None where there was no box to mirror."""
        return next((effect.moved for effect in self.effects if effect.change.name == axis), None)


class Worlds:
    """Runs programs where a table answers every call.  Use with `with`; one for many traces.

    Args:
        specs: of the tools that programs may call.
        limits: of each run.
        workers: threads that drive programs.
    """

    def __init__(
        self, specs: Iterable[ToolSpec], limits: Limits | None = None, workers: int | None = None
    ) -> None:
        self._numbers = itertools.count()
        self._held: dict[str, tuple[Mapping[str, Value], Size]] = {}
        self._executor = Executor(
            [_Recalled(spec, self._held) for spec in specs],
            _Sizes(self._held),
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
        """Whether the run ended at a call that its table does not hold, and its trace; in the jobs'
        order.

        Args:
            jobs: task, program, results by `key`, and the picture's size.
        """
        names: deque[str] = deque()

        def prepared() -> Iterator[tuple[Task, Program, Mapping[int | str, Value]]]:
            for task, program, table, size in jobs:
                # Never a name twice: the executor keeps what it was told of one.
                name = f"world {next(self._numbers)}"
                names.append(name)
                self._held[name] = table, size
                yield replace(task, image=name), program, self._without_patch(table)

        for trace in self._executor.replays(prepared()):
            del self._held[names.popleft()]
            failure = trace.failure
            yield (
                failure is not None and failure.kind == "tool_error" and UNASKED in failure.message,
                trace,
            )

    def _without_patch(self, table: Mapping[str, Value]) -> dict[int | str, Value]:
        """Results of the calls that name no picture, by which a tool could tell the worlds apart."""
        found: dict[int | str, Value] = {}
        for asked, result in table.items():
            tool, arguments = json.loads(asked)
            if tool in self._executor.tools and '"type": "patch"' not in asked:
                found[self._executor.key(ToolCall(tool, arguments))] = result
        return found


@dataclass(slots=True)
class _Recalled:
    """A tool that answers from the table of the world that its patch is of."""

    spec: ToolSpec
    held: Mapping[str, tuple[Mapping[str, Value], Size]]
    batch_size: int = 256
    ref: PartRef = field(default_factory=lambda: PartRef("tool", "recalled", "1"))

    def __call__(self, calls: Sequence[ToolCall], images: object) -> list[Value | ToolFailure]:
        return [self._answer(call) for call in calls]

    def _answer(self, call: ToolCall) -> Value | ToolFailure:
        patch = next(_patches(call.arguments), None)
        if patch is not None:
            table, size = self.held[patch.image]
            asked = key(call.tool, call.arguments)
            if asked in table:
                placed: Value = _placed(table[asked], patch.image, size)
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


def _placed(value: Any, image: str, size: Size) -> Any:
    """The value with its patches in the world's own picture."""
    if isinstance(value, Region):
        return replace(value, image=image, width=size[0], height=size[1])
    if isinstance(value, list):
        return [_placed(item, image, size) for item in value]
    return value


@dataclass(slots=True)
class _Sizes:
    """Pictures that have a size and nothing to see."""

    held: Mapping[str, tuple[Mapping[str, Value], Size]]

    def open(self, digest: str) -> Image.Image:
        return Image.new("1", self.held[digest][1])

    def crop(self, region: Region) -> Image.Image:
        return Image.new("RGB", (1, 1))


def shake(worlds: Worlds, rows: Iterable[tuple[Task, Program, Trace]]) -> Iterator[Shaken]:
    """What changed worlds show of each trace, in the rows' order; `rows` are taken as they are
    needed.

    Args:
        rows: task, program and its trace, which ended with an answer.
    """
    waiting: deque[tuple[Task, Trace, list[Called], list[Change]]] = deque()

    def jobs() -> Iterator[tuple[Task, Program, Mapping[str, Value], Size]]:
        for task, program, trace in rows:
            picture = read(trace).picture
            size = (int(picture.width), int(picture.height)) if picture is not None else (1, 1)
            calls = calls_of(task, trace)
            made = list(changes(task, calls, size))
            waiting.append((task, trace, calls, made))
            for change in made:
                yield task, program, change.table, size

    effects: list[Effect] = []
    for unasked, run in worlds.run(jobs()):
        task, trace, calls, made = waiting[0]
        effects.append(Effect(made[len(effects)], _moved(task, trace, unasked, run)))
        if len(effects) == len(made):
            waiting.popleft()
            yield Shaken(tuple(calls), effects[0].moved == "same", tuple(effects[1:]))
            effects = []


def _moved(task: Task, before: Trace, unasked: bool, after: Trace) -> Moved:
    if unasked:
        return "asks"
    if after.answer is None or before.answer is None:
        return "crash"
    same = canonical(after.answer, task) == canonical(before.answer, task)
    return "same" if same else "answer"
