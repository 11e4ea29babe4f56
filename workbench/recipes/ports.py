"""Promises of the recipes' own extension points, and the nouns that pass through them.

Each Protocol says what goes in and out, with shapes and units; the loop meets each at one place,
which its docstring names.  Objective, tool and the parts of a profile have theirs in
`workbench.ports`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from PIL.Image import Image

from workbench.ports import Images
from workbench.records import JSON, PartRef, Region, ToolCall
from workbench.shares import Share

SelectorNeed = Literal["teacher", "student", "nats", "programs", "credit"]
"""What a selector reads of a row beside its texts; see the fields of `SnapshotRow`."""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A question that would enter a snapshot, as a selector sees it."""

    task_id: str
    label: str
    """The answer that is taught; empty where there is none."""
    rationale: str | None
    teacher_right: bool | None = None
    """Whether the teacher's own answer is the label; None where it has not answered."""
    student_right: bool | None = None
    """Whether the student's answer before training is the label; None where it has not answered."""
    nats: tuple[float, ...] = ()
    """The student's mean cross-entropy of each lesson's target, in nats per token."""
    programs: tuple[tuple[str, float], ...] = ()
    """Source and score of each program that ran for the question, in order of sampling."""
    credit: float | None = None
    """Mean credit of the tool calls of its run, -1 to 1; None where nothing is known of them."""


@dataclass(frozen=True, slots=True)
class RowWeight:
    """What a selector says of one row."""

    weight: float
    """0 or more; 0 leaves the row out.  The loss of its lessons is multiplied by it."""
    reason: str = ""
    """Why it is left out, in words that are the same for all such rows; empty where it stays."""


@runtime_checkable
class Selector(Protocol):
    """Weighs the rows of a snapshot; `pipeline/snapshotting.py` asks it in `preview`."""

    ref: PartRef
    needs: frozenset[SelectorNeed]
    """What the loop has to know of every row before it asks."""

    def weigh(self, rows: Sequence[SnapshotRow]) -> Sequence[RowWeight]:
        """One weight for each row, in the same order.

        The weights above 0 have the mean 1, so that a step is as long as without a selector.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """A run with its rationale, as a critic reads it."""

    task_id: str
    picture: str
    """Digest of the picture; rows of one picture are never divided between learning and test."""
    question: str
    answer: str
    program: str
    rationale: str
    facts: Mapping[str, float]
    """Plain facts about the question's runs, by name (see `curate/predict.py`)."""


class TrainedCriticModel(Protocol):
    """A critic that has learnt."""

    def chances(self, rows: Sequence[ReviewedRow]) -> Sequence[float]:
        """For each row the chance, 0 to 1, that a person accepts it."""
        ...


