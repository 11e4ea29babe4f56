"""An answer that came to the bound of tokens says so, wherever it goes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from workbench.boxes import Box
from workbench.cut_text import UnendedText, as_written, first_line
from workbench.errors import ToolFailure
from workbench.images import ImageFolder
from workbench.models.student import TransformersStudent
from workbench.pipeline.predicting import scored
from workbench.records import PartRef, Region, Task, ToolCall
from workbench.tools.visual_questions import StudentQuestions
from workbench.unanswered import no_answer

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import save

SIDE = 40


@pytest.fixture(scope="module")
def student_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save("region", tmp_path_factory.mktemp("untaught") / "model"))


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    file = tmp_path / "red.png"
    Image.new("RGB", (SIDE, SIDE), "red").save(file)
    folder = ImageFolder(tmp_path / "images")
    folder.add(file)
    return folder


def digest_in(images: ImageFolder) -> str:
    [file] = images.root.glob("??/*")
    return file.stem


@pytest.mark.parametrize(
    ("tokens", "cut"),
    [([5, 6], False), ([5, 6, 7], True), ([5, 6, 2], False), ([5, 2, 0], False), ([], False)],
)
def test_a_text_is_cut_at_the_bound_without_an_end(tokens: list[int], cut: bool) -> None:
    text = as_written("a cat", tokens, bound=3, stops={2})
    assert (text, isinstance(text, UnendedText)) == ("a cat", cut)


@pytest.mark.parametrize(
    ("text", "line", "cut"),
    [
        (UnendedText("a cat on a"), "a cat on a", True),
        (UnendedText("\n a cat\nbecause it"), "a cat", False),
        (UnendedText("a cat\n"), "a cat", False),
        (UnendedText(" \n"), "", False),
        (UnendedText(""), "", True),
        ("a cat", "a cat", False),
    ],
)
def test_a_first_line_is_whole_where_another_follows(text: str, line: str, cut: bool) -> None:
    first = first_line(text)
    assert (first, isinstance(first, UnendedText)) == (line, cut)


def test_a_student_says_that_its_answer_was_cut(student_path: str, images: ImageFolder) -> None:
    task = Task("t", "own", "train", digest_in(images), "What is this?", ("a cat",))
    student = TransformersStudent(student_path, device="cpu", max_tokens=2, max_rationale_tokens=3)
    [short], [long] = (student.answer([task], images, explain) for explain in (False, True))
    assert short.problem == "the answer was cut at 2 tokens; raise max_tokens"
    assert long.problem == "the answer was cut at 3 tokens; raise max_rationale_tokens"
    assert student.stream(task, images, False, lambda piece: None).problem == short.problem
    assert (type(short.answer), short.missing) == (str, not short.answer)


def test_a_cut_answer_is_judged_and_a_missing_one_is_not() -> None:
    ref = PartRef("student", "mine")
    task = Task("t", "own", "train", "0" * 64, "What is this?", ("cat",))
    missing = no_answer(task, ref, "HTTP 400")
    assert (missing.missing, scored(task, missing)) == (True, missing)


def test_a_tool_does_not_take_a_cut_answer_for_a_whole_one(
    student_path: str, images: ImageFolder
) -> None:
    tool = StudentQuestions(student_path, device="cpu", max_tokens=2)
    whole = Region(digest_in(images), SIDE, SIDE, Box(0, 0, SIDE, SIDE))
    call = ToolCall("visual_question_answering", {"patch": whole, "question": "What is this?"})
    [result] = tool([call], images)
    assert isinstance(result, ToolFailure)
    assert str(result) == "the answer was cut at 2 tokens; raise max_tokens"
