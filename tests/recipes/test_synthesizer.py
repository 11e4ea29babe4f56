"""Region to image: planted errors are caught, provenance of every candidate, rows in the project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import page_project
import pytest
from PIL import Image

from workbench.api import STANDARD
from workbench.boxes import Box
from workbench.cli import synthesize as command
from workbench.errors import InputError, ProfileError, ToolFailure
from workbench.pipeline import synthesizing
from workbench.recipes.ports import LabelledRegion, SynthesizedQuestion
from workbench.recipes.synthesizer.region_to_image import (
    ONLY,
    RegionToImage,
    commonest,
    grown,
    with_box,
)
from workbench.records import PartRef, Region, Task, ToolCall
from workbench.store import Project

SIDE = 400
Answer = Callable[[Region, str], str | None]


class Room:
    """A room in which a function answers; pictures are named by their number."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.kept: list[Image.Image] = []
        self.asked: list[tuple[Region, str]] = []

    def answer(self, regions: Sequence[Region], questions: Sequence[str]) -> list[str | None]:
        self.asked += zip(regions, questions)
        return [self._answer(region, text) for region, text in zip(regions, questions)]

    def open(self, digest: str) -> Image.Image:
        return Image.new("RGB", (SIDE, SIDE), "white")

    def keep(self, picture: Image.Image) -> Region:
        self.kept.append(picture)
        return Region(f"new-{len(self.kept)}", SIDE, SIDE, Box(0, 0, SIDE, SIDE))

    def write(self, prompts: Sequence[str]) -> Sequence[str]:
        return [f"Is this {at} round?\nNo." for at, _ in enumerate(prompts)]

    def alike(self, answer: str, other: str) -> bool:
        return answer.casefold() == other.casefold()


def place(side: float = 40, label: str = "cup") -> LabelledRegion:
    region = Region("old", SIDE, SIDE, Box(100, 100, 100 + side, 100 + side), label, 0.9)
    return LabelledRegion("q1", "train", region)


def judged(answer: Answer, *places: LabelledRegion, **arguments: Any) -> list[SynthesizedQuestion]:
    return list(RegionToImage(**arguments).propose(places or (place(),), Room(answer)))


def is_whole(region: Region) -> bool:
    return region.box.area == SIDE * SIDE


def test_what_the_crops_agree_on_and_the_whole_does_not_say_is_taken() -> None:
    (one,) = judged(lambda region, _: "blue" if is_whole(region) else "Red")
    assert (one.reason, one.answer, one.picture) == ("", "Red", "new-1")
    assert one.question == f"What color is the cup? {ONLY}"
    assert one.facts == {
        "votes": ["Red"] * 4,
        "agreed": 4,
        "share": 0.01,
        "unzoomed": "blue",
        "easy": False,
    }


def test_planted_errors_are_refused_with_their_reasons() -> None:
    answers = iter(["red", "blue", "red", "green"])
    (ambiguous,) = judged(lambda region, _: next(answers))
    assert ambiguous.reason == "its crop is ambiguous: 2 of 4 crops give one answer"
    (large,) = judged(lambda *_: "red", place(130))
    assert large.reason == "its place is 11% of the picture, not below 10%"
    (easy,) = judged(lambda *_: "red")
    assert easy.reason == "the whole picture gives the same answer: it is easy"
    (kept,) = judged(lambda *_: "red", easy=True)
    assert (kept.reason, kept.facts["easy"]) == ("", True)
    (silent,) = judged(lambda *_: None)
    assert silent.reason == "its crop is ambiguous: 0 of 4 crops give one answer"


def test_three_of_four_are_a_majority() -> None:
    answers = iter(["red", "red", "red", "green", "blue"])
    (one,) = judged(lambda *_: next(answers))
    assert (one.reason, one.answer) == ("", "red")


def test_the_commonest_answer_is_the_first_of_equals() -> None:
    room = Room(lambda *_: None)
    assert commonest(["b", "a", "A", "B"], room) == ("b", 2)
    assert commonest([], room) == ("", 0)


def test_crops_grow_inside_the_picture_and_the_frame_leaves_the_place_alone() -> None:
    region = Region("old", SIDE, SIDE, Box(0, 380, 40, 400), "cup")
    assert grown(region, 0.5).box == Box(0, 370, 60, 400)
    picture = with_box(Image.new("RGB", (SIDE, SIDE), "white"), place().region)
    assert picture.getpixel((99, 120)) == (255, 0, 0)
    inside = picture.crop((100, 100, 140, 140))
    assert inside.getcolors() == [(1600, (255, 255, 255))]


