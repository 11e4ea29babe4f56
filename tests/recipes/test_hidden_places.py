"""Objectives that hide places of the picture, or teach in stages: their numbers by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lesson_outputs import WIDTH, ready, some, survey_batch
from torch import Tensor

from workbench import registry
from workbench.errors import InputError, ProfileError
from workbench.recipes.features import hidden_places, place_mask
from workbench.recipes.objective.crop_bag import CropBag, crop_of
from workbench.recipes.objective.masked_feature import MaskedFeature
from workbench.recipes.objective.match_then_align import MatchThenAlign, recalls
from workbench.recipes.teaching import HasStages, HidesPlaces, Outputs


def shares(logits: Tensor) -> list[float]:
    powers = [math.exp(one) for one in logits.tolist()]
    return [one / sum(powers) for one in powers]


# masked_feature


def test_states_that_stay_and_places_that_are_hidden_by_hand() -> None:
    objective = ready("masked_feature", share=0.5)
    student, targets = some(places=4)
    teacher, _ = some(seed=5, places=4)
    terms = objective(student, teacher, targets)
    shut = hidden_places(targets, place_mask(student.image), 0.5)
    assert shut.sum(1).tolist() == [2, 2, 2]
    for lesson in range(3):
        near, missed = [], []
        for at in range(4):
            s, t = student.hidden[-1][lesson, at], teacher.hidden[-1][lesson, at]
            if shut[lesson, at]:
                missed.append(float((s - teacher.hidden[0][lesson, at]).square().mean()))
            else:
                near.append(float((s / s.norm() - t / t.norm()).abs().mean()))
        assert terms["visible"][lesson].item() == pytest.approx(sum(near) / 2, abs=1e-9)
        assert terms["rebuild"][lesson].item() == pytest.approx(sum(missed) / 2, abs=1e-9)


def test_what_the_look_hides_is_what_has_to_be_rebuilt() -> None:
    objective = MaskedFeature(share=0.75)
    assert isinstance(objective, HidesPlaces)
    student, targets = some(places=4)
    (shut,) = objective.hides(targets, place_mask(student.image))
    assert torch.equal(shut, hidden_places(targets, place_mask(student.image), 0.75))
    assert shut.sum(1).tolist() == [3, 3, 3]


# crop_bag


def test_a_crop_is_a_run_of_neighbours() -> None:
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3, [False] * 5])
    assert crop_of(mask, 3)[0].tolist() == [0, 0, 1, 1, 2]
    assert crop_of(mask, 3)[1, :2].tolist() == [0, 1], "a place each where there are fewer"
    whole, *crops = CropBag(crops=3).hides(some()[1], mask)
    assert not whole.any()
    shown = [(mask & ~one)[0].tolist() for one in crops]
    assert [sum(row) for row in zip(*shown)] == [1] * 5, "each place is in one crop"
    assert [(mask & ~one)[1].sum().item() for one in crops] == [1, 1, 0]


def bag_by_hand(student: Outputs, at: int, looks: list[int]) -> tuple[float, float]:
    p = shares(student.logits[at])
    own = [shares(student.views[look].logits[at]) for look in looks]
    q = [sum(column) / len(looks) for column in zip(*own)]
    apart = float(p.index(max(p)) != q.index(max(q)))
    return sum(a * math.log(a / b) for a, b in zip(p, q)), apart


def test_the_bag_is_the_mean_of_the_crops_that_there_are() -> None:
    student, targets = some(places=4)
    image = student.image.clone()
    image[1, 3:] = False  # three places, so that the fourth look shows nothing
    image[2, 1:] = False  # one place has no bag
    student = replace(student, image=image)
    terms = ready("crop_bag")(student, None, targets)
    for lesson, looks in ((0, [0, 1, 2, 3]), (1, [0, 1, 2])):
        pair = [bag_by_hand(student, at, looks) for at in (2 * lesson, 2 * lesson + 1)]
        bag, apart = (sum(column) / 2 for column in zip(*pair))
        assert terms["bag"][lesson].item() == pytest.approx(bag, abs=1e-9)
        assert terms["apart"][lesson].item() == apart
    assert (terms["bag"][2].item(), terms["apart"][2].item()) == (0, 0)
    terms["bag"].sum().backward()
    assert student.logits.grad is None, "the whole is what the bag is drawn to"
    views = [one.logits.grad for one in student.views]
    assert all(one is not None and torch.isfinite(one).all() for one in views)
    assert views[3][2:4].abs().sum() == 0  # type: ignore[index]


def test_crops_that_say_what_the_whole_says_have_no_loss() -> None:
    student, targets = some(places=4)
    same = replace(student, views=(student,) * 4)
    terms = ready("crop_bag")(same, None, targets)
    assert terms["bag"].tolist() == pytest.approx([0, 0, 0], abs=1e-9)
    assert terms["apart"].tolist() == [0, 0, 0]


# match_then_align


def contrast(x: Tensor, own: Tensor, others: list[Tensor], scale: float) -> float:
    def power(y: Tensor) -> float:
        return math.exp(scale * float(x @ y / x.norm() / y.norm()))

    return -math.log(power(own) / (power(own) + sum(map(power, others))))


def test_match_and_align_by_hand() -> None:
    objective = ready("match_then_align")
    assert isinstance(objective, MatchThenAlign)
    student, targets = some(images=["0", "new", "other"])
    teacher, _ = some(seed=5)
    bank = targets.bank
    assert bank is not None
    own = bank[:3].clone()
    own[1:] += 1.0
    targets = replace(targets, auxiliary=own)  # that of lesson 0 is in the bank
    terms = objective(student, teacher, targets)
    read, weight, shift = objective.maps["sentence"], *objective.maps["sentence"].parameters()
    surveyed = {}
    for outputs, seen in (survey_batch(seed) for seed in range(6)):
        for row, image in enumerate(seen.images):
            surveyed.setdefault(image, outputs.hidden[-1][row, :2].mean(0))
    for lesson, image in enumerate(targets.images):
        a = student.hidden[-1][lesson, :2].mean(0)
        b = weight @ own[lesson] + shift
        t = teacher.hidden[-1][lesson, :2].mean(0)
        u = teacher.hidden[-1][lesson, 2:4].mean(0)

        def smooth(x: Tensor, y: Tensor) -> float:
            gaps = [abs(one) for one in (x - y).tolist()]
            return sum(g * g / 2 if g < 1 else g - 0.5 for g in gaps) / len(gaps)

        assert terms["match"][lesson].item() == pytest.approx(smooth(a, t) + smooth(b, u), abs=1e-9)
        words = [read(one) for at, one in enumerate(bank) if lesson or at]
        pictures = [one for name, one in surveyed.items() if name != image]
        scale = 1 / 0.07
        both = contrast(a, b, words, scale) + contrast(b, a, pictures, scale)
        # the scale of the layers is a float32 number
        assert terms["align"][lesson].item() == pytest.approx(both / 2, rel=1e-6)


def test_the_second_stage_begins_behind_its_share_of_the_steps() -> None:
    objective = MatchThenAlign(weight=2.0, first=0.5)
    assert isinstance(objective, HasStages)
    weights = []
    for step in range(4):
        objective.begin(step, 4)
        weights.append([objective.terms[name].weight for name in ("match", "align")])
    assert weights == [[2, 0], [2, 0], [0, 2], [0, 2]]
    objective.begin(0, 4)
    assert objective.terms["match"].weight == 2, "a run that goes on says where it is"


def test_recalls_by_hand() -> None:
    queries = torch.eye(3)
    keys = torch.tensor([[1.0, 0, 0], [1.0, 0, 0.1], [0, 1.0, 0]])
    # the first finds its own; to the second the third is nearer, the third has nothing near
    assert recalls(queries, keys) == {"first": round(1 / 3, 4), "among_5": 1.0}


def test_encoders_are_left_with_what_they_find(tmp_path: Path) -> None:
    objective = MatchThenAlign()
    student, targets = some()
    weights = {
        "picture.weight": torch.eye(WIDTH),
        "sentence.weight": torch.randn(WIDTH, 4),
        "sentence.bias": torch.zeros(WIDTH),
    }
    objective.leave(weights, tmp_path, iter([(student, targets)]))
    told = json.loads((tmp_path / "aligned.json").read_text())
    assert told["of"] == 3
    assert told["picture_to_sentence"]["among_5"] == 1.0
    assert (tmp_path / "aligned.safetensors").stat().st_size > 4 * WIDTH * WIDTH
    objective.leave(weights, tmp_path, iter(()))
    assert json.loads((tmp_path / "aligned.json").read_text()) == {"of": 0}


def test_a_snapshot_of_one_picture_is_refused() -> None:
    outputs, targets = survey_batch(0)
    one = replace(targets, images=["0"] * 4)
    with pytest.raises(InputError, match="tells pictures from one another, and the snapshot has 1"):
        MatchThenAlign().survey([(outputs, one)], torch.zeros(1))


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("masked_feature", {"share": 1}, "a share above 0 and below 1"),
        ("masked_feature", {"layer": "last"}, "layers as whole numbers"),
        ("crop_bag", {"crops": 1}, "crops as a whole number from 2 on"),
        ("crop_bag", {"temperature": 0}, "temperature as a number above 0"),
        ("match_then_align", {"first": 2}, "first from 0 to 1"),
    ],
)
def test_wrong_arguments_are_told(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ProfileError, match=text):
        registry.build("objective", name, **arguments)
