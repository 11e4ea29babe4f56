"""Two students that learn from each other, and the formats of one answer, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from lesson_outputs import ready, some

from workbench.recipes.objective.multi_format_rationale import MultiFormatRationale, equation_of


def shares(logits: list[float]) -> list[float]:
    powers = [math.exp(one) for one in logits]
    return [one / sum(powers) for one in powers]


def divergence(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q))


def lesson_mean(values: list[float]) -> list[float]:
    """Of two target tokens each."""
    return [(values[at] + values[at + 1]) / 2 for at in range(0, len(values), 2)]


def test_peers_learn_from_each_other_and_from_nobody_s_gradient() -> None:
    student, targets = some()
    peer, _ = some(seed=5)
    terms = ready("mutual_dml")(student, peer, targets)
    each = []
    for p, q in zip(student.logits, peer.logits):
        own, other = shares(p.tolist()), shares(q.tolist())
        each.append((divergence(own, other) + divergence(other, own)) / 2)
    assert terms["mutual"].tolist() == pytest.approx(lesson_mean(each), abs=1e-9)
    terms["mutual"].sum().backward()
    p, q = (one.logits.detach().softmax(-1) for one in (student, peer))
    # d KL(q || p) / d z_p = p - q, halved, and halved once more by the mean over two tokens
    torch.testing.assert_close(student.logits.grad, (p - q) / 4)
    torch.testing.assert_close(peer.logits.grad, (q - p) / 4)


def test_the_peer_that_finds_the_token_likelier_teaches() -> None:
    student, targets = some()
    peer, _ = some(seed=5)
    terms = ready("peer_selective")(student, peer, targets)
    terms["selective"].sum().backward()
    for at, token in enumerate(targets.tokens.tolist()):
        own, other = (float(one.logits[at].softmax(-1)[token]) for one in (student, peer))
        learner, rests = (student, peer) if other > own else (peer, student)
        assert learner.logits.grad is not None
        assert learner.logits.grad[at].abs().sum() > 0
        assert rests.logits.grad is None or rests.logits.grad[at].abs().sum() == 0


def test_an_equation_is_what_a_program_ends_in() -> None:
    program = """def execute_command(image):
    patch = ImagePatch(image)
    cups = patch.find('cup')
    plates = patch.find('plate')
    total = len(cups) + len(plates) - 1
    return formatting_answer(str(total * 2))
"""
    assert equation_of(program, "6") == "((number of cup + number of plate) - 1) * 2 = 6"
    assert equation_of(program.replace("str(total * 2)", "'yes'"), "yes") is None
    assert equation_of("def (", "1") is None
    assert equation_of("x = 1\nreturn" + " + 1" * 3000, "1") is None
    assert equation_of(None, "1") is None


def test_every_format_that_an_example_has_is_a_lesson() -> None:
    program = "def execute_command(image):\n    return str(len(ImagePatch(image).find('cup')))\n"
    one = type(
        "One",
        (),
        {
            "question": "How many?",
            "choices": (),
            "answer": "2",
            "rationale": "So, 2.",
            "program": program,
        },
    )()
    lessons = MultiFormatRationale(program=0.5).lessons(one)
    assert [(lesson.name, lesson.target, lesson.weight) for lesson in lessons] == [
        ("label", "2", 1),
        ("rationale", "So, 2.", 1),
        ("program", program, 0.5),
        ("equation", "number of cup = 2", 1),
    ]
    assert len({lesson.prompt for lesson in lessons}) == 4
    one.rationale = one.program = None
    assert [lesson.name for lesson in MultiFormatRationale().lessons(one)] == ["label"]
