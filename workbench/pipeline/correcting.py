"""Putting the answers of questions right, one by one or by a table, each with author and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.errors import InputError
from workbench.records import Task
from workbench.store import Project
from workbench.store.people import corrections
from workbench.store.people.corrections import Correction
from workbench.tasks.fields import answer_type
from workbench.verify.answers import choice, score

NOBODY = "a correction needs a person and a reason; give --by NAME and --why TEXT"
"""What is said to a correction without author or reason."""


def correct(
    project: Project, task_id: str, answers: Sequence[str], author: str, reason: str
) -> Correction:
    """Give a question other answers; what was judged by the ones before is judged again.

    Args:
        project: open for writing.
        task_id: of the question.
        answers: what is right; several are alternatives.
        author: who says so.
        reason: why.

    Raises:
        InputError: there is no such question, nobody and nothing is named as author or reason, an
            answer is empty or not among the options, or the question has these answers already.
    """
    tasks = project.tasks([task_id])
    if not tasks:
        raise InputError(
            f"there is no question '{task_id:.80}'; list them with: vpd show, or search in Browse"
        )
    texts = tuple(answers)
    if not texts or not all(text.strip() for text in texts):
        raise InputError(
            f"the answers are {list(texts)!r:.200}; give one or more that say something"
        )
    (earlier,) = tasks
    if earlier.choices:
        texts = tuple(_option(earlier, text) for text in texts)
        kind = earlier.answer_type
    else:
        kind = answer_type(texts)
    return _put_right(
        project, earlier, replace(earlier, answers=texts, answer_type=kind), author, reason
    )


def correct_from(project: Project, task: Task, author: str, reason: str) -> bool:
    """Take over the answers of a task as its source has it now; says whether they were taken.

    A task whose question, picture or options differ as well is another question and stays.

    Args:
        project: open for writing.
        task: as the source has it, with the digest of its picture.
        author: who has corrected the source.
        reason: why.
    """
    (earlier,) = project.tasks([task.id])
    same = ("image", "question", "choices")
    if any(getattr(task, name) != getattr(earlier, name) for name in same):
        return False
    if task.answers in ((), earlier.answers):
        return False
    changed = replace(earlier, answers=task.answers, answer_type=task.answer_type)
    _put_right(project, earlier, changed, author, reason)
    return True


def _put_right(project: Project, earlier: Task, task: Task, author: str, reason: str) -> Correction:
    if not author.strip() or not reason.strip():
        raise InputError(NOBODY)
    if task.answers == earlier.answers:
        raise InputError(f"the answers of {task.id:.80} are {list(task.answers)!r:.200} already")
    return corrections.add(
        project.database,
        earlier,
        task,
        author.strip(),
        reason.strip(),
        lambda answer: score(task, answer).score,
    )


def _option(task: Task, text: str) -> str:
    """The text of the option that an answer names.

    Raises:
        InputError: it names none.
    """
    index = choice(text, task.choices)
    if index is None:
        raise InputError(
            f"the answer '{text:.80}' is not among the options {list(task.choices)!r:.300}; "
            "give an option's text or letter"
        )
    return task.choices[index]
