"""Programs that fail or have an empty answer are written again, and count where it is said only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from finished_project import finished_project
from small_parts import COUNT, MORE, Scribe, profile_text

from workbench.errors import EngineError, InputError
from workbench.pipeline.loop import run
from workbench.pipeline.parts import Parts
from workbench.pipeline.report import Report, report
from workbench.pipeline.snapshotting import SnapshotWish, preview
from workbench.records import Program, Task, Trace
from workbench.sample.again import account, child_of, is_empty
from workbench.sample.seeds import again_seed
from workbench.screen.review import numbered
from workbench.settings import read_profile
from workbench.store import Project
from workbench.store.doctor import examine

HERE = Path(__file__).resolve()
EMPTY = COUNT.replace("str(len(squares))", "''")


class Mender(Scribe):
    """A scribe that reads what happened: at first it answers nothing, then it writes what is right."""

    def write_again(
        self, attempts: Sequence[tuple[Task, Program, Trace]], seed: int
    ) -> Iterator[Program]:
        for task, parent, trace in attempts:
            right = MORE if "more than" in task.question else COUNT
            assert parent.id == trace.program_id
            assert "failed" in account(parent, trace) or "empty" in account(parent, trace)
            source = right if parent.parent else EMPTY
            own = again_seed(parent, seed)
            first = Program("", task.id, 0, source, -1.0, 3, own, self.ref)
            yield child_of(parent, first)


class Careless(Mender):
    """A scribe that forgets whose program it writes again."""

    def write_again(
        self, attempts: Sequence[tuple[Task, Program, Trace]], seed: int
    ) -> Iterator[Program]:
        for program in super().write_again(attempts, seed):
            yield program
            return


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project of twelve questions that went through the loop, four programs each,
    some of which failed.
    """
    folder = tmp_path_factory.mktemp("sampled")
    with Project.open(finished_project(folder)) as made, parts(made) as own:
        run(made, parts=own)
    return folder


@pytest.fixture
def project(sampled: Path, tmp_path: Path) -> Iterator[Project]:
    """It, copied."""
    with Project.open(shutil.copytree(sampled, tmp_path, dirs_exist_ok=True) / "p") as made:
        yield made


@pytest.fixture(scope="module")
def repaired(
    sampled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Project, Report]]:
    """It after two rounds, with its report, for tests that only look."""
    folder = shutil.copytree(sampled, tmp_path_factory.mktemp("repaired"), dirs_exist_ok=True)
    with Project.open(folder / "p") as made:
        with parts(made) as own:
            told = run(made, parts=own, repair=2).report
        yield made, told


def parts(project: Project, sampler: str = "Mender", **changes: str) -> Parts:
    path = project.path / "changed.toml"
    path.write_text(profile_text(sampler=f'{{ part = "{HERE}:{sampler}" }}', **changes))
    return Parts(read_profile(path), project.images)


def failed(project: Project) -> list[str]:
    """Ids of the sampled programs in force that failed."""
    lines = [line for outcome in project.outcomes() for line in outcome.runs]
    return [line.program for line in lines if line.result == "crashed"]


def children(project: Project) -> dict[str, dict[str, str]]:
    sql = "SELECT id, parent, source FROM program WHERE parent IS NOT NULL"
    return {row["parent"]: row for row in project.database.rows(sql)}


def test_each_round_is_a_program_with_its_parent_and_counts_apart(project: Project) -> None:
    before = report(project)
    broken = failed(project)
    assert broken
    assert before.repairs is None
    with parts(project) as own:
        first = run(project, parts=own, repair=1)
    assert first.done["repair"].rows == len(broken)
    assert {child["source"] for child in children(project).values()} == {EMPTY}
    one = first.report.repairs
    assert one is not None
    assert (one.rounds, one.programs) == (1, len(broken))
    assert (one.answered.hits, one.answered.of) == (0, len(broken))
    assert (one.right.hits, one.rescued.hits) == (0, 0)

    with parts(project) as own:
        second = run(project, parts=own, repair=2)
        again = run(project, parts=own, repair=2)
    assert second.done["repair"].rows == len(broken)
    assert again.done["repair"].rows == 0
    two = second.report.repairs
    assert two is not None
    assert (two.rounds, two.programs) == (2, 2 * len(broken))
    assert two.answered.hits == len(broken)
    later = children(project)
    for root in broken:
        assert later[later[root]["id"]]["source"] in (COUNT, MORE)

    # every labelled chain ends right here, so that pass@1 with it counts what failed as right
    assert two.right.hits == two.right.of > 0
    outcomes = [o for o in project.outcomes() if o.labelled]
    crashed = {o.task_id: sum(line.result == "crashed" for line in o.runs) for o in outcomes}
    expected = sum((o.correct + crashed[o.task_id]) / o.judged for o in outcomes)
    assert two.passed[1].hits == pytest.approx(expected)
    assert two.rescued.hits == sum(not o.correct and crashed[o.task_id] > 0 for o in outcomes)

    # the loop's own figures, and what is kept, are those of before
    after = report(project)
    assert after.all == before.all
    assert after.counts == before.counts
    assert [f for f in examine(project.path) if f.level == "error"] == []


