"""Importing: pictures stay where they are, a dry run writes nothing, the same import twice is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import official_files as made
import pytest
from PIL import Image
from small_parts import profile_text
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.errors import ImageError
from workbench.images import ImageFolder, digest_of
from workbench.pipeline import importing
from workbench.settings import Choice
from workbench.snapshot.folder import place
from workbench.store import Project


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "small.toml").write_text(profile_text())
    with Project.create(tmp_path / "project", str(tmp_path / "small.toml")) as project:
        yield project


def official(name: str, tmp_path: Path) -> Choice:
    made.BENCHMARKS[name](tmp_path / "files")
    return Choice(name, {"root": str(tmp_path / "files")})


def kept(project: Project) -> list[Path]:
    return sorted(path for path in project.images.root.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", made.BENCHMARKS)
def test_every_benchmark_is_imported_once_however_often(
    name: str, empty: Project, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    choice = official(name, tmp_path)
    first = importing.import_tasks(empty, choice)
    assert first.added == empty.count_tasks() >= 3
    assert importing.import_tasks(empty, choice) == importing.TaskImport(0, 0, ())
    for path in kept(empty):
        assert path.is_symlink() == (name != "mmbench")
    for row in empty.database.rows("SELECT image FROM task"):
        assert empty.images.open(row["image"]).size == (8, 6)


def test_a_known_picture_is_not_read_again(
    empty: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files").mkdir()
    choice = official("hateful", tmp_path)
    importing.import_tasks(empty, choice)
    read: list[Path] = []
    link = ImageFolder.link
    monkeypatch.setattr(
        ImageFolder, "link", lambda self, path: read.append(path) or link(self, path)
    )
    importing.import_tasks(empty, choice)
    assert read == []
    os.utime(tmp_path / "files" / "img" / "00002.png", (1, 1))
    importing.import_tasks(empty, choice)
    assert [path.name for path in read] == ["00002.png"]


def test_progress_estimates_the_rows_from_the_bytes(empty: Project, tmp_path: Path) -> None:
    made.tallyqa(tmp_path)
    (tmp_path / "train.json").unlink()
    made.write(tmp_path / "test.json", [made.tallyqa_row(n, note="x" * 3000) for n in range(1000)])
    told: list[tuple[int, int]] = []
    importing.import_tasks(
        empty, Choice("tallyqa", {"root": str(tmp_path)}), watch=lambda *now: told.append(now)
    )
    assert [done for done, _ in told] == [256, 512, 768, 1000, 1000]
    assert all(done < expected < 2500 for done, expected in told[:2])
    assert told[-1] == (1000, 1000)


def test_a_broken_picture_and_bad_rows_are_listed_in_the_project(
    empty: Project, tmp_path: Path
) -> None:
    made.hateful(tmp_path)
    (tmp_path / "img" / "00001.png").write_bytes(b"not a picture")
    made.write_lines(
        tmp_path / "dev_seen.jsonl", made.hateful_row(1), made.hateful_row(2), made.hateful_row(2)
    )
    result = importing.import_tasks(empty, Choice("hateful", {"root": str(tmp_path)}), "dev_seen")
    assert (result.added, result.bad) == (1, 2)
    broken, twice = empty.database.rows("SELECT file, line, reason FROM bad_row ORDER BY line")
    assert broken["file"] == "hateful/dev_seen/1"
    assert "is not a picture that can be read" in broken["reason"]
    assert (Path(twice["file"]).name, twice["line"]) == ("dev_seen.jsonl", 3)


def test_a_look_counts_and_writes_nothing(empty: Project, tmp_path: Path) -> None:
    made.tallyqa(tmp_path)
    rows = [made.tallyqa_row(n, answer=None if n % 10 == 0 else 1) for n in range(400)]
    made.write(tmp_path / "test.json", rows)
    choice = Choice("tallyqa", {"root": str(tmp_path)})
    importing.import_tasks(empty, choice, "train")
    told = importing.look(choice, project=empty)
    assert told.splits == {"train": 1, "test": 360}
    assert (told.present, told.bad, len(told.first)) == (1, 40, importing.LISTED)
    assert told.reasons == {
        "entry …, question_id …: the answer is missing; expected a whole number": 40
    }
    assert empty.count_tasks() == 1
    assert importing.look(choice, "test", limit=5).splits == {"test": 5}


# --- pictures where they lie


def test_a_picture_that_moved_says_where_it_was(tmp_path: Path) -> None:
    made.picture(tmp_path / "a.png")
    folder = ImageFolder(tmp_path / "images")
    digest = folder.link(tmp_path / "a.png")
    assert folder.path(digest) is not None
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    with pytest.raises(
        ImageError,
        match=r"was imported from .*a\.png, and no file is there now; put it back, or import",
    ):
        folder.open(digest)
    assert folder.link(tmp_path / "b.png") == digest
    assert folder.open(digest).size == (8, 6)


def test_a_picture_that_changed_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    made.picture(tmp_path / "a.png", 10)
    folder = ImageFolder(tmp_path / "images")
    digest = folder.link(tmp_path / "a.png")
    os.utime(tmp_path / "a.png", (1, 1))
    assert folder.open(digest).size == (8, 6)
    made.picture(tmp_path / "a.png", 20)
    with pytest.raises(ImageError, match=r"a\.png is not the file that was imported as picture"):
        ImageFolder(folder.root).open(digest)
    assert folder.link(tmp_path / "a.png") == digest_of(tmp_path / "a.png") != digest


def test_a_broken_picture_is_not_linked(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    folder = ImageFolder(tmp_path / "images")
    with pytest.raises(ImageError, match=r"bad\.png is not a picture that can be read"):
        folder.link(tmp_path / "bad.png")
    with pytest.raises(ImageError, match="row 7 is not a picture that can be read"):
        folder.add_bytes(b"not a picture", "row 7")
    assert not folder.root.exists()


def test_a_picture_is_copied_where_no_link_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    made.picture(tmp_path / "a.png")
    folder = ImageFolder(tmp_path / "images")
    path = folder.path(folder.link(tmp_path / "a.png"))
    assert path is not None
    assert path.read_bytes() == (tmp_path / "a.png").read_bytes()
    assert not path.is_symlink()
    assert [held.suffix for held in path.parent.iterdir()] == [".png"]


def test_a_snapshot_of_a_linked_picture_holds_the_picture(tmp_path: Path) -> None:
    made.picture(tmp_path / "a.png")
    folder = ImageFolder(tmp_path / "images")
    link = folder.path(folder.link(tmp_path / "a.png"))
    assert link is not None
    place(link, tmp_path / "snapshot" / "a.png")
    (tmp_path / "a.png").unlink()
    assert (tmp_path / "snapshot" / "a.png").read_bytes()


# --- on the command line


def vpd(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_init_from_official_files(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(profile_text())
    made.aokvqa(tmp_path / "files")
    words = (
        "--source",
        "aokvqa",
        "--from",
        tmp_path / "files",
        "--profile",
        tmp_path / "small.toml",
    )
    dry = vpd("init", tmp_path / "p", *words, "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "aokvqa: 3 tasks would be taken, 0 rows left out" in dry.stdout
    assert "  val          2\n  test         1\n" in dry.stdout
    assert "nothing was written" in dry.stdout
    assert not (tmp_path / "p").exists()
    done = vpd("init", tmp_path / "p", *words, "--split", "val", "--set", "setting=open")
    assert "aokvqa: 2 tasks added" in done.stdout, done.output
    more = vpd(
        "import",
        "aokvqa",
        "--from",
        tmp_path / "files",
        "--project",
        tmp_path / "p",
        "--split",
        "val",
    )
    assert "4 tasks in" in more.stdout, more.output
    again = vpd("import", "--project", tmp_path / "p", "--split", "val", "--dry-run")
    assert again.stdout.count("  2 of them are in the project already") == 2, again.output


def test_a_dry_run_names_problem_rows(tmp_path: Path) -> None:
    made.pope(tmp_path)
    made.write_lines(
        tmp_path / "coco_pope_random.json",
        made.pope_row(1),
        made.pope_row(1),
        made.pope_row(2, label=""),
    )
    done = vpd(
        "init",
        tmp_path / "p",
        "--source",
        "pope",
        "--from",
        tmp_path,
        "--split",
        "random",
        "--dry-run",
    )
    assert "pope: 1 tasks would be taken, 2 rows left out" in done.stdout
    assert (
        "left out, 1 times: entry …, question_id …: the label is empty; expected text"
        in done.stdout
    )
    assert (
        f"  {tmp_path / 'coco_pope_random.json'}:2: entry 2, question_id 1: the question_id is already"
        in done.stdout
    )


def test_what_cannot_be_read_makes_no_project(tmp_path: Path) -> None:
    made.pope(tmp_path / "files")
    words = ("init", tmp_path / "p", "--source", "pope", "--from")
    for wrong, said in [
        (("tmp",), "--from tmp is not a folder; give the folder that holds the questions"),
        ((tmp_path,), "has no question file of pope; expected random: coco_pope_random.json"),
        (
            (tmp_path / "files", "--split", "val"),
            "pope has no split 'val'; it has: random, popular, adversarial",
        ),
        (
            (tmp_path / "files", "--images", "nowhere"),
            "--images nowhere is not a folder; give the folder that holds",
        ),
        (
            (tmp_path / "files", "--set", "subset=all"),
            "source 'pope' was given arguments it does not take",
        ),
        ((tmp_path / "files", "--set", "subset"), "--set takes KEY=VALUE"),
    ]:
        done = vpd(*words, *wrong)
        assert done.exit_code == 2
        assert said in " ".join(done.stderr.split())
        assert not (tmp_path / "p").exists()
    assert (
        "the source 'pope' needs --from DIR"
        in vpd("init", tmp_path / "p", "--source", "pope").stderr
    )


def test_a_row_nested_too_deep_is_a_bad_row_from_any_source(empty: Project, tmp_path: Path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    (tmp_path / "own.py").write_text(
        """
from pathlib import Path
from workbench.records import PartRef, Task

class Own:
    def __init__(self, root):
        self.root, self.bad, self.ref = Path(root), [], PartRef("source", "own", "1", {})

    def tasks(self, split=None):
        deep = []
        for _ in range(900):
            deep = [deep]
        for name, meta in (("1", {}), ("2", {"x": deep}), ("3", {})):
            yield Task(name, "own", "mine", "a.png", "Why?", ("no",), "yesno", meta=meta)

    def image_path(self, task):
        return self.root / task.image
"""
    )
    choice = Choice(f"{tmp_path / 'own.py'}:Own", {"root": str(tmp_path)})
    result = importing.import_tasks(empty, choice)
    assert (result.added, result.bad) == (2, 1)
    [bad] = empty.database.rows("SELECT reason FROM bad_row")
    assert "more than 100 deep" in bad["reason"]
