"""Promises: one small Protocol per extension point.

A part is a class or factory with plain arguments, registered under an entry-point group
`workbench.<role>` (see `registry`).  What goes in, what comes out, what may be raised, and whether
the caller can recover stands with each method.  Nothing here is a base class.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from PIL import Image

from workbench.errors import ToolFailure
from workbench.records import (
    Lesson,
    PartRef,
    Prediction,
    Program,
    Rationale,
    Region,
    Task,
    ToolCall,
    ToolSpec,
    Trace,
    Value,
    Verdict,
)


class Images(Protocol):
    """Pictures by digest, decoded once; what tools and students get instead of paths."""

    def open(self, digest: str) -> Image.Image:
        """The whole picture, RGB.  Raises ImageError when it is missing or broken."""
        ...

    def crop(self, region: Region) -> Image.Image:
        """The part of a picture that a region shows, RGB, at least 1x1 pixels."""
        ...


class BadRow(Protocol):
    """A row of a dataset that could not be imported."""

    file: str
    line: int
    """Number of the line, 1-based; 0 where no line can be named."""
    reason: str


@runtime_checkable
class TaskSource(Protocol):
    """A dataset: tasks and where their pictures lie."""

    ref: PartRef
    bad: Sequence[BadRow]
    """Rows left out so far, filled while `tasks` is consumed."""

    def tasks(self, split: str | None = None) -> Iterator[Task]:
        """Tasks in the order of the files, lazily.

        Raises:
            DatasetError: a file cannot be read at all.
        """
        ...

    def image_path(self, task: Task) -> Path:
        """Path of a task's picture on disk."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A task source that knows how far it has read; what a progress bar's estimate needs."""

    def progress(self) -> tuple[int, int]:
        """Bytes read by the running `tasks`, and bytes that it will read."""
        ...


@runtime_checkable
class HoldsPictures(Protocol):
    """A task source whose pictures lie inside its own files; `image_path` is only their name."""

    def image_bytes(self, task: Task) -> bytes:
        """Content of the picture's file.

        Raises:
            ImageError: there is no such file.
        """
        ...


@runtime_checkable
class HasSplits(Protocol):
    """A task source that knows the names of its splits before it reads a row."""

    splits: Sequence[str]


class Columns(Protocol):
    """What the rows of a table hold."""

    table: str
    """Its name."""
    rows: int
    answered: int
    """Rows with an answer."""
    with_choices: int
    pictured: int
    """Rows whose picture is there."""

    @property
    def unknown(self) -> Mapping[str, int]:
        """Rows with a value in each column that means nothing to the source."""
        ...

    def near(self) -> Mapping[str, str]:
        """The unknown columns that were probably meant to be a known one."""
        ...


@runtime_checkable
class HasColumns(Protocol):
    """A task source that reads a table of a person's own, whose columns may be misspelt."""

    def columns(self, split: str | None = None) -> Columns:
        """What the table's columns hold; no picture is decoded."""
        ...


@runtime_checkable
class Sampler(Protocol):
    """Writes programs for questions."""

    ref: PartRef

    def sample(self, tasks: Sequence[Task], k: int, seed: int) -> Iterable[Program]:
        """Programs for each task, grouped by task in the order of the tasks.

        The same task, k and seed give the same programs whatever other tasks there are.

        Args:
            tasks: the questions.
            k: programs for each task.
            seed: seed of the sampling.

        Raises:
            EngineError: the model or endpoint broke; the caller may try again.
        """
        ...


@runtime_checkable
class PooledSampler(Protocol):
    """A sampler that has many questions under way at once, as one behind an endpoint does."""

    def sample_all(self, tasks: Iterable[Task], k: int, seed: int) -> Iterable[Program]:
        """Programs for each task, those of a task together; the tasks in any order.

        The store keeps programs by task and index, so that what is ready need not wait for what is
        slow.

        Args:
            tasks: the questions, taken lazily, as there is room for them.
            k: programs for each task.
            seed: seed of the sampling, as `Sampler.sample` takes it.

        Raises:
            EngineError: as in `Sampler.sample`; what came before is yielded.
        """
        ...


