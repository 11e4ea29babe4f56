"""Each limit ends a run in its own kind, with line and message; refusals name what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.errors import ProfileError
from workbench.execute import Executor, Limits


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
    ("import numpy as np", "unsupported", 2, "import numpy: only these can be imported, in part: collections, json, math, re, typing"),
    ("from math import factorial", "unsupported", 2, "from math import factorial: only these can be imported"),
    ("import math\nmath.factorial(3)", "unsupported", 3, "math.factorial is not available in the sandbox"),
    ("open('x')", "unsupported", 2, "'open' is not available in the sandbox"),
    ("'a'.encode('x').hex()", "unsupported", 2, "the method bytes.hex is not available in the sandbox"),
    ("yield 3", "unsupported", 2, "the sandbox does not have yield (generator functions)"),
    ("with p:\n    pass", "unsupported", 2, "the sandbox does not have with statements"),
    ("match p:\n    case Unknown():\n        pass", "unsupported", 3, "a pattern of an unknown class (Unknown)"),
    ("match p:\n    case ImagePatch(__box__=b):\n        pass", "source", 3, "cannot be used: '__box__'"),
    ("class A(ValueError):\n    pass", "unsupported", 2, "classes cannot inherit (class A)"),
    ("del p", "unsupported", 2, "del is available for one item of a list or dict only"),
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
