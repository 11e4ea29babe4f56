"""Students by name, asked what they have not answered yet, and timed question by question."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench import registry
from workbench.errors import ImageError
from workbench.evaluate.faithfulness.read_answer import read_answer
from workbench.models.weights import is_folder, model_folder
from workbench.pipeline.loop import PREDICT_TASKS, Progress, Watch, batches
from workbench.pipeline.parts import Parts
from workbench.ports import CountsTokens, Forgetful, SharesYes, Student
from workbench.records import JSON, PartRef, Prediction, Task, content_key
from workbench.store import Project
from workbench.store.reading import evaluations
from workbench.store.records.rows import part_key
from workbench.train.job import FILE
from workbench.train.jobs import Jobs
from workbench.verify.answers import score

WARM = 2
"""Questions asked before the clock starts."""


@dataclass(slots=True)
class NamedStudent:
    """A student that is loaded when it is first asked."""

    ref: PartRef
    name: str
    """What people call it: `base` for the bundled one."""
    job: Path | None
    """Folder of the training job that made it."""
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

    def asked(self, explain: bool) -> PartRef:
        """Whose answers these are: answers read out of rationales are another system's than direct
        ones.
        """
        return (
            replace(self.ref, arguments={**self.ref.arguments, "explain": True})
            if explain
            else self.ref
        )


def student_by_name(project: Project, model: str | None = None) -> NamedStudent:
    """A student by name.

    Args: model: `bundled`, a training job of the project (the beginning of its id), the folder of a
        job or of a
            checkpoint, or a hub id; the profile's own student when None.

    Raises:
        InputError: no such model, or a job that has none yet.
        ProfileError, MissingPart: as the profile's parts.
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
    checkpoint = str(model_folder(folder).resolve()) if folder else model
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
    if model != "bundled" and "/" not in model:
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
) -> dict[str, tuple[str, str]]:
    """Ask a student what it has not answered yet; each batch is written at once, so that it can be
    stopped anywhere.

    Explained, the answer is read from where the rationale ends (`evaluate.ending`); it is empty
    where that says none.

    Returns:
        By task, the answer and the rationale.  A task whose picture is broken has none.
    """
    ref = who.asked(explain)

    def give(tasks: Sequence[Task]) -> list[Prediction]:
        said = who.student.answer(tasks, project.images, explain)
        return [_as(task, one, ref, explain) for task, one in zip(tasks, said, strict=True)]

    return _kept(project, ref, ids, f"{who.name}{' explained' * explain}", give, watch)


def yes_shares(
    project: Project, who: NamedStudent, ids: Sequence[str], watch: Watch | None = None
) -> dict[str, float]:
    """By task, how much of a student's yes-or-no probability is on yes, where it tells; asked as
    `ask` asks.
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
        id_: float(share)
        for id_, (share, _) in _kept(project, ref, ids, f"{who.name} yes", give, watch).items()
    }


def _kept(
    project: Project,
    ref: PartRef,
    ids: Sequence[str],
    stage: str,
    give: Callable[[Sequence[Task]], list[Prediction]],
    watch: Watch | None,
) -> dict[str, tuple[str, str]]:
    known = evaluations.student_answers(project.database, part_key(ref), ids)
    missing = [id_ for id_ in ids if id_ not in known]
    done = 0
    for chunk in batches(missing, PREDICT_TASKS):
        if watch is not None:
            watch(Progress(stage, done, len(missing), "questions"))
        made = _bearing(project.tasks(chunk), give)
        project.add_predictions(made)
        known.update({one.task_id: (one.answer, one.rationale) for one in made})
        done += len(chunk)
    if watch is not None and missing:
        watch(Progress(stage, done, done, "questions"))
    return known


def _bearing(
    tasks: Sequence[Task], give: Callable[[Sequence[Task]], list[Prediction]]
) -> list[Prediction]:
    """One broken picture does not cost its batch."""
    try:
        return give(tasks)
    except ImageError:
        return [] if len(tasks) == 1 else [one for task in tasks for one in _bearing([task], give)]


def _as(task: Task, said: Prediction, ref: PartRef, explain: bool) -> Prediction:
    if explain:
        read = read_answer(task, said.rationale) or ""
        said = replace(said, id=content_key(task, ref), answer=read, model=ref)
    return replace(said, score=score(task, said.answer).score) if task.labelled else said


def tokens(who: NamedStudent, said: dict[str, tuple[str, str]]) -> float | None:
    """Mean length of what a student wrote, in its tokens; None where it does not tell."""
    written = [rationale or answer for answer, rationale in said.values()]
    student = who.student
    if not written or not isinstance(student, CountsTokens):
        return None
    return sum(map(student.tokens, written)) / len(written)


# --- the clock


def sample(tasks: Sequence[Task], number: int) -> list[Task]:
    """At most `number` tasks, evenly spread over all, and `WARM` before them."""
    wanted = min(number, len(tasks))
    spread = [tasks[at * len(tasks) // wanted] for at in range(wanted)]
    return [tasks[at % len(tasks)] for at in range(WARM)] + spread if wanted else []


def seconds_alone(tasks: Sequence[Task], answer: Callable[[Task], object]) -> dict[str, JSON]:
    """Seconds of one question asked alone; the first `WARM` of a `sample` do not count."""
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
    """Asks one question with nothing remembered of its picture."""
    student = who.student

    def answer(task: Task) -> object:
        if isinstance(student, Forgetful):
            student.forget()
        return student.answer([task], project.images, explain)

    return answer


@contextmanager
def pipeline_answer(project: Project, k: int) -> Iterator[Callable[[Task], object]]:
    """Samples and runs k programs for one question, with nothing remembered of tools' answers."""
    with Parts(project.profile(), project.images) as parts:

        def answer(task: Task) -> object:
            parts.executor.cache.clear()
            programs = parts.sampler.sample([task], k, parts.profile.seed)
            return list(parts.executor.run((task, program) for program in programs))

        yield answer
