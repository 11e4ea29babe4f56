"""Corrections that come back: the likeness by hand, prompts, the loop's next run, and its rounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import page_project
import pytest

from workbench.cli.run import with_memory
from workbench.errors import ProfileError
from workbench.pipeline.parts import Parts
from workbench.pipeline.remembering import corrections_of, divided, remember
from workbench.recipes.memory.correction_memory import CorrectionMemory
from workbench.recipes.ports import ProgramCorrection
from workbench.records import Decision, PartRef, Program, Task
from workbench.sample.prompt import Prompts
from workbench.settings import Choice
from workbench.store import Project
from workbench.store.people import program_edits


def correction(number: int, question: str) -> ProgramCorrection:
    return ProgramCorrection(str(number), f"q{number}", question, "old", f"program {number}")


CUPS = correction(0, "How many cups are there?")
COLOUR = correction(1, "What color is the cup?")
BOATS = correction(2, "How many boats are there?")
ALL = [CUPS, COLOUR, BOATS]


def test_likeness_is_the_cosine_of_tf_idf() -> None:
    """Two corrections; `a` stands in both (idf 1), `b` in one (idf 1 + ln 1.5)."""
    rare = 1 + math.log(3 / 2)
    both = [correction(0, "a b"), correction(1, "a")]
    length = math.sqrt(1 + rare * rare)
    assert CorrectionMemory().likeness("a", both) == pytest.approx([1 / length, 1.0], abs=1e-12)
    assert CorrectionMemory().likeness("b", both) == pytest.approx([rare / length, 0.0], abs=1e-12)


def test_the_nearest_stands_last_and_what_is_unlike_stays_away() -> None:
    memory = CorrectionMemory(number=2, least=0.0)
    assert [one.id for one in memory.recall("How many boats do you see?", ALL)] == ["0", "2"]
    assert memory.recall("zebra", ALL) == []
    assert CorrectionMemory(least=1.0).recall("boats", ALL) == []
    assert CorrectionMemory().recall("anything", []) == []


def test_the_control_draws_as_many_the_same_each_time() -> None:
    memory = CorrectionMemory(mode="random", number=2, seed=3)
    drawn = memory.recall("How many boats?", ALL)
    assert len(drawn) == 2
    assert drawn == memory.recall("How many boats?", ALL)
    questions = [f"question {at}" for at in range(30)]
    assert len({one.id for text in questions for one in memory.recall(text, ALL)}) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mode": "off"}, "has the modes nearest and random"),
        ({"number": 0}, "needs number as a whole number from 1 on"),
        ({"least": 2}, "needs least as a number from 0 to 1"),
    ],
)
def test_wrong_arguments_are_refused_in_words(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        CorrectionMemory(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("style", ["compact", "full"])
def test_a_prompt_shows_corrections_right_before_the_question(style: str) -> None:
    prompts = Prompts([], style, shots=1)  # type: ignore[arg-type]
    task = Task("t", "s", "train", "0" * 64, "How many cups?")
    plain = prompts(task).own
    prompts.remember(lambda one: [("Old?", "def execute_command(image):\n    return 1\n")])
    shown = prompts(task).own
    ending = "\n# How many cups?\ndef execute_command(image):"
    assert plain.endswith(ending)
    corrected = "\n# Old?\ndef execute_command(image):\n    return 1\n"
    assert shown == plain.removesuffix(ending) + corrected + ending


class Writer:
    """A sampler that shows corrections."""

    def __init__(self, specs: Sequence[object] = ()) -> None:
        self.ref = PartRef("sampler", "small")

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> list[Program]:
        return []

    def remember(self, recall: object, version: str) -> None:
        self.recall = recall
        self.ref = replace(self.ref, version=f"{self.ref.version}-{version}")


class Deaf:
    ref = PartRef("sampler", "deaf")

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> list[Program]:
        return []


def test_other_corrections_make_another_part_and_none_leave_it_alone() -> None:
    versions = []
    for some in ([], ALL[:1], ALL[:2], ALL[:2]):
        sampler = Writer()
        remember(sampler, CorrectionMemory(), some)
        versions.append(sampler.ref.version)
    assert versions[0] == "1"
    assert versions[2] == versions[3]
    assert len(set(versions)) == 3
    with pytest.raises(ProfileError, match="the sampler 'deaf' has no method remember"):
        remember(Deaf(), CorrectionMemory(), ALL)


def test_a_profile_names_its_memory() -> None:
    own, memory = divided({"model": "m", "memory": {"part": "correction_memory", "number": 1}})
    assert own == {"model": "m"}
    assert memory is not None
    assert memory.ref.arguments["number"] == 1
    assert divided({"model": "m"})[1] is None
    with pytest.raises(ProfileError, match="no memory is called 'elephant'; registered are: corr"):
        divided({"memory": "elephant"})
    with pytest.raises(ProfileError, match="the sampler's memory is 3; write memory = "):
        divided({"memory": 3})


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Two questions to train on and one for evaluation, a program of each corrected by ann."""
    with page_project.new_project(tmp_path / "p") as writer:
        for at, split in enumerate(("train", "train", "test")):
            digest = page_project.picture(writer.project, at)
            task = Task(
                f"own/{at}", "own", split, digest, f"How many cups {at}?", ("1",), "integer"
            )
            events = page_project.events_of("cup", [(9, 9, 99, 99)], (640, 480))
            runs = [(page_project.program_for("cup"), events)] * 5
            writer.task(task, runs, "One cup.", store=False)
        writer.write()
    with Project.open(tmp_path / "p") as opened:
        yield opened


