"""The published objective against a computation by hand, however the batch is divided."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_vlms import make

from workbench import registry
from workbench.errors import ProfileError
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX
from workbench.records import Lesson, Task
from workbench.train.examples import Adapter
from workbench.train.loss import lesson_losses, weighted_loss
from workbench.train.objective import Instruct, Vpd
from workbench.train.shared_prefix import share_prefixes

PICTURES = [Image.new("RGB", (96, 64), (40 * i, 90, 200 - 40 * i)) for i in range(4)]
EXAMPLES = [
    [
        Lesson("label", "How many?" + LABEL_SUFFIX, "2"),
        Lesson("rationale", "How many?" + RATIONALE_SUFFIX, "There are 2 dogs. So, 2.", 0.5),
    ],
    [Lesson("label", "Is it a cat?", "yes")],
    [Lesson("label", "What colour is it?", "dark red"), Lesson("rationale", "Why?", "It is.", 0.5)],
    [Lesson("label", "Who?", "a very long answer to a short question")],
]


class Told:
    question, choices, answer, rationale = "Which?", ("a", "b"), "a", "Because. So, a."


def loss_of(model: Any, adapter: Adapter, division: list[list[int]]) -> float:
    """Loss of the four examples with gradients left in the model, computed a micro-batch at a time."""
    total = 0.0
    for part in division:
        batch = adapter.encode([(PICTURES[at], lesson) for at in part for lesson in EXAMPLES[at]])
        share = weighted_loss(lesson_losses(model, batch), batch, len(EXAMPLES))
        share.backward()
        total += float(share)
    return total


def test_the_value_is_the_one_computed_by_hand() -> None:
    model, processor = make("smolvlm")
    adapter = Adapter(processor)
    by_hand = 0.0
    for picture, lessons in zip(PICTURES, EXAMPLES, strict=True):
        for lesson in lessons:
            prompt = adapter.prompt(lesson.prompt)
            text = f"{prompt} {lesson.target}<end_of_utterance>"
            inputs = processor(images=[[picture]], text=[text], return_tensors="pt")
            ids = inputs["input_ids"][0].tolist()
            count = len(lesson.target.encode()) + 2
            with torch.no_grad():
                chances = model(**inputs).logits[0].double().softmax(-1)
            nats = [-math.log(chances[at - 1, ids[at]]) for at in range(len(ids) - count, len(ids))]
            by_hand += lesson.weight * sum(nats) / count / len(EXAMPLES)
    assert loss_of(model, adapter, [[0, 1, 2, 3]]) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("family", ["region", "pointer", "qwen2_vl", "paligemma"])
def test_dividing_a_step_changes_neither_value_nor_gradient(family: str) -> None:
    model, processor = make(family)
    adapter = Adapter(processor)
    whole = loss_of(model, adapter, [[0, 1, 2, 3]])
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    for division in ([[3], [1], [0], [2]], [[0, 3], [1, 2]], [[2, 1, 0], [3]]):
        model.zero_grad()
        assert loss_of(model, adapter, division) == pytest.approx(whole, rel=1e-4)
        for name, parameter in model.named_parameters():
            if name in gradients:
                torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", ["region", "pointer"])
@pytest.mark.parametrize("pictures", [(0, 1, 2, 3), (0, 0, 0, 1), (2, 2, 2, 2)])
def test_lessons_that_share_a_row_have_the_loss_and_gradient_of_lessons_apart(
    family: str, pictures: Sequence[int]
) -> None:
    model, processor = make(family)
    adapter = Adapter(processor)
    of = [pictures[at] for at in range(4) for _ in EXAMPLES[at]]
    apart = adapter.encode(
        [(PICTURES[picture], lesson) for picture, lesson in zip(of, chain(*EXAMPLES), strict=True)]
    )
    sources = [
        adapter.source(str(picture), lesson)
        for picture, lesson in zip(of, chain(*EXAMPLES), strict=True)
    ]
    together = share_prefixes(apart, sources)
    assert together.targets.shape[0] == len(set(sources))
    assert together.tokens < apart.tokens
    found = []
    for batch in (apart, together):
        model.zero_grad()
        losses = lesson_losses(model, batch)
        weighted_loss(losses, batch, 4).backward()
        found.append(
            (
                losses.detach(),
                {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None},
            )
        )
    torch.testing.assert_close(found[1][0], found[0][0], rtol=1e-4, atol=1e-5)
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], gradient, rtol=1e-3, atol=1e-5)


def test_fillers_weigh_nothing() -> None:
    model, processor = make("region")
    adapter = Adapter(processor)
    rows = [(PICTURES[1], EXAMPLES[1][0]), (PICTURES[3], EXAMPLES[3][0])]
    filled, alone = adapter.encode(rows, fillers=1), adapter.encode(rows[:1])
    with torch.no_grad():
        first, second = (
            float(weighted_loss(lesson_losses(model, b), b, 1)) for b in (filled, alone)
        )
    assert first == pytest.approx(second, rel=1e-5)


def test_vpd_teaches_label_and_rationale_with_their_prompts() -> None:
    label, rationale = Vpd(weight=0.25).lessons(Told())
    assert label == Lesson("label", "Which? Options: a, b. Answer briefly.", "a")
    assert rationale.prompt == "Which? Options: a, b. Explain the rationale to answer the question."
    assert (rationale.target, rationale.weight) == ("Because. So, a.", 0.25)


def test_without_a_rationale_the_label_stays() -> None:
    untold = type("Untold", (Told,), {"rationale": None})()
    assert Vpd().lessons(untold) == Instruct().lessons(untold)
    assert [lesson.name for lesson in Instruct().lessons(Told())] == ["label"]


def test_the_label_prompt_is_the_one_that_the_student_answers() -> None:
    from workbench.prompts import question_text

    task = Task(id="t", source="s", split="val", image="i", question="Which?", choices=("a", "b"))
    assert Vpd().lessons(Told())[0].prompt == question_text(task) + LABEL_SUFFIX


@pytest.mark.parametrize("weight", [-1, float("nan"), "one", True])
def test_a_weight_that_is_none_is_refused(weight: Any) -> None:
    with pytest.raises(ProfileError, match="weight must be a number"):
        registry.build("objective", "vpd", weight=weight)
