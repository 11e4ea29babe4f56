"""Rows about several pictures: written, read and exported with all of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from snapshot_rows import draw, example

from workbench.errors import InputError
from workbench.images import digest_of
from workbench.snapshot import Snapshot, write
from workbench.snapshot.example import from_row, task_of, to_row
from workbench.snapshot.exports import SEVERAL_PICTURES, export
from workbench.snapshot.manifest import FORMAT, SEVERAL
from workbench.snapshot.pictures import Picture, sides


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("several")
    paths = [draw(folder / "drawn", number) for number in range(3)]
    first, second, third = map(digest_of, paths)
    rows = [
        example(0, first, more_images=(second,), more_sizes=((96, 64),)),
        example(1, third),
    ]
    pictures = dict(zip((first, second, third), paths, strict=True))
    return write(folder / "snapshots", rows, pictures, filter={})


def test_a_row_comes_back_with_its_pictures(snapshot: Snapshot) -> None:
    pair, one = Snapshot.open(snapshot.path).examples()
    assert (len(pair.images), len(one.images), pair.more_sizes) == (2, 1, ((96, 64),))
    assert from_row(to_row(pair)) == pair
    assert task_of(pair).images == pair.images
    assert "more_images" not in to_row(one)
    assert snapshot.problems() == []


def test_an_earlier_reader_refuses_it(snapshot: Snapshot, tmp_path: Path) -> None:
    assert snapshot.manifest.content.format == SEVERAL
    path = draw(tmp_path / "drawn", 5)
    plain = write(tmp_path, [example(0, digest_of(path))], {digest_of(path): path}, filter={})
    assert plain.manifest.content.format == FORMAT


def test_chat_rows_have_every_picture(snapshot: Snapshot, tmp_path: Path) -> None:
    export(snapshot, "chat", tmp_path / "out")
    lines = (tmp_path / "out" / "train.jsonl").read_text().splitlines()
    row = next(one for one in map(json.loads, lines) if one["task"] == "made/0000")
    assert [(tmp_path / "out" / path).is_file() for path in row["images"]] == [True, True]
    assert row["messages"][0]["content"].count("<image>") == 2
    typed = (tmp_path / "out" / "train.typed.jsonl").read_text().splitlines()
    parts = json.loads(typed[lines.index(json.dumps(row))])["prompt"][0]["content"]
    assert [part["type"] for part in parts] == ["image", "image", "text"]


def test_datasets_rows_have_every_picture(snapshot: Snapshot, tmp_path: Path) -> None:
    export(snapshot, "datasets", tmp_path / "out")
    pair, one = pq.read_table(tmp_path / "out" / "train.parquet").to_pylist()
    assert (len(pair["more_images"]), len(one["more_images"])) == (1, 0)
    assert pair["more_images"][0]["bytes"].startswith(b"\x89PNG")


@pytest.mark.parametrize("to", ["argilla", "label-studio", "fiftyone", "tool-calls"])
def test_a_format_of_one_picture_says_so(snapshot: Snapshot, to: str, tmp_path: Path) -> None:
    assert to not in SEVERAL_PICTURES
    with pytest.raises(InputError, match=rf"{to} takes one picture; question 'made/0000' has 2"):
        export(snapshot, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_pictures_of_a_question_stand_on_one_side() -> None:
    pictures = [Picture(f"{number:064x}", 8, 8, 0) for number in range(40)]
    linked = [(one.digest, other.digest) for one, other in itertools.pairwise(pictures)]
    assert len(set(sides(pictures, 0.5, 0).values())) == 2
    assert len(set(sides(pictures, 0.5, 0, linked=linked).values())) == 1