@runtime_checkable
class Critic(Protocol):
    """Learns what people accept; `study/criticising.py` asks it, the queue is ordered by it."""

    ref: PartRef

    def fit(self, rows: Sequence[ReviewedRow], accepted: Sequence[bool]) -> TrainedCriticModel:
        """What is learnt from decided rows.

        Args:
            rows: at least one accepted and one rejected.
            accepted: what people decided on each.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProgramCorrection:
    """What a person made of a program that a sampler wrote."""

    id: str
    """Of the corrected program."""
    task_id: str
    question: str
    """On one line, with the options of a multiple-choice question."""
    earlier: str
    """Source of the program as it was sampled."""
    program: str
    """Source as the person left it."""


@runtime_checkable
class Memory(Protocol):
    """Chooses corrections for a prompt; `sample/prompt.py` puts them before the question."""

    ref: PartRef

    def recall(
        self, question: str, corrections: Sequence[ProgramCorrection]
    ) -> Sequence[ProgramCorrection]:
        """The corrections to show for a question, the one that fits best last.

        Args:
            question: the question on one line.
            corrections: all there are, in the order of their making.
        """
        ...


class Eyes(Protocol):
    """Match parts of pictures with words; `tools/lending.py` lends them."""

    version: str
    """Changes with the weights."""

    def read(self, call: ToolCall, images: Images, name: str) -> tuple[Region, str]:
        """The patch of a call, whose picture can be opened, and its words.

        Args:
            call: of a program.
            images: opens pictures.
            name: of the argument that holds the words.

        Raises:
            ToolFailure: one of them is something else.
            ImageError: the picture cannot be read.
        """
        ...

    def fit(
        self, regions: Sequence[Region], words: Sequence[str], images: Images
    ) -> Sequence[float]:
        """How well each region's words fit it beyond words that fit anything, in logits.

        Args:
            regions: parts of pictures.
            words: for each of them.
            images: opens pictures.
        """
        ...


@runtime_checkable
class TakesEyes(Protocol):
    """A tool that matches pictures with words and brings no model of its own."""

    ref: PartRef
    model: str
    """As the profile names it."""
    eyes: str
    """How the model is used; `tools/lending.py` lists the names."""

    def enter(self, eyes: Eyes) -> None:
        """Look through a model from now on."""
        ...


QuestionKind = Literal["knowledge", "sight"]
"""What a question takes: `knowledge` where a program of it asks a language model, else `sight`."""


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """What one rater said, blind, of one system's answer to one question."""

    task_id: str
    rater: str
    system: str
    """Key of the system's part; `pipeline` for the programs."""
    kind: QuestionKind
    correct: bool
    explains: bool
    factual: bool | None
    """None where the rater was not asked, because there is no explanation."""
    consistent: bool | None


@dataclass(frozen=True, slots=True)
class JudgedShare:
    """The share of a system's answers to which raters said yes."""

    system: str
    kind: QuestionKind
    axis: str
    share: Share
    """Over questions: one that several people rated counts once, with the mean of their words."""


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """How far two raters agree beyond chance."""

    axis: str
    first: str
    second: str
    n: int
    """Answers that both rated."""
    kappa: float | None
    """Cohen's kappa; None where it is not defined, since both said one word throughout."""


@dataclass(frozen=True, slots=True)
class JudgedReport:
    """What a probe of blind ratings found."""

    shares: tuple[JudgedShare, ...]
    agreements: tuple[RaterAgreement, ...]


@runtime_checkable
class RatingProbe(Protocol):
    """Measures systems by people's blind ratings; `study/judging.py` asks it."""

    ref: PartRef

    def measure(self, rows: Sequence[JudgedAnswer]) -> JudgedReport:
        """The figures of stored ratings: the same rows give the same figures."""
        ...


SystemKind = Literal["zero-shot", "distilled", "programs"]
"""A student without training here, a student that a job taught, or the programs."""


@dataclass(frozen=True, slots=True)
class SystemAnswers:
    """How a system answered questions of one set."""

    name: str
    kind: SystemKind
    scores: Mapping[str, float]
    """By question, 0 to 1."""


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A system on the questions that all of them answered."""

    name: str
    kind: SystemKind
    share: Share
    difference: float | None = None
    """Mean paired difference from the base, -1 to 1; None for the base and without one."""
    low: float | None = None
    high: float | None = None
    """Ends of its 95 % interval."""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What a probe of stored answers found."""

    rows: tuple[TransferRow, ...]
    base: str
    """Name of the system that others are compared with; empty without one."""
    left_out: int
    """Questions that some system did not answer."""


@runtime_checkable
class AnswerProbe(Protocol):
    """Measures systems by the stored scores of their answers; `study/transfer.py` asks it."""

    ref: PartRef

    def compare(self, systems: Sequence[SystemAnswers]) -> TransferReport:
        """The figures of stored scores: the same scores give the same figures.

        Args:
            systems: two or more, on questions of one set.
        """
        ...


@dataclass(frozen=True, slots=True)
class LabelledRegion:
    """A place of a picture that a program's detector named, where new questions may begin."""

    task_id: str
    """The question whose kept run saw it."""
    split: str
    """Split of that question; the new one is of the same."""
    region: Region
    """In pixels of the whole picture; its label is what the detector called it."""


