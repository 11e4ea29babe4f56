"""Each limit ends a run in its own kind, with line and message; refusals name what they refuse."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.errors import ProfileError
from workbench.events import MAX_TRACE, decode_events
from workbench.execute import Executor, Limits, sandbox
from workbench.execute.trace import Recorder


@pytest.fixture(scope="module")
def tight() -> Iterator[Executor]:
    limits = Limits(
        steps=200,
        seconds=0.5,
        memory=16 * 2**20,
        recursion=60,
        tool_calls=5,
        output=100,
        text=50,
        items=20,
        depth=3,
        source=2000,
        nodes=800,
        nesting=25,
    )
    with Executor(all_tools(), OnePicture(), limits, hold=3) as executor:
        yield executor


LIMITS = [
    ("x = 0\nwhile True:\n    x += 1", "steps", 4, "the program executed more than 200 statements"),
    ("x = 0\ny = sum(range(10**12))", "time", 3, "time limit exceeded: the program computed for more than 0.5 seconds"),
    ("x = 'a' * 10**9", "memory", 2, "memory limit exceeded"),
    ("def f(n):\n    return f(n + 1)\nf(0)", "recursion", 3, "maximum recursion depth exceeded"),
    ("for i in range(9):\n    p.exists(str(i))", "tool_calls", 3, "the program called tools more than 5 times"),
    ("print('a')\nprint('b' * 101)", "output", 3, "the program printed more than 100 characters"),
    ("return 'x' * 60", "value", 2, "a text is longer than 50 characters"),
    ("p.find('x' * 60)", "runtime", 2, "ValueError: a text is longer than 50 characters"),
    ("return [1] * 30", "value", 2, "a value holds more than 20 values"),
    ("return [[[[[1]]]]]", "value", 2, "a value is nested more than 3 deep"),
    ("return None", "value", 2, "execute_command returned None; it must return an answer"),
    ("return p", "value", 2, "execute_command returned a patch; it must return a text, a number or yes/no"),
    ("return []", "value", 2, "execute_command returned an empty list"),
    ("return ' '", "value", 2, "execute_command returned an empty text"),
    ("return {1: 2}", "value", 2, "execute_command returned a dict; it must return a text, a number or yes/no"),
    ("return lambda: 1", "value", 2, "a value of type function cannot leave the program"),
    ("return (x for x in 'ab')", "value", 2, "execute_command returned a generator; it must return an answer"),
    ("x = 1\ny = x.wrong", "runtime", 3, "AttributeError: 'int' object has no attribute 'wrong'"),
    ("x = 1\nreturn y", "runtime", 3, "NameError: name 'y' is not defined"),
    ("raise ValueError('no cups')", "runtime", 2, "ValueError: no cups"),
    ("assert False, 'no'", "runtime", 2, "AssertionError: no"),
    ("return (", "syntax", 2, "'(' was never closed"),
    ("import numpy as np", "unsupported", 2, "import numpy: only these can be imported, in part: bisect, collections, copy"),
    ("from math import nextafter", "unsupported", 2, "from math import nextafter: only these can be imported"),
    ("import math\nmath.nextafter(3)", "unsupported", 3, "math.nextafter is not available in the sandbox"),
    ("open('x')", "unsupported", 2, "'open' is not available in the sandbox"),
    ("'a'.encode('x').hex()", "unsupported", 2, "the method bytes.hex is not available in the sandbox"),
    ("yield 3", "unsupported", 2, "the sandbox does not have yield (generator functions)"),
    ("with p:\n    pass", "unsupported", 2, "the sandbox does not have with statements"),
    ("match p:\n    case Unknown():\n        pass", "unsupported", 3, "a pattern of an unknown class (Unknown)"),
    ("match p:\n    case ImagePatch(__box__=b):\n        pass", "source", 3, "cannot be used: '__box__'"),
    ("class A(ValueError):\n    pass", "unsupported", 2, "classes cannot inherit (class A)"),
    ("del p", "unsupported", 2, "del is available for items of a list or dict only"),
    ("x = 3j", "unsupported", 2, "complex values are not available"),
    ("x = b'a'", "unsupported", 2, "bytes values are not available"),
    ("x = [y := 3 for _ in 'a']", "unsupported", 2, ":= inside a comprehension is not available"),
    ("x = p.__dict__", "source", 2, "names that begin with two underscores cannot be used: '__dict__'"),
    ("x = [" + "[" * 30 + "]" * 30 + "]", "source", 2, "the source is nested more than 25 deep"),
    ("x = [" + "1, " * 700 + "]", "source", None, "the source has 2182 characters; at most 2000 are taken"),
    ("x = [" + "1," * 900 + "]", "source", None, "the source has more than 800 syntax nodes"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "line", "message"), LIMITS)
def test_each_ends_in_its_own_kind(
    tight: Executor, body: str, kind: str, line: int | None, message: str
) -> None:
    lines = "".join(f"    {text}\n" for text in body.split("\n"))
    source = f"def execute_command(image):\n    p = ImagePatch(image)\n{lines}    return 'end'\n"
    trace = next(tight.run([(a_task(), a_program(source))]))
    assert trace.failure is not None
    assert message in trace.failure.message
    assert (trace.failure.kind, trace.failure.line) == (kind, None if line is None else line + 1)
    assert trace.answer is None
    if kind in ("steps", "time", "memory", "recursion", "tool_calls", "output"):
        limit = next(e for e in trace.events if e.kind == "limit")
        assert limit.payload["limit"] == kind


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1", "the program has no function execute_command(image)"),
        (
            "def execute_command(a, b):\n    c = 1\n    return b",
            "execute_command uses its parameter 'b' (line 3), which has no value here",
        ),
        ("def execute_command():\n    return 1", "execute_command takes no argument"),
    ],
)
def test_a_program_has_a_main_function(tight: Executor, source: str, message: str) -> None:
    trace = next(tight.run([(a_task(), a_program(source))]))
    assert trace.failure is not None
    assert trace.failure.kind == "source"
    assert message in trace.failure.message


def test_waiting_for_tools_costs_a_program_no_time() -> None:
    import time

    source = "def execute_command(image):\n    p = ImagePatch(image)\n    return p.exists('a') + p.exists('b')\n"
    with Executor(
        all_tools(hook=lambda calls: time.sleep(0.4)), OnePicture(), Limits(seconds=0.3)
    ) as executor:
        trace = next(executor.run([(a_task(), a_program(source))]))
    assert trace.ok
    assert trace.seconds > 0.8


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"step": 3}, r"limits: step is an unknown key \(there are: steps, seconds"),
        ({"steps": 0}, "limits: steps must be a whole number from 1 to 1099511627776, found 0"),
        ({"steps": True}, "steps must be a whole number from 1 .*, found True"),
        ({"steps": 5.5}, "steps must be a whole number from 1 .*, found 5.5"),
        ({"seconds": float("inf")}, "seconds must be a number above 0 .*, found inf"),
        ({"memory": "64"}, "memory must be a whole number from 1 .*, found '64'"),
        (
            {"steps": 0, "depth": -1},
            "limits: 2 errors: steps must be .*, found 0; depth must be .*, found -1",
        ),
    ],
)
def test_wrong_limits_are_refused_by_name(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Limits.of(overrides)


def test_limits_that_are_made_directly_are_judged_too() -> None:
    with pytest.raises(
        ProfileError, match=r"limits: steps must be a whole number from 1 .*, found 0"
    ):
        Limits(steps=0)


def test_limits_of_a_profile_stay_as_they_are_written() -> None:
    limits = Limits.of({"steps": 5.0, "seconds": 2})
    assert limits == Limits(steps=5, seconds=2)
    assert (repr(limits.steps), repr(limits.seconds)) == ("5", "2"), (
        "the key of a trace has 2 and not 2.0"
    )


def _row_of_tests(count: int, value: int, inner: str = "") -> str:
    """A program with a long row of `elif`, of which one holds."""
    rows = "".join(f"        elif x == {i}:\n            y = {i}\n{inner}" for i in range(count))
    return (
        f"def execute_command(image):\n    y = []\n    for x in [{value}, 2, 99999]:\n"
        f"        if x == -1:\n            y = 'none'\n{rows}        else:\n"
        "            return f'{y} of {x}'\n"
    )


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (_row_of_tests(40, 39), "2 of 99999"),
        (_row_of_tests(49, 48), "2 of 99999"),
        (_row_of_tests(50, 49), "2 of 99999"),
        (_row_of_tests(300, 299), "2 of 99999"),
        (_row_of_tests(300, 170).replace("2, ", ""), "170 of 99999"),
        ("def execute_command(image):\n    return " + " + ".join(["1"] * 150), "150"),
        ("def execute_command(image):\n    return 'a'" + ".replace('a', 'a')" * 60, "a"),
    ],
    ids=range(7),
)
def test_what_reads_as_a_row_is_not_nested(executor: Executor, source: str, answer: str) -> None:
    trace = next(executor.run([(a_task(), a_program(source))]))
    assert (trace.answer, trace.failure) == (answer, None)


def test_a_row_inside_a_row_goes_on_where_it_should(executor: Executor) -> None:
    inner = "".join(f"            elif x == {i}:\n                z = {i}\n" for i in range(60))
    body = f"            if x == -2:\n                z = 0\n{inner}"
    source = _row_of_tests(120, 1).replace("            y = 1\n", f"            y = 1\n{body}")
    trace = next(executor.run([(a_task(), a_program(source))]))
    assert (trace.answer, trace.failure) == ("2 of 99999", None)
    rounds = [
        e.payload["changed"] for e in trace.events if e.kind == "line" and "form" not in e.payload
    ]
    assert rounds == [
        {"y": {"type": "list", "length": 0, "items": []}},
        {"y": 1},
        {"z": 1},
        {"y": 2},
    ]


SUM = "def execute_command(image):\n    x = 1\n    y = sum(range(1000000))\n    return 'end'\n"


def test_a_busy_machine_fails_no_good_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall limit is reached at once here; by the processor's time the program is within it."""
    monkeypatch.setattr(sandbox, "worker_time", lambda process: 0.0)
    with Executor(all_tools(), OnePicture(), Limits(seconds=0.001)) as executor:
        trace = next(executor.run([(a_task(), a_program(SUM.replace("1000000", "3000")))]))
        other = next(executor.run([(a_task(), a_program(SUM.replace("1000000", "10**12")))]))
    assert (trace.answer, trace.failure) == ("end", None)
    assert other.failure is not None
    assert (other.failure.kind, other.failure.line) == ("time", 3)


