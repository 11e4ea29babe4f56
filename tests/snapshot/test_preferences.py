"""Pairs on disk and for other trainers: whose preference it is stays with every row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from snapshot_rows import HOSTILE, PROGRAMS, RATIONALE, draw, pair, taken

from workbench.errors import InputError, SnapshotError
from workbench.images import digest_of
from workbench.prompts import RATIONALE_SUFFIX
from workbench.records import storable
from workbench.snapshot import Snapshot, write
from workbench.snapshot.exports import export


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The export of three pictures with two pairs each; the last picture is held out."""
    return export(taken(tmp_path, 3, pairs=True), "preferences", tmp_path / "out").path


def test_each_kind_and_side_has_its_files(folder: Path) -> None:
    names = {path.name for path in folder.glob("*.jsonl")}
    assert names == {
        f"{kind}.{side}.{form}.jsonl"
        for kind in ("program", "rationale")
        for side in ("train", "val")
        for form in ("dpo", "kto", "ranking", "ktotag")
    }
    assert len(lines(folder / "rationale.train.dpo.jsonl")) == 2
    assert len(lines(folder / "program.val.dpo.jsonl")) == 1


def test_trl_gets_turns_of_typed_parts_and_the_pictures_apart(folder: Path) -> None:
    row = lines(folder / "rationale.train.dpo.jsonl")[0]
    (question,) = row["prompt"]
    assert [part["type"] for part in question["content"]] == ["image", "text"]
    assert question["content"][1]["text"] == "How many dogs are there?" + RATIONALE_SUFFIX
    assert row["chosen"] == [
        {"role": "assistant", "content": [{"type": "text", "text": RATIONALE}]}
    ]
    assert row["rejected"][0]["content"][0]["text"] == "There are no dogs, so 2."
    (picture,) = row["images"]
    assert (folder / picture).is_file()
    assert (row["origin"], row["reviewers"]) == ("person", ["ann"])
    kto = lines(folder / "rationale.train.kto.jsonl")
    assert [one["label"] for one in kto] == [True, False, True, False]
    assert all(one["prompt"] == row["prompt"] for one in kto)
    program = lines(folder / "program.train.dpo.jsonl")[0]
    assert "images" not in program
    assert program["prompt"][0]["content"] == [{"type": "text", "text": PROGRAMS["prompt"]}]
    assert program["origin"] == "verdict"


def test_llama_factory_finds_its_columns(folder: Path) -> None:
    information = json.loads((folder / "dataset_info.json").read_text())
    assert set(information) == {
        f"vpd_{kind}_{side}{tail}"
        for kind in ("program", "rationale")
        for side in ("train", "val")
        for tail in ("", "_kto")
    }
    for entry in information.values():
        rows = lines(folder / entry["file_name"])
        assert all(set(entry["columns"].values()) <= set(row) for row in rows)
        for row in rows:
            tags = json.dumps(row["messages"]).count("<image>")
            assert tags == len(row.get("images", []))
            if "ranking" in entry:
                assert [turn["role"] for turn in row["messages"]] == ["user"]
                assert row["chosen"]["role"] == row["rejected"]["role"] == "assistant"
            else:
                assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
                assert isinstance(row["kto_tag"], bool)


def test_a_text_of_several_pairs_is_told_once_for_kto(tmp_path: Path) -> None:
    image = draw(tmp_path / "drawn", 0)
    digest = digest_of(image)
    pairs = [pair(0, digest), pair(0, digest, rejected="None.", rejected_id="s9")]
    snapshot = write(tmp_path / "snapshots", [], {digest: image}, filter={}, pairs=pairs)
    out = export(snapshot, "preferences", tmp_path / "out").path
    assert [row["label"] for row in lines(out / "rationale.train.kto.jsonl")] == [
        True,
        False,
        False,
    ]
    assert len(lines(out / "rationale.train.dpo.jsonl")) == 2


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    image = draw(tmp_path / "drawn", 0)
    digest = digest_of(image)
    one = pair(0, digest, question=HOSTILE, rejected=HOSTILE, why=HOSTILE)
    snapshot = write(tmp_path / "snapshots", [], {digest: image}, filter={}, pairs=[one])
    assert Snapshot.open(snapshot.path).pairs()[0].rejected == storable(HOSTILE)
    out = export(snapshot, "preferences", tmp_path / "out").path
    (row,) = lines(out / "rationale.train.ranking.jsonl")
    assert json.dumps(row["messages"]).count("<image>") == 1
    assert "<image>" not in row["rejected"]["content"]


def test_a_snapshot_without_pairs_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no preference pairs; take one that has: vpd snap"):
        export(taken(tmp_path), "preferences", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pairs_of_one_picture_on_two_sides_are_refused(tmp_path: Path) -> None:
    image = draw(tmp_path / "drawn", 0)
    digest = digest_of(image)
    both = [pair(0, digest), pair(1, digest, split="val")]
    with pytest.raises(SnapshotError, match="is on both sides"):
        write(tmp_path / "snapshots", [], {digest: image}, filter={}, pairs=both)
