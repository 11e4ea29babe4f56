"""How the scheduler waits: nothing idles, memory bounds batches, cancelling ends rows, timing
changes no trace.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tools_for_tests import OnePicture, ScriptedTool, a_program, a_task, all_tools, contents, jobs

from workbench.api import STANDARD
from workbench.errors import ImageError, ToolFailure
from workbench.execute import Executor, Limits, ResultCache
from workbench.ports import Images
from workbench.records import ToolCall, Trace, Value


@pytest.fixture(scope="module")
def one_by_one() -> list[Trace]:
    with Executor(all_tools(batch_size=1), OnePicture(), workers=1, window=1, hold=1) as executor:
        return list(executor.run(jobs(40)))


@pytest.mark.parametrize("seed", range(4))
def test_random_delays_of_tools_change_no_trace(one_by_one: list[Trace], seed: int) -> None:
    chance = random.Random(seed)
    tools = all_tools(
        batch_size=chance.randint(1, 12), hook=lambda calls: time.sleep(chance.uniform(0, 0.02))
    )
    shape = {
        "workers": chance.randint(1, 4),
        "hold": chance.randint(2, 12),
        "window": chance.randint(2, 64),
    }
    with Executor(tools, OnePicture(), **shape) as executor:
        assert contents(list(executor.run(jobs(40)))) == contents(one_by_one)


class Small(ScriptedTool):
    """Has memory for three calls, and for none that is huge."""

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        made = super().__call__(calls, images)
        if len(calls) > 3 or any("huge" in str(call.arguments) for call in calls):
            raise RuntimeError("CUDA out of memory")
        return made


@pytest.mark.parametrize("huge", [0, 1])
def test_batches_grow_smaller_when_memory_runs_out(huge: int) -> None:
    small = Small(STANDARD["visual_question_answering"], batch_size=8)
    source = "def execute_command(image):\n    return ImagePatch(image).simple_query('NAME')\n"
    names = [*(["huge"] * huge), *map(str, range(40 - huge))]
    with Executor([small], OnePicture(), window=40) as executor:
        traces = list(
            executor.run(
                (a_task(i), a_program(source.replace("NAME", n), i)) for i, n in enumerate(names)
            )
        )
    assert [t.ok for t in traces] == [False] * huge + [True] * (40 - huge)
    sizes = [len(batch) for batch in small.batches]
    broken, halves = 0, Counter[int]()
    for size in (size for size in sizes if size > 3):
        broken += not halves[size]
        halves[size] -= bool(halves[size])
        halves.update((size // 2, size - size // 2))
    assert (
        broken <= 1 + huge
    )  # the first to break teaches the size; one that holds a huge call teaches nothing
    assert sizes.count(1) < 20  # the others are not asked one by one


def test_two_tools_work_at_the_same_time() -> None:
    meeting = threading.Barrier(2)
    tools = [
        ScriptedTool(STANDARD[name], hook=lambda calls: meeting.wait(10) and None)
        for name in ("find", "visual_question_answering")
    ]
    sources = [
        "return len(ImagePatch(image).find('cup'))",
        "return ImagePatch(image).simple_query('what?')",
    ]
    with Executor(tools, OnePicture()) as executor:
        traces = executor.run(
            (a_task(i), a_program(f"def execute_command(image):\n    {source}\n", i))
            for i, source in enumerate(sources)
        )
        assert all(trace.ok for trace in traces)


def test_a_batch_does_not_wait_for_a_program_that_computes() -> None:
    asked = threading.Event()
    hog = "def execute_command(image):\n    return sum(range(10**12))\n"
    short = "def execute_command(image):\n    return ImagePatch(image).simple_query('what?')\n"
    tools = [
        ScriptedTool(
            STANDARD["visual_question_answering"], batch_size=8, hook=lambda calls: asked.set()
        )
    ]
    asked_before_its_end = []
    with Executor(tools, OnePicture(), Limits(seconds=3.0), workers=2) as executor:
        for trace in executor.run([(a_task(), a_program(hog, 9)), (a_task(), a_program(short))]):
            asked_before_its_end.append(asked.is_set())
            assert trace.failure is None or trace.failure.kind == "time"
    assert asked_before_its_end[0]


def test_closing_the_executor_ends_what_is_under_way_as_rows() -> None:
    begun, closed = threading.Event(), threading.Event()

    def hold(calls: Sequence[ToolCall]) -> None:
        begun.set()
        closed.wait(10)

    executor = Executor(all_tools(hook=hold), OnePicture())
    traces: list[Trace] = []
    thread = threading.Thread(target=lambda: traces.extend(executor.run(jobs(6))))
    thread.start()
    assert begun.wait(10)
    executor.close()
    closed.set()
    thread.join(20)
    assert not thread.is_alive()
    assert [t.program_id for t in traces] == [program.id for _, program in jobs(6)]
    assert {t.failure.kind if t.failure else "ok" for t in traces} == {"infra"}


class Vanished(OnePicture):
    """A picture source that has lost its pictures."""

    def open(self, digest: str) -> Any:
        raise ImageError("no such picture")


def test_a_run_whose_results_are_all_known_needs_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with Executor(all_tools(), OnePicture(), cache=ResultCache(path)) as executor:
        first = contents(list(executor.run(jobs(3))))
    with Executor(all_tools(), Vanished(), cache=ResultCache(path)) as executor:
        assert contents(list(executor.run(jobs(3)))) == first
