"""`vpd curate` and `vpd guidelines` as a person uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_rows import loop_records, task
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.records import Decision
from workbench.store import Project


def vpd(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Project.create(tmp_path / "p").close()
    return tmp_path / "p"


def test_nothing_decided_is_said(path: Path) -> None:
    result = vpd("curate", "status", "--project", path)
    assert result.exit_code == 0, result.output
    assert "decided on: nothing yet" in result.output
    assert "queue: 0 to look at, 0 held now, order disagreement" in result.output


def test_figures_come_with_their_n(path: Path) -> None:
    with Project.open(path) as project:
        for at, (who, kind) in enumerate([("ann", "accept"), ("bob\x1b[31m", "reject")]):
            made = loop_records(task(0), 3)
            if at == 0:
                made.write(project)
            reason = "wrong_reason" if kind == "reject" else None
            event = Decision(
                f"event-{at:04d}",
                kind,
                who,
                "curator",
                made.task.id,
                made.traces[1].id,
                reason=reason,
            )  # type: ignore[arg-type]
            project.curation.decide([event])
    result = vpd("curate", "status", "--project", path)
    assert result.exit_code == 0, result.output
    assert "decided on: 1 disputed" in result.output
    ann = next(
        line
        for line in result.output.splitlines()
        if line.strip().startswith("ann") and "to" in line
    )
    assert ann.split() == [
        "ann",
        "1",
        "0",
        "1.0",
        "-",
        "1",
        "of",
        "1",
        "21",
        "to",
        "100",
        "0",
        "of",
        "0",
        "-",
    ]
    assert "too few: 1 of 30" in result.output
    assert "rejected for: right for the wrong reason 1" in result.output
    assert "\x1b[31m" not in result.output


def test_guidelines_are_added_and_shown(path: Path, tmp_path: Path) -> None:
    assert "there are no guidelines yet; add some with: vpd guidelines add" in vpd(
        "guidelines", "show", "--project", path
    ).stderr.replace("\n", " ")
    (tmp_path / "g.md").write_text("Look twice.\nThen decide.")
    added = vpd("guidelines", "add", tmp_path / "g.md", "--project", path, "--author", "root")
    assert added.exit_code == 0, added.output
    shown = vpd("guidelines", "show", "--project", path).output
    assert "by root" in shown
    assert "Look twice.\nThen decide." in shown


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_is_no_text_is_refused(
    path: Path, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "g.md").write_bytes(content)
    result = vpd("guidelines", "add", tmp_path / "g.md", "--project", path)
    assert result.exit_code == 2
    assert "g.md" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_version_lists_the_known_ones(path: Path) -> None:
    result = vpd("guidelines", "show", "--project", path, "--version", "0000")
    assert "no guidelines have version '0000'; there are: none" in result.stderr.replace("\n", " ")
