"""How much the programs of a question differ, compared as they come, counted and printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from small_parts import COUNT, CRASH, Scribe, profile_text

from workbench.cli.status import print_report
from workbench.cli.text import console
from workbench.pipeline.grouping import compared
from workbench.pipeline.loop import run
from workbench.pipeline.parts import Parts
from workbench.pipeline.report import report
from workbench.records import PartRef, Program, Task
from workbench.settings import Choice
from workbench.store import Project
from workbench.unanswered import no_program

SMALL_PARTS = Path(__file__).resolve().parents[1] / "small_parts.py"
RENAMED = COUNT.replace("squares", "found")
OTHER = COUNT.replace("len(squares)", "len(squares) + 0")
SHEETS = ((COUNT, RENAMED, COUNT), (CRASH, COUNT, RENAMED), (OTHER, CRASH, COUNT))
"""Three programs for each of three questions: one, two and three that differ."""
SCORES = (-0.3, -0.1, -0.2)


class Repeating(Scribe):
    """Writes the programs of the sheets; the last one of a question was drawn three times."""

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterator[Program]:
        for task, sheet in zip(tasks, SHEETS, strict=True):
            for index, source in enumerate(sheet):
                yield Program(
                    f"{task.id}/{index}", task.id, index, source, SCORES[index], 9, seed, self.ref,
                    draws=3 if index == 2 else 1,
                )  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("variety")
    (folder / "small.toml").write_text(profile_text())
    source = Choice(f"{SMALL_PARTS}:Squares", {"root": str(folder / "drawn")})
    with Project.create(folder / "p", str(folder / "small.toml"), source) as made:
        parts = Parts(made.profile(), made.images)
        parts.__dict__["sampler"] = Repeating([tool.spec for tool in parts.tools])
        with parts:
            run(made, limit=3, k=3, upto="verify", parts=parts)
        yield made


def test_a_run_counts_programs_that_repeat_and_drawings(project: Project) -> None:
    found = report(project).to_json()["variety"]
    assert found == {
        "tasks": 3,
        "different": 6,
        "with_repeats": 2,
        "all_equal": 1,
        "redrawn": 3,
        "redraws": 6,
    }


def test_the_first_program_has_a_share_of_its_own(project: Project) -> None:
    outcomes = [one for one in project.outcomes() if one.judged]
    firsts = sum(one.runs[0].result == "right" for one in outcomes if one.labelled)
    share = report(project).all.first
    assert (share.hits, share.of) == (firsts, sum(one.labelled for one in outcomes))
    assert share.hits > 0


def test_the_likeliest_program_is_chosen_by_its_probability_alone(project: Project) -> None:
    labelled = {one.task_id for one in project.outcomes() if one.labelled and one.judged}
    expected = {
        one.task_id: next(run.result == "right" for run in one.runs if run.index == 1)
        for one in project.outcomes()
        if one.task_id in labelled
    }
    found = report(project).to_json()["details"]["likeliest_program"]
    assert (found["hits"], found["of"]) == (sum(expected.values()), len(expected))


def test_the_report_says_how_many_differ_and_which_mean_pass_at_1_is(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    print_report(console(), report(project))
    text = " ".join(capsys.readouterr().out.split())
    assert "different programs: 2.0 of 3 on average over 3 tasks" in text
    assert "2 tasks have a program twice, 1 have one alone" in text
    assert "drawn again: 3 programs, 6 times in all" in text
    assert "pass@1 is the mean over 3 programs that avoid one another" in text


def test_what_is_no_program_is_not_compared() -> None:
    ref = PartRef("sampler", "s")
    task = Task("t", "s", "test", "0" * 64, "What?")
    missing = [no_program(task, index, 0, ref, "the endpoint: HTTP 400") for index in (0, 1)]
    assert [one.repeats for one in compared(missing)] == [None, None]


def test_programs_that_came_in_another_order_repeat_the_one_of_the_lower_number() -> None:
    first = Program("a", "t", 0, COUNT, 0.0, 1, 0, PartRef("sampler", "s"))
    second = replace(first, id="b", index=1, source=RENAMED)
    assert [(one.id, one.repeats) for one in compared([second, first])] == [
        ("b", True),
        ("a", False),
    ]
