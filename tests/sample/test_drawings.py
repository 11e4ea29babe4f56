"""Which drawings a question keeps where its programs should differ, and how few writings that takes."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from workbench.sample.drawings import Drawing, Place, different


class Sheet:
    """Writes what a table says for a place and the number of its drawing; the last entry repeats."""

    def __init__(self, table: dict[Place, str]) -> None:
        self.table = table
        self.calls: list[int] = []

    def write(self, keys: Iterable[tuple[Place, int]]) -> list[Drawing]:
        drawings = [
            Drawing(task, index, draw, 0, (), [self._letter((task, index), draw)])
            for (task, index), draw in keys
        ]
        self.calls.append(len(drawings))
        return drawings

    def _letter(self, place: Place, draw: int) -> str:
        letters = self.table[place]
        return letters[min(draw, len(letters) - 1)]

    def kept(self, redraws: int) -> str:
        drawings = different(
            list(self.table), redraws, self.write, lambda drawing: drawing.tokens[0]
        )
        self.draws = [drawing.draw for drawing in drawings]
        return "".join(drawing.tokens[0] for drawing in drawings)


def test_without_redraws_every_first_drawing_stays() -> None:
    sheet = Sheet({(0, 0): "ax", (0, 1): "ab", (1, 0): "ay"})
    assert (sheet.kept(0), sheet.draws, sheet.calls) == ("aaa", [0, 0, 0], [3])


def test_a_program_that_is_there_is_drawn_until_it_is_another() -> None:
    sheet = Sheet({(0, 0): "a", (0, 1): "aaab", (0, 2): "c", (1, 0): "a", (1, 1): "aab"})
    assert (sheet.kept(3), sheet.draws) == ("abcab", [0, 3, 0, 0, 2])


def test_a_writer_that_knows_one_program_ends_after_its_redraws() -> None:
    sheet = Sheet({(0, index): "a" for index in range(5)})
    assert (sheet.kept(4), sheet.draws) == ("aaaaa", [0, 4, 4, 4, 4])
    assert sheet.calls == [1 + 4 * 2, 4 * 3]


def test_what_differs_is_written_once_with_a_drawing_ahead() -> None:
    sheet = Sheet({(task, index): "abc"[index] for task in range(3) for index in range(3)})
    assert (sheet.kept(4), sheet.calls) == ("abc" * 3, [3 * (1 + 2 * 2)])


@pytest.mark.parametrize("redraws", [1, 2, 5])
def test_what_is_kept_is_what_drawing_round_after_round_keeps(redraws: int) -> None:
    dice = random.Random(redraws)
    places = [(task, index) for task in range(30) for index in range(5)]
    table = {place: "".join(dice.choices("abcdef", k=redraws + 1)) for place in places}
    kept = dict.fromkeys(places, 0)
    for _ in range(redraws):
        seen = set()
        again = []
        for place in places:
            key = (place[0], table[place][kept[place]])
            if key in seen:
                again.append(place)
            seen.add(key)
        for place in again:
            kept[place] += 1
    sheet = Sheet(table)
    assert sheet.kept(redraws) == "".join(table[place][kept[place]] for place in places)
    assert len(sheet.calls) <= 3
