"""`vpd report` from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.store import Project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    Project.create(tmp_path / "p").close()
    return tmp_path / "p"


def test_an_empty_project_has_a_report_as_well(project: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", "-p", str(project), "-o", str(tmp_path / "r.html")])
    assert done.exit_code == 0, done.output
    assert "MiB, 0 examples" in done.output
    assert "Fills when programs have run: vpd run." in (tmp_path / "r.html").read_text(
        encoding="utf-8"
    )


def test_a_missing_package_is_named(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    for name in ("app.report", "app.chart_library"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    done = CliRunner().invoke(app, ["report", "-p", str(project), "-o", str(tmp_path / "r.html")])
    assert done.exit_code == 2
    assert "pip install 'vpd-workbench[app]'" in done.output


def test_a_place_that_cannot_be_written_is_named(project: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["report", "-p", str(project), "-o", str(tmp_path / "no" / "r.html")]
    )
    assert done.exit_code == 2
    assert "choose another place" in done.output
