"""Questions made of runs and schemas: planted errors are caught, and a project gets the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from finished_project import finished_project
from PIL import Image

from workbench.boxes import Box
from workbench.errors import InputError, ProfileError
from workbench.pipeline.synthesizing import earlier_runs, synthesize
from workbench.recipes.ports import (
    EarlierCall,
    EarlierRun,
    LabelledRegion,
    ReadsRuns,
    SynthesizedQuestion,
    Synthesizer,
)
from workbench.recipes.steps import PART, question_of
from workbench.recipes.synthesizer.hindsight_relabel import HindsightRelabel
from workbench.recipes.synthesizer.schema_labels import SchemaField, SchemaLabels, fields_of
from workbench.recipes.synthesizer.socratic_subquestions import SocraticSubquestions
from workbench.records import Region
from workbench.store import Project

WHOLE = Region("picture", 100, 80, Box(0, 0, 100, 80))
Answer = Callable[[Region, str], str | None]


class Lent:
    """A room in which a function answers."""

    def __init__(self, answer: Answer = lambda *_: None) -> None:
        self._answer = answer

    def answer(self, regions: Sequence[Region], questions: Sequence[str]) -> list[str | None]:
        return [self._answer(region, text) for region, text in zip(regions, questions)]

    def open(self, digest: str) -> Image.Image:
        raise AssertionError("nobody looks")

    def keep(self, picture: Image.Image) -> Region:
        raise AssertionError("nothing is drawn")

    def write(self, prompts: Sequence[str]) -> Sequence[str]:
        raise AssertionError("nobody writes")

    def plural(self, noun: str) -> str:
        return f"{noun}s"

    def alike(self, answer: str, other: str) -> bool:
        return answer.casefold() == other.casefold()


FIND = EarlierCall("find", ("cup",), True, "1")
RED = EarlierCall("verify_property", ("cup", "red"), False, "yes")
DOGS = EarlierCall("exists", ("dog",), True, "no")
ASKED = EarlierCall("visual_question_answering", ("What is on the table?",), True, "a cup")
RUN = EarlierRun(
    LabelledRegion("q1", "train", WHOLE),
    "Is the cup on the table red?",
    "yes",
    True,
    "the source",
    (FIND, RED, DOGS, ASKED),
)


def taken(rows: Sequence[SynthesizedQuestion]) -> list[tuple[str, str]]:
    return [(row.question, row.answer) for row in rows if not row.reason]


def reasons(rows: Sequence[SynthesizedQuestion]) -> list[str]:
    return [row.reason for row in rows if row.reason]


# steps in words


@pytest.mark.parametrize(
    ("call", "question", "reason"),
    [
        (FIND, "How many cups are there?", ""),
        (DOGS, "Are there any dogs?", ""),
        (RED, "Is the cup red?", ""),
        (ASKED, "What is on the table?", ""),
        (replace(FIND, whole=False), "", PART),
        (replace(ASKED, arguments=("the table",)), "", "what it asks is no question"),
        (replace(ASKED, said=None), "", "visual_question_answering says nothing that is an answer"),
        (EarlierCall("compute_depth", (), True, "3.5"), "", "compute_depth asks nothing in words"),
    ],
)
def test_a_call_is_a_question_in_words_or_is_not(
    call: EarlierCall, question: str, reason: str
) -> None:
    text, why = question_of(call, RUN.calls, Lent())
    assert text == question
    assert why.endswith(reason)


def test_a_property_is_asked_of_the_only_one_of_its_name() -> None:
    two = replace(FIND, said="2")
    assert question_of(RED, (two, RED), Lent())[1].startswith("there is not just one thing")
    assert question_of(RED, (RED,), Lent())[1].startswith("there is not just one thing")


# socratic_subquestions


def test_the_steps_of_a_right_run_are_questions_with_provenance() -> None:
    rows = list(SocraticSubquestions().from_runs([RUN], Lent()))
    assert taken(rows) == [
        ("How many cups are there?", "1"),
        ("Is the cup red?", "yes"),
        ("Are there any dogs?", "no"),
        ("What is on the table?", "a cup"),
    ]
    assert rows[1].picture == "picture"
    assert rows[1].facts == {
        "main_question": RUN.question,
        "tool": "verify_property",
        "program": "the source",
        "step": 2,
        "of": 4,
    }


def test_steps_of_wrong_runs_repetitions_and_the_question_itself_are_no_news() -> None:
    wrong = [replace(RUN, right=value) for value in (False, None)]
    assert list(SocraticSubquestions().from_runs(wrong, Lent())) == []
    same = replace(RUN, question="how many cups are there", calls=(FIND,))
    assert reasons(list(SocraticSubquestions().from_runs([same], Lent()))) == [
        "it is the question itself"
    ]
    assert taken(list(SocraticSubquestions(main=True).from_runs([same], Lent())))
    twice = list(SocraticSubquestions().from_runs([RUN, RUN], Lent()))
    assert reasons(twice) == ["another step asks the same of the picture"] * 4


# hindsight_relabel


def test_a_wrong_run_is_right_about_what_it_did_answer() -> None:
    wrong = replace(RUN, right=False, answer="1", calls=(FIND, DOGS))
    (row,) = HindsightRelabel(check=False).from_runs([wrong], Lent())
    assert (row.question, row.answer, row.reason) == ("How many cups are there?", "1", "")
    (checked,) = HindsightRelabel().from_runs([wrong], Lent(lambda *_: "1"))
    assert (checked.reason, checked.facts["checked"]) == ("", "1")


def test_planted_errors_of_wrong_runs_are_refused() -> None:
    wrong = replace(RUN, right=False, answer="1", calls=(FIND, DOGS))

    def reason(run: EarlierRun, answer: str | None = "1") -> str:
        (row,) = HindsightRelabel().from_runs([run], Lent(lambda *_: answer))
        return row.reason

    assert reason(wrong, "4") == "the profile's model gives another answer"
    assert reason(wrong, None) == "the profile's model gives another answer"
    assert reason(replace(wrong, answer="7")) == "no call of the run says what it answered"
    assert reason(replace(wrong, calls=(replace(FIND, whole=False),))) == PART
    own = replace(wrong, question="How many cups are there?")
    assert reason(own) == "it answered its own question, and wrongly"
    assert list(HindsightRelabel().from_runs([RUN, replace(RUN, right=None)], Lent())) == []


def test_words_for_yes_are_no_yes() -> None:
    with pytest.raises(ProfileError, match="check as true or false, found 'False'"):
        HindsightRelabel(check="False")  # type: ignore[arg-type]
    with pytest.raises(ProfileError, match="main as true or false"):
        SocraticSubquestions(main=1)  # type: ignore[arg-type]


# schema_labels


def places(*pictures: str) -> list[LabelledRegion]:
    box = Box(1, 1, 5, 5)
    return [
        LabelledRegion(f"q {at}", "train", Region(one, 100, 80, box, "cup"))
        for at, one in enumerate(pictures)
    ]


def test_every_field_of_every_picture_is_asked_in_two_views() -> None:
    schema = "people:integer:How many people?; scene:Indoors|outdoors:Where is it?"
    views: list[Region] = []

    def answer(region: Region, question: str) -> str:
        views.append(region)
        return "2" if question.startswith("How") else "indoors."

    rows = list(SchemaLabels(schema, margin=0.1).propose(places("a", "b", "a"), Lent(answer)))
    assert taken(rows) == [("How many people?", "2"), ("Where is it?", "Indoors")] * 2
    assert [row.origin.region.image for row in rows] == ["a", "a", "b", "b"]
    assert [region.box for region in views[:2]] == [Box(0, 0, 100, 80), Box(10, 8, 90, 72)]
    assert rows[0].facts == {"field": "people", "type": "integer", "views": ["2", "2"]}


def test_values_of_another_type_or_that_change_are_refused() -> None:
    def reason(schema: str, *answers: str | None) -> str:
        said = iter(answers)
        (row,) = SchemaLabels(schema).propose(places("a"), Lent(lambda *_: next(said)))
        return row.reason

    field = "people:integer:How many?"
    assert reason(field, "two", "2").endswith("is integer, and a view gives something else")
    assert reason(field, "2", "3") == "the field people changes with the view"
    assert reason(field, None, "3") == "one of its views has no answer"
    assert reason("on:yesno:Is it on?", "perhaps", "yes").endswith("gives something else")


@pytest.mark.parametrize(
    ("kind", "answer", "value"),
    [("number", "3.5", "3.5"), ("number", "nan", None), ("number", "1e999", None),
     ("integer", "²", None), ("yesno", " Yes.", "yes"), ("text", " ", None), ("text", "a", "a"),
     ("red|blue", "BLUE", "blue"), ("red|blue", "green", None)],
)  # fmt: skip
def test_a_value_is_of_its_type(kind: str, answer: str, value: str | None) -> None:
    assert SchemaField("f", kind, "?").value(answer) == value


@pytest.mark.parametrize(
    "text", ["", ";", "people", "people:integer:", "a:colour:What?", ":text:q"]
)
def test_a_schema_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(ProfileError, match="name:type:question"):
        fields_of(text)
    with pytest.raises(ProfileError, match=r"margin as a number above 0 and below 0\.5"):
        SchemaLabels(margin=0.5)


# in a project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path)) as opened:
        yield opened


def test_runs_of_a_project_are_read_with_their_calls(project: Project) -> None:
    assert isinstance(SocraticSubquestions(), ReadsRuns)
    assert isinstance(HindsightRelabel(), ReadsRuns)
    assert not isinstance(SchemaLabels(), ReadsRuns)
    assert isinstance(SchemaLabels(), Synthesizer)
    runs = list(earlier_runs(project))
    splits = {task.id: task.split for task in project.tasks([run.origin.task_id for run in runs])}
    assert set(splits.values()) == {"train"}
    assert {run.right for run in runs} >= {True, False}
    first = next(run for run in runs if run.right)
    assert first.calls[0] == EarlierCall("find", ("red square",), True, first.calls[0].said)
    counts = [run for run in runs if run.right and run.question.startswith("How many")]
    assert counts
    assert all(run.calls[0].said == run.answer for run in counts)


def test_runs_become_tasks_of_the_project(project: Project) -> None:
    before = project.count_tasks()
    report = synthesize(project, "socratic_subquestions", {"main": True})
    assert report.added + report.present + sum(report.refused.values()) == report.candidates
    assert report.added >= 1
    assert project.count_tasks() == before + report.added
    ids = [row.task_id for row in project.outcomes()]
    (one, *_) = [task for task in project.tasks(ids) if task.source == "socratic_subquestions"]
    assert one.meta["main_question"]
    assert one.question.startswith("How many red squares")
    again = synthesize(project, "socratic_subquestions", {"main": True}, limit=3)
    assert (again.added, again.candidates) == (0, 3)
    relabel = synthesize(project, "hindsight_relabel", {"check": False})
    assert relabel.added + relabel.present + sum(relabel.refused.values()) == relabel.candidates
    assert relabel.candidates >= 1


def test_a_project_whose_programs_never_answered_is_told(tmp_path: Path) -> None:
    with (
        Project.create(tmp_path / "p") as empty,
        pytest.raises(
            InputError, match="no program of a question to train on has ended with an answer"
        ),
    ):
        synthesize(empty, "socratic_subquestions")
