"""What the bars say while the work goes on: rates over the whole stage, and that models are loaded."""

from __future__ import annotations

import pytest
from rich.progress import Progress as RichProgress

from workbench.cli.bars import Bars, rate_of
from workbench.pipeline import Progress


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
