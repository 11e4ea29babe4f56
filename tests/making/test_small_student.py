"""The small student's making, on two scenes: what it is taught, and that its gate can fail."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workbench.errors import EngineError
from workbench.images import ImageFolder
from workbench.making import small_classifiers, small_student
from workbench.making.base_student import FIRST_SCENE
from workbench.making.small_student import (
    NEW_SCENE,
    gate,
    lessons_of,
    main,
    missed,
    right_exactly,
    seen_scenes,
    told_exactly,
    views_of,
)
from workbench.models.student import TransformersStudent
from workbench.models.vlm import Vlm
from workbench.models.weights import small_folder
from workbench.records import Task
from workbench.tasks.collage.pictures import make_scene, render

SCENE = make_scene("train", FIRST_SCENE)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_student, "CHUNK", 2)
    for frames in ("_FRAMES", "_NEW_FRAMES"):
        monkeypatch.setattr(small_classifiers, frames, ("Locate the {name}.",))
    torch.set_num_threads(1)


def test_scenes_are_seen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = seen_scenes("train", FIRST_SCENE, 2, tmp_path)
    assert [len(views) for views in first] == [2, 2]
    assert first[0][0].width == SCENE.width
    monkeypatch.setattr(small_student, "views_of", None)  # a second look would fail
    again = seen_scenes("train", FIRST_SCENE, 2, tmp_path)
    for views, others in zip(first, again, strict=True):
        for one, other in zip(views, others, strict=True):
            assert one.stand_in == other.stand_in
            np.testing.assert_allclose(one.vectors, other.vectors, rtol=1e-3, atol=1e-3)


def test_nobody_is_taught_to_point_at_what_is_not_seen(tmp_path: Path) -> None:
    views = seen_scenes("train", FIRST_SCENE, 2, tmp_path)[0]
    lessons = [lesson for turn in range(8) for _, lesson in lessons_of(FIRST_SCENE, views, turn, 1)]
    assert {lesson.target for lesson in lessons} >= {"yes", "no"}
    blind = [type(view)(view.vectors, "", view.width, view.height) for view in views]
    kept = [lesson for turn in range(8) for _, lesson in lessons_of(FIRST_SCENE, blind, turn, 1)]
    assert 0 < len(kept) < len(lessons)
    assert not any("Where is" in lesson.prompt for lesson in kept)


@pytest.mark.parametrize(
    ("truth", "answer", "right"),
    [
        ("yes", "yes", True),
        ("dog, cat", "cat, dog", True),
        ("dog, dog", "dog", False),
        ("100 100 300 300", "110 100 300 300", True),
        ("100 100 300 300", "100 400 300 600", False),
        ("100 100 300 300", "", False),
        ("100 100 300 300", "100 100 300 300, 500 500 600 600", False),
        ("100 100 300 300, 500 500 600 600", "500 500 600 600, 100 100 300 300", True),
        ("100 100 300 300, 500 500 600 600", "500 500 600 600, 500 500 600 600", False),
    ],
)
def test_an_exact_answer_has_everything_once(truth: str, answer: str, right: bool) -> None:
    assert right_exactly(truth, answer, SCENE) is right


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("There is 1 dog in the image, at 110 100 300 300. Thus, the answer is 1.", True),
        ("There is 1 cat in the image, at 100 100 300 300. Thus, the answer is 1.", False),
        ("There is 1 dog in the image, at 100 400 300 600. Thus, the answer is 1.", False),
        ("There is 1 dog in the image. Thus, the answer is 1.", False),
        ("There is 1 dog in the image, at 100 100 300 300. Thus, the answer is 2.", False),
    ],
)
def test_a_telling_is_exact_with_its_words_and_its_boxes(text: str, exact: bool) -> None:
    truth = "There is 1 dog in the image, at 100 100 300 300. Thus, the answer is 1."
    assert told_exactly(truth, text, SCENE) is exact


def test_the_gate_says_what_is_missing() -> None:
    assert missed({"exists": [90, 100], "locate": [70, 100]}) == ""
    assert missed({"exists": [89, 100], "locate": [70, 100]}) == (
        "exists is right for 89 of 100, and has to be for 90%"
    )


def test_a_student_that_does_not_see_is_written_and_called_a_failure(tmp_path: Path) -> None:
    sizes = ["--scenes", "2", "--new-scenes", "2", "--steps", "1", "--batch", "4"]
    folders = ["--out", str(tmp_path / "student"), "--features", str(tmp_path / "features")]
    with pytest.raises(EngineError, match="does not see well enough: exists is right for"):
        main([*sizes, *folders])
    assert Vlm.load(str(tmp_path / "student"), device="cpu").processor.reader_layers == 8


def test_the_distilled_student_answers_and_explains(tmp_path: Path) -> None:
    render(make_scene("test", NEW_SCENE)).save(tmp_path / "scene.png")
    images = ImageFolder(tmp_path / "images")
    digest = images.add(tmp_path / "scene.png")
    task = Task("t/1", "t", "test", digest, "How many objects are there?", (), "integer")
    student = TransformersStudent("distilled", device="cpu")
    [direct] = student.answer([task], images)
    [explained] = student.answer([task], images, explain=True)
    assert direct.answer.isdigit()
    assert len(explained.rationale) > len(explained.answer)
    assert student.ref.name == "distilled"


def test_the_shipped_student_sees() -> None:
    there = [make_scene("test", NEW_SCENE + at) for at in range(6)]
    vlm = Vlm.load(str(small_folder()), device="cpu")
    views = [views_of(vlm.processor, "test", NEW_SCENE + at)[0] for at in range(6)]
    figures = gate(vlm, there, views)
    assert figures["exists"][0] >= 11, figures
    assert figures["locate"][0] >= 8, figures
