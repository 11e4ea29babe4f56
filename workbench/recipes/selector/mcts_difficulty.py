"""ThinkLite-VL's difficulty: how long a tree search looks for a right solution.

A question is as hard as the number of iterations that Monte Carlo tree search takes until a
solution is right.  Easy ones teach nothing new, so that questions of more than a few iterations
stay, and those that were never solved.

    UCB(child) = v + c sqrt(ln N_parent / N_child)
    one iteration: go down by UCB, add up to three children, try one, carry its value up
    keep: difficulty > least, or unsolved after `most` iterations

The tree here is that of the question's own programs: a step is a line, a begun program is a
beginning that programs share, and a try is one of the programs that begin so, with the score that
the verifier gave it.  No model is asked for it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workbench.errors import ProfileError
from workbench.recipes.card import Card
from workbench.recipes.ports import RowWeight, SelectorNeed, SnapshotRow
from workbench.records import PartRef

CARD = Card(
    name="mcts_difficulty",
    port="selector",
    paper="ThinkLite-VL: Monte Carlo tree search guided sample selection",
    year=2025,
    grade="A",
    level="V2",
    provenance="C",
    link="https://github.com/si0wang/ThinkLite-VL",
    idea="Train on the questions for which a search among programs takes long, and on those that "
    "it never solves.",
    formula="UCB = v + c sqrt(ln N_parent / N_child); difficulty = iterations to the first right "
    "program; keep difficulty > least or unsolved",
    command="vpd snapshot --automatic --select mcts_difficulty",
    expect="With k programs a question the difficulty is at most k; what the hard ones are worth "
    "in accuracy was not measured yet.",
    defaults={"least": 1, "most": 50, "exploration": 1.0, "unsolved": True, "seed": 0},
    sources={
        "least": "ours: 1, since a project has about five programs a question; the paper has 5",
        "most": "the released 50 iterations",
        "exploration": "the released c = 1",
        "unsolved": "the paper keeps them; the released script drops them without a word",
    },
    traps=(
        "The released counter begins at 0 and gives 49 both for the last iteration and for a "
        "search that failed; here iterations count from 1, and a failed search is None.",
        "Unsolved questions are those with no right program: the label may be wrong.",
    ),
    not_reproduced=(
        "New steps are not written by the model during the search: the tree holds the programs "
        "that were sampled.",
    ),
)
CHILDREN = 3
"""Most children that an expansion adds, as in the released code."""


class Environment(Protocol):
    """What is searched."""

    def children(self, steps: tuple[str, ...]) -> Sequence[str]:
        """What may come behind some steps; nothing where they are a whole solution."""
        ...

    def attempt(self, steps: tuple[str, ...], dice: random.Random) -> float | None:
        """Finish begun steps in some way; the value, 1 if right, or None where no way is left."""
        ...


class ProgramTree:
    """The programs of a question as a tree of their lines; each is tried once.

    Args:
        programs: source and score of each, in order of sampling.
    """

    def __init__(self, programs: Sequence[tuple[str, float]]) -> None:
        self._programs = [(tuple(source.strip().splitlines()), score) for source, score in programs]
        self._left = list(range(len(programs)))

    def children(self, steps: tuple[str, ...]) -> Sequence[str]:
        """The lines that programs with this beginning have next, in order of sampling."""
        size = len(steps)
        lines = [
            line[size] for line, _ in self._programs if line[:size] == steps and len(line) > size
        ]
        return list(dict.fromkeys(lines))

    def attempt(self, steps: tuple[str, ...], dice: random.Random) -> float | None:
        """The score of a program with this beginning that was not tried before."""
        fitting = [at for at in self._left if self._programs[at][0][: len(steps)] == steps]
        if not fitting:
            return None
        chosen = dice.choice(fitting)
        self._left.remove(chosen)
        return self._programs[chosen][1]


@dataclass
class _Node:
    steps: tuple[str, ...]
    parent: _Node | None = None
    children: list[_Node] = field(default_factory=list)
    rest: list[str] | None = None
    """Steps that may come next and are no children yet; None before the world was asked."""
    visits: int = 0
    value: float = 0.0
    is_done: bool = False
    """Whether no way is left below it."""


def search(
    world: Environment, most: int = 50, exploration: float = 1.0, seed: int = 0
) -> int | None:
    """How many iterations it took to the first right solution; None where there was none.

    Args:
        world: what is searched.
        most: iterations after which the search ends.
        exploration: c of UCB.
        seed: of the dice.
    """
    root, dice = _Node(()), random.Random(seed)
    iteration = 0
    while iteration < most and not root.is_done:
        node = _expand(_descend(root, exploration), world)
        value = world.attempt(node.steps, dice)
        if value is None:
            node.rest = []  # nothing is left below it, whatever might come next
            _close(node)
            continue
        iteration += 1
        if value >= 1:
            return iteration
        _carry_up(node, value)
    return None


def _descend(node: _Node, exploration: float) -> _Node:
    while open_ones := [child for child in node.children if not child.is_done]:
        node = max(open_ones, key=lambda child: _upper_bound(child, exploration))
    return node


def _expand(node: _Node, world: Environment) -> _Node:
    """Add up to three children; returns the first of them, or the node where there is none."""
    if node.rest is None:
        node.rest = list(world.children(node.steps))
    steps, node.rest = node.rest[:CHILDREN], node.rest[CHILDREN:]
    new = [_Node((*node.steps, step), node) for step in steps]
    node.children += new
    return new[0] if new else node


def _upper_bound(node: _Node, exploration: float) -> float:
    assert node.parent is not None, "the root has no bound"
    if not node.visits:
        return math.inf
    wide = math.sqrt(math.log(max(node.parent.visits, 1)) / node.visits)
    return node.value / node.visits + exploration * wide


def _carry_up(node: _Node | None, value: float) -> None:
    while node is not None:
        node.visits += 1
        node.value += value
        node = node.parent


def _close(node: _Node | None) -> None:
    """Leave a node without a way, and every one above it that has no other."""
    while node is not None and not node.rest and all(one.is_done for one in node.children):
        node.is_done = True
        node = node.parent


class MctsDifficulty:
    """Keeps the questions for which the search takes long.

    Args:
        least: difficulty above which a question stays.
        most: iterations of a search.
        exploration: c of UCB.
        unsolved: whether questions that were never solved stay.
        seed: of the dice.
    """

    needs: frozenset[SelectorNeed] = frozenset({"programs"})

    def __init__(
        self,
        least: int = 1,
        most: int = 50,
        exploration: float = 1.0,
        unsolved: bool = True,
        seed: int = 0,
    ) -> None:
        if not 0 <= least < most:
            raise ProfileError(
                "mcts_difficulty takes a least difficulty from 0 to below most, found "
                f"{least!r} and {most!r}"
            )
        self._least, self._most, self._exploration = least, most, exploration
        self._keeps_unsolved, self._seed = unsolved, seed
        arguments = {
            "least": least,
            "most": most,
            "exploration": exploration,
            "unsolved": unsolved,
            "seed": seed,
        }
        self.ref = PartRef("selector", "mcts_difficulty", arguments=arguments)

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """1 for each hard question, 0 with the reason for every other."""
        reasons = [self._reason(row) for row in rows]
        return [RowWeight(0.0 if reason else 1.0, reason) for reason in reasons]

    def _reason(self, row: SnapshotRow) -> str:
        if not row.programs:
            return "mcts_difficulty: no program of it has run"
        iterations = search(ProgramTree(row.programs), self._most, self._exploration, self._seed)
        if iterations is None:
            return "" if self._keeps_unsolved else "mcts_difficulty: no program solves it"
        if iterations > self._least:
            return ""
        return f"mcts_difficulty: it is solved within {self._least} iterations"
