"""The student's answers to questions, scored, whichever way it takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from workbench.ports import Images, PooledStudent, Student
from workbench.records import Prediction, Task
from workbench.unanswered import answer_each, no_answer
from workbench.verify.answers import score


def predictions_of(
    student: Student, chunks: Iterable[Sequence[Task]], images: Images
) -> Iterator[Prediction]:
    """The answer to each question, as they come; one that is none has its reason.

    A student that has many questions under way is handed all of them; another one gets a chunk
    after the other.

    Args:
        student: answers.
        chunks: the questions, taken lazily.
        images: opens their pictures.

    Raises:
        EngineError: the model or endpoint broke; what came before is yielded.
    """
    if isinstance(student, PooledStudent):
        waiting: dict[str, Task] = {}

        def handed() -> Iterator[Task]:
            for chunk in chunks:
                for task in chunk:
                    waiting[task.id] = task
                    yield task

        for prediction in student.answer_all(handed(), images):
            yield scored(waiting.pop(prediction.task_id), prediction)
        return
    for chunk in chunks:
        answers = answer_each(
            chunk,
            lambda some: student.answer(some, images),
            lambda task, reason: [no_answer(task, student.ref, reason)],
        )
        yield from (scored(task, one) for task, one in zip(chunk, answers, strict=True))


def scored(task: Task, prediction: Prediction) -> Prediction:
    """The prediction with its score, where the question has a label and there is an answer."""
    if not task.labelled or prediction.missing:
        return prediction
    return replace(prediction, score=score(task, prediction.answer).score)