def test_without_the_processors_time_the_wall_limit_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandbox, "worker_time", lambda process: None)
    with Executor(all_tools(), OnePicture(), Limits(seconds=0.2)) as executor:
        trace = next(executor.run([(a_task(), a_program(SUM.replace("1000000", "10**12")))]))
        after = next(executor.run([(a_task(), a_program(SUM.replace("1000000", "10")))]))
    assert trace.failure is not None
    assert (trace.failure.kind, trace.failure.line) == ("time", 3)
    assert after.answer == "end"


def test_a_trace_is_bounded_by_bytes_too() -> None:
    source = """
def execute_command(image):
    x = [[[i * j * k for k in range(12)] for j in range(12)] for i in range(12)]
    for n in range(500):
        x[0][0][0] = n
    return str(n)
"""
    with Executor(all_tools(), OnePicture(), Limits(trace=100_000)) as executor:
        trace = next(executor.run([(a_task(), a_program(source))]))
    assert (trace.answer, trace.failure) == ("499", None)
    assert trace.steps > 1000, "what is left out is counted"
    assert [e.kind for e in trace.events[-2:]] == ["truncated", "end"]
    assert len(orjson.dumps([e.payload for e in trace.events])) < 110_000


def test_a_bomb_is_no_trace() -> None:
    with pytest.raises(ValueError, match=r"no encoded trace \(more than"):
        decode_events(zlib.compress(b"[" + b" " * (2 * MAX_TRACE + 1) + b"]"))


