"""Many programs at once: batches, order, sharing, failures of tools, cancellation, dying workers."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tools_for_tests import (
    ASKS,
    OnePicture,
    ScriptedTool,
    a_program,
    a_task,
    all_tools,
    contents,
    jobs,
)

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.errors import EngineError, InputError, ToolFailure
from workbench.execute import Executor, Limits, ResultCache
from workbench.ports import Images
from workbench.records import Program, Region, Task, ToolCall, Trace, Value


def tool(executor: Executor, name: str) -> ScriptedTool:
    made = executor.tools[name]
    assert isinstance(made, ScriptedTool)
    return made


@pytest.fixture(scope="module")
def plain() -> list[Trace]:
    """What forty programs give one after the other."""
    with Executor(all_tools(batch_size=1), OnePicture(), workers=1, window=1, hold=1) as executor:
        return list(executor.run(jobs(40)))


def test_traces_come_in_the_order_of_the_jobs_whatever_the_timing(plain: list[Trace]) -> None:
    delays = itertools.cycle([0.0, 0.02, 0.005])
    tools = all_tools(hook=lambda calls: time.sleep(next(delays)))
    with Executor(tools, OnePicture(), workers=3, window=64, hold=8) as executor:
        made = list(executor.run(jobs(40)))
    assert contents(made) == contents(plain)


def test_parked_programs_go_on_where_they_were(plain: list[Trace]) -> None:
    with Executor(all_tools(batch_size=16), OnePicture(), workers=2, window=64, hold=2) as executor:
        made = list(executor.run(jobs(40)))
    assert contents(made) == contents(plain)


def test_batches_hold_calls_of_many_programs_and_never_too_many() -> None:
    with Executor(
        all_tools(batch_size=8, hook=lambda calls: time.sleep(0.05)), OnePicture(), window=64
    ) as executor:
        list(executor.run(jobs(16)))  # the workers have started
        tool(executor, "find").batches.clear()
        list(
            executor.run(
                (task, a_program(p.source.replace("cup", "mug"), i))
                for i, (task, p) in enumerate(jobs(48))
            )
        )
        sizes = [len(batch) for batch in tool(executor, "find").batches]
    assert max(sizes) <= 8
    assert sum(sizes) == 48
    assert len(sizes) <= 24  # six when nothing else runs on the machine


def test_equal_calls_are_asked_once() -> None:
    with Executor(all_tools(), OnePicture(), window=64) as executor:
        made = list(executor.run(jobs(30, distinct=3)))
        asked = [call for t in all_of(executor) for call in t.calls]
    keys = [repr(call) for call in asked]
    assert len(keys) == len(set(keys))
    assert sum(t.tool_calls for t in made) > 5 * len(keys)


def all_of(executor: Executor) -> list[ScriptedTool]:
    return [tool(executor, name) for name in executor.tools]


def test_a_shared_answer_says_so_in_the_trace() -> None:
    with Executor(all_tools(), OnePicture()) as executor:
        first, second = executor.run(jobs(2, distinct=1))
    flags = [
        next(e for e in t.events if e.kind == "tool_result").payload["cached"]
        for t in (first, second)
    ]
    assert sorted(flags) == [False, True]  # either may have asked first


CATCHES = """
def execute_command(image):
    p = ImagePatch(image)
    try:
        return p.simple_query("bad")
    except RuntimeError as error:
        return "caught: " + str(error)
