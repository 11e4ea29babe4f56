"""SideBySide: both sides in threads, folded into what is drawn; the parts are small and run for
real.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_parts import profile_text

from workbench.errors import InputError
from workbench.settings import Profile, read_profile
from workbench.widgets import SideBySide


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "profile.toml"
    path.write_text(profile_text(), encoding="utf-8")
    return read_profile(path)


@pytest.fixture
def asked(profile: Profile, picture: Path) -> Any:
    made = SideBySide(picture, "How many squares?", profile=profile)
    yield made
    made.close()


def test_both_sides_answer_and_what_is_drawn_says_so(asked: SideBySide) -> None:
    found = asked.wait(60)
    assert set(found) == {"pipeline", "student"} <= set(asked.sides)
    assert asked.pipeline["ended"] is True
    assert asked.pipeline["says"] == "done"
    assert "def execute_command" in asked.pipeline["program"]
    assert asked.answers["pipeline"] == found["pipeline"].answer == asked.pipeline["answer"]
    assert asked.pipeline["steps"][-1][0] == "end"
    assert asked.student["answer"] == found["student"].answer
    assert asked.busy is False
    assert asked.names["student"] == {"title": "Student", "model": "small_parts.py:ShareOfRed"}


def test_the_run_can_be_stepped_through(asked: SideBySide) -> None:
    asked.wait(60)
    player = asked.player()
    assert player.trace == asked.finished["pipeline"].trace
    assert player.run["picture"]["width"] == 64


def test_the_page_asks_another_question(asked: SideBySide) -> None:
    asked.wait(60)
    asked.answer({"do": "ask", "question": "  How many   red squares? "})
    assert asked.question == "How many red squares?"
    assert asked.wait(60)["pipeline"].answer is not None


def test_a_cancelled_side_says_so(profile: Profile, picture: Path) -> None:
    made = SideBySide(picture, "", profile=profile)
    made.ask("How many squares?")
    made.answer({"do": "cancel", "side": None})
    assert all(found.cancelled or found.answer is not None for found in made.wait(60).values())
    made.close()


def test_an_empty_question_is_refused_in_words(profile: Profile) -> None:
    made = SideBySide(Image.new("RGB", (8, 8)), profile=profile)
    with pytest.raises(InputError, match="the question is empty"):
        made.ask("  ")
    with pytest.raises(InputError, match="no program has run"):
        made.player()


def test_a_saved_notebook_shows_the_answers(asked: SideBySide) -> None:
    asked.wait(60)
    shown = asked.plain()
    assert "How many squares?" in shown
    assert 'src="data:image/webp;base64,' in shown
