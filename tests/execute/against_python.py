"""A program's trace beside what CPython makes of the same program."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from types import FrameType
from typing import Any

from reference import Outcome, in_new_words, run_in_python

from workbench.events import summary
from workbench.limits import Limits
from workbench.records import Trace


def in_python(source: str) -> tuple[Outcome, Mapping[str, Any]]:
    """What CPython makes of a program, and the variables that `execute_command` ended with."""
    variables: dict[str, Any] = {}

    def at_return(frame: FrameType, event: str, argument: object) -> Any:
        if event == "return":
            variables.clear()
            variables.update(frame.f_locals)
        return at_return

    def at_call(frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_name != "execute_command":
            return None
        frame.f_trace_lines = False
        return at_return

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        before = sys.gettrace()
        sys.settrace(at_call)
        try:
            outcome = run_in_python(source)
        finally:
            sys.settrace(before)
    return outcome, variables


def printed(trace: Trace) -> str:
    """What a program printed."""
    return "".join(e.payload["text"] + "\n" for e in trace.events if e.kind == "print")


def compare_traces(trace: Trace, source: str, limits: Limits) -> str:
    """Asserts that nothing differs from CPython; gives how the program ended."""
    expected, variables = in_python(source)
    _assert_whole(trace, source)
    if trace.failure is not None and trace.failure.kind in ("unsupported", "source"):
        return "refused"
    if len(expected.calls) > limits.tool_calls:
        assert trace.failure is not None
        assert trace.failure.kind == "tool_calls"
        return "limit"
    assert printed(trace) == in_new_words(expected.printed), source
    assert [
        (e.payload["tool"], e.payload["arguments"]) for e in trace.events if e.kind == "tool"
    ] == [
        (c.tool, {k: summary(v) for k, v in c.arguments.items() if k != "patch"})
        for c in expected.calls
    ], source
    assert trace.answer == expected.answer, (trace.failure, expected.error, source)
    if trace.failure is not None and trace.failure.kind == "runtime":
        assert trace.failure.message.split(":")[0] == expected.error, (trace.failure, source)
        assert trace.failure.line == expected.line, (trace.failure, source)
    if trace.failure is None and "nonlocal" not in source and ":=" not in source:
        _assert_variables(trace, variables, source)
    return trace.failure.kind if trace.failure else "ok"


def _assert_whole(trace: Trace, source: str) -> None:
    """Asserts what holds for every trace: numbers without gaps, one result a call, one end."""
    kinds = [e.kind for e in trace.events]
    assert [e.seq for e in trace.events] == list(range(len(kinds))), source
    assert kinds.index("end") == len(kinds) - 1, source
    if trace.failure is None and "truncated" not in kinds:
        assert kinds.count("tool") == kinds.count("tool_result") == trace.tool_calls, source


def _assert_variables(trace: Trace, variables: Mapping[str, Any], source: str) -> None:
    """Asserts that the trace's last values of `execute_command` are those that CPython ended with."""
    last: dict[str, Any] = {}
    main = next((e.frame for e in trace.events if e.kind == "call"), None)
    for event in trace.events:
        if event.frame == main:
            last.update(event.payload.get("changed", {}))
    for name, value in variables.items():
        plain = type(value) in (bool, str) or (type(value) is int and abs(value) < 2**53)
        if name in last and plain and not (type(value) is str and len(value) > 200):
            assert last[name] == value, (name, last[name], value, source)
