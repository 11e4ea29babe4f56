"""One question about one picture, answered by programs and by the student; no store is needed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.brought_pictures import acceptable
from workbench.errors import EngineError, InputError
from workbench.images import ImageFolder
from workbench.pipeline.parts import Parts
from workbench.rationalize.follow.evidence import evidence_of
from workbench.records import VISITORS, Prediction, Program, Task, Trace, Verdict, content_key
from workbench.settings import Profile
from workbench.store import STAGES
from workbench.unanswered import REFUSED, no_answer, no_program, refusal, with_reason

LONGEST_QUESTION = 1000
"""Most characters of a question."""


@dataclass(frozen=True, slots=True)
class BothAnswers:
    """Both answers to one question, with what they took; loading of models is not counted."""

    task: Task
    runs: tuple[tuple[Program, Trace, Verdict], ...]
    prediction: Prediction
    pipeline_seconds: float
    """Seconds of sampling, running and judging all programs."""
    student_seconds: float
    rationale: str
    """The rationale of the kept run; empty when none was kept."""

    @property
    def chosen(self) -> tuple[Program, Trace, Verdict] | None:
        """The run that the most programs agree with, or None when every program failed."""
        return next((run for run in self.runs if run[2].chosen), None)


def question_task(
    image: str, question: str, choices: Sequence[str] = (), source: str = VISITORS
) -> Task:
    """A task for a question that stands in no project; the same question has the same id.

    Args:
        image: the picture's digest.
        question: white space in it becomes single spaces.
        choices: options of a multiple-choice question.
        source: who asks, which becomes the task's source and split: `ask` for the command,
            `compare` for pages and notebooks.

    Raises:
        InputError: the question is empty or far too long.
    """
    text = " ".join(question.split())
    if not text:
        raise InputError(
            "the question is empty; write one (on the command line in quotes behind the picture)"
        )
    if len(text) > LONGEST_QUESTION:
        raise InputError(
            f"the question has {len(text)} characters; at most {LONGEST_QUESTION} are taken: "
            "shorten it"
        )
    return Task(
        id=f"{source}/{content_key(image, text, list(choices))}",
        source=source,
        split=source,
        image=image,
        question=text,
        answer_type="choice" if choices else "open",
        choices=tuple(choices),
    )


def ask(
    picture: Path,
    question: str,
    profile: Profile,
    k: int | None = None,
    choices: Sequence[str] = (),
    say: Callable[[str], None] | None = None,
) -> BothAnswers:
    """Answer a question by sampling k programs and by the student.

    The answer of the programs is the one that most of those that ran agree on.  A side that refuses
    the question, or breaks over it, costs the other side nothing: the reason stands where its
    answer would.

    Args:
        picture: file of the picture.
        question: about the picture.
        profile: names and arguments of the parts.
        k: number of programs; the profile's when None.
        choices: options of a multiple-choice question.
        say: called with what goes on now ("loading the models", ...).

    Raises:
        ImageError: the picture is missing, huge or broken.
        InputError: the question is empty or far too long, or k out of range.
    """
    if k is not None and not 1 <= k <= 100:
        raise InputError(f"k must be 1 to 100, found {k}")
    tell = say or (lambda _: None)
    with tempfile.TemporaryDirectory(prefix="vpd-ask-") as folder:
        images = ImageFolder(Path(folder))
        task = question_task(_kept(images, picture), question, choices, "ask")
        tell("loading the models")
        with Parts(profile, images) as parts:
            parts.build(STAGES)
            return _answer(parts, images, task, k or profile.k, tell)


def _kept(images: ImageFolder, picture: Path) -> str:
    """The digest of a person's picture, which may be HEIC or large."""
    try:
        file = acceptable(picture.read_bytes(), str(picture))
    except OSError:
        return images.add(picture)  # says what is wrong with the path
    return images.add_bytes(file.data, str(picture))


def _answer(
    parts: Parts, images: ImageFolder, task: Task, k: int, tell: Callable[[str], None]
) -> BothAnswers:
    executor, verifier = parts.executor, parts.verifier
    started = time.perf_counter()
    tell("writing programs")
    programs = _programs(parts, task, k)
    tell("running them")
    traces = [
        replace(
            with_reason(trace, program.problem),
            evidence=evidence_of(program.source, trace, task.choices),
        )
        for program, trace in zip(
            programs, executor.run([(task, program) for program in programs]), strict=True
        )
    ]
    verdicts = verifier.judge(task, list(zip(programs, traces, strict=True)))
    ended = time.perf_counter()
    tell("asking the student")
    prediction = _prediction(parts, images, task)
    student_seconds = time.perf_counter() - ended
    runs = tuple(zip(programs, traces, verdicts, strict=True))
    rationales = parts.writer.write(
        [(task, program, trace) for program, trace, verdict in runs if verdict.chosen]
    )
    return BothAnswers(
        task,
        runs,
        prediction,
        ended - started,
        student_seconds,
        rationales[0].text if rationales else "",
    )


def _programs(parts: Parts, task: Task, k: int) -> list[Program]:
    """k programs; rows with the reason where the sampler refuses the question or breaks."""
    sampler, seed = parts.sampler, parts.profile.seed
    try:
        return list(sampler.sample([task], k, seed))
    except (EngineError, *REFUSED) as error:
        return [no_program(task, at, seed, sampler.ref, refusal(error)) for at in range(k)]


def _prediction(parts: Parts, images: ImageFolder, task: Task) -> Prediction:
    """The student's answer; a row with the reason where it refuses the question or breaks."""
    student = parts.student
    try:
        return student.answer([task], images)[0]
    except (EngineError, *REFUSED) as error:
        return no_answer(task, student.ref, refusal(error))
