"""The bundled tasks: complete, balanced, equal to what the code writes again."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tasks.brute_force import answer
from workbench.errors import DatasetError, InputError
from workbench.evaluate.wrong_reasons.exact_tools import scene_of
from workbench.images import decode
from workbench.making.bundle import NEW_SCENE, PLANS, SplitPlan, new_plans, write_bundle
from workbench.making.paraphrases import paraphrase
from workbench.ports import TaskSource
from workbench.records import Task
from workbench.settings import data_dir
from workbench.tasks.bundled import Collages, Photos
from workbench.tasks.collage.knowledge import FACTS
from workbench.tasks.collage.phrasings import TEMPLATES
from workbench.tasks.collage.pictures import render
from workbench.tasks.rows import task_from_json, task_to_json


@cache
def collages() -> tuple[Task, ...]:
    return tuple(Collages().tasks())


def test_the_bundle_is_what_the_code_writes(tmp_path: Path) -> None:
    counts = write_bundle(tmp_path, pictures=False)
    assert counts == {split: plan.questions for split, plan in PLANS.items()}
    for name in ("train.jsonl", "val.jsonl", "test.jsonl", "questions.jsonl"):
        assert (tmp_path / name).read_bytes() == (data_dir() / "collages" / name).read_bytes(), name


def test_the_pictures_show_their_scenes() -> None:
    source = Collages()
    for split in PLANS:
        scenes = list(source.scenes(split))
        assert len(scenes) == PLANS[split].scenes
        path = data_dir() / "collages" / "images" / split / f"{scenes[0].id}.webp"
        drawn, stored = render(scenes[0]).resize((64, 48)), decode(path).resize((64, 48))
        pairs = zip(drawn.tobytes(), stored.tobytes(), strict=True)
        assert sum(abs(a - b) for a, b in pairs) / (64 * 48 * 3) < 6


def test_every_collage_question_is_right_and_has_its_picture() -> None:
    source = Collages()
    scenes = {scene.id: scene for split in PLANS for scene in source.scenes(split)}
    for task in collages():
        assert (answer(scenes[task.meta["scene"]], task.meta["form"]),) == task.answers
        assert source.image_path(task).is_file()
        assert source.image_path(task).stat().st_size < 33_000
    assert source.bad == []
    assert len({task.id for task in collages()}) == len(collages())


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_bundle_is_balanced(split: str) -> None:
    tasks = [task for task in collages() if task.split == split]
    families = Counter(task.family for task in tasks)
    assert len(families) == 9
    assert max(families.values()) < 1.7 * min(families.values())
    for family in families:
        says = Counter(
            task.answers[0]
            for task in tasks
            if task.family == family and task.answer_type == "yesno"
        )
        assert abs(says["yes"] - says["no"]) <= 1, family


def test_the_splits_use_the_wordings_they_say() -> None:
    for task in collages():
        phrasing = "train" if task.split == "train" else "test"
        key, number = task.meta["template"].rsplit("/", 1)
        assert task.meta["phrasing"] == phrasing
        assert (
            task.question.split()[0] == TEMPLATES[phrasing][key][int(number)].split()[0]
            or "{" in TEMPLATES[phrasing][key][int(number)].split()[0]
        )
    questions = {
        split: {task.question for task in collages() if task.split == split} for split in PLANS
    }
    assert not questions["train"] & (questions["val"] | questions["test"])


def test_a_small_bundle_has_pictures(tmp_path: Path) -> None:
    assert write_bundle(tmp_path, {"val": SplitPlan(2, 6, "test")}) == {"val": 6}
    source = Collages(tmp_path)
    for task in source.tasks("val"):
        with Image.open(source.image_path(task)) as picture:
            assert picture.size == (640, 480)


def test_new_questions_are_balanced_new_and_the_same_again(tmp_path: Path) -> None:
    plans = new_plans(30, 90, 6, 18)
    for name in ("a", "b"):
        assert write_bundle(tmp_path / name, plans, pictures=False) == {"train": 90, "val": 18}
    one, other = ((tmp_path / name / "questions.jsonl").read_bytes() for name in ("a", "b"))
    assert one == other
    source = Collages(tmp_path / "a")
    tasks = list(source.tasks())
    scenes = {scene.id: scene for split in ("train", "val") for scene in source.scenes(split)}
    for task in tasks:
        scene = scenes[task.meta["scene"]]
        assert answer(scene, task.meta["form"]) == task.answers[0]
        assert scene_of(task) == scene
        assert task.meta["phrasing"] == "train"
    assert min(scene.seed for scene in scenes.values()) >= NEW_SCENE
    assert not {task.id for task in tasks} & {task.id for task in collages()}
    families = Counter(task.family for task in tasks if task.split == "train")
    assert len(families) == 9
    assert max(families.values()) < 2 * min(families.values())
    share = sum(task.meta["template"] == "paraphrase" for task in tasks) / len(tasks)
    assert 0.5 < share < 0.8


def test_a_new_test_is_asked_as_the_bundled_one(tmp_path: Path) -> None:
    plans = new_plans(2, 4, 1, 2, test_pictures=5, test_count=15)
    assert write_bundle(tmp_path, plans, pictures=False)["test"] == 15
    tasks = list(Collages(tmp_path).tasks("test"))
    assert {task.meta["phrasing"] for task in tasks} == {"test"}
    assert not {task.id for task in tasks} & {task.id for task in collages()}
    assert "test" not in new_plans(2, 4, 1, 2)


def test_paraphrases_keep_the_fact_that_is_asked_for() -> None:
    form = {"op": "knowledge", "ask": "exists", "fact": "eggs", "among": "animal"}
    rng = np.random.default_rng(0)
    assert {paraphrase(form, rng, same=True)[1] for _ in range(30)} == {FACTS["eggs"].train[0]}


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((10, 91, 1, 3), "found 91 questions on 10 pictures of the train split"),
        ((10, 30, 0, 0), "found 0 questions on 0 pictures of the val split"),
        ((10, 30, 1, 3, 239), "scene 239 of the train split is bundled"),
        ((10, 30, 1, 3, NEW_SCENE, 1, 10), "found 10 questions on 1 pictures of the test split"),
    ],
)
def test_a_plan_that_cannot_be_made_is_refused(numbers: tuple[int, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        new_plans(*numbers)


def test_the_photographs_have_thirty_questions_and_open() -> None:
    source = Photos()
    tasks = list(source.tasks())
    assert len(tasks) == 30
    assert source.bad == []
    assert len({task.image for task in tasks}) == 10
    for task in tasks:
        assert task.labelled
        assert not task.choices or task.answers[0] in task.choices
    for path in {source.image_path(task) for task in tasks}:
        assert max(decode(path).size) <= 1024


def test_both_are_task_sources() -> None:
    assert isinstance(Collages(), TaskSource)
    assert isinstance(Photos(), TaskSource)
    assert Collages().ref.name == "collages"
    assert Photos().ref.name == "photos"


def test_bad_lines_are_listed_and_good_ones_come(tmp_path: Path) -> None:
    good = json.dumps(task_to_json(collages()[0]))
    wrong = json.dumps({**task_to_json(collages()[0]), "answers": "yes"})
    (tmp_path / "questions.jsonl").write_text(
        f"{good}\n[1]\n{{\n{wrong}\n\n{good}\n", encoding="utf-8"
    )
    source = Collages(tmp_path)
    assert list(source.tasks()) == [collages()[0]] * 2
    assert [row.line for row in source.bad] == [2, 3, 4]
    assert "the field 'answers' is 'yes'; expected a list of texts" in source.bad[2].reason


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="give its folder, or set VPD_DATA"):
        next(Collages(tmp_path).tasks())
    with pytest.raises(DatasetError, match="have no split 'dev'; expected one of train, val, test"):
        next(Collages().scenes("dev"))
    (tmp_path / "val.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DatasetError, match=r"val\.jsonl:1 is not a scene"):
        next(Collages(tmp_path).scenes("val"))


def test_a_task_survives_json() -> None:
    for task in collages()[:50]:
        assert task_from_json(json.loads(json.dumps(task_to_json(task)))) == task


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": 1}, "unknown field 'colour'"),
        ({"question": None}, "the field 'question' is NoneType; expected text"),
        ({"meta": []}, "the field 'meta' is not an object"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        task_from_json({**task_to_json(collages()[0]), **change})


def test_a_missing_field_is_named() -> None:
    row = task_to_json(collages()[0])
    del row["image"]
    with pytest.raises(ValueError, match="the field 'image' is missing"):
        task_from_json(row)
