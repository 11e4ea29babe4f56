"""What the bars say while the work goes on: rates over the whole stage, and that models are loaded."""

from __future__ import annotations

import pytest
from rich.progress import Progress as RichProgress

from workbench.cli.bars import Bars, rate_of
from workbench.pipeline.progress import Progress


def test_a_rate_is_that_of_the_whole_stage() -> None:
    """Six tasks that come together after a minute are one in ten seconds, not hundreds a second."""
    clock = [0.0]
    progress = RichProgress(get_time=lambda: clock[0], auto_refresh=False)
    task = progress.add_task("sample", total=12)
    clock[0] = 60.0
    for done in range(1, 7):
        progress.update(task, completed=done)
        clock[0] += 0.001
    assert rate_of(progress.tasks[0]) == pytest.approx(0.1, rel=0.01)


def test_loading_shows_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.cli.bars.PATIENCE", 0.0)
    with Bars() as bars:
        bars.load()
        assert bars._timer is not None
        bars._timer.join(20)
        bars(Progress("sample", 4, 4, "tasks"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("loading the models")
    assert lines[1].startswith("sample: 4 of 4 tasks")


def test_what_loads_at_once_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        bars.load()
    assert capsys.readouterr().err == ""


def test_no_line_before_what_was_done_together_was_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight questions that come together after 80 s are one in ten seconds, not one in 80."""
    clock = [0.0]
    monkeypatch.setattr("workbench.cli.bars.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("workbench.cli.bars.SETTLE", 3600.0)
    with Bars() as bars:
        bars(Progress("sample", 0, 40, "tasks"))
        clock[0] = 80.0
        for done in range(1, 9):
            bars(Progress("sample", done, 40, "tasks"))
        assert bars._due is not None
        bars._due.function(*bars._due.args)
        clock[0] = 82.0
        bars(Progress("sample", 9, 40, "tasks"))
        assert bars._due is None
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["sample: 8 of 40 tasks, 10.0 s each, 320 s left"]


def test_a_rate_counts_from_where_the_stage_was_first_told_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("workbench.cli.bars.time.monotonic", lambda: clock[0])
    with Bars() as bars:
        bars(Progress("answer", 90, 100, "questions"))
        clock[0] = 5.0
        bars(Progress("answer", 100, 100, "questions"))
    assert capsys.readouterr().err.splitlines() == ["answer: 100 of 100 questions, 2.0/s"]