Recall = Callable[[Task], Sequence[tuple[str, str]]]
"""For a question, corrected programs to show: the question of each on one line, and its source."""


@runtime_checkable
class Remembering(Protocol):
    """A sampler whose prompts show what people corrected."""

    def remember(self, recall: Recall, version: str) -> None:
        """Show these corrections from now on; the sampler is another part then.

        Args:
            recall: gives the corrections for a question.
            version: names the corrections and who chooses among them.
        """
        ...


@runtime_checkable
class RewritingSampler(Protocol):
    """A sampler that writes a program again, and is told what came of the earlier one.

    One that does not is asked by `sample`, with the earlier program behind the question.
    """

    def write_again(
        self, attempts: Sequence[tuple[Task, Program, Trace]], seed: int
    ) -> Iterable[Program]:
        """One program for each attempt, in any order, whose `parent` is the earlier program.

        Args:
            attempts: questions with a program that failed, or that ended with an empty answer, and
                its trace.
            seed: seed of the sampling.

        Raises:
            EngineError: the model or endpoint broke; the caller may try again.
        """
        ...


@runtime_checkable
class StreamingSampler(Protocol):
    """A sampler that shows a program while it writes it."""

    def stream(self, task: Task, seed: int, watch: Callable[[str], None]) -> Program:
        """The first program of a task, as `sample` gives it.

        Args:
            task: the question.
            seed: as `sample` takes it.
            watch: gets each piece of the text as it is written; what it raises ends the writing.
        """
        ...


@runtime_checkable
class Warmable(Protocol):
    """A part of any role that loads its model at the first call, or at `warm` before it."""

    def warm(self) -> None:
        """Load now, so that the time of loading is not that of the first questions."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A part, or a processor, that remembers its results for pictures."""

    def forget(self) -> None:
        """Drop these results, so that the next answer is timed in full."""
        ...


@runtime_checkable
class Tool(Protocol):
    """Answers calls in batches; it knows pictures, never programs."""

    ref: PartRef
    spec: ToolSpec
    batch_size: int
    """Largest useful batch; the scheduler never gives more calls at once."""

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        """One result for each call, in the same order.

        A call that cannot be answered gives a ToolFailure in its place.  An exception means that
        the whole batch broke; the scheduler then asks the calls one by one.
        """
        ...


@runtime_checkable
class ConcurrentTool(Protocol):
    """A tool that serves several batches at once, as an endpoint does; other tools serve one."""

    concurrency: int
    """Number of batches, at least 1."""


@runtime_checkable
class Verifier(Protocol):
    """Judges the traces of one task and chooses at most one."""

    ref: PartRef

    def judge(self, task: Task, runs: Sequence[tuple[Program, Trace]]) -> Sequence[Verdict]:
        """One verdict for each run, in the same order."""
        ...


@runtime_checkable
class ListeningVerifier(Protocol):
    """A verifier that lets the checks for wrong reasons speak before it chooses."""

    listens: bool
    """Whether they are to be made; they cost little."""

    def choose(
        self,
        runs: Sequence[tuple[Program, Trace]],
        verdicts: Sequence[Verdict],
        flagged: Collection[str],
    ) -> Sequence[Verdict]:
        """The verdicts, with the run that is kept chosen anew among the right ones.

        Args:
            runs: the judged runs.
            verdicts: one for each run, in the same order.
            flagged: ids of the traces that the checks speak against.
        """
        ...


@runtime_checkable
class RationaleWriter(Protocol):
    """Tells a trace in prose."""

    ref: PartRef

    def write(self, rows: Sequence[tuple[Task, Program, Trace]]) -> Sequence[Rationale]:
        """One rationale for each row, in the same order.

        An unfaithful one carries its `issues`; it is not dropped.
        """
        ...