"""


def test_a_failed_call_is_raised_into_the_program_and_recorded() -> None:
    tools = all_tools(
        fail=lambda call: "too dark" if call.arguments.get("question") == "bad" else None
    )
    with Executor(tools, OnePicture()) as executor:
        caught, uncaught = executor.run(
            [
                (a_task(), a_program(CATCHES)),
                (
                    a_task(),
                    a_program(
                        "def execute_command(image):\n    p = ImagePatch(image)\n    return p.simple_query('bad')\n",
                        1,
                    ),
                ),
            ]
        )
    assert caught.answer == "caught: visual_question_answering: too dark"
    result = next(e for e in caught.events if e.kind == "tool_result")
    assert (result.payload["ok"], result.payload["error"]) == (False, "too dark")
    assert uncaught.failure is not None
    assert (uncaught.failure.kind, uncaught.failure.line) == ("tool_error", 3)
    assert uncaught.failure.message == "visual_question_answering: too dark"


class Broken(ScriptedTool):
    """Breaks whole batches that hold a call with the word `bad`."""

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        made = super().__call__(calls, images)
        if any("bad" in str(call.arguments) for call in calls):
            raise ValueError("cuda is out of memory")
        return made


def test_a_broken_batch_is_asked_again_in_halves() -> None:
    tools = [
        Broken(spec) if spec.name == "find" else ScriptedTool(spec) for spec in STANDARD.values()
    ]
    sources = [ASKS.replace("NAME", name) for name in ("cup", "bad", "mug", "dish")]
    with Executor(tools, OnePicture()) as executor:
        traces = list(executor.run([(a_task(i), a_program(s, i)) for i, s in enumerate(sources)]))
    assert [t.failure.kind if t.failure else "ok" for t in traces] == [
        "ok",
        "tool_error",
        "ok",
        "ok",
    ]
    assert traces[1].failure is not None
    assert traces[1].failure.message == "find: ValueError: cuda is out of memory"


class Away(ScriptedTool):
    """Asks an endpoint that does not answer."""

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        raise EngineError("the endpoint gave no answer; check that the server runs")


def test_an_endpoint_that_is_away_is_no_answer_to_a_program() -> None:
    tools = [
        Away(spec) if spec.name == "visual_question_answering" else ScriptedTool(spec)
        for spec in STANDARD.values()
    ]
    with Executor(tools, OnePicture()) as executor:
        (trace,) = executor.run([(a_task(), a_program(CATCHES))])
    assert trace.failure is not None
    assert (trace.failure.kind, trace.answer) == ("infra", None), "it is run again"
    assert "check that the server runs; run it again" in trace.failure.message


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([], "find: the tool gave 0 results for one call"),
        (["a"], "find: the tool gave find returned a str, its spec says list[ImagePatch]"),
        ([None], "find: the tool gave find returned a NoneType, its spec says list[ImagePatch]"),
        (
            [[Region("b" * 64, 640, 480, Box(0, 0, 5, 5))]],
            "find: the tool gave a patch of another picture",
        ),
        ([[object()]], "find: the tool gave a value of type object"),
        ([[["x"] * 3]], "find: the tool gave find returned a list, its spec says list[ImagePatch]"),
        ([ToolFailure("")], "find: ToolFailure"),
    ],
)
def test_a_wrong_result_is_a_failure_of_the_tool(result: list[Any], message: str) -> None:
    class Wrong(ScriptedTool):
        def __call__(
            self, calls: Sequence[ToolCall], images: Images
        ) -> Sequence[Value | ToolFailure]:
            return result

    with Executor([Wrong(STANDARD["find"])], OnePicture()) as executor:
        trace = next(executor.run(jobs(1)))
    assert trace.failure is not None
    assert (trace.failure.kind, trace.failure.message, trace.failure.line) == (
        "tool_error",
        message,
        4,
    )


def test_results_outlive_the_process_on_disk_and_a_new_version_asks_again(tmp_path: Path) -> None:
    def run(version: str) -> tuple[list[Any], int]:
        with Executor(
            all_tools(version=version), OnePicture(), cache=ResultCache(tmp_path / "results.sqlite")
        ) as executor:
            made = contents(list(executor.run(jobs(6))))
            return made, sum(len(t.calls) for t in all_of(executor))

    first, asked = run("1")
    second, again = run("1")
    _, changed = run("2")
    assert first == second
    assert asked > 0
    assert (again, changed) == (0, asked)


def test_jobs_are_taken_lazily_at_most_a_window_ahead() -> None:
    taken = 0

    def endless() -> Iterator[tuple[Task, Program]]:
        nonlocal taken
        for job in itertools.cycle(jobs(50)):
            taken += 1
            yield job

    with Executor(all_tools(), OnePicture(), window=7) as executor:
        traces = executor.run(endless())
        for _ in range(5):
            next(traces)
        assert taken <= 5 + 7
        traces.close()  # type: ignore[attr-defined]


def test_closing_the_iterator_cancels_and_the_executor_can_be_used_again() -> None:
    tools = all_tools(hook=lambda calls: time.sleep(0.01))
    with Executor(tools, OnePicture(), window=50) as executor:
        traces = executor.run(jobs(200))
        next(traces)
        traces.close()  # type: ignore[attr-defined]
        asked = sum(len(t.calls) for t in tools)
        time.sleep(0.1)
        assert sum(len(t.calls) for t in tools) == asked < 400
        assert all(t.ok for t in executor.run(jobs(5)))


def _workers() -> list[int]:
    """Processes of Monty under this process."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue
            if name.startswith("monty") and int(rest.split()[1]) == os.getpid():
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_dying_worker_costs_nothing_but_a_replay() -> None:
    killed: list[int] = []

    def kill(calls: Sequence[ToolCall]) -> None:
        if not killed:
            killed.extend(_workers())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    tools = [
        ScriptedTool(s, hook=kill if s.name == "image_caption" else lambda calls: None)
        for s in STANDARD.values()
    ]
    with Executor(all_tools(), OnePicture(), hold=8) as executor:
        expected = contents(list(executor.run(jobs(12))))
    with Executor(tools, OnePicture(), hold=8) as executor:
        made = list(executor.run(jobs(12)))
        asked = [repr(call) for t in all_of(executor) for call in t.calls]
    assert killed
    assert contents(made) == expected
    assert len(asked) == len(set(asked))


