"""Students by name, their answers to a project's questions, and the time that one answer takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench import registry
from workbench.errors import ImageError
from workbench.evaluate.faithfulness.read_answer import read_answer
from workbench.local_files import real_path
from workbench.models.weights import EMBEDDED, is_folder, model_folder
from workbench.pipeline.grouping import batches
from workbench.pipeline.loop import PREDICT_TASKS
from workbench.pipeline.parts import Parts
from workbench.pipeline.progress import Progress, Watch
from workbench.ports import CountsTokens, Forgetful, Images, SharesYes, Student
from workbench.records import JSON, PartRef, Prediction, Task, content_key
from workbench.store import Project
from workbench.store.reading import evaluations
from workbench.store.reading.evaluations import AnswerOfStudent
from workbench.store.records.rows import part_key
from workbench.train.job import FILE
from workbench.train.jobs import Jobs
from workbench.unanswered import answer_each, no_answer
from workbench.verify.answers import score

WARM = 2
"""Number of questions that are asked before the clock starts."""


@dataclass(slots=True)
class NamedStudent:
    """A student that is loaded when it answers its first question."""

    ref: PartRef
    name: str
    """Its name for people: `base` for the bundled one."""
    job: Path | None
    """Folder of the training job that made it; None for any other model."""
    _load: Callable[[], Student]
    _loaded: list[Student] = field(default_factory=list)

    @property
    def student(self) -> Student:
        if not self._loaded:
            self._loaded.append(self._load())
        return self._loaded[0]

    @property
    def loaded(self) -> bool:
        return bool(self._loaded)

    def reference(self, explain: bool) -> PartRef:
        """The part that the answers belong to.

        Answers in rationales are another system's than direct ones.
        """
        if explain:
            return replace(self.ref, arguments={**self.ref.arguments, "explain": True})
        return self.ref


def student_by_name(project: Project, model: str | None = None) -> NamedStudent:
    """A student by name.

    Args:
        project: has the profile and the training jobs.
        model: `bundled`, a training job of the project (the beginning of its id), the folder of a
            job or of a checkpoint, or a hub id; the profile's own student when None.

    Raises:
        InputError: there is no such model, or the job has none yet.
        ProfileError, MissingPart: the profile's student cannot be built.
    """
    if model is None:
        student = Parts(project.profile(), project.images).student
        return NamedStudent(student.ref, _called(student.ref), None, lambda: student)
    folder = _folder(project, model)
    job = (
        next((path for path in (folder, folder.parent) if (path / FILE).is_file()), None)
        if folder
        else None
    )
    checkpoint = str(real_path(model_folder(folder))) if folder else model
    ref: PartRef = registry.load("student", "transformers").reference(checkpoint)
    return NamedStudent(
        ref,
        _called(ref),
        job,
        lambda: registry.build("student", "transformers", checkpoint=checkpoint),
    )


def _folder(project: Project, model: str) -> Path | None:
    if is_folder(model):
        return Path(model).expanduser()
    if model not in EMBEDDED and "/" not in model:
        jobs = [
            job
            for job in Jobs(project.path / "jobs", start=False).all()
            if job.id.startswith(model)
        ]
        if len(jobs) == 1:
            return jobs[0].folder
    return None


def _called(ref: PartRef) -> str:
    return "base" if ref.name == "bundled" else ref.name


def ask(
    project: Project,
    who: NamedStudent,
    ids: Sequence[str],
    explain: bool,
    watch: Watch | None = None,
) -> dict[str, AnswerOfStudent]:
    """The answers of a student; it is asked only what it has not answered yet.

    Each batch is written at once, so that the work can stop anywhere.

    Args:
        project: has the questions and stores the answers.
        who: the student.
        ids: of the questions.
        explain: ask for the rationale and read the answer in its ending (`read_answer`); it is
            empty where the ending states none.
        watch: called as the work goes on.

    Returns:
        The answers by task.  A task whose picture is broken has none.
    """
    ref = who.reference(explain)

    def give(tasks: Sequence[Task]) -> list[Prediction]:
        predictions = who.student.answer(tasks, project.images, explain)
        return [_as(task, one, ref, explain) for task, one in zip(tasks, predictions, strict=True)]

    return _kept(project, ref, ids, f"{who.name}{' explained' * explain}", give, watch)


def yes_shares(
    project: Project, who: NamedStudent, ids: Sequence[str], watch: Watch | None = None
) -> dict[str, float]:
    """By task, how much of a student's yes-or-no probability is on yes; empty where it cannot tell.

    Args:
        project: has the questions and stores the shares.
        who: the student.
        ids: of the questions.
        watch: called as the work goes on.
    """
    student = who.student
    if not isinstance(student, SharesYes):
        return {}
    ref = replace(who.ref, arguments={**who.ref.arguments, "yes_share": True})

    def give(tasks: Sequence[Task]) -> list[Prediction]:
        shares = zip(tasks, student.yes_shares(tasks, project.images), strict=True)
        return [
            Prediction(content_key(task, ref), task.id, repr(share), "", 0.0, 0.0, ref)
            for task, share in shares
        ]

    return {
        id_: float(one.answer)
        for id_, one in _kept(project, ref, ids, f"{who.name} yes", give, watch).items()
        if one.answer
    }


def _kept(
    project: Project,
    ref: PartRef,
    ids: Sequence[str],
    stage: str,
    give: Callable[[Sequence[Task]], list[Prediction]],
    watch: Watch | None,
) -> dict[str, AnswerOfStudent]:
    answers = evaluations.student_answers(project.database, part_key(ref), ids)
    missing = [id_ for id_ in ids if id_ not in answers]
    done = 0
    for chunk in batches(missing, PREDICT_TASKS):
        if watch is not None:
            watch(Progress(stage, done, len(missing), "questions"))
        predictions = _bearing(project.tasks(chunk), give, ref, project.images)
        project.add_predictions(predictions)
        answers |= {
            one.task_id: AnswerOfStudent(one.answer, one.rationale, one.problem)
            for one in predictions
        }
        done += len(chunk)
    if watch is not None and missing:
        watch(Progress(stage, done, done, "questions"))
    return answers


def _bearing(
    tasks: Sequence[Task],
    give: Callable[[Sequence[Task]], list[Prediction]],
    ref: PartRef,
    images: Images,
) -> list[Prediction]:
    """The predictions for tasks; one that cannot be answered costs itself, and is a row that says
    why.  A task whose picture is broken has none.
    """

    def fail(task: Task, reason: str) -> list[Prediction]:
        try:
            for digest in task.images:
                images.open(digest)
        except ImageError:
            return []
        return [no_answer(task, ref, reason)]

    return answer_each(tasks, give, fail)


def _as(task: Task, prediction: Prediction, ref: PartRef, explain: bool) -> Prediction:
    """The prediction with the answer of its rationale, where that counts, and with its score."""
    if explain:
        answer = read_answer(task, prediction.rationale) or ""
        prediction = replace(prediction, id=content_key(task, ref), answer=answer, model=ref)
    if not task.labelled or prediction.missing:
        return prediction
    return replace(prediction, score=score(task, prediction.answer).score)


def tokens(who: NamedStudent, answers: Mapping[str, AnswerOfStudent]) -> float | None:
    """Mean length of a student's texts in its tokens; None where it does not count them."""
    texts = [one.rationale or one.answer for one in answers.values()]
    student = who.student
    if not texts or not isinstance(student, CountsTokens):
        return None
    return sum(map(student.tokens, texts)) / len(texts)


