"""The faithfulness check: true rationales pass, each kind of untruth is found and quoted."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import SHAPES
from world import run

from workbench.rationalize.check.faithful import MAX_TEXT, check
from workbench.rationalize.template import TemplateWriter
from workbench.records import Program, Task, Trace


@cache
def row(name: str) -> tuple[Task, Program, Trace]:
    shape = next(shape for shape in SHAPES if shape.name == name)
    return run(shape.body, shape.things, shape.question, dict(shape.says), choices=shape.choices)


def issues(name: str, text: str) -> tuple[str, ...]:
    return check(text, *row(name)).issues


PAPER = (
    "There are 3 buses in the image. The bus at 468 125 726 351 is not yellow. The buses at 493 331 691 512 and "
    "493 465 710 667 are yellow. Thus, there is 1 bus that is not yellow."
)
LEFT = (
    "There is 1 bus in the image, at 416 468 666 702. There are 3 dogs in the image. 2 of the 3 dogs, at 624 31 749 156 "
    "and 645 187 770 312, are left of the bus. Thus, there are 2 dogs left of the bus."
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("paper", PAPER),
        (
            "paper",
            "There are 3 buses. The buses at 493 331 691 512 and 493 465 710 667 are yellow; the bus at "
            "468 125 726 351 is not. Thus, there is 1 bus that is not yellow.",
        ),
        ("count relation", LEFT),
        ("exists no", "There is no cat in the image. Thus, the answer is no."),
        ("count none", "None is found. There is no cat in the image. Thus, there are 0 cats."),
        (
            "compare",
            "There are more dogs (3) than buses (1). Thus, yes, there are more dogs than buses.",
        ),
    ],
)
def test_true_rationales_pass(name: str, text: str) -> None:
    assert issues(name, text) == ()


@pytest.mark.parametrize(
    ("name", "text", "missing"),
    [
        (
            "paper",
            "The image shows three buses. One of them, at 468 125 726 351, is not yellow. Thus, the answer is 1.",
            'whether something "is yellow"',
        ),
        (
            "count relation",
            "Both dogs at 624 31 749 156 and 645 187 770 312 are left of the bus. Thus, the answer is 2.",
            'what was looked for as "dog"',
        ),
        (
            "sign",
            'The sign reads "EXIT ONLY". Thus, the answer is "EXIT ONLY".',
            'what was looked for as "sign"',
        ),
        ("paper", "Thus, the answer is 1.", "gives no reason for its answer"),
    ],
)
def test_a_step_on_which_the_answer_rests_is_missed(name: str, text: str, missing: str) -> None:
    found = issues(name, text)
    assert found
    assert any(missing in issue for issue in found)
    assert all("leaves out" in issue or "no reason" in issue for issue in found)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("paper", PAPER.replace("3 buses", "4 buses"), 'The number "4" is not in the trace'),
        ("paper", PAPER.replace("3 buses", "four buses"), 'The number "four" is not in the trace'),
        (
            "paper",
            PAPER.replace("3 buses", "2 buses"),
            '"2 buses in the image" is wrong: the trace found 3',
        ),
        (
            "paper",
            PAPER.replace("468 125", "468 126"),
            'The box "468 126 726 351" is not in the trace',
        ),
        (
            "paper",
            PAPER.replace("468 125 726 351", "468 125 726 351 4"),
            "is not a box: a box is four integers from 0 to 999",
        ),
        (
            "paper",
            PAPER.replace("The bus at 468 125 726 351 is not", "The bus at 468 125 726 351 is"),
            '"The bus at 468 125 726 351 is yellow." is wrong: the trace answers no',
        ),
        ("paper", PAPER.replace("are yellow", "are not yellow"), "is wrong: the trace answers yes"),
        (
            "paper",
            PAPER.replace("The bus at", "The truck at"),
            'The word "truck" occurs nowhere in the trace',
        ),
        (
            "paper",
            PAPER.replace("are yellow", "are red"),
            'The word "red" occurs nowhere in the trace',
        ),
        (
            "paper",
            PAPER.replace("there is 1 bus that is not yellow", "the answer is 2"),
            'The conclusion gives "2", the run answered "1"',
        ),
        (
            "paper",
            PAPER.replace("1 bus that is", "2 buses that are"),
            'does not hold the answer "1"',
        ),
        ("paper", PAPER.replace("Thus, t", "T"), 'does not end in a conclusion ("Thus, ...")'),
        (
            "paper",
            PAPER.replace("1 bus that is not", "1 bus of 3 that is not"),
            'The conclusion holds "3" beside the answer "1"',
        ),
        (
            "paper",
            PAPER.replace("in the image", '"in the museum"'),
            'The text "in the museum" is quoted',
        ),
        (
            "paper",
            PAPER.replace("yellow. Thus", "yellow.\x07 Thus"),
            "unprintable character U+0007",
        ),
        ("paper", "", "The rationale is empty"),
        ("paper", "x" * (MAX_TEXT + 1), f"at most {MAX_TEXT} are read"),
        (
            "count relation",
            LEFT.replace(
                "1 bus in the image, at 416 468 666 702", "1 dog in the image, at 416 468 666 702"
            ),
            '"dog at 416 468 666 702" is wrong: the trace calls it bus',
        ),
        (
            "exists no",
            "There is a cat in the image. Thus, the answer is yes.",
            'The conclusion gives "yes", the run answered "no"',
        ),
        (
            "relation",
            "There is no bus in the image. Thus, the answer is yes.",
            '"There is no bus" is wrong: the trace found 1',
        ),
        ("choice present", "Thus, the answer is bus or cat.", 'The conclusion gives "bus or cat"'),
        (
            "choice present",
            "Thus, it is the bus and not the cat.",
            'names the option "cat" beside the answer "bus"',
        ),
        (
            "compare",
            "Thus, there are more dogs than buses.",
            'does not say that the answer is "yes"',
        ),
        ("compare", "Thus, yes and no.", 'does not say that the answer is "yes"'),
        ("failed", "Thus, the answer is dog.", "The run gave no answer"),
    ],
)
def test_untruths_are_found(name: str, text: str, expected: str) -> None:
    assert any(expected in issue for issue in issues(name, text)), issues(name, text)


def test_words_of_the_question_are_known_in_the_conclusion_only() -> None:
    task, program, trace = row("count")
    asked = replace(task, question="How many purebred dogs are there?")
    assert (
        check("There are 3 dogs. Thus, there are 3 purebred dogs.", asked, program, trace).issues
        == ()
    )
    assert (
        check("There are 3 purebred dogs. Thus, the answer is 3.", asked, program, trace).issues
        != ()
    )


def test_each_sentence_is_cited() -> None:
    _, program, trace = row("paper")
    citations = check(PAPER, row("paper")[0], program, trace).citations
    assert [PAPER[c.start : c.end].split()[0] for c in citations] == [
        "There",
        "The",
        "The",
        "Thus,",
    ]
    events = {trace.events[seq].kind for seq in citations[1].events}
    assert events & {"tool", "tool_result"}
    assert trace.events[-1].seq in citations[-1].events


def test_a_quoted_text_is_one_piece_even_with_full_stops() -> None:
    text = 'The sign reads "EXIT ONLY". Thus, the answer is EXIT ONLY.'
    assert len(check(text, *row("sign")).citations) == 2


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_checked_without_an_error(text: str) -> None:
    checked = check(text, *row("paper"))
    assert all(issue.endswith(".") for issue in checked.issues)
    assert all(0 <= c.start < c.end <= len(text) for c in checked.citations)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PAPER) - 1), st.sampled_from("0123456789"))
def test_a_changed_digit_never_passes(at: int, digit: str) -> None:
    if PAPER[at].isdigit() and PAPER[at] != digit:
        assert issues("paper", PAPER[:at] + digit + PAPER[at + 1 :])


WORDS = [
    "dog",
    "cat",
    "bus",
    "car",
    "bird",
    "cow",
    "horse",
    "sheep",
    "boat",
    "bench",
    "cup",
    "fork",
    "spoon",
    "bowl",
    "pizza",
    "cake",
    "chair",
    "clock",
    "book",
    "vase",
]


def test_what_a_writer_had_to_leave_out_is_counted() -> None:
    """A rationale of more things than fit is cut, and nothing is cut without a word."""
    says = {f"What is thing {at}?": word for at, word in enumerate(WORDS)}
    asked = [f"image_patch.visual_question_answering({question!r})" for question in says]
    row = run(f"return formatting_answer(' '.join([{', '.join(asked)}]))", [], "What?", says)
    [rationale] = TemplateWriter().write([row])
    left = sum(f'"{word}"' not in rationale.text for word in WORDS)
    assert left > 0
    assert rationale.issues == (
        f"The rationale leaves out {left} of the {len(WORDS)} things that the answer rests on.",
    )
    few = dict([*says.items()][:9])
    short = run(f"return formatting_answer(' '.join([{', '.join(asked[:9])}]))", [], "What?", few)
    assert TemplateWriter().write([short])[0].issues == ()
