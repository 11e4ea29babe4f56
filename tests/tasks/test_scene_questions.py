"""Questions: every answer derived again by brute force, fair yes and no, two separate sets of
wordings.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from string import Formatter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tasks.brute_force import answer
from workbench.boxes import from_grid, iou
from workbench.records import Task
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS, confusable
from workbench.tasks.collage.knowledge import FACTS, has
from workbench.tasks.collage.perception import WORDINGS, left_to_right, perceive
from workbench.tasks.collage.phrasings import PHRASINGS, TEMPLATES
from workbench.tasks.collage.questions import FAMILIES, ask
from workbench.tasks.collage.scene import SPLITS, make_scene

seeds = st.integers(0, 10**6)


@cache
def many() -> tuple[Task, ...]:
    """The questions about 500 scenes, train wording."""
    rng = np.random.default_rng(5)
    return tuple(
        task
        for index in range(500)
        for task in ask(make_scene("train", index), phrasing="train", rng=rng)
    )


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SPLITS), seeds, st.sampled_from(PHRASINGS))
def test_every_answer_is_what_brute_force_finds(split: str, seed: int, phrasing: str) -> None:
    scene = make_scene(split, seed)
    for task in ask(
        scene, phrasing=phrasing, rng=np.random.default_rng(seed), families=FAMILIES * 3
    ):
        form = task.meta["form"]
        assert (answer(scene, form),) == task.answers, (task.question, form)
        assert form["op"] == task.family
        assert "{" not in task.question


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_choices_are_four_different_options_with_one_answer(seed: int) -> None:
    scene = make_scene("val", seed)
    for task in ask(
        scene, phrasing="test", rng=np.random.default_rng(seed), families=["choice"] * 6
    ):
        assert len(set(task.choices)) == 4
        assert task.answers[0] in task.choices
        others = [
            option for option in task.choices if option != task.answers[0] and option in CATEGORIES
        ]
        assert not any(confusable(option, task.answers[0]) for option in others)


def test_the_same_state_asks_the_same() -> None:
    scene = make_scene("test", 11)
    first, second = (ask(scene, phrasing="test", rng=np.random.default_rng(2)) for _ in range(2))
    assert first == second
    assert len({task.id for task in first}) == len(first)


@pytest.mark.parametrize("family", ["exists", "relation", "compare", "knowledge"])
def test_yes_and_no_come_equally_often(family: str) -> None:
    counts = Counter(
        task.answers[0] for task in many() if task.family == family and task.answer_type == "yesno"
    )
    assert abs(counts["yes"] - counts["no"]) < 3 * sum(counts.values()) ** 0.5, counts


def test_comparisons_do_not_give_their_answer_away() -> None:
    for cmp in ("more", "fewer", "same"):
        counts = Counter(
            t.answers[0] for t in many() if t.family == "compare" and t.meta["form"]["cmp"] == cmp
        )
        assert abs(counts["yes"] - counts["no"]) < 3 * sum(counts.values()) ** 0.5, (cmp, counts)


def test_counts_are_spread() -> None:
    counts = Counter(task.answers[0] for task in many() if task.family == "count")
    assert max(counts.values()) < 0.45 * sum(counts.values())
    assert counts["0"] < counts["1"]
    assert all(counts[str(n)] > 15 for n in range(5))


def test_every_family_is_asked_often() -> None:
    counts = Counter(task.family for task in many())
    assert set(counts) == set(FAMILIES)
    assert min(counts.values()) > 150


def test_negatives_come_in_three_kinds() -> None:
    kinds = Counter(
        task.meta.get("negative")
        for task in many()
        if task.family == "exists" and task.answers == ("no",)
    )
    assert set(kinds) == {"random", "popular", "adversarial"}


def test_the_two_sets_of_wordings_are_disjoint_and_wide() -> None:
    train, test = ({t for some in TEMPLATES[p].values() for t in some} for p in PHRASINGS)
    assert not train & test
    assert set(TEMPLATES["train"]) == set(TEMPLATES["test"])
    assert all(len(some) >= 6 for some in TEMPLATES["train"].values())
    assert all(len(some) >= 4 for some in TEMPLATES["test"].values())
    for key, some in TEMPLATES["train"].items():
        openings = {" ".join(t.split()[:3]) for t in some}
        assert not openings & {" ".join(t.split()[:3]) for t in TEMPLATES["test"][key]}, key


def test_each_wording_names_all_that_its_form_needs() -> None:
    needed = {"relation": ("the_a", "rel", "the_b"), "count_relation": ("many_a", "rel", "the_b")}
    for phrasing in PHRASINGS:
        for key, slots in needed.items():
            for template in TEMPLATES[phrasing][key]:
                assert set(slots) <= {
                    name for _, name, _, _ in Formatter().parse(template) if name
                }, template


def test_wrong_names_are_refused() -> None:
    scene, rng = make_scene("train", 0), np.random.default_rng(0)
    with pytest.raises(ValueError, match="no family is called 'colour'; expected one of count"):
        ask(scene, phrasing="train", rng=rng, families=["colour"])
    with pytest.raises(
        ValueError, match="no phrasing is called 'val'; expected one of train, test"
    ):
        ask(scene, phrasing="val", rng=rng)
    with pytest.raises(ValueError, match="no family is called 'depth'; expected one of name"):
        perceive(scene, rng=rng, families=["depth"])


def test_facts_are_consistent() -> None:
    for name, fact in FACTS.items():
        assert fact.yes
        assert not fact.yes & fact.unsure
        assert set(fact.among) <= {"object", *KINDS}
        assert [has(name, c) for c in CATEGORIES].count(True) == len(fact.yes)


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_perception_answers_point_at_the_objects(seed: int) -> None:
    scene = make_scene("train", seed)
    name, locate, listed, at, exists = perceive(scene, rng=np.random.default_rng(seed))
    assert name.answers[0].split(", ") == [thing.category for thing in left_to_right(scene)]
    centres = [thing.box.center[0] for thing in left_to_right(scene)]
    assert centres == sorted(centres)
    for entry, thing in zip(listed.answers[0].split(", "), left_to_right(scene), strict=True):
        word, cells = entry.rsplit(" ", 4)[0], [int(v) for v in entry.rsplit(" ", 4)[1:]]
        assert word == thing.category
        assert iou(from_grid(cells, 640, 480), thing.box) > 0.95
    boxes = [
        from_grid([int(v) for v in text.split()], 640, 480)
        for text in locate.answers[0].split(", ")
    ]
    assert all(any(iou(box, thing.box) > 0.95 for thing in scene.objects) for box in boxes)
    assert at.answers[0] in scene.categories
    assert exists.answers[0] in ("yes", "no")
    assert all(
        task.question and "{" not in task.question for task in (name, locate, listed, at, exists)
    )


def test_perception_has_several_wordings() -> None:
    assert all(len(set(some)) >= 3 for some in WORDINGS.values())
