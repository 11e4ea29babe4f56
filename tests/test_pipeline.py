"""The hall: stages in order, nothing done twice, only what depends on a change done again."""

from __future__ import annotations

import mmap
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from finished_project import finished_project
from small_parts import FindSquares, Scribe, ShareOfRed, Squares, profile_text

from workbench.errors import EngineError, ImageError, InputError, ProfileError
from workbench.pipeline.importing import import_tasks
from workbench.pipeline.loop import Progress, peak_rss, run
from workbench.pipeline.parts import Parts
from workbench.pipeline.report import Report
from workbench.ports import Images
from workbench.records import Prediction, Program, Task, TraceEvent
from workbench.settings import Choice, read_profile
from workbench.store import STAGES, Project

HERE = Path(__file__).resolve().parent
TASKS = 12
K = 4


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "small.toml").write_text(profile_text())
    source = Choice(f"{HERE / 'small_parts.py'}:Squares", {"root": str(tmp_path / "drawn")})
    with Project.create(tmp_path / "p", str(tmp_path / "small.toml"), source) as made:
        yield made


@pytest.fixture
def ran(tmp_path: Path) -> Iterator[Project]:
    """The same project after `run`, copied."""
    with Project.open(finished_project(tmp_path)) as made:
        yield made


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Report]]:
    """It again with its report, for tests that only look."""
    with Project.open(finished_project(tmp_path_factory.mktemp("looked"))) as made:
        yield made, run(made).report


def parts(project: Project, **changes: str) -> Parts:
    path = project.path / "changed.toml"
    path.write_text(profile_text(**changes))
    return Parts(read_profile(path), project.images)


def rows(project: Project) -> dict[str, int]:
    names = ("task", "program", "trace", "verdict", "rationale", "prediction")
    return {
        name: project.database.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in names
    }


def test_the_loop_fills_every_table(project: Project) -> None:
    summary = run(project)
    found = rows(project)
    kept = summary.report.counts.kept + summary.report.counts.agreed
    assert found == {
        "task": TASKS,
        "program": TASKS * K,
        "trace": TASKS * K,
        "verdict": TASKS * K,
        "rationale": kept,
        "prediction": TASKS,
    }
    assert 0 < kept <= TASKS
    assert {stage: done.rows for stage, done in summary.done.items()} == dict(
        zip(STAGES, (TASKS, TASKS * K, TASKS * K, TASKS * K, kept, TASKS), strict=True)
    )


def test_a_second_run_does_nothing(ran: Project) -> None:
    before = rows(ran)
    summary = run(ran)
    assert rows(ran) == before
    assert [done.rows for done in summary.done.values()] == [0] * len(STAGES)


def test_a_second_run_reads_the_source_no_more(project: Project, tmp_path: Path) -> None:
    run(project)
    for picture in (tmp_path / "drawn").iterdir():
        picture.unlink()
    (tmp_path / "drawn").rmdir()
    run(project)
    assert not (tmp_path / "drawn").exists()


def test_failures_are_rows_with_kind_and_line(looked_at: tuple[Project, Report]) -> None:
    ran, report = looked_at
    counts = report.counts
    assert sum(counts.failures.values()) == TASKS * K - counts.executed
    assert {"syntax", "tool_error", "runtime"} == set(counts.failures)
    lines = ran.database.rows(
        "SELECT DISTINCT failure_line FROM trace WHERE failure_kind = 'runtime'"
    )
    assert [row["failure_line"] for row in lines] == [4]


def test_limit_takes_the_first_tasks_only(project: Project) -> None:
    summary = run(project, limit=5)
    assert rows(project)["task"] == 5
    assert summary.report.counts.tasks == 5
    assert run(project, limit=8).done["import"].rows == 3


def test_split_takes_its_tasks_only(project: Project) -> None:
    summary = run(project, split="test")
    assert {task.split for task, _ in project.browse().rows} == {"test"}
    assert summary.report.counts.tasks == 4


def test_a_project_of_one_split_stays_one(project: Project) -> None:
    import_tasks(project, project.sources()[0], "test")
    assert run(project).report.counts.tasks == 4


def test_limit_zero_runs_nothing_and_says_so(project: Project) -> None:
    with pytest.raises(InputError, match="hold no task"):
        run(project, limit=0)