@dataclass(frozen=True, slots=True)
class SynthesizedQuestion:
    """A candidate for a new question; one with a reason is refused."""

    origin: LabelledRegion
    question: str
    picture: str = ""
    """Digest of the new picture; empty for a candidate that is refused before there is one."""
    answer: str = ""
    reason: str = ""
    """Why it is refused; empty for one that is taken."""
    facts: Mapping[str, JSON] = field(default_factory=dict)
    """What was measured on the way: votes, areas, the answer without zoom."""


class SynthesisRoom(Protocol):
    """What the loop lends a synthesizer."""

    def answer(self, regions: Sequence[Region], questions: Sequence[str]) -> Sequence[str | None]:
        """The answer of the profile's model to each question about a region; None without one.

        Args:
            regions: parts of pictures.
            questions: one for each region.
        """
        ...

    def open(self, digest: str) -> Image:
        """A whole picture, RGB."""
        ...

    def keep(self, picture: Image) -> Region:
        """Store a new picture; returns the region that shows all of it."""
        ...

    def write(self, prompts: Sequence[str]) -> Sequence[str]:
        """What a language model writes to each prompt.

        Raises:
            ProfileError: there is no model that can write.
        """
        ...

    def alike(self, answer: str, other: str) -> bool:
        """Whether two answers say the same, as the verifier compares them."""
        ...

    def plural(self, noun: str) -> str:
        """A noun as it stands behind `how many`."""
        ...


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """What a tool said in a run."""

    tool: str
    arguments: tuple[str, ...]
    """Its texts, in the order of the call."""
    whole: bool
    """Whether it looked at the whole picture."""
    said: str | None
    """Its answer as text: a list of regions is their number; None where it gave anything else."""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run that ended with an answer, as a synthesizer reads it."""

    origin: LabelledRegion
    """The question, its split, and the whole picture."""
    question: str
    answer: str
    """What the run answered."""
    right: bool | None
    """Whether that is the label; None without one."""
    program: str
    calls: tuple[EarlierCall, ...]
    """In order of execution."""


@runtime_checkable
class ReadsRuns(Protocol):
    """A synthesizer whose questions come from what programs did, right or wrong."""

    ref: PartRef

    def from_runs(
        self, runs: Sequence[EarlierRun], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other.

        Args:
            runs: those that ended with an answer, of questions to train on, each answer to a
                question once; a kept run comes first.
            room: models and pictures.
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A page with pictures, links and facts, as a synthesizer reads it."""

    name: str
    """Of its file, without the ending."""
    title: str
    text: str
    """What people read on it, on one line."""
    facts: Mapping[str, str]
    """Values by the names of their lines."""
    links: tuple[str, ...]
    """Names of the pages that it leads to and that there are."""
    pictures: tuple[Region, ...]
    """Each whole."""
    unread: tuple[str, ...] = ()
    """Pictures and pages that it names and that could not be read, with the reason."""


@runtime_checkable
class ReadsDocuments(Protocol):
    """A synthesizer whose questions come from linked pages; `pipeline/documents.py` reads them."""

    ref: PartRef
    folder: str
    """Of the pages, or `bundled`."""

    def from_documents(
        self, documents: Sequence[Document], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other.

        Args:
            documents: at least one, by name.
            room: models and pictures.
        """
        ...


@runtime_checkable
class Synthesizer(Protocol):
    """Makes new questions; `pipeline/synthesizing.py` asks it and stores what it makes."""

    ref: PartRef

    def propose(
        self, regions: Sequence[LabelledRegion], room: SynthesisRoom
    ) -> Iterator[SynthesizedQuestion]:
        """Candidates, taken and refused ones, one after the other.

        Args:
            regions: where new questions may begin, at most one candidate for each.
            room: models and pictures.
        """
        ...
