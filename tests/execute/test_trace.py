"""What every trace keeps: no gaps, one result a call, the log equals the host's, replay gives the
variables.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from random import Random
from types import FrameType
from typing import Any

import pytest
from generate import program
from programs import PROGRAMS
from reference import run_in_python
from tools_for_tests import OnePicture, ScriptedTool, a_program, a_task, all_tools

from workbench.boxes import Box
from workbench.events import (
    decode_events,
    diff_traces,
    encode_events,
    final_locals,
    stable,
    summary,
)
from workbench.execute import Executor, Limits
from workbench.records import Region, Trace

WHOLE = Region("a" * 64, 640, 480, Box(0, 0, 640, 480))
SOURCES = [*PROGRAMS.values(), *(program(Random(seed)) for seed in range(60))]


@pytest.fixture(scope="module")
def traces(executor: Executor) -> list[Trace]:
    return list(
        executor.run([(a_task(), a_program(source, i)) for i, source in enumerate(SOURCES)])
    )


def run(executor: Executor, source: str) -> Trace:
    return next(executor.run([(a_task(), a_program(source))]))


def test_events_are_numbered_without_gaps_and_end_once(traces: list[Trace]) -> None:
    for trace in traces:
        assert [e.seq for e in trace.events] == list(range(len(trace.events)))
        assert [e.kind for e in trace.events].count("end") == 1
        assert trace.events[-1].kind == "end"
        assert trace.events[-1].payload["ok"] == trace.ok


def test_every_call_has_one_result_and_it_follows_at_once(traces: list[Trace]) -> None:
    for trace in traces:
        calls = [(i, e) for i, e in enumerate(trace.events) if e.kind == "tool"]
        assert [e.payload["call"] for _, e in calls] == list(range(trace.tool_calls))
        for i, event in calls:
            result = trace.events[i + 1]
            assert result.kind == "tool_result"
            assert (result.payload["call"], result.payload["tool"]) == (
                event.payload["call"],
                event.payload["tool"],
            )
            assert (result.line, result.frame) == (event.line, event.frame)


def test_the_calls_are_those_that_the_tools_saw() -> None:
    tools = all_tools()
    with Executor(tools, OnePicture(), window=1, workers=1) as executor:
        trace = run(executor, PROGRAMS["viper_overlap_loop"] + "\n")
    asked = {
        (c.tool, str(summary(c.arguments["patch"])), c.arguments["object_name"])
        for t in tools
        for c in t.calls
    }
    assert asked == {
        (e.payload["tool"], str(e.payload["receiver"]), e.payload["arguments"]["object_name"])
        for e in trace.events
        if e.kind == "tool"
    }


def test_the_same_program_gives_the_same_trace(traces: list[Trace], executor: Executor) -> None:
    again = executor.run([(a_task(), a_program(source, i)) for i, source in enumerate(SOURCES)])
    for first, second in zip(traces, again):
        assert [stable(e) for e in first.events] == [stable(e) for e in second.events]
        assert first.id == second.id


def test_packing_loses_nothing(traces: list[Trace]) -> None:
    for trace in traces:
        assert decode_events(encode_events(trace.events)) == trace.events


def test_a_thousand_steps_pack_into_tens_of_kilobytes(executor: Executor) -> None:
    source = """
def execute_command(image):
    p = ImagePatch(image)
    found = []
    for i in range(300):
        q = p.crop(i, 0, i + 50, 100)
        if q.left % 3 == 0:
            found.append(q)
            name = f"patch {i}"
    return len(found)
"""
    trace = run(executor, source)
    assert trace.steps > 1000
    assert len(encode_events(trace.events)) < 30_000


@pytest.mark.parametrize("data", [b"", b"not packed", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_bytes_of_another_origin_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="these bytes are no encoded trace"):
        decode_events(data)


class _Watch:
    """CPython's own account of `execute_command`: the lines it ran, and its variables at the end."""

    def __init__(self) -> None:
        self.lines: set[int] = set()
        self.variables: dict[str, Any] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != "<program>":
            return None
        if event == "line":
            self.lines.add(frame.f_lineno)
        if event == "return" and frame.f_code.co_name == "execute_command":
            self.variables = dict(frame.f_locals)
        return self


def watched(source: str) -> _Watch:
    watch = _Watch()
    before = sys.gettrace()
    sys.settrace(watch)
    try:
        run_in_python(source)
    finally:
        sys.settrace(before)
    return watch


