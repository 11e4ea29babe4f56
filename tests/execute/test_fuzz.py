"""A fixed thousand of the fuzzer's programs, those that once differed, and how it makes them small."""

from __future__ import annotations

from collections import Counter

import pytest
from against_python import compare_traces
from fuzz import KEPT, fuzz, smaller
from tools_for_tests import a_program, a_task

from workbench.execute import Executor


def test_a_thousand_programs_mean_what_python_means(executor: Executor) -> None:
    ends = Counter[str]()
    for seed, source, end, difference in fuzz(executor, iter(range(1000))):
        assert not difference, (seed, source)
        ends[end] += 1
    assert ends["ok"] > 600
    assert ends["refused"] < 200


@pytest.mark.parametrize("name", sorted(path.name for path in KEPT.glob("*.txt")))
def test_what_once_differed_stays_mended(executor: Executor, name: str) -> None:
    source = (KEPT / name).read_text()
    trace = next(executor.run([(a_task(), a_program(source))]))
    compare_traces(trace, source, executor.limits)


def test_a_program_is_made_small() -> None:
    source = (
        "def helper(x):\n    return x\n"
        "def execute_command(image):\n    a = 1\n    if a:\n        for b in [1, 2]:\n"
        "            print(b)\n            needle = b\n    return a\n"
    )
    assert smaller(source, lambda text: "needle" in text and "execute_command" in text) == (
        "def execute_command(image):\n    needle = b\n"
    )
