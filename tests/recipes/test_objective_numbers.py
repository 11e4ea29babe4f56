"""The losses of grades B and C, in float64, against numbers by hand or a few independent lines."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from lesson_outputs import WIDTH, WORDS, quiet, ready, some
from torch import Tensor, nn

from workbench import registry
from workbench.errors import InputError, ProfileError
from workbench.recipes.features import hidden_places, neighbours, states_of_places
from workbench.recipes.objective.coop_mask import CoopMask, overlap, within
from workbench.recipes.objective.delta_consistency import delta
from workbench.recipes.objective.local_graph_reweight import LocalGraphReweight, importance
from workbench.recipes.objective.masked_graph import MaskedGraph
from workbench.recipes.objective.multilayer_repr import MultilayerRepr
from workbench.recipes.objective.nst_mmd import discrepancy
from workbench.recipes.objective.prototype_kd import PrototypeKd, centres
from workbench.recipes.objective.query_soft import QuerySoft
from workbench.recipes.teaching import LANGUAGE, Outputs, Shapes
from workbench.records import Lesson


def pair(width: int = WIDTH, **more: Any) -> tuple[Outputs, Outputs, Any]:
    """Student, teacher of another seed, and targets."""
    student, targets = some(places=4, **more)
    return student, quiet(some(seed=5, width=width, places=4)[0]), targets


def shares(logits: list[float]) -> list[float]:
    powers = [math.exp(one) for one in logits]
    return [one / sum(powers) for one in powers]


def divergence(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q))


def cosine(x: Tensor, y: Tensor) -> float:
    return float(x @ y / x.norm() / y.norm())


def lesson_mean(values: list[float]) -> list[float]:
    """Of two target tokens each."""
    return [(values[at] + values[at + 1]) / 2 for at in range(0, len(values), 2)]


# what they share


def test_places_stand_side_by_side_whatever_the_row_has_in_between() -> None:
    outputs, _ = some(1)
    states = torch.arange(5.0).double().reshape(1, 5, 1).expand(1, 5, 2)
    image = torch.tensor([[False, True, False, True, False]])
    own, mask = states_of_places(replace(outputs, image=image, hidden={-1: states}), -1)
    assert own[0, :, 0].tolist() == [1, 3]
    assert mask.tolist() == [[True, True]]
    none, mask = states_of_places(replace(outputs, image=image & False, hidden={-1: states}), -1)
    assert (none.abs().sum().item(), mask.any().item()) == (0, False)


def test_neighbours_are_the_nearest_and_never_the_place_itself() -> None:
    states = torch.tensor([[[0.0], [1.0], [3.0], [7.0]]], dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False]])
    near = neighbours(states, mask, 1)[0].int().tolist()
    assert near == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert neighbours(states, mask, 9)[0].sum(1).tolist() == [2, 2, 2, 0]


def test_hidden_places_are_a_share_and_the_same_in_every_order() -> None:
    _, targets = some(3)
    mask = torch.ones(3, 8, dtype=torch.bool)
    mask[2, 1:] = False
    shut = hidden_places(targets, mask, 0.5)
    assert shut.sum(1).tolist() == [4, 4, 1]
    turned = replace(targets, lessons=targets.lessons[::-1], images=targets.images[::-1])
    assert torch.equal(hidden_places(turned, mask.flip(0), 0.5).flip(0), shut)


# logits alone


def test_the_anchor_is_t_squared_kl_from_the_teacher() -> None:
    student, teacher, targets = pair()
    each = [
        4 * divergence(shares((t / 2).tolist()), shares((s / 2).tolist()))
        for t, s in zip(teacher.logits, student.logits)
    ]
    terms = ready("anchor_kl", temperature=2.0)(student, teacher, targets)
    assert terms["anchor"].tolist() == pytest.approx(lesson_mean(each), abs=1e-9)
    speaks = torch.tensor([True, False, True, True, False, False])
    terms = ready("anchor_kl", temperature=2.0)(student, replace(teacher, speaks=speaks), targets)
    assert terms["anchor"].tolist() == pytest.approx([each[0], (each[2] + each[3]) / 2, 0])


def test_delta_by_hand() -> None:
    t = torch.tensor([[5.0, 1.0, 0.0], [1.0, 6.0, 0.0]], dtype=torch.float64)
    s = torch.tensor([[2.0, 2.0, 9.0], [2.0, 3.0, -9.0]], dtype=torch.float64)
    # the likeliest words are 0 and 1; changes (-4, 5) and (0, 1), less their means (-4.5, 4.5)
    # and (-.5, .5): apart by 4 and 4
    assert delta(s, t, 1).item() == pytest.approx(4, abs=1e-12)
    assert delta(s + 3, t, 1).item() == pytest.approx(4, abs=1e-12), "one number more for all words"
    assert delta(s[:1], t[:1], 1).item() == 0


def test_rewards_are_the_chance_of_the_whole_target_and_the_entropy() -> None:
    student, teacher, targets = pair()
    terms = ready("reward_augmented", temperature=2.0)(student, teacher, targets)
    own = [shares(row.tolist()) for row in student.logits]
    chances = [one[int(token)] for one, token in zip(own, targets.tokens)]
    assert terms["wrong"].tolist() == pytest.approx(
        [1 - chances[at] * chances[at + 1] for at in (0, 2, 4)], abs=1e-12
    )
    entropies = [-sum(p * math.log(p) for p in one) / math.log(WORDS) for one in own]
    assert terms["unsure"].tolist() == pytest.approx(lesson_mean(entropies), abs=1e-12)
    softer = [
        4 * divergence(shares((t / 2).tolist()), shares((s / 2).tolist()))
        for t, s in zip(teacher.logits, student.logits)
    ]
    assert terms["distil"].tolist() == pytest.approx(lesson_mean(softer), abs=1e-9)


# relations and maps of the picture's places


def test_the_discrepancy_of_neurons_by_loops() -> None:
    student, teacher, targets = pair(width=8)
    expected = []
    for row in range(3):
        clouds = []
        for states in (student.hidden[-1][row, :4], teacher.hidden[-1][row, :4]):
            clouds.append([one / one.norm() for one in states.T])

        def kernel(xs: list[Tensor], ys: list[Tensor]) -> float:
            return float(sum((x @ y) ** 2 for x in xs for y in ys)) / len(xs) / len(ys)

        s, t = clouds
        expected.append(kernel(s, s) - 2 * kernel(s, t) + kernel(t, t))
    terms = ready("nst_mmd", 8)(student, teacher, targets)
    assert terms["nst"].tolist() == pytest.approx(expected, abs=1e-12)
    turned = teacher.hidden[-1][:, :4].flip(-1)
    assert discrepancy(turned, teacher.hidden[-1][:, :4]).abs().max().item() < 1e-12


def test_a_similarity_map_leaves_the_place_itself_out() -> None:
    student, teacher, targets = pair(width=8)
    expected = []
    for row in range(3):
        total = 0.0
        for i in range(4):
            maps = [
                shares([cosine(x[row, i], x[row, j]) / 0.1 for j in range(4) if j != i])
                for x in (teacher.hidden[-1], student.hidden[-1])
            ]
            total += divergence(*maps)
        expected.append(total / 4)
    terms = ready("similarity_map", 8, temperature=0.1)(student, teacher, targets)
    assert terms["map"].tolist() == pytest.approx(expected, abs=1e-9)


def test_retention_is_the_mean_distance_of_the_pictures_places() -> None:
    student, teacher, targets = pair()
    expected = (student.hidden[-1][:, :4] - teacher.hidden[-1][:, :4]).abs().mean((1, 2))
    terms = ready("concept_retention")(student, teacher, targets)
    torch.testing.assert_close(terms["retain"], expected)
    with pytest.raises(InputError, match="teacher's states have 8 numbers, the student's 6"):
        ready("concept_retention")(student, quiet(some(seed=5, width=8, places=4)[0]), targets)


def test_the_token_graph_by_loops() -> None:
    student, teacher, targets = pair()
    objective = ready("token_graph", near=2, sigma=0.5, tau=0.2)
    terms = objective(student, teacher, targets)
    inner, local, around = [], [], []
    for row in range(3):
        s, t = student.hidden[-1][row, :4], teacher.hidden[-1][row, :4]
        softs = [[shares([float(x[i] @ x[j]) / math.sqrt(WIDTH) for j in range(4)])
                  for i in range(4)] for x in (s, t)]  # fmt: skip
        inner.append(
            sum((softs[0][i][j] - softs[1][i][j]) ** 2 for i in range(4) for j in range(4)) / 16
        )
        graphs = []
        for x in (s, t):
            unit = x / x.norm(dim=1, keepdim=True)
            apart = [
                [float((unit[i] - unit[j]).square().sum()) for j in range(4)] for i in range(4)
            ]
            near = [sorted((j for j in range(4) if j != i), key=lambda j: apart[i][j])[:2]
                    for i in range(4)]  # fmt: skip
            graphs.append([shares([math.exp(-apart[i][j]) if j in near[i] else 0.0
                                   for j in range(4)]) for i in range(4)])  # fmt: skip
        local.append(sum(divergence(graphs[0][i], graphs[1][i]) for i in range(4)) / 4)
        around.append(
            sum(-math.log(shares([cosine(s[i], t[j]) / 0.2 for j in range(4)])[i])
                for i in range(4)) / 4
        )  # fmt: skip
    assert terms["inner"].tolist() == pytest.approx(inner, abs=1e-9)
    assert terms["local"].tolist() == pytest.approx(local, abs=1e-9)
    assert terms["global"].tolist() == pytest.approx(around, abs=1e-9)


def test_distances_within_masks_and_their_overlap_by_hand() -> None:
    masks = torch.tensor([[[1.0, 0.0], [0.5, 0.5]]], dtype=torch.float64)
    apart = torch.tensor([[4.0, 8.0]], dtype=torch.float64)
    # 1 * 1 * 4 / 1 = 4, and (.125 * 4 + .125 * 8) / 1 = 1.5
    assert within(apart, masks).item() == pytest.approx(2.75)
    # products: own 1 and .5, together .5: 2 * .5 / 1.5
    assert overlap(masks).item() == pytest.approx(2 / 3)
    assert overlap(masks[:, [0, 0]]).item() == pytest.approx(1)
    assert overlap(torch.eye(2, dtype=torch.float64)[None]).item() == 0


def test_masks_come_of_student_and_teacher_together() -> None:
    student, teacher, targets = pair(width=8)
    objective = ready("coop_mask", 8, masks=3)
    assert isinstance(objective, CoopMask)
    maps = {name: module.weight for name, module in objective.maps.items()}
    terms = objective(student, teacher, targets)
    s, t = student.hidden[-1][0, :4], teacher.hidden[-1][0, :4]
    scores = (t @ maps["query"].T) @ (s @ maps["key"].T).T / math.sqrt(4)
    fusion = scores.softmax(-1) @ (s @ maps["value"].T)
    by_place = (fusion @ maps["places"].T).sigmoid().T
    by_number = (fusion.mean(0)[None] * maps["numbers"]).sigmoid()
    apart = (t - objective.maps["align"](s)) ** 2
    places = sum((m * m * m * apart.mean(1)).sum() / m.sum() for m in by_place) / 3
    numbers = sum((m * m * m * apart.mean(0)).sum() / m.sum() for m in by_number) / 3
    assert float(terms["places"][0].detach()) == pytest.approx(float(places.detach()), abs=1e-9)
    assert float(terms["numbers"][0].detach()) == pytest.approx(float(numbers.detach()), abs=1e-9)


def test_the_student_looks_its_own_values_up() -> None:
    student, teacher, targets = pair(width=8)
    objective = ready("query_soft", 8, share=0.5)
    assert isinstance(objective, QuerySoft)
    terms = objective(student, teacher, targets)
    query, value = objective.maps["query"], objective.maps["value"]
    s, t = student.hidden[-1][1, :4], teacher.hidden[-1][1, :4]
    whole = 0.0
    for i in range(4):
        weights = shares([float(query(s[i]) @ t[j]) for j in range(4)])
        told = sum(weight * value(s[j]) for weight, j in zip(weights, range(4)))
        whole += float((told - t[i]).square().mean()) / 4
    assert float(terms["whole"][1]) == pytest.approx(whole, abs=1e-9)
    # one place alone has all the weight: Q of the mean is the value of the mean
    mean = float((value(s.mean(0)) - t.mean(0)).square().mean())
    assert float(terms["mean"][1]) == pytest.approx(mean, abs=1e-9)
    assert (terms["hidden"] - terms["whole"]).abs().min() > 1e-6
    with pytest.raises(ProfileError, match="a share below 1"):
        QuerySoft(share=1.0)


def test_the_likeliest_words_count_where_the_teacher_agrees() -> None:
    student, teacher, targets = pair()
    objective = ready("vl_align_topk", most=2, temperature=2.0)
    right = teacher.logits.argmax(-1)
    tokens = right.clone()
    tokens[2] = (tokens[2] + 1) % WORDS  # the teacher would begin the second lesson otherwise
    terms = objective(student, teacher, replace(targets, tokens=tokens))
    each = []
    for t, s in zip(teacher.logits, student.logits):
        best = sorted(range(WORDS), key=lambda at: -float(t[at]))[:2]
        each.append(divergence(*(shares([float(z[at]) / 2 for at in best]) for z in (t, s))))
    expected = lesson_mean(each)
    assert terms["words"].tolist() == pytest.approx([expected[0], 0, expected[2]], abs=1e-9)
    means = [x.hidden[-1][:, :4].mean(1) for x in (student, teacher)]
    apart = [2 - 2 * cosine(means[0][row], means[1][row]) for row in (0, 2)]
    assert terms["feature"].tolist() == pytest.approx([apart[0], 0, apart[1]], abs=1e-9)


def test_granularities_by_hand() -> None:
    student, teacher, targets = pair()
    terms = ready("multi_granularity")(student, teacher, targets)
    assert terms[LANGUAGE][1] == 0
    assert terms["pseudo"][[0, 2]].tolist() == [0, 0], "people accepted the first and the third"
    words = teacher.logits.argmax(-1)
    nats = [-math.log(shares(student.logits[at].tolist())[int(words[at])]) for at in (2, 3)]
    assert float(terms["pseudo"][1]) == pytest.approx(sum(nats) / 2, abs=1e-9)
    whole = (student.logits[2:4].mean(0) - teacher.logits[2:4].mean(0)).abs().sum()
    assert float(terms["whole"][1]) == pytest.approx(float(whole), abs=1e-9)
    s, t = (cosine(*x.hidden[-1][1, 4:6]) for x in (student, teacher))
    assert float(terms["parts"][1]) == pytest.approx(2 * (s - t) ** 2 / 4, abs=1e-9)
    everybody = ready("multi_granularity", accepted="all")(student, teacher, targets)
    assert everybody["pseudo"].tolist() == [0, 0, 0]
    assert (everybody[LANGUAGE] > 0).all()


def test_layers_are_matched_in_distance_and_direction() -> None:
    student, teacher, targets = pair(width=8)
    objective = ready("multilayer_repr", 8, layers=[0, -1])
    assert isinstance(objective, MultilayerRepr)
    terms = objective(student, teacher, targets)
    distance, direction = [0.0] * 6, [0.0] * 6
    for layer, to_teacher in zip((0, -1), objective.maps):
        for at in range(6):
            guess = to_teacher(student.hidden[layer][at // 2, 4 + at % 2])
            other = teacher.hidden[layer][at // 2, 4 + at % 2]
            distance[at] += float((guess - other).abs().mean())
            direction[at] += math.log(1 + math.exp(-cosine(guess, other)))
    assert terms["distance"].tolist() == pytest.approx(lesson_mean(distance), abs=1e-9)
    assert terms["direction"].tolist() == pytest.approx(lesson_mean(direction), abs=1e-9)


def test_a_hidden_place_is_rebuilt_from_those_that_stay() -> None:
    objective = ready("masked_graph", 8, near=2)
    assert isinstance(objective, MaskedGraph)
    teacher = torch.tensor([[[0.0], [1.0], [3.0], [9.0]]], dtype=torch.float64).repeat(1, 1, 8)
    mask = torch.ones(1, 4, dtype=torch.bool)
    shut = torch.tensor([[False, True, False, False]])
    near = objective.near_places(teacher, mask, shut)
    assert near[0].nonzero().tolist() == [[1, 0], [1, 2]]
    student = torch.randn(1, 4, WIDTH, dtype=torch.float64)
    view, score = objective.maps["view"], objective.maps["score"]
    middle = teacher[0, [0, 2]].mean(0)
    scores = [
        nn.functional.leaky_relu(score(torch.cat([middle, view(student[0, j])])), 0.2).item()
        for j in (0, 2)
    ]
    told = sum(w * view(student[0, j]) for w, j in zip(shares(scores), (0, 2)))
    torch.testing.assert_close(objective.rebuild(student, teacher, near)[0, 1], told)
    with pytest.raises(ProfileError, match="a share above 0 and below 1"):
        MaskedGraph(share=0.0)


def test_important_places_weigh_more_and_1_in_the_mean() -> None:
    teacher = torch.tensor([[[2.0], [4.0], [1.0], [8.0]]], dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False]])
    # the highest two of the row's own places are 4 and 2: shares 1 and .5 of the highest
    expected = [2 * one for one in shares([0.5 / 0.5, 1 / 0.5])]
    weights = importance(teacher, mask, 2, 0.5)[0].tolist()
    assert weights == pytest.approx([expected[0], expected[1], 0, 0], abs=1e-12)


def test_the_local_graph_by_loops() -> None:
    student, teacher, targets = pair(width=8)
    objective = ready("local_graph_reweight", 8, important=2, near=2, tau=0.5)
    assert isinstance(objective, LocalGraphReweight)
    terms = objective(student, teacher, targets)
    s, t = student.hidden[-1][0, :4], teacher.hidden[-1][0, :4]
    weights = importance(t[None], torch.ones(1, 4, dtype=torch.bool), 2, 0.5)[0]
    each = []
    for i in range(4):
        if not weights[i]:
            continue
        near = sorted((j for j in range(4) if j != i), key=lambda j: float((t[i] - t[j]).norm()))
        for j in near[:2]:
            guess = objective.pairs(torch.cat([s[j], s[i]]))
            each.append(float(weights[i] * (guess - torch.cat([t[j], t[i]])).square().mean()))
    assert float(terms["local"][0]) == pytest.approx(2 * sum(each) / len(each), abs=1e-9)


def test_latent_is_taught_on_labels_alone() -> None:
    student, teacher, targets = pair(width=8)
    lessons = [targets.lessons[0], Lesson("rationale", "?", "so"), targets.lessons[2]]
    objective = ready("latent_only", 8)
    terms = objective(student, teacher, replace(targets, lessons=lessons))
    assert (terms[LANGUAGE][1], terms["latent"][1]) == (0, 0)
    other = teacher.hidden[-1][0, 4]
    normal = (other - other.mean()) / (other.var(unbiased=False) + 1e-5).sqrt()
    guess = objective.view(student.hidden[-1][0, 4])  # type: ignore[attr-defined]
    assert float(guess.detach().mean()) == pytest.approx(0, abs=1e-9)
    expected = float((guess - normal).abs().mean())
    assert float(terms["latent"][0]) == pytest.approx(expected, abs=1e-9)


def test_prototypes_are_the_centres_of_the_teachers_places() -> None:
    points = torch.tensor([[0.0, 0], [0, 2], [10, 0], [10, 2], [10, 1]], dtype=torch.float64)
    both = centres(points, 2, 5)
    assert sorted(both.tolist()) == [[0, 1], [10, 1]]
    assert len(centres(points[:1].repeat(3, 1), 4, 5)) == 1, "as many as there are different ones"
    objective = PrototypeKd(prototypes=2)
    outputs, targets = some(2, places=0)
    with pytest.raises(InputError, match="it sees none in the snapshot's pictures"):
        objective.survey([(outputs, targets)], torch.zeros(WORDS, WIDTH))


def test_what_a_state_takes_from_the_prototypes() -> None:
    objective = ready("prototype_kd", 8, prototypes=3, width=4)
    assert isinstance(objective, PrototypeKd)
    student, teacher, targets = pair(width=8)
    terms = objective(student, teacher, targets)
    states = student.hidden[-1][0, 4:6]
    plain = states.relu() @ objective.maps["head"].weight.T
    nats = nn.functional.cross_entropy(plain, targets.tokens[:2])
    assert float(terms["augmented"][0]) == pytest.approx(float(nats), abs=1e-9), "W begins as 0"
    nn.init.normal_(objective.maps["add"].weight)
    own = objective.maps["state"](states[0])
    keys = [objective.maps["prototype"](one) for one in objective._centres]
    weights = shares([float(own @ key) for key in keys])
    take = sum(weight * key for weight, key in zip(weights, keys))
    out = (objective.maps["add"](torch.cat([own, take])) + states[0]).relu()  # type: ignore[list-item]
    torch.testing.assert_close(objective.augment(states)[0], out)


def test_aspects_are_taught_by_their_chances() -> None:
    objective = ready("aspect_bce")
    student, targets = some()
    terms = objective(student, None, targets)
    first = student.hidden[-1][0, 2]
    guess = objective.head(first).sigmoid().tolist()  # type: ignore[attr-defined]
    assert targets.auxiliary is not None
    nats = [
        -q * math.log(p) - (1 - q) * math.log(1 - p)
        for p, q in zip(guess, targets.auxiliary[0].tolist())
    ]
    assert float(terms["aspects"][0]) == pytest.approx(sum(nats) / 4, abs=1e-9)
    other = replace(targets, lessons=[Lesson("rationale", "?", "so")] * 3)
    assert objective(student, None, other)["aspects"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("anchor_kl", {"temperature": 0}, "temperature as a number above 0, found 0"),
        ("anchor_kl", {"weight": -1}, "weight as a number from 0 on, found -1"),
        ("anchor_kl", {"weight": "much"}, "found 'much'"),
        ("aspect_bce", {"aspects": " | "}, "one yes-or-no question or more"),
        ("concept_retention", {"layers": []}, "layers as whole numbers, at least one"),
        ("coop_mask", {"masks": 1}, "masks as a whole number from 2 on"),
        ("delta_consistency", {"most": 0}, "most as a whole number from 1 on"),
        ("latent_only", {"weight": math.nan}, "found nan"),
        ("local_graph_reweight", {"tau": 0.0}, "tau as a number above 0"),
        ("multi_granularity", {"accepted": "some"}, "accepted = 'person' or 'all'"),
        ("multilayer_repr", {"layers": "last"}, "found 'last'"),
        ("nst_mmd", {"layers": [True]}, "layers as whole numbers"),
        ("prototype_kd", {"prototypes": 0}, "prototypes as a whole number from 1 on"),
        ("similarity_map", {"temperature": -1}, "temperature as a number above 0"),
        ("token_graph", {"near": 0.5}, "near as a whole number from 1 on, found 0.5"),
        ("vl_align_topk", {"most": 1}, "most as a whole number from 2 on"),
    ],
)
def test_wrong_arguments_of_a_loss_are_told(
    name: str, arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(ProfileError, match=text):
        registry.build("objective", name, **arguments)


def test_the_shapes_of_a_teacher_of_many_models_are_told() -> None:
    with pytest.raises(ProfileError, match="take the teacher 'checkpoint'"):
        registry.build("objective", "query_soft").build(Shapes(WIDTH, torch.zeros(WORDS, WIDTH)))
