"""vpd snapshot, export, import-decisions, backup, restore and doctor, as a person uses them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from finished_project import finished_project
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.snapshot import Snapshot
from workbench.store import Project


def vpd(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(*arguments: object) -> str:
    """Run a command that must end with an error, and give its line: the last, behind what progress
    said.
    """
    result = vpd(*arguments)
    assert result.exit_code == 2, result.output
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("error: ")
    return line


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was run."""
    return finished_project(tmp_path)


def test_a_snapshot_is_taken_listed_and_shown(project: Path) -> None:
    taken = vpd("snapshot", "--automatic", "--name", "first", "-p", project)
    assert taken.exit_code == 0, taken.output
    found = re.search(r"snapshot (\w{20}) \(first\)", taken.stdout)
    assert found
    assert "left out: 4 (it is of an evaluation set" in taken.stdout
    assert "against 2 pictures of evaluation sets (test): 0 the same, 0 alike" in taken.stdout
    listed = vpd("snapshot", "list", "-p", project)
    assert found[1][:12] in listed.stdout
    assert (
        vpd("snapshot", "show", found[1][:5], "-p", project).stdout
        == vpd("snapshot", "show", "first", "-p", project).stdout
    )
    shown = json.loads(vpd("snapshot", "show", "first", "-p", project, "--json").stdout)
    assert shown["hash"] == found[1]
    (row,) = json.loads(vpd("snapshot", "list", "-p", project, "--json").stdout)
    assert (row["hash"], row["name"]) == (found[1], "first")


def test_a_dry_run_writes_nothing(project: Path) -> None:
    dry = vpd("snapshot", "--automatic", "--labels", "--dry-run", "-p", project)
    assert re.search(
        r"would hold \d+ questions, \d+ with a rationale; nothing is written", dry.stdout
    )
    assert list((project / "snapshots").iterdir()) == []
    assert "no snapshot was taken yet" in vpd("snapshot", "list", "-p", project).stdout


def test_nothing_accepted_says_what_to_do(project: Path) -> None:
    line = refused("snapshot", "-p", project)
    assert "8 left out: nobody has decided on it yet" in line
    assert "vpd snapshot --automatic" in line


def test_a_filter_as_in_browse(project: Path) -> None:
    shown = json.loads(
        vpd("snapshot", "--automatic", "--filter", "family:count", "-p", project, "--json").stdout
    )
    assert list(shown["content"]["counts"]["families"]) == ["count"]
    assert shown["content"]["filter"]["text"] == "family:count"
    assert "error: " in refused("snapshot", "--filter", "nosuch:x", "-p", project)


def test_a_split_can_be_named(project: Path) -> None:
    shown = json.loads(
        vpd("snapshot", "--automatic", "--split", "test", "-p", project, "--json").stdout
    )
    assert shown["content"]["filter"]["splits"] == ["test"]


def test_two_wishes_that_contradict(project: Path) -> None:
    line = refused("snapshot", "--automatic", "--both", "-p", project)
    assert line == "error: --automatic and --both contradict each other; choose one"


def test_an_unknown_snapshot(project: Path) -> None:
    assert "'nosuch' names no snapshot; take one with: vpd snapshot" in refused(
        "snapshot", "show", "nosuch", "-p", project
    )


def test_an_export_by_name_and_by_folder(project: Path, tmp_path: Path) -> None:
    vpd("snapshot", "--automatic", "--name", "first", "-p", project)
    made = vpd("export", "first", tmp_path / "chat", "--to", "chat", "-p", project)
    assert made.exit_code == 0, made.output
    assert f"14 rows in {tmp_path / 'chat'}" in made.stdout.replace("\n", "")
    assert "LLaMA-Factory" in made.stdout
    (folder,) = (project / "snapshots").iterdir()
    assert vpd("export", folder, tmp_path / "f", "--to", "fiftyone").exit_code == 0, (
        "a folder needs no project"
    )
    assert "is there already" in refused(
        "export", "first", tmp_path / "chat", "--to", "chat", "-p", project
    )
    assert "name the format with --to; there are: chat, datasets" in refused(
        "export", "first", tmp_path / "x", "-p", project
    )