@runtime_checkable
class Student(Protocol):
    """A vision-language model that answers in one forward pass."""

    ref: PartRef

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> Sequence[Prediction]:
        """One prediction for each task, in the same order.

        Args:
            tasks: the questions.
            images: opens their pictures.
            explain: a rationale as well as the answer.
        """
        ...


@runtime_checkable
class PooledStudent(Protocol):
    """A student that has many questions under way at once, as one behind an endpoint does."""

    def answer_all(self, tasks: Iterable[Task], images: Images) -> Iterable[Prediction]:
        """One prediction for each task, in any order; one with a `problem` where there is none.

        Args:
            tasks: the questions, taken lazily, as there is room for them.
            images: opens their pictures.

        Raises:
            EngineError: the model or endpoint broke; what came before is yielded.
        """
        ...


@runtime_checkable
class StreamingStudent(Protocol):
    """A student that shows an answer while it writes it."""

    def stream(
        self, task: Task, images: Images, explain: bool, watch: Callable[[str], None]
    ) -> Prediction:
        """The prediction of one task, as `answer` gives it.

        Args:
            task: the question.
            images: opens its picture.
            explain: a rationale instead of the short answer.
            watch: gets each piece of the text as it is written; what it raises ends the writing.
        """
        ...


@runtime_checkable
class Concluding(Protocol):
    """A student whose explanation can be begun for it."""

    ref: PartRef

    def answer(
        self, tasks: Sequence[Task], images: Images, explain: bool = False
    ) -> Sequence[Prediction]:
        """One prediction for each task, as `Student.answer` gives it.

        Args:
            tasks: the questions.
            images: opens their pictures.
            explain: a rationale as well as the answer.
        """
        ...

    def conclude(
        self, tasks: Sequence[Task], begun: Sequence[str], images: Images
    ) -> Sequence[str]:
        """What the student writes behind the beginning of an explanation.

        Args:
            tasks: the questions.
            begun: the beginning of the explanation of each task.
            images: opens their pictures.

        Returns:
            One text for each task, in the same order.
        """
        ...


@runtime_checkable
class SharesYes(Protocol):
    """A student that says how probable a yes is."""

    def yes_shares(self, tasks: Sequence[Task], images: Images) -> Sequence[float]:
        """For each task, the share of yes in the probability of yes and no as the short answer."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """A student that says how long a text is in its tokens."""

    def tokens(self, text: str) -> int:
        """Number of tokens of a text."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A model of text alone, for knowledge, judging and rewriting; in process or an endpoint."""

    ref: PartRef

    def complete(self, prompts: Sequence[str], max_tokens: int) -> Sequence[str]:
        """The greedy completion of each prompt (a user turn), in the same order.

        One that came to `max_tokens` without an end is a `cut_text.UnendedText`.

        Raises:
            EngineError: the model or endpoint broke; the caller may try again.
        """
        ...

    def choose(
        self, prompts: Sequence[str], options: Sequence[Sequence[str]]
    ) -> Sequence[list[float]]:
        """For each prompt, the probability of each of its options as the answer.

        The probabilities of a prompt add up to 1.  An endpoint without log-probabilities generates
        once and gives 1.0 to the option that its text names.
        """
        ...


class Teachable(Protocol):
    """What a curriculum needs of an example."""

    @property
    def question(self) -> str: ...

    @property
    def choices(self) -> Sequence[str]: ...

    @property
    def answer(self) -> str: ...

    @property
    def rationale(self) -> str | None: ...


@runtime_checkable
class Curriculum(Protocol):
    """What is asked of a student about one example, and what should be said.

    The loss of an example is the sum over its lessons of weight times the loss of that lesson; the
    loss of a step is the mean over its examples, however they are divided among micro-batches and
    processes.  The loss of a lesson is the mean cross-entropy over its own target tokens, unless
    the job names an objective of `recipes.teaching`.
    """

    ref: PartRef

    def lessons(self, example: Teachable) -> Sequence[Lesson]:
        """The lessons of an example, at least one.

        A student that is scored gets the prompt of the first one.
        """
        ...


Objective = Curriculum
"""Its name from before losses were parts: a plug-in that imports it goes on."""
