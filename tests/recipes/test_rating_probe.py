"""Blind ratings measured: shares, kinds and kappa by hand, and ratings of a project."""

from __future__ import annotations

from pathlib import Path

import page_project
import pytest

from workbench.cli import probe as command
from workbench.errors import InputError
from workbench.recipes.ports import JudgedAnswer, QuestionKind
from workbench.recipes.probe.knowledge_rationale_eval import KnowledgeRationaleEval, kappa
from workbench.records import Decision, Form, Prediction, Rating, Task
from workbench.shares import wilson
from workbench.store import Project
from workbench.store.people import ratings
from workbench.study.judging import judged_answers, measure


def judged(
    task: str,
    rater: str,
    correct: bool,
    factual: bool | None = None,
    consistent: bool | None = None,
    kind: QuestionKind = "knowledge",
) -> JudgedAnswer:
    return JudgedAnswer(task, rater, "m", kind, correct, factual is not None, factual, consistent)


ROWS = [
    judged("1", "ann", True, True, True),
    judged("1", "bob", False, True, True),
    judged("2", "ann", True, False, True),
    judged("2", "bob", True, True, False),
    judged("3", "ann", False),
    judged("4", "ann", True, True, True, "sight"),
]


def test_a_question_counts_once_and_each_share_has_its_own_n() -> None:
    report = KnowledgeRationaleEval().measure(ROWS)
    shares = {(one.kind, one.axis): one.share for one in report.shares}
    assert (shares["knowledge", "answer"].hits, shares["knowledge", "answer"].of) == (1.5, 3)
    assert (shares["knowledge", "facts"].hits, shares["knowledge", "facts"].of) == (1.5, 2)
    assert (shares["knowledge", "sound"].hits, shares["knowledge", "sound"].of) == (0.5, 2)
    assert (shares["sight", "sound"].hits, shares["sight", "sound"].of) == (1, 1)
    assert shares["knowledge", "answer"].interval == wilson(1.5, 3)


def test_the_same_rows_in_any_order_give_the_same_figures() -> None:
    probe = KnowledgeRationaleEval()
    assert probe.measure(ROWS) == probe.measure(ROWS[::-1])


def test_kappa_by_hand() -> None:
    """Ten answers: alike on 7; yes by 6 and by 5, so that chance gives .3 + .2 = .5."""
    pairs = [(True, True)] * 4 + [(True, False)] * 2 + [(False, True)] + [(False, False)] * 3
    assert kappa(pairs) == pytest.approx((0.7 - 0.5) / 0.5, abs=1e-12)
    assert kappa([(True, True)] * 3) is None
    agreement = {one.axis: one for one in KnowledgeRationaleEval().measure(ROWS).agreements}
    assert (agreement["answer"].n, agreement["answer"].kappa) == (2, 0)


ASKS = 'def execute_command(image):\n    return formatting_answer(llm_query("Who makes cups?"))\n'


def asking_events(size: tuple[int, int]) -> tuple[page_project.TraceEvent, ...]:
    """The trace of a program that asks a language model, in place of a detector."""
    from dataclasses import replace

    return tuple(
        replace(event, payload={**event.payload, "tool": "llm_query"})
        if event.kind == "tool"
        else event
        for event in page_project.events_of("cup", [(9, 9, 99, 99)], size)
    )


def test_ratings_are_divided_by_what_a_question_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with page_project.new_project(tmp_path / "p") as writer:
        for at in range(2):
            digest = page_project.picture(writer.project, at)
            task = Task(f"own/{at}", "own", "train", digest, "How many cups?", ("1",), "integer")
            seen = page_project.events_of("cup", [(9, 9, 99, 99)], (640, 480))
            run = (
                (ASKS, asking_events((640, 480))) if at else (page_project.program_for("cup"), seen)
            )
            writer.task(task, [run] * 5, "One cup.", store=False)
        writer.write()
    with Project.open(tmp_path / "p") as project:
        assert ratings.questions_of_knowledge(project.database) == {"own/1"}
        with pytest.raises(InputError, match="nobody has rated two systems yet"):
            measure(project, "knowledge_rationale_eval")
        told = [
            Prediction(f"told-{at}", f"own/{at}", "1", "One cup.", 1.0, 0.1, page_project.STUDENT)
            for at in range(2)
        ]
        project.add_predictions(told)
        model = next(key for key, part in project.parts.items() if part == page_project.STUDENT)
        for at in range(2):
            rating = Rating(
                model, "pipeline", Form(True, False), Form(True, True, True, True), "right"
            )
            event = Decision(f"rating-{at}", "rating", "ann", "curator", f"own/{at}", rating=rating)
            project.curation.decide([event])
        kinds = {(row.task_id, row.system): row.kind for row in judged_answers(project)}
        assert kinds == {
            ("own/0", model): "sight",
            ("own/0", "pipeline"): "sight",
            ("own/1", model): "knowledge",
            ("own/1", "pipeline"): "knowledge",
        }
    command.ratings(tmp_path / "p", "knowledge_rationale_eval", False)
    text = capsys.readouterr().out
    assert "the programs (pipeline)" in text
    assert "100.0 % of 1" in text
