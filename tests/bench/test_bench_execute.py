"""What the bench compares: a warm run gives the same answers, runs every program and asks no tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tools_for_tests import OnePicture, ScriptedTool, a_program, a_task, all_tools

from workbench.bench.execute import _cold_and_warm
from workbench.bench.execute_programs import ASKING, QUESTIONING
from workbench.errors import WorkbenchError
from workbench.ports import Tool
from workbench.records import Program, Task


def some(source: str, count: int) -> list[tuple[Task, Program]]:
    return [(a_task(i), a_program(source.replace("NAME", f"cup{i}"), i)) for i in range(count)]


@pytest.mark.parametrize("source", [ASKING, QUESTIONING])
def test_a_warm_run_asks_no_tool_and_answers_the_same(tmp_path: Path, source: str) -> None:
    made: list[Sequence[ScriptedTool]] = []

    def tools() -> list[Tool]:
        made.append(all_tools())
        return list(made[-1])

    cold, warm, answers = _cold_and_warm(
        some(source, 6), some(source, 1), OnePicture(), tools, tmp_path / "cache"
    )
    assert [sum(len(tool.calls) for tool in each) > 0 for each in made] == [True, False, False]
    assert len(answers) == 6
    assert all(answers)
    assert cold > 0 < warm


def test_answers_that_differ_with_a_full_cache_are_told(tmp_path: Path) -> None:
    runs = iter(("one", "two", "three"))

    def tools() -> list[Tool]:
        version = next(runs)  # nothing is found in the cache
        return list(
            all_tools(version=version, fail=lambda call: "dark" if version == "two" else None)
        )

    with pytest.raises(WorkbenchError, match="differ"):
        _cold_and_warm(some(ASKING, 2), some(ASKING, 1), OnePicture(), tools, tmp_path)