def test_one_slow_program_does_not_hold_up_the_others() -> None:
    hog = "def execute_command(image):\n    return sum(range(10**12))\n"
    many = [(a_task(), a_program(hog, 99)), *jobs(20)]
    with Executor(all_tools(), OnePicture(), Limits(seconds=3.0), workers=2, hold=3) as executor:
        traces = list(executor.run(many))
    assert traces[0].failure is not None
    assert traces[0].failure.kind == "time"
    assert all(t.ok for t in traces[1:])
    assert max(t.seconds for t in traces[1:]) < traces[0].seconds


def test_a_watcher_sees_every_event_as_it_happens() -> None:
    seen: list[tuple[str, Any]] = []
    before_answer: list[bool] = []
    tools = all_tools(
        hook=lambda calls: before_answer.append(any(e.kind == "tool" for _, e in seen))
    )
    with Executor(tools, OnePicture()) as executor:
        traces = list(
            executor.run(jobs(3), on_event=lambda program, event: seen.append((program, event)))
        )
    for trace in traces:
        assert [e for program, e in seen if program == trace.program_id] == list(trace.events)
    assert all(before_answer)


def test_a_watched_run_gives_the_same_trace(plain: list[Trace]) -> None:
    with Executor(all_tools(), OnePicture()) as executor:
        assert contents(
            list(executor.run(jobs(5), on_event=lambda program, event: None))
        ) == contents(plain[:5])


def test_a_picture_that_cannot_be_opened_is_a_row() -> None:
    with Executor(all_tools(), OnePicture()) as executor:
        bad, good = executor.run([(a_task(0, OnePicture.missing), jobs(1)[0][1]), jobs(1)[0]])
    assert bad.failure is not None
    assert (bad.failure.kind, bad.failure.message) == (
        "infra",
        "the task's picture cannot be opened: no such picture",
    )
    assert bad.events[-1].kind == "end"
    assert good.ok


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="a tool is called 'find', but that name is taken"):
        Executor([ScriptedTool(STANDARD["find"]), ScriptedTool(STANDARD["find"])], OnePicture())


