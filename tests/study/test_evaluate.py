"""Students and the pipeline on questions: asked once, scored by the benchmark's rules, told with
what they cost.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from finished_project import finished_project
from small_parts import ShareOfRed

from workbench.cli.evaluate import line
from workbench.errors import EngineError, ImageError, InputError
from workbench.evaluate.benchmarks.submission import write
from workbench.ports import Images
from workbench.records import Prediction, Task, content_key
from workbench.store import Project, Selection
from workbench.store.reading import evaluations
from workbench.store.reading.evaluations import AnswerOfStudent
from workbench.study import answering
from workbench.study.answering import NamedStudent, ask, sample, seconds_alone, student_by_name
from workbench.study.evaluate import evaluate, evaluate_pipeline, questions, submission
from workbench.study.results import results
from workbench.unanswered import no_answer

sys.path.insert(0, str(Path(__file__).parent.parent / "train"))
from tiny_vlms import save


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.open(finished_project(tmp_path)) as opened:
        yield opened


class Explains(ShareOfRed):
    """Gives its reasons; on yes/no questions it forgets to conclude.  Counts what it is asked."""

    def __init__(self, breaks_at: int = -1) -> None:
        super().__init__("explains")
        self.asked: list[str] = []
        self._breaks_at = breaks_at

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        if 0 <= self._breaks_at <= len(self.asked):
            raise EngineError("the machine went away; ask again")
        self.asked += [task.id for task in tasks]
        found = super().answer(tasks, images, explain)
        if not explain:
            return found
        return [
            replace(
                p,
                answer="",
                rationale=f"Red. Thus, the answer is {p.answer}."
                if t.answer_type == "integer"
                else "",
            )
            for t, p in zip(tasks, found, strict=True)
        ]


def who(student: ShareOfRed) -> NamedStudent:
    return NamedStudent(student.ref, "mine", None, lambda: student)


def ids(project: Project) -> list[str]:
    return evaluations.selected_ids(project.database, Selection())


def test_a_student_is_asked_only_what_it_has_not_answered(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PREDICT_TASKS", 4)
    wanted = ids(project)
    broken = Explains(breaks_at=8)
    with pytest.raises(EngineError):
        ask(project, who(broken), wanted, False)
    assert broken.asked == wanted[:8]
    again = Explains()
    assert set(ask(project, who(again), wanted, False)) == set(wanted)
    assert again.asked == wanted[8:]
    never = Explains()
    assert len(ask(project, who(never), wanted, False)) == len(wanted)
    assert never.asked == []


def test_direct_and_explained_answers_never_mix(project: Project) -> None:
    student = Explains()
    direct = ask(project, who(student), ids(project), False)
    explained = ask(project, who(student), ids(project), True)
    assert len(student.asked) == 2 * len(ids(project))
    counted = next(task.id for task in project.tasks(ids(project)) if task.answer_type == "integer")
    other = next(task.id for task in project.tasks(ids(project)) if task.answer_type == "yesno")
    said = direct[counted].answer
    assert explained[counted] == AnswerOfStudent(said, f"Red. Thus, the answer is {said}.")
    assert explained[other] == AnswerOfStudent("", ""), (
        "nothing was concluded, and that is not an answer"
    )
    assert direct[other].answer in ("yes", "no")


def test_a_broken_picture_costs_its_own_question_alone(project: Project) -> None:
    tasks = project.tasks(ids(project))
    torn = tasks[0].image

    class Careful(Explains):
        def answer(
            self, tasks: Sequence[Task], images: Images, explain: bool = False
        ) -> list[Prediction]:
            if any(task.image == torn for task in tasks):
                raise ImageError("it is torn")
            return super().answer(tasks, images, explain)

    def rows() -> dict[str, str]:
        told = project.database.rows("SELECT task_id, problem FROM prediction")
        return {row["task_id"]: row["problem"] for row in told if row["problem"]}

    whole = {task.id for task in tasks if task.image != torn}
    path = project.images.path(torn)
    assert path is not None
    kept = path.read_bytes()
    project.images.drop(torn)
    answered = ask(project, who(Careful()), ids(project), False)
    assert (set(answered), rows()) == (whole, {}), "a picture that comes back is asked about"
    path.write_bytes(kept)
    answered = ask(project, who(Careful()), ids(project), False)
    refused = {task.id for task in tasks} - whole
    assert {id_ for id_, answer in answered.items() if not answer.answer} == refused
    assert rows() == dict.fromkeys(refused, "it is torn"), "a picture that it does not take is not"


def test_an_evaluation_is_a_row_with_its_interval_families_and_cost(project: Project) -> None:
    row = evaluate(project, timed=2)
    assert (row.kind, row.mode, row.metric, row.questions) == ("student", "direct", "accuracy", 11)
    assert row.low <= row.value <= row.high  # type: ignore[operator]
    assert sum(family["of"] for family in row.families.values()) == row.questions
    assert row.latency["n"] == 2
    assert row.latency["median"] > 0
    assert row.details["left_out"] == {"unlabelled": 1}
    scores = project.evaluation_scores(row.id)
    assert sum(scores.values()) / len(scores) == pytest.approx(row.value)
    assert project.evaluations() == [row]


def test_evaluated_again_it_is_the_same_row_and_the_clock_is_not_asked_again(
    project: Project,
) -> None:
    first = evaluate(project, timed=50)
    second = evaluate(project, timed=50)
    assert first.latency["n"] == 12, "no question is asked twice for the clock"
    assert (second.id, second.value, second.latency) == (first.id, first.value, first.latency)
    assert len(project.evaluations()) == 1


def test_what_cannot_be_read_is_wrong_and_counted(project: Project, tmp_path: Path) -> None:
    row = evaluate(project, str(save("region", tmp_path / "untaught")), explain=True, timed=0)
    assert (row.mode, row.system) == ("explain", f"{tmp_path.name}/untaught explained")
    assert row.details["unreadable"] > 0
    assert row.details["unanswered"] == row.details["unreadable"] - 1, (
        "one of the questions has no label"
    )
    assert row.cost["tokens"] > 0


class Lacking(ShareOfRed):
    """Cannot answer the first question of a batch, and is cut at the second."""

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> list[Prediction]:
        _, second, *rest = super().answer(tasks, images, explain)
        cut = replace(second, problem="the answer was cut at 16 tokens; raise max_tokens")
        return [no_answer(tasks[0], self.ref, "HTTP 400"), cut, *rest]


def test_answers_that_are_missing_or_cut_are_counted_and_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "student_by_name", lambda *_: who(Lacking("lacking")))
    row = evaluate(project, timed=0)
    assert (row.details["unanswered"], row.details["cut"]) == (1, 1)
    told = "1 without an answer (it counts as wrong), 1 cut at the bound of tokens"
    assert told in line(row)
    assert [one.note for one in results(project).rows] == [told]


def test_the_pipeline_is_its_first_program_the_vote_and_a_bound(project: Project) -> None:
    first, voted, bound = evaluate_pipeline(project, 4, timed=0)
    assert [row.system for row in (first, voted, bound)] == [
        "pipeline k=1",
        "pipeline k=4",
        "pipeline pass@4",
    ]
    assert bound.value >= voted.value  # type: ignore[operator]
    assert bound.value >= first.value  # type: ignore[operator]
    curve = [bound.details["passed"][str(k)]["value"] for k in range(1, 5)]
    assert curve == sorted(curve)
    assert curve[-1] == pytest.approx(bound.value)
    assert voted.cost["calls"] > first.cost["calls"] > 0
    assert project.count_tasks() == 12, "an evaluation imports nothing"


def test_pass_at_k_is_what_the_project_says_of_it(project: Project) -> None:
    from workbench.pipeline.report import report

    bound = evaluate_pipeline(project, 4, timed=0)[-1]
    told = report(project).all.passed
    for k in (1, 4):
        assert bound.details["passed"][str(k)]["value"] == pytest.approx(told[k].value)
        assert bound.details["passed"][str(k)]["of"] == told[k].of


def test_one_program_alone_needs_no_vote(project: Project) -> None:
    assert [row.mode for row in evaluate_pipeline(project, 1, Selection("test"), timed=1)] == [
        "first"
    ]


def test_the_questions_may_be_of_one_split_and_source(project: Project) -> None:
    assert evaluate(project, selection=Selection("test", source="squares"), timed=0).questions == 4
    with pytest.raises(
        InputError, match="no question fits; the project holds: squares test, squares train"
    ):
        evaluate(project, selection=Selection("val"), timed=0)


def test_benchmarks_are_not_mixed(project: Project) -> None:
    task = project.tasks(ids(project))[0]
    project.add_tasks(
        [
            replace(
                task, id="pope/1", source="pope", split="random", answers=("yes",), family="random"
            )
        ]
    )
    with pytest.raises(
        InputError,
        match=r"of pope, squares, which are not scored alike; choose with --benchmark NAME",
    ):
        questions(project, Selection())
    assert questions(project, Selection(source="pope")).scorer.source == "pope"


def test_how_sure_a_yes_is_is_asked_where_the_benchmark_wants_it(
    project: Project, tmp_path: Path
) -> None:
    pictures = list({task.image: task for task in project.tasks(ids(project))}.values())[:4]
    memes = [
        replace(
            task,
            id=f"hateful/{at}",
            source="hateful",
            split="dev",
            answers=("yes",) if at % 2 else ("no",),
            answer_type="yesno",
            choices=("yes", "no"),
            family="",
            meta={"question_id": at},
        )
        for at, task in enumerate(pictures)
    ]
    project.add_tasks(memes)
    model, asked = str(save("region", tmp_path / "student")), Selection(source="hateful")
    row = evaluate(project, model, asked, timed=0)
    assert row.metric == "roc_auc"
    assert 0 <= row.value <= 1  # type: ignore[operator]
    shares = answering.yes_shares(
        project, student_by_name(project, model), [meme.id for meme in memes]
    )
    assert all(0 < share < 1 for share in shares.values())
    assert len(shares) == 4
    answers = submission(project, questions(project, asked), row, model)
    [file] = write("hateful", memes, answers, tmp_path / "out")
    lines = list(csv.DictReader(file.path.read_text().splitlines()))
    assert [float(line["proba"]) for line in lines] == [shares[meme.id] for meme in memes]


def test_a_job_that_has_no_model_yet_is_said(project: Project) -> None:
    from workbench.train.job import Job
    from workbench.train.jobs import Jobs

    name = Jobs(project.path / "jobs", start=False).submit(Job("s"))
    with pytest.raises(InputError, match=f"has no model yet; vpd jobs show {name}"):
        student_by_name(project, name[:6])


def test_the_clock_leaves_the_first_questions_out() -> None:
    tasks = [Task(f"t{at}", "made", "test", "", "?") for at in range(6)]
    asked: list[str] = []
    found = seconds_alone(sample(tasks, 3), lambda task: asked.append(task.id))
    assert asked == ["t0", "t1", "t0", "t2", "t4"]
    assert found["n"] == 3
    assert found["low"] <= found["median"] <= found["high"]
    assert seconds_alone(sample([], 3), lambda task: content_key(task.id)) == {}
