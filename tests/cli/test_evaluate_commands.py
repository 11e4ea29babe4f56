"""vpd evaluate, vpd results and vpd study, as a person uses them."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest
from finished_project import finished_project
from typer.testing import CliRunner, Result

from workbench.cli import app
from workbench.store import Project
from workbench.train.job import read_job
from workbench.train.jobs import Jobs

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import save


def vpd(*arguments: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def said(*arguments: object) -> str:
    result = vpd(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: object) -> str:
    """Run a command that must end with an error, and give its line."""
    result = vpd(*arguments)
    assert result.exit_code == 2, result.output
    return result.stderr.strip().splitlines()[-1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return finished_project(tmp_path)


def test_pipeline_and_student_stand_in_one_table(project: Path) -> None:
    assert "pipeline pass@4: pass@4" in said(
        "evaluate", "-p", project, "--pipeline", 4, "--time", 0
    )
    assert "share-of-red: accuracy 63.6 %" in said("evaluate", "-p", project, "--time", 1)
    shown = said("results", "-p", project)
    for system in ("pipeline k=1", "pipeline k=4", "pipeline pass@4", "share-of-red"):
        assert system in shown
    assert "pass@k knows the label" in shown
    held = json.loads(said("results", "-p", project, "--json", "--baseline", "share-of-red"))
    assert [row["system"] for row in held["rows"]] == [
        "pipeline k=1",
        "pipeline k=4",
        "pipeline pass@4",
        "share-of-red",
    ]
    assert held["rows"][0]["against"]["of"] == 11
    table = said("results", "-p", project, "--markdown").splitlines()
    assert table[0].startswith("| system | accuracy, % | n |")
    assert len({line.count("|") for line in table[:6]}) == 1


def test_an_evaluation_may_be_printed_for_programs(project: Path) -> None:
    (row,) = json.loads(
        said("evaluate", "-p", project, "--split", "test", "--limit", 2, "--time", 0, "--json")
    )
    assert (row["system"], row["split"], row["questions"]) == ("share-of-red", "test", 2)


def test_hostile_names_do_not_break_the_table(project: Path) -> None:
    said("evaluate", "-p", project, "--time", 0)
    with Project.open(project) as opened:
        opened.database.transaction(
            lambda cursor: cursor.execute("UPDATE evaluation SET system = 'a|<b>\x1b[31m`'")
        )
    table = said("results", "-p", project, "--markdown")
    assert "| ab\\x1b31m |" in table
    assert "\x1b" not in said("results", "-p", project)


def test_what_is_wrong_is_said(project: Path) -> None:
    assert "nothing was evaluated there yet; run: vpd evaluate" in refused("results", "-p", project)
    assert "no model at" in refused("evaluate", "-p", project, "--model", project / "images")
    assert "no question fits; the project holds: squares" in refused(
        "evaluate", "-p", project, "--benchmark", "gqa"
    )
    assert "has no submission format" in refused(
        "evaluate", "-p", project, "--time", 0, "--submit", project / "out"
    )
    assert "k must be 1 to 100" in refused("evaluate", "-p", project, "--pipeline", 0)


@pytest.mark.slow
def test_a_study_trains_asks_and_compares_and_does_nothing_twice(
    project: Path, tmp_path: Path
) -> None:
    said("snapshot", "--automatic", "-p", project)
    student = save("region", tmp_path / "student")
    sets = [
        f"student={student}",
        "batch=2",
        "eval_every=9",
        "lora.r=2",
        "max_tokens=3",
        "precision=fp32",
    ]
    asked = [
        "study",
        "-p",
        project,
        "--test",
        project,
        "--seeds",
        1,
        "--steps",
        1,
        "--k",
        4,
        "--time",
        0,
        "--split",
        "test",
    ]
    for change in sets:
        asked += ["--set", change]
    shown = said(*asked)
    for system in ("pipeline k=4", f"{tmp_path.name}/student", "instruct", "vpd", "vpd explained"):
        assert system[:20] in shown
    jobs = Jobs(project / "jobs", start=False).all()
    assert sorted(read_job(job.folder / "job.toml").objective for job in jobs) == [
        "instruct",
        "vpd",
    ]
    with Project.open(project) as opened:
        found = opened.lineage()
    assert {row.job for row in found.models} == {job.id for job in jobs}
    assert {row.model for row in found.evaluations if row.job} == {row.id for row in found.models}
    assert {row.snapshot for row in found.jobs} == {row.hash for row in found.snapshots}
    again = said(*asked)
    assert again == shown
    assert len(Jobs(project / "jobs", start=False).all()) == 2
    _a_plan_is_chosen_on_val_and_tested_afterwards(project, tmp_path, asked)


def _a_plan_is_chosen_on_val_and_tested_afterwards(
    project: Path, folder: Path, asked: list[object]
) -> None:
    """The same study with a plan: jobs of the arms that are there already are found again."""
    plan, chosen = folder / "plan.toml", folder / "chosen.toml"
    plan.write_text(
        """
        [[arm]]
        name = "instruct"
        objective = "instruct"
        [[arm]]
        name = "vpd"
        [choose]
        split = "train"
        limit = 3
        grid = { lr = [1e-4, 1e-2] }
        """
    )
    shown = said(*asked, "--plan", plan, "--choose", chosen)
    assert shown.count("chosen") >= 2
    with Project.open(project) as opened:  # no test question was asked by those who only tried
        tried = [row for row in opened.evaluations() if row.split == "train" and row.job]
        tested = {row.job for row in opened.evaluations() if row.split == "test" and row.job}
    assert len(tried) == 4
    assert len({row.job for row in tried} - tested) == 2
    table = tomllib.loads(chosen.read_text())
    best = {arm: max(r["accuracy"] for r in table["tried"] if r["arm"] == arm)
            for arm in ("instruct", "vpd")}  # fmt: skip
    for row in table["tried"]:
        if row["settings"] == table["chosen"][row["arm"]]:
            assert row["accuracy"] == best[row["arm"]]
    report = json.loads(
        said(*asked, "--plan", plan, "--chosen", chosen, "--equal-compute", "--json")
    )
    arms = {arm["name"]: arm for arm in report["arms"]}
    assert list(arms) == ["instruct", "vpd", "instruct as long as vpd"]
    assert report["chosen"] == table["chosen"]
    short, long, equal = arms.values()
    share = long["step_seconds"] / short["step_seconds"]
    assert equal["steps"] == max(1, round(long["steps"] * share))
    assert f"{equal['steps']} steps" in equal["note"]
    assert list(long["curve"]) == ["0", "1"]
    systems = {row["system"] for row in report["results"]["rows"]}
    assert systems >= {*arms, "vpd explained", "pipeline k=4"}
    assert not systems & {"instruct explained"}
    pairs = {(row["system"], row["other"]) for row in report["differences"]}
    assert pairs == {
        (f"vpd{mode}", other)
        for mode in ("", " explained")
        for other in ("instruct", "instruct as long as vpd", "pipeline k=4")
    }


def test_a_study_refuses_what_does_not_go_together(project: Path, tmp_path: Path) -> None:
    asks = ("study", "-p", project)
    assert "needs --test DIR" in refused(*asks)
    assert "--chosen, --labels, --noise, --recipes do not go with it" in refused(
        *asks, "--choose", tmp_path / "c.toml", "--labels", "3"
    )
    asks = (*asks, "--test", project)
    assert "studies of their own" in refused(*asks, "--labels", "3", "--noise", "10")
    assert "--teacher is for the methods of --recipes" in refused(*asks, "--teacher", "bundled")
    assert "no snapshot was taken yet" in refused(*asks)
    said("snapshot", "--automatic", "--labels", "-p", project)
    assert "whole numbers with commas between them, found 'many'" in refused(
        *asks, "--labels", "3,many"
    )
    assert "60 labels of" in refused(*asks, "--labels", "60")
    assert "needs a teacher; name one" in refused(*asks, "--recipes", "switch_kd")
    assert "nothing to choose" in refused(*asks[:3], "--choose", tmp_path / "c.toml")
    plan = tmp_path / "plan.toml"
    plan.write_text('[[arm]]\nname = "a"\nobjectives = "vpd"\n')
    assert "arm 1: objectives is an unknown key" in refused(*asks, "--plan", plan)
    (tmp_path / "c.toml").write_text("[chosen.instruct]\nlr = 1e-3\n")
    assert "no settings for the arm 'vpd'" in refused(*asks, "--chosen", tmp_path / "c.toml")
