"""The losses of the objectives, in float64, against numbers by hand or a few independent lines."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import torch
from lesson_outputs import WIDTH, WORDS, alone, alone_targets, quiet, ready, some, survey_batch
from torch import Tensor

from workbench import registry
from workbench.catalogue import recipes
from workbench.errors import InputError, ProfileError
from workbench.recipes.maths import bank_contrast
from workbench.recipes.objective.aux_embed import AuxEmbed, standardised
from workbench.recipes.objective.dual_head import DualHead, mixture
from workbench.recipes.objective.lelp import Lelp, plane
from workbench.recipes.objective.switch_kd import SwitchKd, dbild, knee
from workbench.recipes.teaching import LANGUAGE, Outputs, Shapes, Targets
from workbench.records import Lesson

CARDS = {
    one.card.name: one.card
    for one in recipes()
    if one.card.port == "objective" and hasattr(registry.load("objective", one.card.name), "needs")
}
"""Of every registered method that is a loss."""
NAMES = sorted(CARDS)
WIDE = ("concept_retention",)
"""Objectives for teachers of the student's own width alone."""


# what holds of every objective


def teacher_width(name: str) -> int:
    """Another than the student's where the method allows it."""
    return WIDTH if name in WIDE or "teacher" not in CARDS[name].needs else 8


OF_TEACHER = {"masked_feature": 0}
"""Layers that an objective reads of its teacher alone."""


@pytest.mark.parametrize("name", NAMES)
def test_terms_have_one_value_a_lesson_and_reach_the_student_alone(name: str) -> None:
    width = teacher_width(name)
    objective = ready(name, width)
    student, targets = some(places=4)
    teacher = quiet(some(seed=5, width=width, places=4)[0])
    targets = replace(targets, tokens=teacher.logits.argmax(-1))
    terms = objective(student, teacher, targets)
    assert set(terms) == set(objective.terms)
    assert {value.shape for value in terms.values()} == {(3,)}
    sum(value.sum() for value in terms.values()).backward()
    for tensor in (
        student.logits,
        *(student.hidden[layer] for layer in objective.layers if layer != OF_TEACHER.get(name)),
    ):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_lessons_and_padding_change_nothing(name: str) -> None:
    objective = ready(name)
    student, targets = some(places=4)
    teacher = quiet(some(seed=5, places=4)[0])
    whole = objective(student, teacher, targets)
    back = [4, 5, 2, 3, 0, 1]

    def turned(outputs: Outputs) -> Outputs:
        """The lessons the other way round, and two more positions of padding."""
        pad = torch.nn.functional.pad
        places = outputs.places[back].clone()
        places[:, 0] = 2 - places[:, 0]
        return replace(
            outputs,
            logits=outputs.logits[back],
            places=places,
            mask=pad(outputs.mask.flip(0), (0, 2)),
            image=pad(outputs.image.flip(0), (0, 2)),
            views=tuple(turned(one) for one in outputs.views),
            hidden={
                at: pad(x.flip(0), (0, 0, 0, 2), value=9.0) for at, x in outputs.hidden.items()
            },
        )

    other = replace(
        targets,
        tokens=targets.tokens[back],
        owners=2 - targets.owners[back],
        lessons=targets.lessons[::-1],
        images=targets.images[::-1],
        by_person=targets.by_person.flip(0),
        auxiliary=targets.auxiliary.flip(0),  # type: ignore[union-attr]
    )
    for term, value in objective(turned(student), turned(teacher), other).items():
        torch.testing.assert_close(value.flip(0), whole[term])


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_has_the_same_terms_in_a_batch_of_its_own(name: str) -> None:
    """So that a step does not change with the micro-batches and processes it is divided among."""
    objective = ready(name)
    student, targets = some(places=4)
    teacher = quiet(some(seed=5, places=4)[0])
    fewer = student.image.clone()
    fewer[1, 2:] = False
    views = tuple(replace(one, image=fewer) for one in student.views)
    student = replace(student, image=fewer, views=views)
    teacher = replace(teacher, image=fewer)
    whole = objective(student, teacher, targets)
    for number in range(3):
        terms = objective(
            alone(student, number), alone(teacher, number), alone_targets(targets, number)
        )
        for term, value in terms.items():
            torch.testing.assert_close(value[0], whole[term][number])


