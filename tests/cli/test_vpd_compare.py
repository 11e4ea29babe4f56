"""`vpd compare` on a small project."""

import json
from pathlib import Path

import pytest
from finished_project import finished_project
from small_parts import profile_text
from typer.testing import CliRunner

from workbench.cli import app
from workbench.store import Project
from workbench.study.two_by_two import compare


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return finished_project(tmp_path_factory.mktemp("compare"))


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["compare", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_table_holds_the_cells_p_and_slices(folder: Path) -> None:
    text = said("--project", str(folder))
    with Project.open(folder, read_only=True) as project:
        found = compare(project.outcomes())
    assert f"of {found.all.of}" in text
    assert f"{found.all.both:>3}" in text
    assert "McNemar's exact test: p " in text
    assert all(family in text for family in found.families)
    assert "pipeline right: the first program is right (k = 1)" in text
    assert "pipeline right: the most frequent answer of the k programs is right" in text
    assert "by the label" not in text
    assert "find" in said("--project", str(folder), "--by", "tool", "--pipeline", "vote")


def test_as_json_it_is_what_python_gives(folder: Path) -> None:
    with Project.open(folder, read_only=True) as project:
        outcomes = project.outcomes()
    plain = json.loads(said("--project", str(folder), "--json"))
    vote = compare(outcomes, "vote").to_json()
    assert plain == {**compare(outcomes, "first").to_json(), "vote": vote}
    assert json.loads(said("--project", str(folder), "--json", "--pipeline", "vote")) == vote


def test_best_of_k_by_the_label_is_named_so_and_has_no_p(folder: Path) -> None:
    text = said("--project", str(folder), "--pipeline", "any")
    assert "pipeline right: best of k by the label" in text
    assert "McNemar's exact test: none, since the label chose among the programs" in text
    row = json.loads(said("--project", str(folder), "--pipeline", "any", "--json"))
    assert row["all"]["p"] is None
    assert [one["p"] for one in row["families"].values()] == [None] * len(row["families"])


def test_before_anything_ran_it_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(profile_text())
    Project.create(tmp_path / "p", str(tmp_path / "small.toml")).close()
    assert "run: vpd run" in said("--project", str(tmp_path / "p"))


@pytest.mark.parametrize("arguments", [("--by", "colour"), ("--pipeline", "best")])
def test_wrong_words_are_one_line(folder: Path, arguments: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["compare", "--project", str(folder), *arguments])
    assert result.exit_code == 2 or result.exit_code == 1
    assert arguments[1] in result.output
