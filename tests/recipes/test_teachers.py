"""Teachers: what holds of every one, and their formulas against numbers by hand."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lesson_outputs import WORDS, alone_targets, some
from torch import Tensor

from workbench import registry
from workbench.catalogue import recipes
from workbench.errors import InputError, ProfileError
from workbench.images import ImageFolder
from workbench.recipes.mixtures import log_mixture
from workbench.recipes.teacher.analytic_teacher import AnalyticTeacher
from workbench.recipes.teacher.label_privileged import LabelPrivileged
from workbench.recipes.teacher.routed_teachers import balance
from workbench.recipes.teacher.ta_residual import residual
from workbench.recipes.teacher.task_experts import TaskExperts
from workbench.recipes.teaching import Classroom, FollowsStudent, Need, Outputs, Targets, Teacher
from workbench.records import Lesson, PartRef

NAMES = [one.card.name for one in recipes() if one.card.port == "teacher"]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "continual_pair": {"first": "a", "last": "b"},
    "ema_branch": {"path": "a"},
    "label_privileged": {"path": "a"},
    "routed_teachers": {"paths": ["a", "b"]},
    "ta_residual": {"path": "a", "via": "b"},
    "task_experts": {"count": "a", "yesno": "b"},
}


class Scripted:
    """A model whose logits follow from its path and the lesson alone."""

    gives: frozenset[Need] = frozenset({"logits"})

    def __init__(self, path: str) -> None:
        self.ref = PartRef("teacher", path)
        self.prompts: list[str] = []
        self.own = {"eyes.weight": torch.zeros(2, 3), "words.weight": torch.ones(4)}

    def enter(self, room: Classroom) -> None:
        pass

    def weights(self) -> dict[str, Tensor]:
        return self.own

    def write(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "written.txt").write_text(str(self.own["words.weight"].tolist()))

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        rows = []
        for number, lesson in enumerate(targets.lessons):
            self.prompts.append(lesson.prompt)
            words = f"{self.ref.name} {lesson.prompt} {targets.images[number]}"
            seed = int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big")
            count = int((targets.owners == number).sum())
            dice = torch.Generator().manual_seed(seed)
            rows.append(torch.randn(count, WORDS, generator=dice, dtype=torch.float64))
        blank = torch.zeros(len(targets.lessons), 1, dtype=torch.bool)
        places = torch.stack([targets.owners, torch.zeros_like(targets.owners)], 1)
        return Outputs(torch.cat(rows), places, ~blank, blank)


def room_of(folder: Path, **changes: Any) -> tuple[Classroom, dict[str, Scripted]]:
    models: dict[str, Scripted] = {}

    def checkpoint(path: str) -> Teacher:
        return models.setdefault(path, Scripted(path))

    room = Classroom(
        images=ImageFolder(folder),
        vocabulary={str(at): at for at in range(WORDS)},
        words=WORDS,
        # a digit is its own token, 11 is the end
        tokens=lambda image, prompt, answer: [*map(int, answer), 11],
        tasks={},
        device=torch.device("cpu"),
        folder=folder,
        answers={"a": "2", "b": "yes", "c": "a dog"},
        checkpoint=checkpoint,
    )
    return replace(room, **changes), models


LESSONS = [
    Lesson("label", "How many?", "2", example="a"),
    Lesson("label", "Is it red?", "yes", example="b"),
    Lesson("rationale", "Why?", "so", example="a"),
]


def wanted() -> Targets:
    targets = some(3)[1]
    tokens = targets.tokens.clone()
    tokens[:2] = torch.tensor([2, 11])
    return replace(targets, lessons=LESSONS, tokens=tokens)


def ready(name: str, folder: Path, **arguments: Any) -> tuple[Any, dict[str, Scripted]]:
    teacher = registry.build("teacher", name, **{**ARGUMENTS.get(name, {}), **arguments})
    assert isinstance(teacher, Teacher)
    room, models = room_of(folder)
    teacher.enter(room)
    return teacher, models


def say(teacher: Any, targets: Targets) -> Outputs:
    outputs: Outputs = teacher(targets, frozenset({"logits"}), ())
    return outputs


@pytest.mark.parametrize("name", NAMES)
def test_a_teacher_says_something_of_every_token_in_any_order(name: str, tmp_path: Path) -> None:
    teacher, _ = ready(name, tmp_path)
    targets = wanted()
    whole = say(teacher, targets)
    assert whole.logits.shape == (6, WORDS)
    assert torch.isfinite(whole.logits).all()
    assert not whole.logits.requires_grad
    speaks = whole.speaks if whole.speaks is not None else torch.ones(6, dtype=torch.bool)
    assert speaks.any() or name == "label_privileged"
    for number in range(3):
        own = targets.owners == number
        one = say(teacher, alone_targets(targets, number))
        torch.testing.assert_close(one.logits, whole.logits[own])
        if one.speaks is not None:
            assert torch.equal(one.speaks, speaks[own])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("routed_teachers", {"paths": ["a"]}),
        ("continual_pair", {"first": "a", "last": "a"}),
        ("ema_branch", {"path": "a"}),
        ("ta_residual", {"path": "a", "via": "a"}),
        ("ta_residual", {"path": "b", "via": "a", "share": 0}),
    ],
)
def test_one_model_in_all_places_is_that_model(
    name: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    teacher, models = ready(name, tmp_path, **arguments)
    own = say(models["a"], wanted()).logits.log_softmax(-1)
    torch.testing.assert_close(say(teacher, wanted()).logits.log_softmax(-1), own)


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_a_loop_without_checkpoints_is_told(name: str, tmp_path: Path) -> None:
    teacher = registry.build("teacher", name, **ARGUMENTS[name])
    with pytest.raises(ProfileError, match=f"{name} teaches by checkpoints"):
        teacher.enter(room_of(tmp_path, checkpoint=None)[0])


def chances(logits: Tensor) -> list[float]:
    return logits.softmax(-1).tolist()


def test_a_mixture_has_the_gradient_of_the_weighted_divergences() -> None:
    dice = torch.Generator().manual_seed(3)
    first, second, s = (torch.randn(2, 5, generator=dice, dtype=torch.float64) for _ in range(3))
    weights = torch.tensor([[0.3, 0.9], [0.7, 0.1]], dtype=torch.float64)
    mix = log_mixture([first, second], weights)
    by_hand = [0.3 * a + 0.7 * b for a, b in zip(chances(first[0]), chances(second[0]))]
    assert mix[0].exp().tolist() == pytest.approx(by_hand, abs=1e-12)

    def slope(targets: Sequence[Tensor], shares: Tensor) -> Tensor:
        own = s.clone().requires_grad_()
        logs = own.log_softmax(-1)
        total = sum(
            (share[:, None] * p * (p.log() - logs)).sum() for p, share in zip(targets, shares)
        )
        assert isinstance(total, Tensor)
        return torch.autograd.grad(total, own)[0]

    both = slope([first.softmax(-1), second.softmax(-1)], weights)
    torch.testing.assert_close(slope([mix.exp()], torch.ones(1, 2).double()), both)


def test_the_surer_of_two_says_more(tmp_path: Path) -> None:
    teacher, models = ready("continual_pair", tmp_path, heat=0.2)
    targets = wanted()
    first, second = (say(models[path], targets).logits[:2] for path in ("a", "b"))
    sure = [sum(max(row) for row in chances(logits)) / 2 for logits in (first, second)]
    powers = [math.exp(one / 0.2) for one in sure]
    share = powers[0] / sum(powers)
    expected = [share * a + (1 - share) * b for a, b in zip(chances(first)[0], chances(second)[0])]
    assert say(teacher, targets).logits[0].exp().tolist() == pytest.approx(expected, abs=1e-9)


def test_a_lesson_goes_to_the_teacher_that_finds_it_likeliest(tmp_path: Path) -> None:
    teacher, models = ready("routed_teachers", tmp_path)
    targets = wanted()
    outputs = say(teacher, targets)
    counts = [0, 0]
    for number in range(3):
        own = (targets.owners == number).nonzero().squeeze(1)
        nats = []
        for path in ("a", "b"):
            logits = say(models[path], targets).logits[own].log_softmax(-1)
            nats.append(-float(logits.gather(1, targets.tokens[own][:, None]).mean()))
        best = nats.index(min(nats))
        counts[best] += 1
        expected = say(models["ab"[best]], targets).logits[own].log_softmax(-1)
        torch.testing.assert_close(outputs.logits[own], expected)
    routes = json.loads((tmp_path / "routes.json").read_text())
    assert [sum(one["lessons"].values()) for one in routes["teachers"]] == counts
    assert [one["teacher"] for one in routes["teachers"]] == ["a", "b"]
    both, _ = ready("routed_teachers", tmp_path, top=2)
    mean = [
        (a + b) / 2
        for a, b in zip(*(chances(say(models[path], targets).logits)[0] for path in ("a", "b")))
    ]
    assert say(both, targets).logits[0].exp().tolist() == pytest.approx(mean, abs=1e-9)


def test_balance_is_0_where_gates_are_even() -> None:
    assert balance(torch.tensor([0.5, 0.5])).item() == 0
    # (1/2) (1/2) (2 log .5 - log .8 - log .2)
    expected = 0.25 * (2 * math.log(0.5) - math.log(0.8) - math.log(0.2))
    assert balance(torch.tensor([0.8, 0.2])).item() == pytest.approx(expected, abs=1e-6)


def test_the_residual_is_what_the_assistant_lacks_most() -> None:
    teacher = torch.tensor([[6.0, 1.0, -1.0, 2.0]], dtype=torch.float64)
    assistant = torch.tensor([[1.0, 1.0, 1.0, 1.0]], dtype=torch.float64)
    # apart (5, 0, -2, 1), less the mean 1: (4, -1, -3, 0); 0.6 of the highest is 2.4
    assert residual(teacher, assistant, 0.6).tolist() == [[4, 0, -3, 0]]
    assert residual(teacher, assistant, 0.0).tolist() == [[4, -1, -3, 0]]


def test_an_expert_is_asked_about_its_own_kind(tmp_path: Path) -> None:
    teacher, models = ready("task_experts", tmp_path)
    assert isinstance(teacher, TaskExperts)
    assert [teacher.kind(one) for one in LESSONS] == ["count", "yesno", "count"]
    assert teacher.kind(Lesson("label", "What?", "a dog", example="c")) == "other"
    only, models = ready("task_experts", tmp_path, yesno="")
    outputs = say(only, wanted())
    assert outputs.speaks is not None
    assert outputs.speaks.tolist() == [True, True, False, False, True, True]
    assert models["a"].prompts == ["How many?", "Why?"]
    torch.testing.assert_close(
        outputs.logits[4:].double(), say(models["a"], wanted()).logits[4:], atol=1e-6, rtol=1e-6
    )
    with pytest.raises(ProfileError, match="a checkpoint for one kind of question or more"):
        TaskExperts(count="")


def test_the_answer_reaches_the_teacher_alone_and_a_copy_is_not_believed(tmp_path: Path) -> None:
    targets = wanted()
    teacher, models = ready("label_privileged", tmp_path, noise=0.0)
    outputs = say(teacher, targets)
    assert set(models["a"].prompts) == {
        "How many? (Somebody answered: 2.)",
        "Is it red? (Somebody answered: yes.)",
        "Why? (Somebody answered: 2.)",
    }
    assert [one.prompt for one in targets.lessons] == ["How many?", "Is it red?", "Why?"]
    assert outputs.speaks is not None
    assert outputs.speaks.all(), "without noise both remarks are one"
    noisy, models = ready("label_privileged", tmp_path, noise=1.0, seed=4)
    outputs = say(noisy, targets)
    assert "Somebody answered: 2" not in " ".join(models["a"].prompts[::3])
    # a random model follows the remark: different remarks, different words
    first, second = models["a"].prompts[:3], models["a"].prompts[3:]
    for number, (one, other) in enumerate(zip(first, second)):
        agrees = outputs.speaks[2 * number : 2 * number + 2]  # type: ignore[index]
        assert agrees.all() == (one == other) or one != other
    assert noisy.with_remark(LESSONS[0], 1) == noisy.with_remark(LESSONS[0], 1)
    with pytest.raises(ProfileError, match="noise as a chance from 0 to 1"):
        LabelPrivileged(noise=2)


def test_weights_that_fit_by_name_and_shape_follow_the_student(tmp_path: Path) -> None:
    teacher, models = ready("ema_branch", tmp_path, momentum=0.8)
    assert isinstance(teacher, FollowsStudent)
    # m is .8, then 1 - .2 (1 + cos(pi / 2)) / 2 = .9, and 1 at the end
    student = {"words.weight": torch.full((4,), 3.0), "eyes.weight": torch.ones(3, 2)}
    teacher.follow(student, 0, 2)
    own = models["a"].own
    assert own["words.weight"].tolist() == pytest.approx([1.4] * 4)
    assert own["eyes.weight"].abs().sum() == 0, "another shape stays"
    teacher.follow({"words.weight": torch.zeros(4)}, 1, 2)
    assert own["words.weight"].tolist() == pytest.approx([0.9 * 1.4] * 4)
    teacher.keep(tmp_path)
    before = own["words.weight"].clone()
    teacher.follow({"words.weight": torch.full((4,), 100.0)}, 2, 2)
    torch.testing.assert_close(own["words.weight"], before)
    teacher.follow({"words.weight": torch.full((4,), 100.0)}, 0, 2)
    assert own["words.weight"].max() > 10
    teacher.recall(tmp_path)
    torch.testing.assert_close(own["words.weight"], before)
    teacher.leave(tmp_path / "fused")
    assert (tmp_path / "fused" / "written.txt").is_file()


def test_a_teacher_that_nothing_follows_or_that_stays_is_told(tmp_path: Path) -> None:
    still, models = ready("ema_branch", tmp_path, momentum=1)
    still.follow({"words.weight": torch.zeros(4)}, 0, 2)
    assert models["a"].own["words.weight"].tolist() == [1] * 4
    teacher, _ = ready("ema_branch", tmp_path, only="eyes")
    with pytest.raises(
        InputError, match="name and the shape of one of 'a' that begins with 'eyes'"
    ):
        teacher.follow({"words.weight": torch.zeros(4)}, 0, 2)
    with pytest.raises(
        InputError, match=r"teacher\.safetensors cannot be read .* to go on without"
    ):
        teacher.recall(tmp_path / "nowhere")


def test_a_number_teaches_as_a_bell(tmp_path: Path) -> None:
    teacher = AnalyticTeacher(spread=0.5)
    powers = [math.exp(-2 * (n - 2) ** 2) for n in (1, 2, 3)]
    assert teacher.bell(LESSONS[0]) == pytest.approx(
        {str(n): power / sum(powers) for n, power in zip((1, 2, 3), powers)}
    )
    assert set(teacher.bell(Lesson("label", "", "0"))) == {"0", "1"}, "nothing is below 0"
    assert teacher.bell(Lesson("label", "", "9" * 5000)) == {}
    assert teacher.bell(Lesson("label", "", "²")) == {}
    ready_one, _ = ready("analytic_teacher", tmp_path, smoothing=0.1)
    outputs = say(ready_one, wanted())
    assert outputs.speaks is not None
    assert outputs.speaks.tolist() == [True, True, False, False, False, False]
    share = 0.9 * powers[1] / sum(powers) + 0.1 / WORDS
    assert float(outputs.logits[0, 2].exp()) == pytest.approx(share, abs=1e-6)
    sharp = AnalyticTeacher(spread=0.1)
    assert sharp.bell(LESSONS[0]) == {"2": 1.0}, "a narrow bell is the label"


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("continual_pair", {"heat": 0}, "heat as a number above 0"),
        ("ema_branch", {"momentum": 1.5}, "momentum from 0 to 1"),
        ("ema_branch", {"only": 3}, "only as text"),
        ("routed_teachers", {"paths": []}, "a list of one checkpoint or more"),
        ("routed_teachers", {"paths": "a"}, "found 'a'"),
        ("routed_teachers", {"top": 0}, "top as a whole number from 1 on"),
        ("ta_residual", {"keep": 2}, "keep as a number from 0 to 1"),
        ("analytic_teacher", {"spread": 0}, "spread as a number above 0"),
        ("analytic_teacher", {"smoothing": 1}, "a smoothing below 1"),
    ],
)
def test_wrong_arguments_of_a_teacher_are_told(
    name: str, arguments: dict[str, Any], text: str
) -> None:
    with pytest.raises(ProfileError, match=text):
        registry.build("teacher", name, **arguments)
