"""What could not be done is a row with its reason, and what endpoints cost is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from small_parts import Scribe, profile_text

from workbench.cli.status import print_report
from workbench.cli.text import console
from workbench.errors import RefusedRequest
from workbench.pipeline.loop import run
from workbench.pipeline.parts import Parts
from workbench.rationalize.rewrite import LanguageWriter
from workbench.records import PartRef, Task
from workbench.screen.charts.overview import overview
from workbench.screen.charts.project_charts import numbers
from workbench.settings import Choice
from workbench.store import Project
from workbench.unanswered import no_program
from workbench.usage import Usage

SMALL_PARTS = Path(__file__).resolve().parents[1] / "small_parts.py"
TASKS = 12


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "small.toml").write_text(profile_text())
    source = Choice(f"{SMALL_PARTS}:Squares", {"root": str(tmp_path / "drawn")})
    with Project.create(tmp_path / "p", str(tmp_path / "small.toml"), source) as made:
        yield made


def test_a_student_that_takes_no_picture_of_some_shape_answers_the_others(project: Project) -> None:
    fresh = Parts(project.profile(), project.images)
    whole = fresh.student

    class Choosy:
        ref = whole.ref

        def answer(self, tasks: list[Task], images: object, explain: bool = False) -> object:
            if any(task.id == "squares/0000/0" for task in tasks):
                raise ValueError("absolute aspect ratio must be smaller than 200, got 225.0")
            return whole.answer(tasks, images, explain)

    fresh.__dict__["student"] = Choosy()
    summary = run(project, parts=fresh)
    assert summary.done["predict"].rows == TASKS
    assert any("aspect ratio must be smaller than 200" in note for note in summary.notes)
    assert run(project, parts=fresh).done["predict"].rows == 0


def test_what_endpoints_cost_is_kept_with_the_project(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    class Billed(Scribe):
        @property
        def usage(self) -> Usage:
            return Usage(self.asked, 1, 10 * self.asked, 2 * self.asked, 0.5 * self.asked)

    billed = Parts(project.profile(), project.images)
    billed.__dict__["sampler"] = Billed([tool.spec for tool in billed.tools])
    summary = run(project, limit=5, parts=billed)
    assert summary.done["sample"].usage == Usage(5, 0, 50, 10, 2.5)
    assert summary.done["execute"].usage == Usage()
    run(project, limit=5, parts=billed)
    whole = run(project, parts=billed).report
    assert whole.usage == {"sample": Usage(TASKS, 0, 10 * TASKS, 2 * TASKS, 0.5 * TASKS)}
    assert whole.to_json()["usage"]["sample"]["requests"] == TASKS
    few = run(project, limit=5, parts=billed).report
    assert few.rationales == whole.rationales > few.counts.rationales, "endpoints saw all questions"
    each = few.to_json()["usage_per_rationale"]
    assert each["completion_tokens"] * whole.rationales == pytest.approx(2 * TASKS)
    tokens = f"{12 * TASKS / whole.rationales:,.0f} tokens, cost {TASKS / 2 / whole.rationales:.6f}"
    print_report(console(), few)
    assert f"per kept rationale: {tokens} ({whole.rationales} rat" in capsys.readouterr().out
    [says] = [says for name, _, says in numbers(overview(project)) if name == "Endpoints"]
    assert says.endswith(f"; a kept rationale: {tokens}")


def test_a_program_that_did_not_come_is_a_run_with_the_reason(project: Project) -> None:
    class Refused(Scribe):
        def sample(self, tasks: list[Task], k: int, seed: int) -> object:
            for task in tasks:
                for index in range(k):
                    yield no_program(task, index, seed, self.ref, "the endpoint: HTTP 400", "hm")

    fresh = Parts(project.profile(), project.images)
    fresh.__dict__["sampler"] = Refused([tool.spec for tool in fresh.tools])
    run(project, limit=1, parts=fresh)
    [(message, thinking)] = {
        (row["failure_message"], row["thinking"])
        for row in project.database.rows(
            "SELECT failure_message, thinking FROM trace JOIN program ON program.id = program_id"
        )
    }
    assert (message, thinking) == ("the endpoint: HTTP 400", "hm")


def test_a_rationale_that_an_endpoint_refuses_is_a_row_that_the_next_run_goes_past(
    project: Project,
) -> None:
    class Filter:
        ref = PartRef("language", "filter")

        def complete(self, prompts: Sequence[str], max_tokens: int) -> list[str]:
            if any("more than" in text.rpartition("Question: ")[2] for text in prompts):
                raise RefusedRequest("HTTP 400: content filter", True)
            return ["Thus, the answer is 7." for _ in prompts]

        def choose(
            self, prompts: Sequence[str], options: Sequence[Sequence[str]]
        ) -> list[list[float]]:
            raise AssertionError("a rewriter chooses nothing")

    fresh = Parts(project.profile(), project.images)
    fresh.__dict__["writer"] = LanguageWriter(Filter())
    written = run(project, upto="rationalize", parts=fresh).done["rationalize"].rows
    [row] = project.database.rows(
        "SELECT count(*) AS whole, count(*) FILTER ("
        "list_contains(issues, 'not rewritten, this is the draft: HTTP 400: content filter')"
        ") AS refused FROM rationale"
    )
    assert row["whole"] == written
    assert 0 < row["refused"] < written
    assert run(project, upto="rationalize", parts=fresh).done["rationalize"].rows == 0
