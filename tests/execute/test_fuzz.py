"""Fixed ones of the fuzzer's programs, those that once differed, and how it makes them small."""

from __future__ import annotations

from collections import Counter

import pytest
from against_python import compare_traces
from fuzz import KEPT, fuzz, smaller
from tools_for_tests import a_program, a_task

from workbench.execute import Executor


@pytest.mark.parametrize(
    "seeds",
    [range(240), pytest.param(range(240, 1000), marks=pytest.mark.slow)],
    ids=["240", "760 more"],
)
def test_programs_mean_what_python_means(executor: Executor, seeds: range) -> None:
    ends = Counter[str]()
    for seed, source, end, difference in fuzz(executor, iter(seeds)):
        assert not difference, (seed, source)
        ends[end] += 1
    assert ends["ok"] > 0.6 * len(seeds)
    assert ends["refused"] < 0.2 * len(seeds)


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
