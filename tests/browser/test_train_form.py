"""What is wrong with the settings of a job, told setting by setting; what evaluation has of a
snapshot; the command.
"""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import training_project
from typer.testing import CliRunner

from app.train_data import snapshot_view
from app.train_fields import FormField, teacher_fields, teachers
from app.train_form import APART, command, form, judge, judgement, objectives
from workbench import registry
from workbench.cli import app as cli
from workbench.snapshot import Snapshot
from workbench.store import Project
from workbench.train.job import Job, Lora, job_of, job_text, student_of, usual


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return training_project.snapshot(training_project.build(tmp_path_factory.mktemp("form") / "p"))


@pytest.fixture
def project(taken: Snapshot) -> Iterator[Project]:
    with Project.open(taken.path.parent.parent) as opened:
        yield opened


def test_every_wrong_setting_is_told_by_its_name(project: Project, taken: Snapshot) -> None:
    given = {
        "snapshot": taken.hash,
        "lr": "fast",
        "batch": 0,
        "lora": {"r": 0},
        "speed": 1,
        "student": "/nowhere",
    }
    problems = judge(project, given).problems
    assert problems["lr"] == "must be a number above 0, found 'fast'"
    assert problems["batch"] == "must be a whole number from 1, found 0"
    assert problems["lora.r"] == "must be a whole number from 1, found 0"
    assert problems["speed"].startswith("is an unknown key (there are: snapshot, student")
    assert "no folder with a config.json" in problems["student"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"snapshot": ""}, "no snapshot is chosen"),
        ({"snapshot": "zz"}, "'zz' names no snapshot"),
        (
            {"objective": "praise"},
            "there is no objective 'praise'; registered are: anchor_kl, aspect_bce",
        ),
        (
            {"arguments": {"weight": -1}},
            "the objective's weight must be a number from 0 on, found -1",
        ),
        ({"objective": "switch_kd"}, "objective: switch_kd needs a teacher: choose one"),
        (
            {"objective": "aux_embed", "arguments": {"layers": []}},
            "layers must be whole numbers, at least one",
        ),
        ({"student": "../../etc"}, "is no folder with a config.json"),
    ],
)
def test_a_job_that_cannot_start_says_why(
    project: Project, taken: Snapshot, given: dict[str, object], reason: str
) -> None:
    found = judge(project, {"snapshot": taken.hash, **given})
    assert found.job is None
    assert reason in " ".join(found.reasons)


def test_published_methods_bring_their_settings_from_their_cards() -> None:
    offers = {one.name: one for one in objectives()}
    assert {"vpd", "instruct", "aux_embed", "dual_head", "lelp", "switch_kd"} <= set(offers)
    settings = {field.key: (field.kind, field.default) for field in offers["aux_embed"].fields}
    assert settings == {
        "arguments.tool": ("text", "boxes"),
        "arguments.weight": ("number", 0.5),
        "arguments.contrast_weight": ("number", 0.3),
        "arguments.layers": ("numbers", [-1]),
    }
    assert [offers[name].needs_teacher for name in ("vpd", "aux_embed", "dual_head")] == [0, 0, 1]
    assert offers["dual_head"].says.startswith("One head learns the few rows")


def test_every_registered_teacher_can_be_chosen_with_its_settings() -> None:
    (part,) = teacher_fields()
    offers = {one.name: one for one in teachers()}
    assert part.options == ["", *registry.parts("teacher")] == ["", *offers]
    assert "label_privileged" in offers
    for name, offer in offers.items():
        keys = {field.key.removeprefix("teacher.") for field in offer.fields}
        taken = set(inspect.signature(registry.load("teacher", name)).parameters)
        assert keys <= taken, name
        assert taken - keys <= {"answers"}, f"{name} lacks a field"  # vpd train writes that file
        assert offer.says
    kinds = {field.key: field.kind for field in offers["routed_teachers"].fields}
    assert kinds == {"teacher.paths": "names", "teacher.top": "whole", "teacher.heat": "number"}


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"part": "checkpoint"}, "checkpoint needs: Teacher's checkpoint"),
        ({"part": "ensemble", "paths": []}, "ensemble needs: Teachers' checkpoints"),
        ({"part": "continual_pair", "heat": 0}, "heat as a number above 0"),
        ({"part": "nobody"}, "there is no teacher 'nobody'; registered are: analytic_teacher"),
        ({"path": "bundled"}, "choose a teacher for these settings"),
        ({"part": "programs"}, ""),
        ({"part": "ema_branch"}, ""),
    ],
)
def test_what_is_wrong_with_a_teacher_stands_beside_it(
    project: Project, taken: Snapshot, table: dict[str, object], problem: str
) -> None:
    given = {"snapshot": taken.hash, "objective": "anchor_kl", "teacher": table}
    text = judge(project, given).problems.get("teacher.part", "")
    assert problem in text
    assert bool(text) == bool(problem)


