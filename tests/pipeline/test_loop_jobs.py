"""Imports and runs that pages begin: processes that outlive whoever began them, one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from small_parts import profile_text

from workbench.errors import InputError
from workbench.pipeline.loop import run
from workbench.pipeline.loop_jobs import (
    PROCESS,
    LoopJob,
    LoopJobs,
    import_wish,
    run_wish,
    sources_of,
    splits_of,
)
from workbench.settings import Choice
from workbench.store import Project
from workbench.store.reading.work import ahead, past_runs
from workbench.store.records import sources

HERE = Path(__file__).resolve().parent.parent
SQUARES = f"{HERE / 'small_parts.py'}:Squares"
K = 4


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "small.toml").write_text(profile_text())
    source = Choice(SQUARES, {"root": str(tmp_path / "drawn")})
    with Project.create(tmp_path / "p", str(tmp_path / "small.toml"), source) as made:
        yield made


def ended(jobs: LoopJobs, name: str) -> LoopJob:
    """The job, when its process has ended."""
    note = json.loads((jobs.root / name / PROCESS).read_text())
    with suppress(psutil.NoSuchProcess):
        psutil.Process(note["pid"]).wait()
    return jobs.show(name)


def test_an_import_then_a_run_of_the_first_questions(project: Project) -> None:
    jobs = LoopJobs(project.path)
    source = sources_of(project)[0]
    name = jobs.begin(import_wish(project, source, 5, None, "ann"), "an import")
    job = ended(jobs, name)
    assert (job.state, job.problem, job.notes) == ("done", "", ["5 questions added."])
    assert project.count_tasks() == 5

    wish = run_wish(project, 3, None, None, "ann")
    assert (wish.limit, wish.k) == (3, K)
    job = ended(jobs, jobs.begin(wish, "a run"))
    assert (job.state, job.problem, job.person) == ("done", "", "ann")
    # the process shared this one's store, and every stage did its part there
    told = job.notes[0]
    assert told.startswith(
        f"{3 * K} programs written, {3 * K} programs run, {3 * K} programs judged"
    )
    assert "3 answers of the student" in told
    assert sum(one.judged == K for one in project.outcomes()) == 3
    (past,) = past_runs(project.database, 5)
    assert (past.questions, past.programs, past.answers, past.ended) == (3, 3 * K, 3, True)
    assert [one.id for one in jobs.all()] == [job.id, name]


def test_the_next_run_takes_those_that_wait(project: Project) -> None:
    run(project, limit=5, upto="import")
    assert (ahead(project.database, None, 2, K).waiting, run_limit(project, 2)) == (5, 2)
    run(project, limit=2)
    assert (ahead(project.database, None, 2, K).waiting, run_limit(project, 2)) == (3, 4)
    assert run_limit(project, 9) == 11  # three wait, and six are to be imported
    assert ahead(project.database, None, 2, K + 1).waiting == 5  # each would get one program more


def run_limit(project: Project, questions: int) -> int:
    return run_wish(project, questions, None, None, "ann").limit


def test_a_run_is_stopped_and_goes_on(project: Project, tmp_path: Path) -> None:
    part = f"{HERE / 'small_parts.py'}:Scribe"
    slow = profile_text(sampler=f'{{ part = "{part}", pause = 600.0 }}')
    quick = (project.path / "profile.toml").read_text()
    (project.path / "profile.toml").write_text(slow)
    jobs = LoopJobs(project.path)
    wish = run_wish(project, 2, None, None, "ann")
    name = jobs.begin(wish, "a run")
    assert jobs.begin(wish, "a run") == name  # the same request is the same job
    with pytest.raises(InputError, match="a run of ann is running here"):
        jobs.begin(wish, "another run")
    jobs.stop(name)
    assert ended(jobs, name).state == "stopped"
    with pytest.raises(InputError, match="nothing to stop"):
        jobs.stop(name)

    (project.path / "profile.toml").write_text(quick)
    jobs.resume(name)
    job = ended(jobs, name)
    assert (job.state, job.problem) == ("done", "")
    assert sum(one.judged == K for one in project.outcomes()) == 2


def test_a_run_that_breaks_says_why(project: Project) -> None:
    part = f"{HERE / 'small_parts.py'}:Scribe"
    broken = profile_text(sampler=f'{{ part = "{part}", breaks_at = 1 }}')
    (project.path / "profile.toml").write_text(broken)
    jobs = LoopJobs(project.path)
    job = ended(jobs, jobs.begin(run_wish(project, 3, None, None, "ann"), "a run"))
    assert (job.state, job.problem) == ("failed", "the endpoint did not answer; ask again")
    assert project.counts().programs == K  # what was finished before is kept


def test_a_killed_process_is_told_from_one_that_was_stopped(project: Project) -> None:
    part = f"{HERE / 'small_parts.py'}:Scribe"
    slow = profile_text(sampler=f'{{ part = "{part}", pause = 600.0 }}')
    (project.path / "profile.toml").write_text(slow)
    jobs = LoopJobs(project.path)
    name = jobs.begin(run_wish(project, 3, None, None, "ann"), "a run")
    note = json.loads((jobs.root / name / PROCESS).read_text())
    psutil.Process(note["pid"]).kill()
    job = ended(jobs, name)
    assert job.state == "failed"
    assert "ended without a word" in job.problem


def test_an_import_remembers_what_the_project_is_to_have(project: Project) -> None:
    own, collages = sources_of(project)[:2]
    assert (collages.part, splits_of(collages)) == ("collages", ["train", "val", "test"])
    assert import_wish(project, own, 5, None, "ann").selected is None  # it takes all anyway
    assert import_wish(project, collages, 5, "train", "ann").selected == 5
    sources.add(project.database, collages)
    sources.select(project.database, sources.SourceSelection(collages, "train", 5))
    assert import_wish(project, collages, 7, "train", "ann").selected == 12


@pytest.mark.parametrize("questions", [0, -1, 100_001])
def test_a_number_out_of_range_is_refused(project: Project, questions: int) -> None:
    with pytest.raises(InputError, match="1 to 100,000 questions"):
        run_wish(project, questions, None, None, "ann")
    with pytest.raises(InputError, match="1 to 100,000 questions"):
        import_wish(project, sources_of(project)[0], questions, None, "ann")