def test_what_cannot_be_counted_in_the_sandbox_is_counted_here() -> None:
    """The second wall: reports that no honest prelude would make."""
    recorder = Recorder([], 480, 100, 1000)
    recorder.take([(0, 1, "x" * 400 + "\n")] * 5)
    assert recorder.printed == 5 * 401
    assert (len(recorder.events), recorder.dropped) == (2, 3)


@pytest.mark.parametrize("name", ["RuntimeError", "NotImplementedError"])
@pytest.mark.parametrize(
    "text", ["the monty hall problem", "cannot suspend", "The monty syntax parser does not yet"]
)
@pytest.mark.parametrize(
    "body",
    [
        "raise {name}({text!r})",
        "error = {name}({text!r})\nif 1:\n    raise error",
        "def f(x):\n    raise {name}(\n        x\n    )\nf({text!r})",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise {name}({text!r})",
        "try:\n    raise {name}({text!r})\nfinally:\n    x = 1",
    ],
)
def test_an_error_of_the_programs_own_is_its_own_whatever_it_says(
    tight: Executor, name: str, text: str, body: str
) -> None:
    lines = "".join(f"    {one}\n" for one in body.format(name=name, text=text).split("\n"))
    source = f"def execute_command(image):\n{lines}    return 'end'\n"
    failure = next(tight.run([(a_task(), a_program(source))])).failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("runtime", f"{name}: {text}")