def test_what_the_label_says_does_not_decide_what_is_written_again(project: Project) -> None:
    wrong = {
        line.program
        for outcome in project.outcomes()
        for line in outcome.runs
        if line.result == "wrong"
    }
    assert wrong
    with parts(project) as own:
        run(project, parts=own, repair=1)
    assert set(children(project)) == set(failed(project))
    assert not wrong & set(children(project))


def test_right_ones_are_checked_told_and_shown_by_their_own_name(
    repaired: tuple[Project, Report],
) -> None:
    project, figures = repaired[0], repaired[1].repairs
    assert figures is not None
    assert figures.wrong_reason.of == figures.right.hits
    later = children(project)
    root = failed(project)[0]
    task, _ = project.run_view(root)
    view = project.task_view(task.id)
    names = {run.program.id: name for name, run in numbered(project, view)}
    assert names[later[root]["id"]].startswith("again ")
    last = project.run_view(later[later[root]["id"]]["id"])[1]
    assert last.trace is not None
    if task.labelled:
        assert last.verdict is not None
        assert (last.verdict.correct, last.verdict.chosen) == (True, False)
        assert any(one.trace_id == last.trace.id for one in view.rationales)


def test_a_snapshot_takes_them_where_no_sampled_program_is_right_and_it_is_asked_to(
    repaired: tuple[Project, Report],
) -> None:
    project, _ = repaired
    wish = {"accepted": "automatic", "bare": True, "flagged": True}
    plain = preview(project, SnapshotWish(**wish))
    more = preview(project, SnapshotWish(**wish, repaired=True))
    added = {e.task_id for e in more.examples} - {e.task_id for e in plain.examples}
    rescued = {
        outcome.task_id
        for outcome in project.outcomes()
        if outcome.status in ("wrong", "failed")
        and outcome.labelled
        and any(line.result == "crashed" for line in outcome.runs)
    }
    tested = {t.id for t in project.tasks(sorted(rescued)) if t.split == "test"}
    assert added == rescued - tested
    for example in more.examples:
        if example.task_id in added:
            assert example.program in (COUNT, MORE)


def test_a_sampler_that_only_samples_is_asked_with_the_program_in_the_question(
    project: Project,
) -> None:
    path = project.path / "plain.toml"
    path.write_text(profile_text())
    with Parts(read_profile(path), project.images) as own:
        assert not hasattr(own.sampler, "write_again")
        asked: list[Task] = []
        sample = own.sampler.sample

        def listen(tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
            asked.extend(tasks)
            yield from sample(tasks, k, seed)

        run(project, parts=own)
        before = failed(project)
        own.sampler.sample = listen  # type: ignore[method-assign]
        run(project, parts=own, repair=1)
    assert set(children(project)) == set(before)
    assert all("An earlier program did not answer this" in task.question for task in asked)
    assert any("IndexError" in task.question for task in asked)


def test_the_profile_switches_it_on_and_the_command_off(project: Project) -> None:
    with parts(project, repair="1") as own:
        assert "repair" not in run(project, parts=own, repair=0).done
        assert children(project) == {}
        assert run(project, parts=own).done["repair"].rows == len(failed(project))


def test_a_wrong_number_and_a_careless_sampler_are_told(project: Project) -> None:
    with pytest.raises(InputError, match="repair must be 0 to 10, found 11"):
        run(project, repair=11)
    with (
        parts(project, "Careless") as own,
        pytest.raises(EngineError, match="does not name the earlier one in its place"),
    ):
        run(project, parts=own, repair=1)


@pytest.mark.parametrize(
    ("answer", "choices", "empty"),
    [
        ("", (), True),
        (" None ", (), True),
        ("[]", (), True),
        ("none", ("None", "one"), False),
        ("0", (), False),
        ("no", (), False),
        (None, (), False),
    ],
)
def test_an_empty_answer_says_nothing(
    answer: str | None, choices: tuple[str, ...], empty: bool
) -> None:
    assert is_empty(answer, choices) is empty