def test_without_a_question_or_a_model_that_writes_it_is_refused_in_words() -> None:
    with pytest.raises(ProfileError, match="no question to ask and no model that can write one"):
        RegionToImage(questions=[])
    (one,) = judged(lambda region, _: str(is_whole(region)), questions=[], language="openai")
    assert one.question == f"Is this 0 round? {ONLY}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"area": 0}, "needs area"), ({"majority": 2}, "needs majority"), ({"votes": 0}, "votes")],
)
def test_wrong_arguments_are_refused_in_words(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        RegionToImage(**arguments)


class Looker:
    """A tool that sees red close up and nothing of the kind from afar; it fails on boats."""

    ref = PartRef("tool", "looker")
    spec = STANDARD[synthesizing.TOOL]
    batch_size = 3

    def __call__(self, calls: Sequence[ToolCall], images: Any) -> list[str | ToolFailure]:
        assert len(calls) <= self.batch_size
        answers: list[str | ToolFailure] = []
        for call in calls:
            region, text = call.arguments["patch"], call.arguments["question"]
            assert isinstance(region, Region)
            if "boat" in str(text):
                answers.append(ToolFailure("no answer"))
            else:
                answers.append("blue" if region.box.area == region.width * region.height else "red")
        return answers


class SmallParts:
    """The parts of a profile whose only tool is a looker."""

    tools: Sequence[Any] = (Looker(),)

    def __init__(self, *_: object) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A cup and a boat that kept runs have found, and a cup of an evaluation question."""
    monkeypatch.setattr(synthesizing, "Parts", SmallParts)
    with page_project.new_project(tmp_path / "p") as writer:
        for at, (noun, split) in enumerate((("cup", "train"), ("boat", "train"), ("cup", "test"))):
            digest = page_project.picture(writer.project, at)
            size = writer.project.images.open(digest).size
            task = Task(f"own/{at}", "own", split, digest, f"How many {noun}s?", ("1",), "integer")
            events = page_project.events_of(noun, [(9, 9, 60, 60)], size)
            runs = [(page_project.program_for(noun), events)] * 5
            writer.task(task, runs, "One.", store=False)
        writer.write()
    with Project.open(tmp_path / "p") as opened:
        yield opened


def test_questions_enter_the_project_with_all_that_they_come_from(project: Project) -> None:
    made = synthesizing.synthesize(project, "region_to_image")
    assert (made.candidates, made.added, made.agreed, made.unzoomed) == (2, 1, 1, 0)
    assert made.gap == 1.0
    assert made.refused == {"its crop is ambiguous: N of N crops give one answer": 1}
    (id_,) = project.browse_ids("source:region_to_image")
    (task,) = project.tasks([id_])
    (origin,) = project.tasks(["own/0"])
    assert (task.split, task.answers, task.family) == ("train", ("red",), "region")
    assert (task.meta["from_question"], task.meta["from_picture"]) == ("own/0", origin.image)
    assert task.meta["place"]["box"] == [9, 9, 60, 60]
    assert task.meta["synthesizer"]["name"] == "region_to_image"
    assert project.images.open(task.image).size == project.images.open(origin.image).size
    (bad,) = project.database.rows("SELECT source, reason FROM bad_row")
    assert (bad["source"], bad["reason"].split(":")[0]) == (
        "region_to_image",
        "its crop is ambiguous",
    )
    pictures = {path.stem for path in (project.path / "images").rglob("*.png")}
    assert pictures == {task.image}
    again = synthesizing.synthesize(project, "region_to_image")
    assert (again.added, again.present) == (0, 1)


def test_the_picture_of_a_refused_candidate_is_not_left_behind(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Looker, "__call__", lambda self, calls, images: ["red"] * len(calls))
    synthesis = synthesizing.synthesize(project, "region_to_image")
    assert synthesis.refused == {"the whole picture gives the same answer: it is easy": 2}
    assert list((project.path / "images").rglob("*.png")) == []


def test_the_command_says_what_was_taken_and_refused(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.close()
    command.main(project.path, "region_to_image", ["easy=true"], 1, False)
    text = capsys.readouterr().out
    assert "1 candidates by region_to_image: 1 questions added" in text
    assert "zooming gap: 100% of 1 answers" in text


def test_a_project_that_has_found_nothing_is_told_in_words(tmp_path: Path) -> None:
    with page_project.new_project(tmp_path / "p"):
        pass
    with (
        Project.open(tmp_path / "p") as opened,
        pytest.raises(InputError, match="no kept run of a question to train on has found anything"),
    ):
        synthesizing.synthesize(opened, "region_to_image")


def test_a_profile_without_eyes_is_told_in_words(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SmallParts, "tools", ())
    with pytest.raises(ProfileError, match="the profile has no tool 'visual_question_answering'"):
        synthesizing.synthesize(project, "region_to_image")