def test_replay_with_another_result_of_one_call() -> None:
    source = "def execute_command(image):\n    p = ImagePatch(image)\n    a = p.simple_query('a')\n    return a + p.simple_query('b')\n"
    job = (a_task(), a_program(source))
    with Executor(all_tools(), OnePicture()) as executor:
        original = next(executor.run([job]))
        asked = len(tool(executor, "visual_question_answering").calls)
        by_number = executor.replay(*job, {0: "zebra"})
        whole = Region("a" * 64, 640, 480, Box(0, 0, 640, 480))
        key = executor.key(ToolCall("visual_question_answering", {"patch": whole, "question": "b"}))
        by_key = executor.replay(*job, {key: "quagga"})
        assert len(tool(executor, "visual_question_answering").calls) == asked
    assert original.answer is not None
    assert by_number.answer is not None
    assert by_key.answer is not None
    assert by_number.answer.startswith("zebra")
    assert by_key.answer.endswith("quagga")
    assert len({original.id, by_number.id, by_key.id}) == 3


def test_replay_refuses_a_result_that_the_tool_could_not_give() -> None:
    with Executor(all_tools(), OnePicture()) as executor:
        trace = executor.replay(*jobs(1)[0], {0: "a text instead of patches"})
    assert trace.failure is not None
    assert "find returned a str, its spec says list[ImagePatch]" in trace.failure.message


def test_two_runs_at_once_do_not_mix(plain: list[Trace]) -> None:
    results: dict[int, Any] = {}
    with Executor(all_tools(), OnePicture(), hold=6) as executor:

        def one(number: int) -> None:
            results[number] = contents(list(executor.run(jobs(20))))

        threads = [threading.Thread(target=one, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(results[n] == contents(plain[:20]) for n in range(3))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_hangs_is_ended_and_only_its_program_is_told() -> None:
    """A stopped process stands for an interpreter that no longer keeps its own time."""
    stopped: list[int] = []

    def stop() -> None:
        time.sleep(0.6)
        stopped.extend(_workers())
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)

    hog = "def execute_command(image):\n    x = 1\n    return sum(range(10**12))\n"
    with Executor(all_tools(), OnePicture(), Limits(seconds=1.0), workers=1, hold=1) as executor:
        next(executor.run(jobs(1)))  # the worker has started
        thread = threading.Thread(target=stop)
        thread.start()
        hung, other = executor.run([(a_task(), a_program(hog)), jobs(1)[0]])
        thread.join()
    assert stopped
    assert hung.failure is not None
    assert (hung.failure.kind, hung.failure.message) == (
        "time",
        "the worker did not answer and was ended",
    )
    assert other.ok


def test_a_tool_may_serve_several_batches_at_once() -> None:
    at_once: list[int] = []
    running = 0
    lock = threading.Lock()

    def count(calls: Sequence[ToolCall]) -> None:
        nonlocal running
        with lock:
            running += 1
            at_once.append(running)
        time.sleep(0.05)
        with lock:
            running -= 1

    endpoint, local = (
        ScriptedTool(STANDARD[n], batch_size=1, hook=count)
        for n in ("visual_question_answering", "find")
    )
    endpoint.concurrency = 4  # type: ignore[attr-defined]
    source = "def execute_command(image):\n    return ImagePatch(image).simple_query('NAME')\n"
    with Executor([endpoint, local], OnePicture()) as executor:
        list(
            executor.run(
                [(a_task(i), a_program(source.replace("NAME", str(i)), i)) for i in range(12)]
            )
        )
        assert max(at_once) > 1
        assert max(at_once) <= 4
        at_once.clear()
        list(
            executor.run(
                [
                    (a_task(i), a_program(f"return len(ImagePatch(image).find('{i}'))", i))
                    for i in range(6)
                ]
            )
        )
        assert max(at_once) == 1
