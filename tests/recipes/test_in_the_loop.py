"""Difficulty, drawn pictures and the programs' answers in a project whose programs have run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from finished_project import finished_project

from workbench.errors import InputError
from workbench.pipeline.program_teacher import program_shares, with_program_answers
from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.pipeline.synthesizing import synthesize
from workbench.store import Project
from workbench.train.job import Job


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_project(tmp_path_factory.mktemp("loop"))


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    with Project.open(folder) as opened:
        yield opened


def wish(*select: dict[str, object]) -> SnapshotWish:
    return SnapshotWish(accepted="automatic", bare=True, flagged=True, val=0.3, select=select)


def test_the_programs_of_a_snapshot_become_a_distribution(project: Project) -> None:
    snapshot = take(project, wish())
    tasks = {one.task_id for one in snapshot.examples("train") + snapshot.examples("val")}
    shares = program_shares(project, sorted(tasks))
    assert set(shares) <= tasks
    assert shares
    runs = {task.id: [trace.answer for _, trace in runs] for task, runs in
            project.runs(sorted(tasks), project.scope())}  # fmt: skip
    for task, answers in shares.items():
        own = [answer for answer in runs[task] if answer]
        assert answers == {one: pytest.approx(own.count(one) / len(own)) for one in set(own)}
    job = Job(str(snapshot.path), teacher={"part": "programs"})
    path = Path(str(with_program_answers(project, job).teacher["answers"]))
    assert json.loads(path.read_text()) == shares
    own_file = replace(job, teacher={"part": "programs", "answers": "mine.json"})
    assert with_program_answers(project, own_file) == own_file
    assert with_program_answers(project, Job(str(snapshot.path))).teacher == {}


def test_difficulty_leaves_out_what_is_solved_at_once(project: Project) -> None:
    plain = take(project, wish())
    hard = (
        take(
            project,
            wish(
                {"part": "mcts_difficulty"},
            ),
            name="hard",
        )
        if _some_hard(project)
        else None
    )
    if hard is None:
        with pytest.raises(InputError, match="the selectors leave no row to train on"):
            take(project, wish({"part": "mcts_difficulty"}))
        return
    rows = {one.task_id for one in hard.examples("train")}
    assert rows < {one.task_id for one in plain.examples("train")}
    reasons = {one.reason: one.count for one in hard.manifest.content.left_out}
    assert reasons["mcts_difficulty: it is solved within 1 iterations"] >= 1


def _some_hard(project: Project) -> bool:
    """Whether some question has more than one program, not all of them right."""
    ids = [one.task_id for one in take(project, wish()).examples("train")]
    tasks = project.runs(ids, project.scope())
    return any(len({trace.answer for _, trace in runs}) > 1 for _, runs in tasks)


def test_drawn_pictures_become_questions_of_the_project(project: Project) -> None:
    before = project.count_tasks()
    report = synthesize(project, "code_grounded", limit=12)
    assert report.candidates <= 12
    assert report.added >= 1
    assert report.added + sum(report.refused.values()) == report.candidates
    assert report.gap is None
    assert project.count_tasks() == before + report.added
    again = synthesize(project, "code_grounded", limit=12)
    assert (again.added, again.present) == (0, report.added)
