"""What differs between a run and its edit: lines are matched first, and only what is different is
shown.
"""

from __future__ import annotations

import page_project
import pytest

from app.replay import difference
from workbench.records import TraceEvent
from workbench.screen.steps import steps_of

SIZE = (640, 480)
SOURCE = "def execute_command(image):\n    x = 1\n    y = 2\n    return y\n"


def run(*lines: tuple[int, dict[str, int]]) -> tuple[TraceEvent, ...]:
    end = TraceEvent(
        len(lines), "end", 0, 0, {"ok": True, "answer": "2", "steps": len(lines), "tool_calls": 0}
    )
    return (
        *(
            TraceEvent(at, "line", line, 0, {"changed": held})
            for at, (line, held) in enumerate(lines)
        ),
        end,
    )


OLD = run((2, {"x": 1}), (3, {"y": 2}))


def rows(after: str, new: tuple[TraceEvent, ...]) -> list[tuple[str, str | None, str | None]]:
    found = difference(SOURCE, after, OLD, new, steps_of(OLD, SIZE), steps_of(new, SIZE))
    return [
        (
            row.sign,
            row.old and f"{row.old[1]}: {row.old[3]}",
            row.new and f"{row.new[1]}: {row.new[3]}",
        )
        for row in found.rows
    ]


def test_the_same_run_has_no_difference() -> None:
    assert rows(SOURCE, OLD) == []


def test_a_line_put_in_is_the_only_difference() -> None:
    after = SOURCE.replace("    y = 2\n", "    z = 7\n    y = 2\n")
    new = run((2, {"x": 1}), (3, {"z": 7}), (4, {"y": 2}))
    assert rows(after, new)[0] == ("+", None, "3: 7")
    assert all(row[0] == "~" for row in rows(after, new)[1:])


def test_a_changed_line_stands_beside_what_it_was() -> None:
    after = SOURCE.replace("y = 2", "y = 3")
    new = run((2, {"x": 1}), (3, {"y": 3}))
    assert ("~", "3: 2", "3: 3") in rows(after, new)


def test_a_line_taken_out_is_shown_as_gone() -> None:
    after = SOURCE.replace("    x = 1\n", "")
    assert rows(after, run((2, {"y": 2})))[0] == ("-", "2: 1", None)


@pytest.mark.parametrize("rounds", [1, 2000])
def test_a_long_run_compares_at_once_and_is_cut(rounds: int) -> None:
    a, b = page_project.loop_events(rounds, SIZE), page_project.loop_events(2 * rounds, SIZE)
    found = difference("i\n" * 9, "i\n" * 9, a, b, steps_of(a, SIZE), steps_of(b, SIZE))
    assert len(found.rows) <= 200
    assert len(found.rows) + found.more >= rounds