WEIGHTS: dict[str, tuple[str, ...]] = {
    "token_graph": ("logit", "inner", "local", "around"),
    "coop_mask": ("weight", "apart"),
    "vl_align_topk": ("words", "feature"),
    "multi_granularity": ("pseudo", "whole", "parts"),
    "reward_augmented": ("weight", "right", "sure"),
    "aspect_bce": ("alpha",),
    "masked_feature": ("weight", "rebuild"),
    "mutual_dml": ("weight", "beside"),
    "peer_selective": ("weight", "beside"),
}
"""The arguments that are weights, where it is not `weight` alone."""


@pytest.mark.parametrize("name", NAMES)
def test_a_weight_of_0_leaves_plain_cross_entropy(name: str) -> None:
    weights = dict.fromkeys(WEIGHTS.get(name, ("weight",)), 0)
    terms = registry.build("objective", name, **weights).terms
    assert {term: what.weight for term, what in terms.items() if what.weight} == {LANGUAGE: 1}


NOTHING_LEFT = {
    "anchor_kl": ("anchor",),
    "concept_retention": ("retain",),
    "masked_feature": ("visible",),
    "delta_consistency": ("delta",),
    "local_graph_reweight": ("local",),
    "multi_granularity": ("whole", "parts"),
    "multilayer_repr": ("distance",),
    "mutual_dml": ("mutual",),
    "nst_mmd": ("nst",),
    "peer_selective": ("selective",),
    "reward_augmented": ("distil",),
    "similarity_map": ("map",),
    "switch_kd": ("dbild",),
    "token_graph": ("logit", "inner", "local"),
    "vl_align_topk": ("words", "feature"),
}
"""Terms that are 0 where the student is the teacher; layers in between begin as the identity."""


@pytest.mark.parametrize("name", sorted(NOTHING_LEFT))
def test_a_student_that_is_its_teacher_has_nothing_to_learn(name: str) -> None:
    objective = ready(name)
    student, targets = some(places=4)
    targets = replace(targets, tokens=student.logits.argmax(-1))
    same = objective(student, quiet(student), targets)
    other = objective(student, quiet(some(seed=5, places=4)[0]), targets)
    for term in NOTHING_LEFT[name]:
        assert same[term].abs().max().item() == pytest.approx(0, abs=1e-9)
        if name != "vl_align_topk":  # which leaves out what the other teacher would answer
            assert (other[term] > 1e-6).all()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "image" in registry.load("objective", name).needs
             and "teacher" in CARDS[name].needs and name not in ("prototype_kd", "match_then_align")],
)  # fmt: skip
def test_a_teacher_that_sees_other_places_is_refused_in_words(name: str) -> None:
    student, targets = some(places=4)
    with pytest.raises(InputError, match="sees 4 places of a picture and the teacher 3"):
        ready(name)(student, quiet(some(seed=5, places=3)[0]), targets)


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "teacher" in CARDS[name].needs
             and hasattr(registry.load("objective", name), "build")
             and name not in ("dual_head", "lelp", "prototype_kd")],
)  # fmt: skip
def test_a_teacher_that_is_not_one_model_is_refused_in_words(name: str) -> None:
    with pytest.raises(ProfileError, match=f"{name} makes a layer between .* 'checkpoint'"):
        ready(name, 0)


def test_language_is_the_mean_cross_entropy_of_the_own_tokens() -> None:
    student, targets = some()
    by_hand = []
    for lesson in range(3):
        nats = [
            -math.log(student.logits[at].softmax(-1)[targets.tokens[at]].item())
            for at in (2 * lesson, 2 * lesson + 1)
        ]
        by_hand.append(sum(nats) / 2)
    terms = registry.build("objective", "switch_kd")(student, quiet(student), targets)
    assert terms[LANGUAGE].tolist() == pytest.approx(by_hand, abs=1e-12)


