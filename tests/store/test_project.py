"""The project folder: making, finding, writing records, reading them back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from store_rows import EXECUTOR, SAMPLER, loop_records, profile_file, scope_of, task

from workbench.errors import InputError, ProfileError, StoreError
from workbench.rationalize.follow.evidence import evidence_of
from workbench.records import Task
from workbench.settings import Choice
from workbench.store import Project, Scope, Selection


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "p", str(profile_file(tmp_path)))


def test_create_lays_the_folder_out(project: Project) -> None:
    held = {path.name for path in project.path.iterdir()}
    assert held >= {"vpd.duckdb", "profile.toml", "images", "models", "jobs", "snapshots", "cache"}
    assert project.profile().k == 3


def test_create_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r"not empty.*new or empty folder"):
        Project.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_create_refuses_a_project(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a project already; go on with: vpd run --project"):
        Project.create(project.path, str(profile_file(tmp_path)))


def test_create_with_an_unknown_profile_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no profile is called 'nosuch'; shipped are: embedded"):
        Project.create(tmp_path / "p", "nosuch")
    assert not (tmp_path / "p").exists()


def test_create_below_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        InputError, match=r"no project can be made at .*choose a folder you can write"
    ):
        Project.create(tmp_path / "file" / "p", str(profile_file(tmp_path)))


def test_find_walks_up(project: Project) -> None:
    inner = project.path / "jobs" / "deep"
    inner.mkdir()
    project.close()
    with Project.find(inner) as found:
        assert found.path == project.path


def test_find_without_a_project_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no project in .* or above it; .*vpd init PATH"):
        Project.find(tmp_path)


def test_open_without_a_project_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no project at .*; make one with: vpd init"):
        Project.open(tmp_path)


def test_sources_are_remembered(project: Project) -> None:
    project.add_source(Choice("folder", {"path": "/a"}))
    project.add_source(Choice("collages"))
    project.add_source(Choice("folder", {"path": "/b"}))
    project.add_source(Choice("collages"))
    assert project.sources() == [
        Choice("folder", {"path": "/a"}),
        Choice("collages"),
        Choice("folder", {"path": "/b"}),
    ]


def test_tasks_come_back_as_they_went_in(project: Project) -> None:
    given = task(0, answers=("2", "two"), choices=("1", "2"), meta={"scene": [1, 2.5, None]})
    assert project.add_tasks([given]) == (1, [])
    assert project.tasks([given.id]) == [given]


def test_tasks_keep_the_order_of_import(project: Project) -> None:
    given = [task(n) for n in (5, 3, 9, 1)]
    project.add_tasks(given[:2])
    project.add_tasks(given[2:])
    assert project.tasks([t.id for t in reversed(given)]) == given


def test_a_changed_task_is_named_and_left_alone(project: Project) -> None:
    project.add_tasks([task(0), task(1)])
    other = replace(task(1), question="How many cows are there?")
    assert project.add_tasks([task(0), other]) == (0, [other.id])
    assert project.tasks([other.id]) == [task(1)]


@pytest.mark.parametrize(
    "text", ["Is it \ud800 there?", "a\x00b", "'; DROP TABLE task; --", "é" * 5000, "\u202eabc"]
)
def test_hostile_text_is_stored(project: Project, text: str) -> None:
    given = task(0, question=text, meta={"note": text})
    assert project.add_tasks([given]) == (1, [])
    assert project.add_tasks([given]) == (0, []), "the same task again is the same row"
    (back,) = project.tasks([given.id])
    assert back.question == text.replace("\ud800", "?")
    assert back.meta == {"note": back.question}


def test_every_record_comes_back_equal(project: Project) -> None:
    made = loop_records(task(0), k=3)
    made.write(project)
    (found,) = list(project.runs([made.task.id], scope_of(made)))
    runs = [
        (program, replace(trace, evidence=evidence_of(program.source, trace)))
        for program, trace in zip(made.programs, made.traces)
    ]
    assert found == (made.task, runs)
    view = project.task_view(made.task.id, scope_of(made))
    assert [run.verdict for run in view.runs] == made.verdicts
    assert view.rationales == (made.rationale,)
    assert view.predictions == (made.prediction,)
    assert view.chosen is not None
    assert view.chosen.trace == runs[1][1]
    assert view.prediction == made.prediction


def test_writing_twice_adds_nothing(project: Project) -> None:
    made = loop_records(task(0), k=3)
    first = made.write(project)
    assert sum(first) == 1 + 3 + 3 + 3 + 1 + 1
    assert sum(made.write(project)) == 0


def test_one_batch_may_hold_a_row_twice(project: Project) -> None:
    made = loop_records(task(0), k=3)
    assert project.add_traces([*made.traces, *made.traces]) == 3


def test_a_larger_k_adds_to_the_samples(project: Project) -> None:
    few, many = loop_records(task(0), k=2), loop_records(task(0), k=4, flavour="again")
    project.add_tasks([few.task])
    assert project.add_programs(few.programs, 0) == 2
    assert project.add_programs(many.programs, 0) == 2, "indexes 0 and 1 are there already"
    listed = project.jobs([p.id for p in (*few.programs, *many.programs)])
    assert [p.id for _, p in listed] == [
        few.programs[0].id,
        few.programs[1].id,
        many.programs[2].id,
        many.programs[3].id,
    ]
    assert [p.draws for _, p in listed] == [1, 2, 3, 4]


def test_another_seed_is_another_sample(project: Project) -> None:
    made, other = loop_records(task(0), k=2), loop_records(task(0), k=2, flavour="seed 1")
    project.add_tasks([made.task])
    assert project.add_programs(made.programs, 0) == 2
    assert project.add_programs(other.programs, 1) == 2


def test_a_broken_run_gives_way_to_its_repetition(project: Project) -> None:
    made = loop_records(task(0), k=2)
    broken = replace(made.traces[0], answer=None, failure=replace(made.failure, kind="infra"))
    project.add_tasks([made.task])
    project.add_programs(made.programs, 0)
    project.add_traces([broken, made.traces[1]])
    project.add_verdicts([made.verdicts])
    assert project.add_traces([made.traces[0]]) == 1
    view = project.task_view(made.task.id, scope_of(made))
    assert view.runs[0].trace == made.traces[0]
    assert [run.verdict for run in view.runs] == [None, None], (
        "they were judged with the broken run beside them"
    )


def test_a_program_that_failed_is_never_replaced(project: Project) -> None:
    made = loop_records(task(0), k=3)
    made.write(project)
    assert made.traces[0].failure is not None
    later = replace(made.traces[0], answer="7", failure=None)
    assert project.add_traces([later]) == 0
    (_, found), *_ = next(iter(project.runs([made.task.id], scope_of(made))))[1]
    assert found.failure == made.traces[0].failure


def test_the_scope_is_the_latest_run_of_each_role(project: Project) -> None:
    assert project.scope() == Scope()
    first = project.start_run(Scope(k=3, seed=1), Selection(), "predict")
    sampler = project.set_part(first, "sampler", SAMPLER)
    project.set_part(first, "executor", EXECUTOR)
    second = project.start_run(Scope(k=2, seed=4), Selection(), "sample")
    newer = project.set_part(second, "executor", replace(EXECUTOR, version="2"))
    assert project.scope() == Scope(sampler=sampler, executor=newer, k=2, seed=4)


def test_an_unknown_role_is_refused(project: Project) -> None:
    number = project.start_run(Scope(), Selection(), "sample")
    with pytest.raises(StoreError, match="a run has no role 'cook'; expected sampler"):
        project.set_part(number, "cook", SAMPLER)


@dataclass(frozen=True)
class Bad:
    file: str
    line: int
    reason: str


def test_bad_rows_are_kept_once(project: Project) -> None:
    bad = [Bad("a.jsonl", 3, "no question"), Bad("a.jsonl", 4, "no picture")]
    assert project.add_bad_rows("folder", bad) == 2
    assert project.add_bad_rows("folder", bad) == 0
    assert project.counts().bad_rows == 2


def test_reading_again_after_closing(project: Project, tmp_path: Path) -> None:
    made = loop_records(task(0), k=3)
    made.write(project)
    project.close()
    with Project.open(project.path, read_only=True) as again:
        assert again.task_view(made.task.id, scope_of(made)).rationales == (made.rationale,)


def test_a_read_only_project_refuses_to_write(project: Project) -> None:
    project.close()
    with (
        Project.open(project.path, read_only=True) as again,
        pytest.raises(StoreError, match="read-only"),
    ):
        again.add_tasks([task(0)])


def test_pictures_are_never_in_the_database(project: Project, picture: Path) -> None:
    digest = project.images.add(picture)
    project.add_tasks([Task("t", "s", "train", digest, "How many?")])
    project.close()
    assert picture.read_bytes() not in (project.path / "vpd.duckdb").read_bytes()
    assert project.images.path(digest) is not None