def test_a_changed_snapshot_is_not_exported(project: Path, tmp_path: Path) -> None:
    vpd("snapshot", "--automatic", "--name", "first", "-p", project)
    (folder,) = (project / "snapshots").iterdir()
    (folder / "train.parquet").write_bytes(b"x")
    assert "train.parquet was changed after it was written" in refused(
        "export", "first", tmp_path / "x", "--to", "chat", "-p", project
    )


def test_decisions_come_back(project: Path, tmp_path: Path) -> None:
    vpd("snapshot", "--automatic", "--name", "first", "-p", project)
    vpd("export", "first", tmp_path / "out", "--to", "argilla", "-p", project)
    records = json.loads((tmp_path / "out" / "records.json").read_text())
    for record in records[:2]:
        record["responses"] = {
            "decision": [{"value": "accept", "user_id": "u1", "status": "submitted"}]
        }
    records[2]["responses"] = {
        "decision": [{"value": "\x1b[31mperhaps", "user_id": "u1", "status": "submitted"}]
    }
    (tmp_path / "d.json").write_text(json.dumps(records))
    said = vpd("import-decisions", tmp_path / "d.json", "--from", "argilla", "-p", project)
    assert (
        "2 decisions added (0 with an edited rationale), 0 were here already, 1 could not be taken"
        in said.stdout
    )
    assert "record 3: its decision is" in said.stdout
    assert "\x1b" not in said.stdout
    again = vpd("import-decisions", tmp_path / "d.json", "--from", "argilla", "-p", project)
    assert "0 decisions added (0 with an edited rationale), 2 were here already" in again.stdout
    assert vpd("snapshot", "--name", "curated", "-p", project).exit_code == 0


def test_backup_and_restore(project: Path, tmp_path: Path) -> None:
    vpd("snapshot", "--automatic", "--name", "first", "-p", project)
    made = vpd("backup", tmp_path / "b", "-p", project)
    assert made.exit_code == 0, made.output
    assert re.search(
        r"backed up to .*: \d+ rows in \d+ tables \(0 decisions\), 6 files of images", made.stdout
    )
    assert "restore it with: vpd restore" in made.stdout
    assert vpd("restore", tmp_path / "b", tmp_path / "q").exit_code == 0
    assert (
        vpd("status", "-p", tmp_path / "q", "--json").stdout
        == vpd("status", "-p", project, "--json").stdout
    )
    with Project.open(tmp_path / "q") as again:
        (folder,) = (again.path / "snapshots").iterdir()
        assert Snapshot.open(folder).problems() == []
    assert "a backup is restored into a new or empty folder" in refused(
        "restore", tmp_path / "b", project
    )
    assert "there is no backup at" in refused("restore", tmp_path, tmp_path / "z")


def test_doctor_of_a_sound_project(project: Path) -> None:
    found = vpd("doctor", "-p", project)
    assert found.exit_code == 0
    assert "everything is as it has to be" in found.stdout
    assert json.loads(vpd("doctor", "-p", project, "--json").stdout) == {
        "sound": True,
        "removed": [],
        "findings": [],
    }


def test_doctor_of_a_broken_project(project: Path) -> None:
    next((project / "images").rglob("*.png")).unlink()
    found = vpd("doctor", "-p", project)
    assert found.exit_code == 1
    assert "error: pictures of tasks that are not in images/" in found.stdout
    assert "what to do: import their tasks again" in found.stdout
    told = json.loads(vpd("doctor", "-p", project, "--json", "--quick").stdout)
    assert not told["sound"]
    assert told["findings"][0]["check"] == "picture-missing"
