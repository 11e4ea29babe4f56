"""NLVR2: pairs of pictures in their order, in the folders of the download, and broken rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import official_files as made
import pytest

from workbench import registry
from workbench.errors import ProfileError
from workbench.records import Task


def read(root: Path) -> tuple[list[Task], list[str]]:
    source = registry.build("source", "nlvr2", root=str(root))
    tasks = list(source.tasks())
    return tasks, [f"{Path(bad.file).name}:{bad.line}: {bad.reason}" for bad in source.bad]


def test_nlvr2_has_the_left_picture_first(tmp_path: Path) -> None:
    made.nlvr2(tmp_path)
    first, second, _ = read(tmp_path)[0]
    assert first.images == ("images/dev/dev-850-0-img0.png", "images/dev/dev-850-0-img1.png")
    assert (first.id, first.answers, second.answers) == ("nlvr2/dev/dev-850-0-0", ("yes",), ("no",))
    assert first.question == "Is this true of the two pictures? There are two dogs in all."
    assert (first.answer_type, first.meta["set"]) == ("yesno", "dev-850")


def test_nlvr2_pictures_of_train_lie_in_numbered_folders(tmp_path: Path) -> None:
    for number in (0, 1):
        made.picture(tmp_path / "train" / "21" / f"train-3-2-img{number}.png")
    row = made.nlvr2_row("train-3-2-1", directory=21)
    made.write_lines(tmp_path / "train.json", row)
    (task,) = registry.build("source", "nlvr2", root=str(tmp_path)).tasks()
    assert task.images == tuple(f"train/21/train-3-2-img{number}.png" for number in (0, 1))


def test_nlvr2_balanced_part(tmp_path: Path) -> None:
    made.nlvr2(tmp_path)
    folder = tmp_path / "data" / "balanced"
    folder.mkdir()
    made.write_lines(folder / "balanced_dev.json", made.nlvr2_row("dev-850-1-1"))
    source = registry.build("source", "nlvr2", root=str(tmp_path), subset="balanced")
    assert [task.id for task in source.tasks()] == ["nlvr2/dev/dev-850-1-1"]
    with pytest.raises(ProfileError, match="choose all, balanced, unbalanced"):
        registry.build("source", "nlvr2", root=str(tmp_path), subset="best")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"label": "maybe"}, "the label is str 'maybe'; expected True, False or none"),
        ({"identifier": "dev-850-0"}, "expected split-set-pair-sentence, as dev-850-0-1"),
        ({"identifier": "dev-850-9-0"}, "no picture dev/dev-850-9-img0.png in"),
        ({"sentence": " "}, "the sentence is empty; expected text"),
    ],
)
def test_nlvr2_rows_that_are_left_out(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    made.nlvr2(tmp_path)
    rows = [made.nlvr2_row("dev-850-0-0"), {**made.nlvr2_row("dev-850-1-1"), **changes}]
    made.write_lines(tmp_path / "data" / "dev.json", *rows)
    tasks, bad = read(tmp_path)
    assert ([task.id for task in tasks], len(bad)) == (["nlvr2/dev/dev-850-0-0"], 1)
    assert bad[0].startswith("dev.json:2: entry 2, identifier 'dev-850-")
    assert why in bad[0]