# switch_kd


def by_pairs(
    t: list[float], s: list[float], lead: list[float], temperature: float, k: int
) -> float:
    """One side of DBiLD in plain Python."""
    best = sorted(range(len(lead)), key=lambda at: -lead[at])[:k]
    pairs = list(combinations(best, 2))

    def shares(z: list[float]) -> list[float]:
        powers = [math.exp((z[i] - z[j]) / temperature) for i, j in pairs]
        return [power / sum(powers) for power in powers]

    return sum(a * math.log(a / b) for a, b in zip(shares(s), shares(t)))


def test_the_knee_is_where_the_curve_leaves_the_line_most() -> None:
    # heights 1, .9, .1, .05, 0 against the line 1, .75, .5, .25, 0: farthest below at the third
    falling = torch.tensor([[10.0, 9.0, 1.0, 0.5, 0.0]], dtype=torch.float64)
    assert knee(falling).tolist() == [3]
    assert knee(torch.zeros(1, 5)).tolist() == [2], "logits that are all alike have no knee"


def test_dbild_is_the_reverse_divergence_of_differences_of_both_leaders() -> None:
    t, s = [10.0, 9.0, 1.0, 0.5, 0.0, -3.0], [4.0, 6.0, 5.5, -1.0, -1.5, -2.0]
    # the five highest of the student: 6, 5.5, 4, -1, -1.5; heights 1, .93, .73, .07, 0: knee at 4
    expected = by_pairs(t, s, t, 3.0, 3) + by_pairs(t, s, s, 3.0, 4)
    row = lambda values: torch.tensor([values], dtype=torch.float64)  # noqa: E731
    assert dbild(row(t), row(s), 3.0, 5).item() == pytest.approx(expected, abs=1e-6)
    assert dbild(row(t), row(t), 3.0, 5).item() == 0
    assert dbild(row(t), row([one + 7 for one in t]), 3.0, 5).item() == pytest.approx(0, abs=1e-12)


