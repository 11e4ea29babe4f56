"""The search finds what is planted, and takes the longer the rarer it is."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from scipy.stats import spearmanr

from workbench.errors import ProfileError
from workbench.recipes.ports import Selector, SnapshotRow
from workbench.recipes.selector.mcts_difficulty import MctsDifficulty, ProgramTree, search


class Coin:
    """A world in which every attempt is right with one probability."""

    def __init__(self, chance: float) -> None:
        self.chance = chance

    def children(self, steps: tuple[str, ...]) -> Sequence[str]:
        return ["a", "b", "c", "d"] if len(steps) < 3 else []

    def attempt(self, steps: tuple[str, ...], dice: random.Random) -> float | None:
        return float(dice.random() < self.chance)


def test_difficulty_falls_with_the_planted_solve_rate() -> None:
    chances = [at / 40 for at in range(1, 40)]
    mean = [
        sum(search(Coin(chance), 50, seed=seed) or 51 for seed in range(20)) / 20
        for chance in chances
    ]
    assert spearmanr(chances, mean).statistic < -0.95
    assert search(Coin(1.0)) == 1
    assert search(Coin(0.0)) is None


def test_the_bound_leads_to_the_better_branch() -> None:
    """Behind `b` an attempt is worth a half and sometimes right; `a` and `c` are worth nothing."""

    class Branches(Coin):
        tries: list[str]

        def children(self, steps: tuple[str, ...]) -> Sequence[str]:
            return ["a", "b", "c"] if not steps else (["x", "y"] if len(steps) < 4 else [])

        def attempt(self, steps: tuple[str, ...], dice: random.Random) -> float | None:
            self.tries.append(steps[0])
            return 0.5 if steps[0] == "b" else 0.0

    world = Branches(0)
    world.tries = []
    assert search(world, 60, exploration=0.3) is None
    assert len(world.tries) == 60
    assert world.tries.count("b") > 30
    assert set(world.tries) == {"a", "b", "c"}


FIRST, SECOND = "x = 1\nreturn x", "x = 1\nreturn 2"


def test_programs_are_tried_once_each_along_their_shared_lines() -> None:
    tree = ProgramTree([(FIRST, 0.0), (SECOND, 0.0), ("y = 3", 0.0)])
    assert tree.children(()) == ["x = 1", "y = 3"]
    assert tree.children(("x = 1",)) == ["return x", "return 2"]
    assert search(tree) is None
    assert tree.attempt((), random.Random(0)) is None, "all three were tried, and the search ended"
    for right in range(3):
        programs = [(text, float(at == right)) for at, text in enumerate((FIRST, SECOND, "y = 3"))]
        assert search(ProgramTree(programs)) in (1, 2, 3)


def test_a_right_program_is_always_reached() -> None:
    """More beginnings than an expansion adds, each of one program."""
    for right in range(10):
        programs = [(f"return {at}", float(at == right)) for at in range(10)]
        assert search(ProgramTree(programs)) in range(1, 11)


def row(*scores: float) -> SnapshotRow:
    programs = tuple((f"return {at}", score) for at, score in enumerate(scores))
    return SnapshotRow("t", "1", None, programs=programs)


def test_hard_and_unsolved_questions_stay() -> None:
    selector = MctsDifficulty()
    assert isinstance(selector, Selector)
    easy, unsolved, blank = row(1, 1, 1), row(0, 0, 0.5), row()
    hard = row(0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    weights = selector.weigh([easy, unsolved, blank, hard])
    assert [one.weight for one in weights] == [0, 1, 0, 1]
    assert weights[0].reason == "mcts_difficulty: it is solved within 1 iterations"
    assert weights[2].reason == "mcts_difficulty: no program of it has run"
    dropping = MctsDifficulty(unsolved=False).weigh([unsolved])
    assert dropping[0].reason == "mcts_difficulty: no program solves it"
    with pytest.raises(ProfileError, match="from 0 to below most"):
        MctsDifficulty(least=50)