def _shown(value: Any) -> Any:
    region = getattr(value, "_region", None)
    if isinstance(region, Region):
        return summary(region)
    if isinstance(value, dict):
        return {
            "type": "dict",
            "length": len(value),
            "items": [[_shown(k), _shown(v)] for k, v in list(value.items())[:12]],
        }
    if isinstance(value, list | tuple | set):
        return {
            "type": type(value).__name__,
            "length": len(value),
            "items": [_shown(v) for v in list(value)[:12]],
        }
    return value


PLAIN = [
    "viper_muffins",
    "viper_left_of",
    "viper_any_verify",
    "vpd_buses",
    "vpd_leftmost",
    "zip_pairs",
    "while_scan",
    "ternaries_and_slices",
    "map_filter",
    "walrus",
    "viper_coerce",
    "string_methods",
]


@pytest.mark.parametrize("name", PLAIN)
def test_replaying_the_changes_gives_the_final_variables(executor: Executor, name: str) -> None:
    source = "\n".join(line for line in PROGRAMS[name].splitlines() if not line.startswith("from"))
    variables = watched(source).variables
    replayed = final_locals(run(executor, source).events)
    replayed.pop("image")
    assert replayed
    assert replayed == {name: _shown(variables[name]) for name in replayed}
    missing = {n for n, v in variables.items() if n != "image" and not callable(v)} - set(replayed)
    assert not missing


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "bare_body"])
def test_the_lines_are_those_that_python_ran(executor: Executor, name: str) -> None:
    source = PROGRAMS[name].replace("from image_patch", "# ").replace("from PIL", "# ")
    lines = source.splitlines()
    structure = (
        "def ",
        "class ",
        "try",
        "else",
        "finally",
        "from ",
        "import ",
        "global ",
        "nonlocal ",
        "except",
        '"""',
        "raise",
    )
    ours = {e.line for e in run(executor, source).events if e.line}
    python = {n for n in watched(source).lines if not lines[n - 1].strip().startswith(structure)}
    ours = {n for n in ours if not lines[n - 1].strip().startswith(structure)}
    assert ours - python == set()
    missing = {lines[n - 1].strip() for n in python - ours}
    assert all(
        text in ("pass",)
        or "[0]" in text
        or "int(" in text
        or text.startswith(("limit =", "nonlocal"))
        for text in missing
    ), missing


NESTED = """
def helper(x):
    y = x + 1
    return y

def execute_command(image):
    total = 0
    for i in range(2):
        total += helper(i)
    if total > 5:
        total = 0
    elif total == 3:
        total = -1
    else:
        total = 1
    return total
"""


def test_events_of_a_nested_call_come_before_its_statement(executor: Executor) -> None:
    events = run(executor, NESTED).events
    told = [(e.kind, e.line, e.frame) for e in events]
    assert told == [
        ("call", 6, 0),
        ("line", 7, 0),
        ("line", 8, 0),
        *[("call", 2, 1), ("line", 3, 1), ("return", 4, 1), ("line", 9, 0)],
        ("line", 8, 0),
        *[("call", 2, 2), ("line", 3, 2), ("return", 4, 2), ("line", 9, 0)],
        ("branch", 10, 0),
        ("branch", 12, 0),
        ("line", 13, 0),
        ("return", 16, 0),
        ("end", 0, 0),
    ]
    call = next(e for e in events if e.kind == "call" and e.frame == 2)
    assert call.payload == {"function": "helper", "arguments": {"x": 1}, "parent": 0, "depth": 1}
    branches = [(e.payload["form"], e.payload["taken"]) for e in events if e.kind == "branch"]
    assert branches == [("if", False), ("elif", True)]
    targets = [e.payload for e in events if e.kind == "line" and e.line == 8]
    assert targets == [{"changed": {"i": 0}, "form": "for"}, {"changed": {"i": 1}, "form": "for"}]


def test_a_handled_error_names_the_line_that_raised_it(executor: Executor) -> None:
    source = "def execute_command(image):\n    try:\n        x = 1\n        y = [][3]\n    except IndexError as e:\n        return str(e)\n"
    event = next(e for e in run(executor, source).events if e.kind == "exception")
    assert (event.line, event.payload) == (
        4,
        {"type": "IndexError", "message": "list index out of range", "handled": True},
    )


def test_an_uncaught_error_is_an_event_and_the_failure(executor: Executor) -> None:
    trace = run(
        executor,
        "def f(x):\n    return x[3]\n\ndef execute_command(image):\n    x = 1\n    return f(\n        [])\n",
    )
    assert trace.failure is not None
    assert (trace.failure.kind, trace.failure.line, trace.failure.message) == (
        "runtime",
        2,
        "IndexError: list index out of range",
    )
    event = next(e for e in trace.events if e.kind == "exception")
    assert (event.line, event.payload["handled"]) == (2, False)
    assert [e.line for e in trace.events if e.kind == "line"] == [5]