def correct(project: Project, at: int, source: str, parent: str | None = None) -> str:
    """Ann edits a program, as Step does; returns the id of the new one."""
    parent = parent or f"p0-own/{at}"
    edit = Decision(
        f"edit-{at}-{len(source)}", "edit", "ann", "curator", f"own/{at}", program_id=parent
    )
    return project.curation.edit_program(edit, source).id


def test_the_last_form_of_a_correction_is_recalled_and_evaluation_is_not(project: Project) -> None:
    assert corrections_of(project) == ()
    first = correct(project, 0, "def execute_command(image):\n    return 'a'\n")
    last = correct(project, 0, "def execute_command(image):\n    return 'longer'\n", first)
    correct(project, 2, "def execute_command(image):\n    return 'test'\n")
    (one,) = corrections_of(project)
    assert (one.id, one.question) == (last, "How many cups 0?")
    assert "longer" in one.program
    (taken_back,) = [e for e in project.curation.events(task_id="own/0") if e.made == last]
    undo = Decision("undo-0001", "undo", "ann", "curator", "own/0", target=taken_back.id)
    project.curation.decide([undo])
    assert [one.id for one in corrections_of(project)] == [first]


def test_a_round_counts_the_questions_that_took_a_correction(project: Project) -> None:
    correct(project, 0, "def execute_command(image):\n    return 'a'\n")
    (round_,) = program_edits.rounds(project.database)
    assert (round_.questions, round_.corrected) == (3, 1)


def test_the_loop_builds_a_sampler_that_shows_them(project: Project) -> None:
    correct(project, 0, "def execute_command(image):\n    return 'a'\n")
    profile = project.profile()
    mine = replace(
        profile,
        sampler=Choice(f"{Path(__file__)}:Writer", {"memory": "correction_memory"}),
        tools={},
    )
    with Parts(mine, project.images, None, corrections_of(project)) as parts:
        assert not parts.memory_is_empty
        (task,) = project.tasks(["own/1"])
        ((question, program),) = parts.sampler.recall(task)  # type: ignore[attr-defined]
    assert question == "How many cups 0?"
    assert program.endswith("return 'a'\n")
    with Parts(with_memory(mine, None), project.images) as parts:
        assert parts.memory_is_empty
    with Parts(with_memory(mine, "off"), project.images) as parts:
        assert not parts.memory_is_empty
        assert parts.sampler.ref.version.split("+")[0] == "1"
