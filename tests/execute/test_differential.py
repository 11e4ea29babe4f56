"""Random programs against CPython: the same answer, print-outs and calls, or a refusal that names
the construct.
"""

from __future__ import annotations

import warnings
from random import Random

import pytest
from generate import program
from generate_errors import failing_program
from generate_wide import wide_program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference import in_new_words, run_in_python
from tools_for_tests import a_program, a_task

from workbench.events import summary
from workbench.execute import Executor
from workbench.records import Trace


def compare(executor: Executor, source: str) -> str:
    """Runs a program both ways and asserts that nothing differs; gives how it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        expected = run_in_python(source)
    trace = next(executor.run([(a_task(), a_program(source))]))
    if trace.failure is not None and trace.failure.kind in ("unsupported", "source"):
        return "refused"
    if len(expected.calls) > executor.limits.tool_calls:
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
    return trace.failure.kind if trace.failure else "ok"


def printed(trace: Trace) -> str:
    return "".join(e.payload["text"] + "\n" for e in trace.events if e.kind == "print")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.integers(0, 2**32))
def test_random_programs_mean_what_python_means(executor: Executor, seed: int) -> None:
    compare(executor, program(Random(seed)))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.integers(0, 2**32))
def test_random_corners_mean_what_python_means(executor: Executor, seed: int) -> None:
    compare(executor, wide_program(Random(seed)))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.integers(0, 2**32))
def test_an_error_has_its_line_whatever_it_passes(executor: Executor, seed: int) -> None:
    compare(executor, failing_program(Random(seed)))


@pytest.mark.slow
def test_many_errors_have_their_lines(executor: Executor) -> None:
    ended = [compare(executor, failing_program(Random(seed))) for seed in range(4000)]
    assert ended.count("runtime") > 0.5 * len(ended)
    assert ended.count("refused") < 0.02 * len(ended)


@pytest.mark.slow
def test_many_random_corners(executor: Executor) -> None:
    ended = [compare(executor, wide_program(Random(seed))) for seed in range(4000)]
    assert ended.count("refused") < 0.12 * len(ended)
    assert ended.count("ok") > 0.7 * len(ended)


@pytest.mark.slow
def test_many_random_programs(executor: Executor) -> None:
    ended = [compare(executor, program(Random(seed))) for seed in range(4000)]
    assert ended.count("refused") < 0.02 * len(ended)
    assert ended.count("ok") > 0.4 * len(ended)
