"""One person's drafts and replays leave room for everybody else's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.runs import KEPT_EACH, REPLAYS_EACH, Drafts, Turns
from workbench.errors import InputError


def _draft(name: str) -> Any:
    return SimpleNamespace(id=name)


def test_one_persons_drafts_push_out_their_own_alone() -> None:
    drafts = Drafts()
    drafts.keep(_draft("bobs"), "bob")
    for number in range(KEPT_EACH + 5):
        drafts.keep(_draft(f"ann{number}"), "ann")
    assert drafts.get("bobs") is not None
    assert drafts.get("ann4") is None
    assert drafts.get("ann5") is not None


def test_one_persons_replays_are_bounded() -> None:
    turns = Turns()
    for _ in range(REPLAYS_EACH):
        turns.take("ann")
    with pytest.raises(InputError, match="replays of yours are running"):
        turns.take("ann")
    turns.take("bob")
    turns.give_back("ann")
    turns.take("ann")