def test_upto_stops_there(project: Project) -> None:
    run(project, upto="execute")
    found = rows(project)
    assert (found["trace"], found["verdict"], found["prediction"]) == (TASKS * K, 0, 0)
    run(project)
    assert rows(project)["verdict"] == TASKS * K


def test_a_larger_k_samples_only_what_is_missing(project: Project) -> None:
    run(project, k=2)
    summary = run(project, k=4)
    assert summary.done["sample"].rows == TASKS * 2
    assert summary.done["execute"].rows == TASKS * 2
    assert summary.done["verify"].rows == TASKS * 4, "the four runs of a task are judged together"
    chosen = project.database.rows("SELECT task_id FROM verdict WHERE chosen AND runs = 4")
    assert len({row["task_id"] for row in chosen}) == len(chosen)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("sampler", ("sample", "execute", "verify", "rationalize")),
        ("find", ("execute", "verify", "rationalize")),
        ("verifier", ("verify",)),
        ("writer", ("rationalize",)),
        ("student", ("predict",)),
    ],
)
def test_an_edited_part_re_runs_only_what_depends_on_it(
    ran: Project, change: str, again: tuple[str, ...]
) -> None:
    names = {
        "sampler": "Scribe",
        "find": "FindSquares",
        "writer": "PlainWriter",
        "student": "ShareOfRed",
    }
    edited = (
        '{ part = "answers", threshold = 0.6 }'
        if change == "verifier"
        else f'{{ part = "{HERE / "small_parts.py"}:{names[change]}", version = "2" }}'
    )
    summary = run(ran, parts=parts(ran, **{change: edited}))
    assert tuple(stage for stage, done in summary.done.items() if done.rows) == again
    back = run(ran)
    assert [done.rows for done in back.done.values()] == [0] * len(STAGES), (
        "the first part's rows are still there"
    )


def test_an_edited_tool_may_change_the_prompt_too(ran: Project) -> None:
    """The sampler's key holds what it read: another name for the tool gives other programs."""
    text = profile_text().replace(
        "[tools]\nfind",
        "[tools]\nfind = " + f'{{ part = "{HERE / "small_parts.py"}:FindSquares" }}' + "\nlocate",
    )
    (ran.path / "two.toml").write_text(text)
    summary = run(ran, parts=Parts(read_profile(ran.path / "two.toml"), ran.images))
    assert summary.done["sample"].rows == TASKS * K


def test_what_was_finished_before_a_breakdown_is_kept(project: Project) -> None:
    broken = parts(
        project, sampler=f'{{ part = "{HERE / "small_parts.py"}:Scribe", breaks_at = 7 }}'
    )
    with pytest.raises(EngineError, match="did not answer"):
        run(project, parts=broken)
    assert rows(project)["program"] == 7 * K
    summary = run(project, parts=broken)
    assert summary.done["sample"].rows == (TASKS - 7) * K
    assert rows(project)["prediction"] == TASKS


@pytest.mark.parametrize("stage", STAGES[1:])
def test_ctrl_c_leaves_a_state_that_goes_on(project: Project, stage: str) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == stage and progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, progress=stop)
    run(project)
    after = rows(project)
    assert (after["program"], after["trace"], after["verdict"], after["prediction"]) == (
        48,
        48,
        48,
        12,
    )
    assert [done.rows for done in run(project).done.values()] == [0] * len(STAGES)


def test_progress_counts_to_the_total(project: Project) -> None:
    seen: list[Progress] = []
    run(project, progress=seen.append)
    for stage in STAGES:
        told = [p for p in seen if p.stage == stage]
        assert told, stage
        assert told[-1].done == told[-1].total
        assert [p.done for p in told] == sorted(p.done for p in told)


def test_a_broken_picture_leaves_its_tasks_out_with_a_reason(
    project: Project, tmp_path: Path
) -> None:
    drawn = Squares(str(tmp_path / "other"))
    for number, name in enumerate(["0001.png", "0003.png"]):
        drawn.folder.mkdir(exist_ok=True)
        (drawn.folder / name).write_bytes(b"not a picture" * number)

    class Spoilt(Squares):
        def _draw(self, at: int) -> int:
            return 1 if at in (1, 3) else super()._draw(at)

    from workbench.pipeline import importing

    (tmp_path / "spoilt.py").write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "from small_parts import Squares\n"
        "class Spoilt(Squares):\n"
        "    def _draw(self, at):\n"
        "        return 1 if at in (1, 3) else super()._draw(at)\n"
    )
    choice = Choice(f"{tmp_path / 'spoilt.py'}:Spoilt", {"root": str(drawn.folder)})
    result = importing.import_tasks(project, choice)
    assert (result.added, result.bad) == (TASKS - 4, 4)
    reasons = project.database.rows("SELECT file, reason FROM bad_row ORDER BY file")
    assert [row["file"] for row in reasons] == [
        f"squares/000{at}/{n}" for at in (1, 3) for n in (0, 1)
    ]
    assert all("is not a picture that can be read" in row["reason"] for row in reasons)


