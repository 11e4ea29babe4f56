"""Questions about several pictures: imported, kept in order, and said where one picture is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from small_parts import profile_text

from workbench.errors import InputError
from workbench.pipeline.importing import import_tasks
from workbench.pipeline.snapshotting import SnapshotWish, preview, take
from workbench.records import Task, content_key
from workbench.settings import Choice
from workbench.several_pictures import by_question, only_picture
from workbench.store import Project
from workbench.store.doctor import examine
from workbench.store.reading import figures, snapshots
from workbench.tasks.rows import task_from_json, task_to_json

TASK = Task("mine/1", "mine", "test", "a", "Which is red?", ("yes",), "yesno")
PAIR = replace(TASK, id="mine/2", more_images=("b",))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "small.toml").write_text(profile_text())
    with Project.create(tmp_path / "project", str(tmp_path / "small.toml")) as project:
        yield project


def source(tmp_path: Path, *rows: dict[str, object]) -> Choice:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, shade in (("red", 200), ("blue", 40), ("grey", 90)):
        Image.new("RGB", (8, 6), (shade, 30, 30)).save(folder / f"{name}.png")
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return Choice("folder", {"root": str(folder)})


def tasks_of(project: Project) -> list[Task]:
    rows = project.database.rows("SELECT id FROM task ORDER BY seq")
    return project.tasks([row["id"] for row in rows])


ASKED = {"question": "Is the first one red?", "answer": "yes"}


def test_pictures_are_imported_in_order_and_read_back(project: Project, tmp_path: Path) -> None:
    choice = source(
        tmp_path,
        {"images": ["red.png", "blue.png"], **ASKED},
        {"images": ["blue.png", "red.png"], **ASKED},
        {"image": "grey.png", **ASKED},
    )
    assert import_tasks(project, choice).added == 3
    first, second, one = tasks_of(project)
    assert (first.image, first.more_images) == (second.more_images[0], (second.image,))
    assert [project.images.open(digest).size for digest in first.images] == [(8, 6)] * 2
    assert one.more_images == ()
    assert import_tasks(project, choice).changed == ()


def test_every_picture_counts_and_is_looked_after(project: Project, tmp_path: Path) -> None:
    import_tasks(project, source(tmp_path, {"images": ["red.png", "blue.png"], **ASKED}))
    assert figures.pictures(project.database) == 2
    assert len(snapshots.evaluation_images(project.database, ["mine"], [])) == 2
    (task,) = tasks_of(project)
    project.images.drop(task.more_images[0])
    project.close()
    assert "pictures of tasks that are not in images/" in {
        finding.what for finding in examine(project.path)
    }


def test_a_question_with_a_broken_second_picture_is_left_out(
    project: Project, tmp_path: Path
) -> None:
    choice = source(tmp_path, {"images": ["red.png", "blue.png"], **ASKED})
    (tmp_path / "mine" / "blue.png").write_bytes(b"no picture")
    assert (import_tasks(project, choice).added, project.count_tasks()) == (0, 0)
    (row,) = project.database.rows("SELECT reason FROM bad_row")
    assert "blue.png" in row["reason"]


def test_a_question_about_one_picture_has_the_key_that_it_had() -> None:
    known = {name: getattr(TASK, name) for name in Task.__slots__ if name != "more_images"}
    assert content_key(TASK) == content_key({"_": "Task", **known})
    assert content_key(TASK) != content_key(replace(TASK, more_images=("b",)))


def test_a_task_is_written_and_read_with_its_pictures() -> None:
    assert task_from_json(json.loads(json.dumps(task_to_json(PAIR)))) == PAIR
    assert "more_images" not in task_to_json(TASK)


def test_questions_that_share_a_picture_are_linked() -> None:
    linked = by_question({"a": ["1"], "b": ["2", "3"], "c": ["3", "4"], "d": ["4"], "e": ["5"]})
    assert linked == {"a": "1", "b": "2", "c": "2", "d": "2", "e": "5"}


def test_who_takes_one_picture_says_so() -> None:
    assert only_picture(TASK, "the student 'x'") == "a"
    with pytest.raises(InputError, match=r"the student 'x' takes one picture; .* 'mine/2' has 2"):
        only_picture(PAIR, "the student 'x'")


def test_a_snapshot_holds_all_pictures_on_one_side(project: Project, tmp_path: Path) -> None:
    rows = [
        {"images": ["red.png", "blue.png"], **ASKED, "split": "train"},
        {"images": ["blue.png", "grey.png"], **ASKED, "split": "train"},
    ]
    import_tasks(project, source(tmp_path, *rows))
    taken = take(project, SnapshotWish(accepted="automatic", labels=True, val=0.5))
    examples = taken.examples()
    assert [len(one.images) for one in examples] == [2, 2]
    assert len({one.split for one in examples}) == 1
    assert all(taken.images.path(image) for one in examples for image in one.images)


def test_a_second_picture_that_leaks_keeps_its_question_out(
    project: Project, tmp_path: Path
) -> None:
    rows = [
        {"images": ["red.png", "blue.png"], **ASKED, "split": "train"},
        {"image": "grey.png", **ASKED, "split": "train"},
        {"image": "blue.png", **ASKED, "split": "test"},
    ]
    import_tasks(project, source(tmp_path, *rows))
    found = preview(project, SnapshotWish(accepted="automatic", labels=True))
    assert [one.images for one in found.examples] == [tasks_of(project)[1].images]
    assert "an evaluation set has the same picture" in {row.reason for row in found.left_out}