def test_what_is_right_has_steps_and_a_file(project: Project, taken: Snapshot) -> None:
    found = judgement(
        project,
        judge(project, {"snapshot": taken.hash, "batch": 4, "epochs": 2, "student": "own/er"}),
    )
    train = taken.manifest.content.rows["train"]["count"]
    assert found.reasons == []
    assert found.steps == 2 * -(-int(train) // 4)
    assert found.changed == ["batch", "epochs"]


def test_the_command_gives_the_same_job(project: Project, taken: Snapshot) -> None:
    job = Job(
        str(taken.path.resolve()),
        student="own/er",
        name="it's <one>",
        objective="switch_kd",
        arguments={"weight": 0.5, "most": 8},
        teacher={"part": "checkpoint", "path": "own/er", "cache": True},
        lr=3e-4,
        betas=(0.9, 0.95),
        checkpointing=True,
        lora=Lora(r=4, targets=("q_proj", "v_proj")),
    )
    words = shlex.split(command(project, job))[1:]
    done = CliRunner().invoke(cli, [*words, "--toml"])
    assert done.exit_code == 0, done.output
    assert done.stdout == job_text(job)


def test_the_command_names_a_student_that_is_not_the_profiles(tmp_path: Path) -> None:
    folder = training_project.build(tmp_path / "p", scenes=4)
    taken = training_project.snapshot(folder)
    profile = folder / "profile.toml"
    lines = [
        line for line in profile.read_text().splitlines() if not re.match(r"student\s*=", line)
    ]
    own = 'student = { part = "transformers", checkpoint = "own/er" }'
    profile.write_text("\n".join([own, *lines]) + "\n")
    with Project.open(folder) as project:
        assert student_of(project.profile()) == "own/er"
        for student, words in (
            ("bundled", ["--student", "bundled"]),
            ("own/er", []),
            ("small", ["--student", "small"]),
        ):
            job = job_of(
                {"snapshot": str(taken.path.resolve()), "student": student, **usual(student)}
            )
            assert job.method == ("full" if student == "small" else "lora")
            given = shlex.split(command(project, job))[1:]
            assert [
                one for one in given if one in ("--student", "bundled", "own/er", "small")
            ] == words
            printed = CliRunner().invoke(cli, [*given, "--toml"])
            assert printed.stdout == job_text(job), printed.output
        other = replace(job, method="lora", batch=16)  # as for other students
        given = shlex.split(command(project, other))[1:]
        assert CliRunner().invoke(cli, [*given, "--toml"]).stdout == job_text(other)


def test_every_setting_of_a_job_has_a_field_or_a_choice_of_its_own() -> None:
    tables = {field.key.partition(".")[0] for field in form()}
    assert tables | set(APART) == set(Job.__dataclass_fields__)
    assert tables & set(APART) == set()


def test_a_field_is_what_the_job_says_of_it() -> None:
    by_key = {field.key: field for field in form()}
    assert by_key["batch"] == FormField(
        key="batch",
        label="Batch",
        group="basic",
        kind="whole",
        options=[],
        default=16,
        says="Examples per step, over all devices and micro-batches. Takes a whole number from 1.",
    )
    assert (by_key["schedule"].kind, by_key["schedule"].options) == (
        "choice",
        ["cosine", "linear", "constant"],
    )
    assert (by_key["betas"].kind, by_key["betas"].default) == ("numbers", [0.9, 0.98])
    assert (by_key["lora.targets"].kind, by_key["lora.targets"].default) == ("names", [])
    assert all(field.label and field.says.endswith(".") for field in by_key.values())


def test_pictures_that_evaluation_has_meanwhile_block(tmp_path: Path) -> None:
    folder = training_project.build(tmp_path / "p", scenes=4)
    taken = training_project.snapshot(folder)
    with Project.open(folder) as project:
        assert snapshot_view(project, taken.hash).leak.same == 0
        task = project.tasks([taken.examples()[0].task_id])[0]
        project.add_tasks([replace(task, id="late/1", split="test")])
        found = judge(project, {"snapshot": taken.hash})
        assert "evaluation has 1 of its pictures" in found.reasons[0]
        assert "(test)" in found.reasons[0]


def test_a_snapshot_is_counted_by_side_family_tool_and_repetition(
    project: Project, taken: Snapshot
) -> None:
    found = snapshot_view(project, taken.hash)
    assert found.sides["train"] + found.sides["val"] == found.rows == len(taken.examples())
    assert found.families == {"count": found.rows}
    assert found.tools == {"find": found.rows}
    assert found.repeated == 0