def test_importing_again_adds_nothing_and_names_changed_tasks(
    project: Project, tmp_path: Path
) -> None:
    from workbench.pipeline import importing

    run(project, upto="import")
    project.database.transaction(
        lambda c: c.execute("UPDATE task SET content = 'other' WHERE id = 'squares/0002/1'")
    )
    (choice,) = project.sources()
    result = importing.import_tasks(project, choice)
    assert (result.added, result.changed) == (0, ("squares/0002/1",))


def test_a_missing_picture_does_not_stop_the_students(project: Project) -> None:
    run(project, upto="rationalize")
    (task,) = project.tasks(["squares/0000/0"])
    gone = project.images.path(task.image)
    assert gone is not None
    gone.unlink()
    fresh = Parts(project.profile(), type(project.images)(project.images.root))
    summary = run(project, parts=fresh)
    assert summary.done["predict"].rows == TASKS
    assert any("could not answer, which count as wrong: 2;" in note for note in summary.notes)
    rows_with_reason = project.database.rows("SELECT problem FROM prediction WHERE problem != ''")
    assert len(rows_with_reason) == 2
    assert task.image[:12] in rows_with_reason[0]["problem"]
    again = run(project, parts=fresh)
    assert (again.done["predict"].rows, again.notes) == (0, ())


def test_the_students_answers_are_scored_against_the_labels(
    looked_at: tuple[Project, Report],
) -> None:
    ran, report = looked_at
    share = report.all.student
    found = ran.database.rows(
        "SELECT score, task.answers[1] = prediction.answer AS right FROM prediction JOIN task ON task.id = task_id "
        "WHERE len(task.answers) > 0"
    )
    assert share.of == len(found) == TASKS - 1
    assert share.hits == sum(row["right"] for row in found)
    assert 0 < share.hits < share.of, "this student is weak, not useless"
    low, high = share.interval
    assert low < share.hits / share.of < high


def test_unlabelled_tasks_are_counted_apart(looked_at: tuple[Project, Report]) -> None:
    _, found = looked_at
    assert (found.all.labelled, found.all.kept.of, found.all.agreed.of) == (TASKS - 1, TASKS - 1, 1)


def test_pass_at_k_is_the_unbiased_estimator(looked_at: tuple[Project, Report]) -> None:
    ran, found = looked_at
    correct = {
        row["task_id"]: row["c"]
        for row in ran.database.rows(
            "SELECT task_id, count(*) FILTER (correct) AS c FROM verdict WHERE method = 'gold' GROUP BY task_id"
        )
    }
    assert found.all.passed[1].hits == pytest.approx(sum(c / K for c in correct.values()))
    assert found.all.passed[K].hits == sum(c > 0 for c in correct.values())
    assert found.all.passed[K].hits == found.all.kept.hits


def test_families_add_up(looked_at: tuple[Project, Report]) -> None:
    _, found = looked_at
    assert list(found.families) == ["count", "exists"]
    assert sum(f.kept.of for f in found.families.values()) == found.all.kept.of
    assert sum(f.student.hits for f in found.families.values()) == found.all.student.hits


def test_peak_memory_is_counted_once() -> None:
    """The system takes the memory of whoever forks a process for that process's own."""
    filling = bytearray(300 * 2**20)
    filling[:: mmap.PAGESIZE] = b"\x01" * len(range(0, len(filling), mmap.PAGESIZE))
    once = peak_rss()
    ask = "from workbench.pipeline.loop import peak_rss; print(peak_rss())"
    child = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True)
    assert peak_rss() < once + 100 * 2**20
    assert len(filling) < once
    if sys.platform == "linux":
        assert 10 * 2**20 < int(child.stdout) < len(filling)