def test_the_switch_needs_no_student_logits_and_is_a_term_of_its_own() -> None:
    objective = SwitchKd(visual=0.5)
    student, targets = some()
    teacher = quiet(some(seed=5)[0])
    view = teacher.logits.clone().requires_grad_()
    same = objective(replace(student, switch=view), teacher, targets)
    assert same["switch"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert (objective.terms["switch"].weight, "switch" in objective.needs) == (0.5, True)
    assert "switch" not in SwitchKd().needs


# aux_embed


def test_distance_and_contrast_by_hand() -> None:
    own = torch.tensor([[3.0, 0.0]], dtype=torch.float64)
    bank = torch.tensor([[1.0, 2.0], [3.0, 0.0], [5.0, 4.0]], dtype=torch.float64)
    # mean (3, 2), spread sqrt(8/3) in both
    a, b = standardised(own, bank)
    spread = math.sqrt(8 / 3)
    assert a.tolist()[0] == pytest.approx([0, -2 / spread], abs=1e-12)
    guess = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    # cosines: own (0, -1): 1/sqrt 2; others (-1, 0): -1/sqrt 2, and (1, 1): 0; the equal one is out
    scale = torch.tensor(2.0, dtype=torch.float64)
    powers = [math.exp(2 * x) for x in (1 / math.sqrt(2), -1 / math.sqrt(2), 0.0)]
    expected = -math.log(powers[0] / sum(powers))
    same = torch.tensor([[False, True, False]])
    assert bank_contrast(guess, a, b, scale, same).item() == pytest.approx(expected, abs=1e-12)


def test_a_bank_that_holds_the_target_keeps_every_gradient_finite() -> None:
    guess, own = (torch.randn(2, 4, dtype=torch.float64) for _ in range(2))
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    guess.requires_grad_()
    bank = torch.cat([own, torch.randn(3, 4, dtype=torch.float64)])
    bank_contrast(guess, own, bank, scale, torch.cdist(own, bank) < 1e-6).sum().backward()
    assert scale.grad is not None
    assert torch.isfinite(scale.grad)
    assert torch.isfinite(guess.grad).all()  # type: ignore[arg-type]


def test_the_head_reads_the_mean_state_of_the_picture() -> None:
    objective = ready("aux_embed")
    student, targets = some()
    before = objective(student, None, targets)
    states = student.hidden[-1].detach().clone()
    states[:, 2:] = 100.0  # behind the picture
    after = objective(replace(student, hidden={-1: states}), None, targets)
    torch.testing.assert_close(after["distance"], before["distance"])
    states[:, 0, 0] += 1.0
    moved = objective(replace(student, hidden={-1: states}), None, targets)
    assert (moved["contrast"] - before["contrast"]).abs().min() > 1e-6


def test_a_guess_that_is_the_target_has_distance_0() -> None:
    objective = AuxEmbed()
    objective.build(Shapes(WIDTH, torch.zeros(WORDS, WIDTH), 0, 4)).double()
    bank = some()[1].bank
    assert bank is not None
    student, targets = some(auxiliary=bank.mean(0).expand(3, 4))
    torch.nn.init.zeros_(objective.heads[0][1].weight)
    torch.nn.init.zeros_(objective.heads[0][1].bias)
    assert objective(student, None, targets)["distance"].tolist() == [0, 0, 0]


# dual_head


def test_only_accepted_rows_teach_the_first_head() -> None:
    objective = ready("dual_head")
    student, targets = some()
    terms = objective(student, quiet(some(seed=5)[0]), targets)
    assert terms[LANGUAGE][1] == 0
    assert (terms[LANGUAGE][[0, 2]] > 0).all()
    assert (terms["second"] > 0).all()


def test_the_second_head_is_drawn_to_the_teacher_by_t_squared_kl() -> None:
    objective = DualHead(temperature=2.0)
    head = torch.randn(
        WORDS, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(3)
    )
    objective.build(Shapes(WIDTH, head, 1)).double()
    student, targets = some()
    teacher = quiet(some(seed=5)[0])
    expected = []
    for lesson in range(3):
        total = 0.0
        for at in (2 * lesson, 2 * lesson + 1):
            state = student.hidden[-1][lesson, 2 + at % 2]
            t, s = ((z / 2).softmax(-1) for z in (teacher.logits[at], head @ state))
            total += float((t * (t / s).log()).sum().detach())
        expected.append(4 * total / 2)
    terms = objective(student, teacher, targets)
    assert terms["second"].tolist() == pytest.approx(expected, abs=1e-9)


def test_the_mixture_is_one_of_probabilities() -> None:
    first, second = (torch.randn(4, WORDS, dtype=torch.float64) for _ in range(2))
    mix = mixture(first, second, 0.25, 2.0)
    assert mix.sum(-1).tolist() == pytest.approx([1] * 4, abs=1e-12)
    torch.testing.assert_close(mixture(first, second, 1.0, 2.0), first.softmax(-1))
    by_hand = 0.25 * first[0].softmax(-1)[3] + 0.75 * (second[0] / 2).softmax(-1)[3]
    assert float(mix[0, 3]) == pytest.approx(float(by_hand), abs=1e-12)


def test_a_snapshot_that_nobody_accepted_is_refused() -> None:
    with pytest.raises(ProfileError, match="accept some in Curate, or set accepted = 'all'"):
        DualHead().build(Shapes(WIDTH, torch.zeros(WORDS, WIDTH), 0))
    assert DualHead(accepted="all").build(Shapes(WIDTH, torch.zeros(WORDS, WIDTH), 0))


# lelp


def test_subclasses_of_an_answer_add_up_to_the_teachers_share() -> None:
    objective = ready("lelp")
    assert isinstance(objective, Lelp)
    teacher, targets = survey_batch(9)
    first = targets.first()
    shares = objective.shares(teacher.logits[first], teacher.states(-1)[first])
    own = teacher.logits[first][:, [7, 3]].softmax(-1)  # no, yes: in the order of the alphabet
    torch.testing.assert_close(shares.reshape(4, 2, 4).sum(-1), own)
    assert shares.std() > 1e-3


def test_directions_of_a_class_are_turned_principal_ones_of_mean_square_1() -> None:
    dice = torch.Generator().manual_seed(2)
    cloud = torch.randn(40, WIDTH, generator=dice, dtype=torch.float64) * torch.tensor(
        [9.0, 3.0, 1.0, 0.5, 0.1, 0.1], dtype=torch.float64
    )
    mean, directions = plane(cloud, 2, 0)
    torch.testing.assert_close(mean, cloud.mean(0))
    projections = (cloud - mean) @ directions
    assert float(projections.square().mean()) == pytest.approx(1, abs=1e-12)
    # the plane is that of the two largest eigenvectors of the covariance
    _, vectors = torch.linalg.eigh(torch.cov(cloud.T))
    highest = vectors[:, -2:]
    torch.testing.assert_close(highest @ highest.T @ directions, directions, atol=1e-9, rtol=0)


def test_what_the_answers_show_is_taken_out_of_the_embedding() -> None:
    objective = ready("lelp")
    assert isinstance(objective, Lelp)
    head = torch.randn(
        WORDS, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(8)
    )
    objective.survey([survey_batch(seed) for seed in range(6)], head)
    teacher, targets = survey_batch(9)
    first = targets.first()
    before = objective.shares(teacher.logits[first], teacher.states(-1)[first])
    moved = objective.shares(teacher.logits[first], teacher.states(-1)[first] + 5 * head[3])
    torch.testing.assert_close(moved, before)


def test_a_head_that_says_what_the_teacher_says_has_no_loss() -> None:
    objective = ready("lelp")
    assert isinstance(objective, Lelp)
    student, targets = some(1)
    teacher = quiet(student)
    first = targets.first()
    shares = objective.shares(teacher.logits[first], teacher.states(-1)[first])
    torch.nn.init.zeros_(objective.head.weight)
    objective.head.bias.data = shares[0].log()
    targets = replace(targets, lessons=[Lesson("label", "?", "yes")])
    assert objective(student, teacher, targets)["subclasses"].item() == pytest.approx(0, abs=1e-12)
    other = replace(targets, lessons=[Lesson("label", "?", "perhaps")])
    objective.head.bias.data += torch.arange(8)
    assert objective(student, teacher, targets)["subclasses"].item() > 0.1
    assert objective(student, teacher, other)["subclasses"].item() == 0, "no class of the survey"


def test_open_answers_are_refused() -> None:
    def batch(answers: list[str], tokens: Tensor) -> tuple[Outputs, Targets]:
        outputs, targets = some(len(answers))
        lessons = [Lesson("label", "?", answer) for answer in answers]
        return quiet(outputs), replace(targets, lessons=lessons, tokens=tokens)

    head = torch.zeros(WORDS, WIDTH)
    with pytest.raises(InputError, match="2 to 16 answers, and the snapshot has 1"):
        Lelp().survey([batch(["yes"], torch.tensor([1, 2]))], head)
    with pytest.raises(InputError, match="begin with the same one"):
        Lelp().survey([batch(["yes", "yesterday"], torch.tensor([1, 2, 1, 2]))], head)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("switch_kd", {"temperature": 0}, "a temperature above 0"),
        ("aux_embed", {"layers": []}, "layers must be whole numbers"),
        ("aux_embed", {"layers": ["last"]}, "layers must be whole numbers"),
        ("dual_head", {"weight": 2}, "a weight from 0 to 1"),
        ("dual_head", {"accepted": "some"}, "accepted = 'person' or 'all'"),
        ("lelp", {"subclasses": 1}, "subclasses from 2"),
        ("lelp", {"clusters": 1}, "does not take"),
    ],
)
def test_wrong_arguments_are_told(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ProfileError, match=text):
        registry.build("objective", name, **arguments)
