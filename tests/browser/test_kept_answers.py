"""Answers that a link of Compare carries, as files that anything may have happened to."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.kept_answers import KeptAnswers
from workbench.errors import InputError
from workbench.records import Task

TASK = Task("t", "compare", "test", "c" * 64, "Is it \ud800?")


def test_both_sides_come_back(tmp_path: Path) -> None:
    kept = KeptAnswers(tmp_path / "answers")
    for run in ("one", "../two", "three\ud800"):
        kept.put(run, TASK, "pipeline", [])
        kept.put(run, TASK, "student", [])
        assert set(kept.of(run).sides) == {"pipeline", "student"}
    assert kept.of("one").question == TASK.question
    assert {path.parent for path in tmp_path.rglob("*.*")} == {tmp_path / "answers"}


@pytest.mark.parametrize("text", ["", "[]", "[1]", '{"run": "one"}', '{"odd": 1}', "\ufeff{", "1"])
def test_a_file_that_is_none_of_ours_is_absent(tmp_path: Path, text: str) -> None:
    kept = KeptAnswers(tmp_path / "answers")
    kept.put("one", TASK, "student", [])
    (path,) = (tmp_path / "answers").iterdir()
    path.write_text(text)
    with pytest.raises(InputError, match="no longer kept; ask again"):
        kept.of("one")


def test_where_nothing_can_be_written_the_visitor_has_the_answer(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file in the folder's place")
    kept = KeptAnswers(tmp_path / "answers")
    kept.put("one", TASK, "student", [])
    with pytest.raises(InputError, match="no longer kept"):
        kept.of("one")
