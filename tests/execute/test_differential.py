"""Random programs against CPython, many: the same answer, print-outs and calls, or a refusal that
names the construct.  `test_fuzz.py` has a thousand of them for every day.
"""

from __future__ import annotations

from random import Random

import pytest
from against_python import compare_traces
from generate import program
from generate_errors import failing_program
from generate_wide import wide_program
from tools_for_tests import a_program, a_task

from workbench.execute import Executor


def compare(executor: Executor, source: str) -> str:
    """Runs a program both ways and asserts that nothing differs; gives how it ended."""
    trace = next(executor.run([(a_task(), a_program(source))]))
    return compare_traces(trace, source, executor.limits)


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