# --- the clock


def sample(tasks: Sequence[Task], number: int) -> list[Task]:
    """At most `number` tasks, evenly spread over all, and `WARM` before them."""
    count = min(number, len(tasks))
    if not count:
        return []
    spread = [tasks[at * len(tasks) // count] for at in range(count)]
    return [tasks[at % len(tasks)] for at in range(WARM)] + spread


def seconds_alone(tasks: Sequence[Task], answer: Callable[[Task], object]) -> dict[str, JSON]:
    """Median and quartiles of the seconds of one question alone.

    The first `WARM` tasks do not count; the result is empty without any others.
    """
    spent = []
    for task in tasks:
        began = time.perf_counter()
        answer(task)
        spent.append(time.perf_counter() - began)
    spent = spent[WARM:]
    if not spent:
        return {}
    low, _, high = (
        statistics.quantiles(spent, n=4, method="inclusive") if len(spent) > 1 else spent * 3
    )
    return {"median": statistics.median(spent), "low": low, "high": high, "n": len(spent)}


def student_answer(project: Project, who: NamedStudent, explain: bool) -> Callable[[Task], object]:
    """A function that asks the student one question, without any memory of its picture.

    Args:
        project: has the pictures.
        who: the student.
        explain: ask for the rationale.
    """
    student = who.student

    def answer(task: Task) -> object:
        if isinstance(student, Forgetful):
            student.forget()
        return student.answer([task], project.images, explain)

    return answer


@contextmanager
def pipeline_answer(project: Project, k: int) -> Iterator[Callable[[Task], object]]:
    """A function that samples and runs k programs for a question, without cached tool results."""
    with Parts(project.profile(), project.images) as parts:

        def answer(task: Task) -> object:
            parts.forget()
            programs = parts.sampler.sample([task], k, parts.profile.seed)
            return list(parts.executor.run((task, program) for program in programs))

        yield answer
