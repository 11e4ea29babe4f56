"""What the answer of a run rests on, of real runs and of hand-made ones."""

from __future__ import annotations

import pytest
from reference_runs import reference_runs
from shapes import thing
from world import run

from workbench.evidence import EVIDENCE, LOOKED, rank
from workbench.rationalize.check.bare import is_bare
from workbench.rationalize.follow.evidence import evidence_of

DOG, CAT = thing("dog", 100, 300), thing("cat", 400, 100)


def evidence(body: str, says: dict[str, str] | None = None, question: str = "What?") -> str | None:
    _, program, trace = run(body, [DOG, CAT], question, says)
    return evidence_of(program.source, trace)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('return formatting_answer(image_patch.find("dog")[0].label)', "boxes"),
        ('return formatting_answer(len(image_patch.find("dog")))', "count"),
        ('return formatting_answer(len(image_patch.find("hat")))', "count"),
        ('return formatting_answer(image_patch.exists("dog"))', "search"),
        ('return "yes" if image_patch.find("hat") else "no"', "search"),
        (
            'dog = image_patch.find("dog")[0]\ncat = image_patch.find("cat")[0]\n'
            "return formatting_answer(dog.horizontal_center < cat.horizontal_center)",
            "comparison",
        ),
        (
            "return max(image_patch.find('animal'), key=lambda a: a.width * a.height).label",
            "comparison",
        ),
        (
            'return formatting_answer(len(image_patch.find("dog")) > len(image_patch.find("cat")))',
            "comparison",
        ),
        (
            'dogs, cats = image_patch.find("dog"), image_patch.find("cat")\n'
            "return formatting_answer(len(dogs) - len(cats) > 0)",
            "comparison",
        ),
        (
            "return formatting_answer(len(image_patch.find('dog')) - len(image_patch.find('cat')) > 2)",
            "count",
        ),
        (
            'd = len(image_patch.find("dog")) - len(image_patch.find("cat"))\n'
            'if 1 <= d:\n    return "yes"\nreturn "no"',
            "comparison",
        ),
        (
            'return formatting_answer(len(image_patch.find("dog")) - len(image_patch.find("hat")))',
            "count",
        ),
        (
            'dogs = image_patch.find("animal")\nlimit = image_patch.horizontal_center\n'
            "return formatting_answer(sum(d.horizontal_center < limit for d in dogs))",
            "count",  # as of len([d for d in dogs if d.horizontal_center < limit])
        ),
        (
            'animals = image_patch.find("animal")\ncat = image_patch.find("cat")[0]\n'
            "return formatting_answer(sum([not a.left < cat.left for a in animals]))",
            "comparison",
        ),
        ('return image_patch.visual_question_answering("What animal is left?")', "question"),
        ('return image_patch.visual_question_answering("Is there a dog?")', "question"),
        ('return llm_query("Can a bird fly?")', "knowledge"),
        ('return "blue"', "none"),
        # a call whose result is thrown away is no evidence
        ('image_patch.find("dog")\nreturn "blue"', "none"),
    ],
)
def test_evidence_is_what_the_answer_rests_on(body: str, kind: str) -> None:
    assert evidence(body, {"What animal is left?": "dog"}) == kind


def test_a_failed_run_has_no_evidence() -> None:
    assert evidence('return image_patch.find("hat")[0].label') is None


def test_programs_of_every_family_look_or_ask_as_their_tools_say() -> None:
    kinds = set()
    for task, program, trace in reference_runs(count=2):
        kind = evidence_of(program.source, trace, task.choices)
        kinds.add(kind)
        looks = "find(" in program.source or "exists(" in program.source
        assert (kind in LOOKED) == looks, program.source
        compares = task.family in ("relation", "compare", "extreme", "count_relation")
        assert not (looks and compares) or kind == "comparison", program.source
    assert {"comparison", "count", "search", "question"} <= kinds


def test_kinds_are_ranked_and_nothing_comes_last() -> None:
    assert [rank(kind) for kind in (*EVIDENCE, None)] == list(range(len(EVIDENCE) + 1))


@pytest.mark.parametrize(
    ("text", "kind", "bare"),
    [
        ("The largest object is a sheep. Thus, the answer is sheep.", "question", True),
        ("Thus, the answer is sheep.", "none", True),
        ("The largest object is the sheep at 1 2 3 4. Thus, the answer is sheep.", "boxes", False),
        ("The sheep lies beside a tree. Thus, the answer is sheep.", "question", False),
        ("There is no largest object. Thus, the answer is sheep.", "search", False),
        ("There is no largest object. Thus, the answer is sheep.", "question", True),
    ],
)
def test_a_bare_rationale_says_no_more_than_the_answer(text: str, kind: str, bare: bool) -> None:
    assert is_bare(text, "What is the largest object?", "sheep", kind) is bare  # type: ignore[arg-type]