def test_the_report_as_json_has_numbers_and_denominators(looked_at: tuple[Project, Report]) -> None:
    found = looked_at[1].to_json()
    assert {
        "pass@1",
        f"pass@{K}",
        "yield",
        "seconds_per_question",
        "student_accuracy",
        "counts",
    } <= set(found)
    assert 0 < found["pass@1"] < found[f"pass@{K}"] <= 1
    assert found["details"]["yield"]["of"] == TASKS - 1
    assert found["counts"]["programs"] == TASKS * K
    assert found["peak_rss_bytes"] > 10_000_000
    per = found["stages"]
    assert found["seconds_per_question"] == pytest.approx(
        sum(per[stage]["per_question"] for stage in ("sample", "execute", "verify"))
    )
    assert per["sample"]["per_question"] == pytest.approx(per["sample"]["seconds"] / TASKS)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"upto": "train"}, "no stage is called 'train'; there are: import, sample, execute"),
        ({"limit": -1}, "limit must be 0 or more, found -1"),
        ({"k": 0}, "k must be 1 to 100, found 0"),
        ({"k": 101}, "k must be 1 to 100, found 101"),
    ],
)
def test_bad_arguments_are_refused(
    project: Project, arguments: dict[str, object], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        run(project, **arguments)  # type: ignore[arg-type]
    assert rows(project)["task"] == 0


def test_a_project_without_a_source_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(profile_text())
    made = Project.create(tmp_path / "p", str(tmp_path / "small.toml"))
    with made, pytest.raises(InputError, match="has no task source; add one with: vpd import"):
        run(made)


def test_a_split_without_tasks_says_so(project: Project) -> None:
    with pytest.raises(InputError, match="hold no task in split 'minitest'"):
        run(project, split="minitest")


class Short(Scribe):
    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        yield from list(super().sample(tasks, k, seed))[:-1]


def test_a_sampler_that_gives_too_few_is_named(project: Project) -> None:
    mended = parts(project)
    mended.__dict__["sampler"] = Short([FindSquares().spec])
    with pytest.raises(
        EngineError, match=r"gave 3 programs where 4 of task squares/0005/1 were expected"
    ):
        run(project, parts=mended)
    assert rows(project)["program"] == (TASKS - 1) * K


class Nearsighted(ShareOfRed):
    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        if len(tasks) > 1:
            raise ImageError("one of these is gone")
        return super().answer(tasks, images, explain)


def test_students_that_choke_on_a_batch_are_asked_one_by_one(project: Project) -> None:
    mended = parts(project)
    mended.__dict__["student"] = Nearsighted()
    assert run(project, parts=mended).done["predict"].rows == TASKS


def test_traces_keep_their_events(looked_at: tuple[Project, Report]) -> None:
    view = looked_at[0].task_view("squares/0000/0")
    for one in view.runs:
        assert one.trace is not None
        assert one.trace.events
        assert isinstance(one.trace.events[0], TraceEvent)
        assert [event.seq for event in one.trace.events] == list(range(len(one.trace.events)))


def test_the_writer_gets_chosen_traces_only(looked_at: tuple[Project, Report]) -> None:
    ran, _ = looked_at
    chosen = {
        row["trace_id"] for row in ran.database.rows("SELECT trace_id FROM verdict WHERE chosen")
    }
    told = {row["trace_id"] for row in ran.database.rows("SELECT trace_id FROM rationale")}
    assert told == chosen


def test_broken_runs_are_tried_again(project: Project) -> None:
    run(project, upto="execute")
    project.database.transaction(
        lambda c: c.execute(
            "UPDATE trace SET failure_kind = 'infra', failure_message = 'worker died', answer = NULL "
            "WHERE task_id = 'squares/0001/0'"
        )
    )
    summary = run(project)
    assert summary.done["execute"].rows == K
    assert "infra" not in summary.report.counts.failures


class Heavy(ShareOfRed):
    """Loads its model late, unless it is told to do so now."""

    loaded = 0

    def warm(self) -> None:
        self.loaded += 1


def test_parts_that_load_late_are_loaded_before_any_work(project: Project) -> None:
    mended = parts(project)
    heavy = mended.__dict__["student"] = Heavy()
    seen: list[int] = []
    run(project, parts=mended, progress=lambda progress: seen.append(heavy.loaded))
    assert set(seen) == {1}


def test_a_wrong_part_shows_before_any_work(project: Project) -> None:
    wrong = parts(project, student='{ part = "nosuch" }')
    with pytest.raises(ProfileError, match="no student is called 'nosuch'"):
        run(project, parts=wrong)
    assert rows(project)["task"] == 0
