"""A snapshot on disk: the same content has one name, and whatever was changed is noticed."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshot_rows import HOSTILE, draw, example, taken

from workbench.errors import SnapshotError
from workbench.images import digest_of
from workbench.records import storable_json
from workbench.snapshot import SPLITS, LeftOut, Snapshot, write
from workbench.snapshot.manifest import _seal


def test_what_is_written_is_read(tmp_path: Path) -> None:
    snapshot = taken(tmp_path, 5)
    held = Snapshot.open(snapshot.path).examples()
    assert [row.task_id for row in held] == [f"made/{at:04d}" for at in range(5)]
    assert held[0] == example(0, held[0].image)
    assert [len(snapshot.examples(split)) for split in SPLITS] == [4, 1]
    assert snapshot.problems() == []
    assert snapshot.images.open(held[0].image).size == (96, 64)


def test_the_manifest_counts(tmp_path: Path) -> None:
    content = taken(tmp_path, 3).manifest.content
    assert content.counts == {
        "rows": 3,
        "rationales": 3,
        "edited": 0,
        "pictures": 3,
        "kinds": {"person": 3},
        "families": {"count": 3},
        "sources": {"made": 3},
        "reviewers": {"ann": 3},
    }
    assert [content.rows[split]["count"] for split in SPLITS] == [2, 1]
    assert content.guidelines == ("g1",)
    assert [row["digest"] for row in content.images] == sorted(
        row["digest"] for row in content.images
    )


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations(range(6)), name=st.text(max_size=8), as_of=st.none() | st.text(max_size=5)
)
def test_the_hash_is_of_the_content_alone(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], name: str, as_of: str | None
) -> None:
    folder = tmp_path_factory.mktemp("h")
    pictures = {digest_of(path): path for path in (draw(folder, at) for at in range(6))}
    rows = [example(at, image) for at, image in enumerate(pictures)]
    one = write(folder / "a", rows, pictures, filter={"b": 1, "a": [2]})
    other = write(
        folder / "b",
        [rows[at] for at in order],
        dict(reversed(pictures.items())),
        filter={"a": [2], "b": 1},
        name=name,
        as_of=as_of,
    )
    assert one.hash == other.hash == one.path.name


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "3"},
        {"rationale": None},
        {"edited": True},
        {"guideline": "g2"},
        {"reviewers": ("ann", "ben")},
        {"split": "val"},
        {"trace_id": "t9"},
        {"choices": ("1", "2")},
        {"width": 97},
    ],
)
def test_another_content_has_another_hash(tmp_path: Path, change: dict[str, object]) -> None:
    picture = draw(tmp_path, 0)
    image = digest_of(picture)
    hashes = {
        write(tmp_path / "s", [example(0, image, **given)], {image: picture}, filter={}).hash
        for given in ({}, change)
    }
    assert len(hashes) == 2


def test_another_filter_has_another_hash(tmp_path: Path) -> None:
    picture = draw(tmp_path, 0)
    image = digest_of(picture)
    hashes = {
        write(tmp_path / "s", [example(0, image)], {image: picture}, filter={"x": x}).hash
        for x in (1, 2)
    }
    assert len(hashes) == 2


def test_a_second_writing_changes_nothing(tmp_path: Path) -> None:
    first = taken(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.path.rglob("*")}
    assert taken(tmp_path).manifest == first.manifest
    assert {path: path.stat().st_mtime_ns for path in first.path.rglob("*")} == before
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == [first.hash]


def test_many_writers_of_one_content_make_one_folder(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(taken(tmp_path).hash)) for _ in range(6)
    ]
    for at in range(4):
        draw(tmp_path / "drawn", at)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == [found[0]]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _flip(path: Path) -> None:
    held = bytearray(path.read_bytes())
    at = random.Random(1).randrange(len(held))
    held[at] ^= 1
    path.write_bytes(bytes(held))


@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink])
@pytest.mark.parametrize("file", ["train.parquet", "val.parquet"])
def test_damaged_rows_are_noticed_on_opening(tmp_path: Path, file: str, damage: object) -> None:
    path = taken(tmp_path).path
    damage(path / file)  # type: ignore[operator]
    with pytest.raises(
        SnapshotError,
        match=rf"{file} (was changed after it was written: a snapshot never|cannot be read)",
    ):
        Snapshot.open(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "mine"), ("created_at", "1999"), ("hash", "0" * 20), ("files", {}), ("more", 1)],
)
def test_an_edited_manifest_is_noticed(tmp_path: Path, key: str, value: object) -> None:
    path = taken(tmp_path).path / "manifest.json"
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, key: value}))
    with pytest.raises(
        SnapshotError, match=r"manifest.json was changed after it was written: .*delete its folder"
    ):
        Snapshot.open(path.parent)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not json", "cannot be read"),
        ("[]", "is not a manifest of a snapshot; expected an object with 'content'"),
        (
            '{"content": {"format": 4}}',
            "has format 4; this workbench reads format 1 to 3: upgrade it",
        ),
        ("[" * 100000, "cannot be read"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SnapshotError, match=why):
        Snapshot.open(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../../secret": {"sha256": "0"}}},
        {"content": {"format": 1}},
        {"content": {"format": 1, "left_out": [3]}},
    ],
)
def test_a_forged_manifest_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    """Even one whose seal fits."""
    path = taken(tmp_path).path / "manifest.json"
    held = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps({**held, "seal": _seal(held)}))
    with pytest.raises(
        SnapshotError, match=r"manifest.json (was changed|is not a manifest of a snapshot)"
    ):
        Snapshot.open(path.parent)


def test_no_snapshot_there(tmp_path: Path) -> None:
    with pytest.raises(
        SnapshotError, match=r"there is no snapshot at .*; vpd snapshot list names them"
    ):
        Snapshot.open(tmp_path / "nosuch")


def test_pictures_are_checked_by_their_digest(tmp_path: Path) -> None:
    snapshot = taken(tmp_path)
    first, second = sorted((snapshot.path / "images").rglob("*.png"))[:2]
    first.unlink()
    second.unlink()  # a link: written in place, the project's own picture would change as well
    second.write_bytes(draw(tmp_path, 77).read_bytes())
    assert snapshot.problems() == [
        f"picture {first.stem[:12]}… is missing",
        f"picture {second.stem[:12]}… is not the file that was taken in",
    ]


def test_rows_are_checked_beyond_their_file(tmp_path: Path) -> None:
    snapshot = taken(tmp_path)
    table = pq.read_table(snapshot.path / "train.parquet")
    pq.write_table(table.slice(1), snapshot.path / "train.parquet")
    assert snapshot.problems() == [
        "the rows of train.parquet are not those that the manifest names"
    ]


def test_it_outlives_the_project(tmp_path: Path) -> None:
    snapshot = taken(tmp_path)
    away = tmp_path / "away" / snapshot.hash
    shutil.copytree(snapshot.path, away)
    shutil.rmtree(tmp_path / "snapshots")
    shutil.rmtree(tmp_path / "drawn")
    moved = Snapshot.open(away)
    assert moved.problems() == []
    assert all(moved.images.open(row.image) for row in moved.examples())


def test_no_example_says_what_was_left_out(tmp_path: Path) -> None:
    left = [LeftOut("nobody has decided yet", 12, ("a",))]
    with pytest.raises(
        SnapshotError, match=r"no example fits, .*; 12 left out: nobody has decided yet"
    ):
        write(tmp_path, [], {}, filter={}, left_out=left)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_on_both_sides_is_refused(tmp_path: Path) -> None:
    picture = draw(tmp_path, 0)
    image = digest_of(picture)
    rows = [example(0, image), example(1, image, split="val")]
    with pytest.raises(SnapshotError, match="is on both sides; split by picture"):
        write(tmp_path / "s", rows, {image: picture}, filter={})


def test_a_picture_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SnapshotError, match="of an example has no file; vpd doctor lists what is missing"
    ):
        write(tmp_path, [example(0, "0" * 64)], {}, filter={})


def test_a_picture_that_is_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        SnapshotError, match=r"0.png is not the file that was taken in; vpd doctor lists such files"
    ):
        write(tmp_path / "s", [example(0, "0" * 64)], {"0" * 64: draw(tmp_path, 0)}, filter={})
    assert list((tmp_path / "s").iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("in the way")
    with pytest.raises(
        SnapshotError, match=r"the snapshot cannot be written to .*; make room there"
    ):
        taken(tmp_path)


def test_hostile_text_comes_back_as_text(tmp_path: Path) -> None:
    snapshot = taken(
        tmp_path, 2, question=HOSTILE, rationale=HOSTILE, program=HOSTILE, choices=(HOSTILE, "")
    )
    row = Snapshot.open(snapshot.path).examples()[0]
    assert row.question == row.rationale == row.program == row.choices[0] == storable_json(HOSTILE)
    assert "?" in row.question, "a lone surrogate can be in no file"


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3),
    none=st.booleans(),
)
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], none: bool
) -> None:
    folder = tmp_path_factory.mktemp("t")
    picture = draw(folder, 0)
    row = example(
        0,
        digest_of(picture),
        question=texts[0],
        answers=tuple(texts),
        rationale=None if none else texts[1],
    )
    assert write(folder / "s", [row], {row.image: picture}, filter={}).examples() == [row]


def test_a_bare_machine_can_read_it(tmp_path: Path) -> None:
    """Nothing but pyarrow and Pillow: no database, no model library, no numpy of its own accord."""
    snapshot = taken(tmp_path)
    code = f"""
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("duckdb", "torch", "gradio", "transformers", "sklearn", "typer", "rich", "pydantic_monty"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hide())
from pathlib import Path
from workbench.snapshot import Snapshot
snapshot = Snapshot.open(Path({str(snapshot.path)!r}))
print(len(snapshot.examples()), snapshot.problems(), snapshot.images.open(snapshot.examples()[0].image).size)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "4 [] (96, 64)\n", done.stderr