def test_a_call_says_where_it_stands(executor: Executor) -> None:
    source = """
def execute_command(image):
    p = ImagePatch(image)
    a = p.exists("a"); b = p.exists("b")
    c = [p.exists("c") for _ in range(1)]
    d = sorted([p], key=lambda q: q.compute_depth())
    return "x"
"""
    events = [e for e in run(executor, source).events if e.kind == "tool"]
    places = [(e.line, e.payload["column"], e.payload["inside"]) for e in events]
    assert places == [
        (4, 8, "statement"),
        (4, 27, "statement"),
        (5, 9, "comprehension"),
        (6, 34, "lambda"),
    ]


def test_mutation_is_reported_where_the_variable_is_mentioned(executor: Executor) -> None:
    source = "def execute_command(image):\n    xs = [1]\n    xs.append(2)\n    ys = xs\n    ys.pop()\n    return len(xs)\n"
    changes = [e.payload["changed"] for e in run(executor, source).events if e.kind == "line"]
    lengths = [{k: v["length"] for k, v in c.items()} for c in changes]
    assert lengths == [{"xs": 1}, {"xs": 2}, {"ys": 2}, {"ys": 1}]


def test_values_are_bounded(executor: Executor) -> None:
    source = """
def execute_command(image):
    text = "x" * 5000
    many = list(range(5000))
    deep = [[[[[1]]]]]
    huge = 10 ** 400
    odd = float("nan")
    return 1
"""
    found = final_locals(run(executor, source).events)
    assert found["text"] == {"type": "str", "length": 5000, "text": "x" * 200}
    assert found["many"] == {"type": "list", "length": 5000, "items": list(range(12))}
    assert found["deep"]["items"][0]["items"][0]["items"][0] == {
        "type": "list",
        "length": 1,
        "items": None,
    }
    assert found["huge"] == {"type": "object", "name": "int"}
    assert found["odd"] == {"type": "float", "text": "nan"}


def test_a_long_trace_is_cut_and_says_so() -> None:
    with Executor([], OnePicture(), Limits(events=50)) as executor:
        trace = run(
            executor,
            "def execute_command(image):\n    for i in range(100):\n        x = i\n    return x\n",
        )
    assert trace.answer == "99"
    assert len(trace.events) == 52
    assert [e.kind for e in trace.events[-2:]] == ["truncated", "end"]
    assert trace.events[-2].payload == {"kept": 50}
    assert trace.steps == 201


def changes(a: Trace, b: Trace) -> Iterator[tuple[str, str, int]]:
    for what, x, y in diff_traces(a.events, b.events):
        if what != "same":
            event = x or y
            assert event is not None
            yield what, event.kind, event.line


def test_the_difference_of_two_traces_names_what_changed() -> None:
    source = "def execute_command(image):\n    p = ImagePatch(image)\n    n = len(p.find('cup'))\n    m = n + 1\n    if m > LIMIT:\n        m = 0\n    return m\n"
    with Executor([ScriptedTool(t.spec) for t in all_tools()], OnePicture()) as executor:
        low, high = (run(executor, source.replace("LIMIT", limit)) for limit in ("-1", "99"))
        assert list(changes(low, low)) == []
        assert list(changes(low, high)) == [
            ("changed", "branch", 5),
            ("removed", "line", 6),
            ("changed", "return", 7),
            ("changed", "end", 0),
        ]
        again = executor.replay(
            a_task(), a_program(source.replace("LIMIT", "99")), {0: [WHOLE] * 50}
        )
        assert [c for c in changes(high, again) if c[1] == "tool_result"] == [
            ("changed", "tool_result", 3)
        ]


@pytest.mark.parametrize(
    "mention",
    [
        "z = [n + v for v in [1]]",
        "z = [v for v in [1] if v < n]",
        "z = {v: n for v in [1]}",
        "z = any(n > v for v in [1])",
        "z = 0 or n",
        "z = n if n else 0",
        "z = (lambda: n)()",
    ],
)
def test_a_variable_that_a_nested_function_changed_is_reported_at_its_next_mention(
    executor: Executor, mention: str
) -> None:
    source = (
        "def execute_command(image):\n    n = 1\n    def bump():\n        nonlocal n\n        n = 5\n"
        f"    bump()\n    {mention}\n    return 'x'\n"
    )
    events = [e for e in run(executor, source).events if e.line == 7 and e.kind == "line"]
    assert events[0].payload["changed"]["n"] == 5
