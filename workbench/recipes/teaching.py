"""Promises of the recipes that meet a student in training: objective, teacher, policy, transform.

The loop meets objective and teacher in `train/loss.py`, a policy in `train/reward.py`, and a
transform in `train/classroom.py: finish_student`.  Letters of shapes: L lessons in R rows of T
positions, N target tokens in all, V words of the vocabulary, W numbers of a state.  Losses are in
nats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from workbench.ports import Images
from workbench.records import Lesson, PartRef

Need = Literal["logits", "hidden", "image", "auxiliary", "teacher", "switch"]
"""What an objective reads: logits at targets, hidden states of its layers, which positions are the
picture's, targets from a tool, a teacher's outputs, and the teacher's answers to what the student
sees."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a model says of some lessons."""

    logits: Tensor
    """`(N, V)`: what the model would write in place of each target token."""
    places: Tensor
    """`(N, 2)`: row and position of the state that each target token is written from."""
    mask: Tensor
    """`(R, T)`, bool: false where a position is padding."""
    image: Tensor
    """`(R, T)`, bool: true where a position is the picture's."""
    hidden: Mapping[int, Tensor] = field(default_factory=dict)
    """`(R, T, W)` by layer: 0 is what the embeddings give, -1 the last one."""
    speaks: Tensor | None = None
    """`(N,)`, bool: false where a teacher has nothing to say; None where it always speaks."""
    switch: Tensor | None = None
    """`(N, V)`: the teacher's logits for what the student sees; with a gradient to the student."""
    views: Sequence[Outputs] = ()
    """What the student says to its further looks at the same lessons (see `HidesPlaces`)."""

    def __post_init__(self) -> None:
        count = len(self.logits)
        assert self.logits.dim() == 2, f"logits are (N, V), found {tuple(self.logits.shape)}"
        assert self.places.shape == (count, 2), f"{count} logits, places {self.places.shape}"
        assert self.mask.dtype == torch.bool, f"the mask is bool, found {self.mask.dtype}"
        assert self.mask.dim() == 2, f"the mask is (R, T), found {tuple(self.mask.shape)}"
        assert self.image.shape == self.mask.shape, "the picture's mask is (R, T)"
        for layer, states in self.hidden.items():
            assert states.shape[:2] == self.mask.shape, f"layer {layer} is not (R, T, W)"
        assert self.speaks is None or self.speaks.shape == (count,), "speaks is (N,)"

    def states(self, layer: int) -> Tensor:
        """`(N, W)`: the states of a layer that the target tokens are written from."""
        return self.hidden[layer][self.places[:, 0], self.places[:, 1]]

    def picture(self, layer: int) -> Tensor:
        """`(R, W)`: the mean state of the picture's positions in each row; 0 where it has none."""
        kept = self.image.unsqueeze(-1).to(self.hidden[layer].dtype)
        return (self.hidden[layer] * kept).sum(1) / kept.sum(1).clamp(min=1)


@dataclass(frozen=True, slots=True)
class Targets:
    """What should be said in some lessons."""

    tokens: Tensor
    """`(N,)`: the target tokens, in the order of the student's outputs."""
    owners: Tensor
    """`(N,)`: number of the lesson that each belongs to."""
    lessons: Sequence[Lesson]
    images: Sequence[str]
    """Digest of the picture of each lesson."""
    by_person: Tensor
    """`(L,)`, bool: whether a person accepted the example of the lesson."""
    auxiliary: Tensor | None = None
    """`(L, A)`: what a tool says of the example."""
    bank: Tensor | None = None
    """`(B, A)`: what it says of other examples, the same ones in every step."""

    def __post_init__(self) -> None:
        assert self.tokens.shape == self.owners.shape, "each target token has one owner"
        assert self.by_person.shape == (len(self.lessons),), "by_person is (L,)"
        assert self.auxiliary is None or len(self.auxiliary) == len(self.lessons), "one a lesson"

    def mean(self, values: Tensor, counts: Tensor | None = None) -> Tensor:
        """`(L,)`: the mean over each lesson's own target tokens; 0 where none of them counts.

        Args:
            values: `(N,)`: one for each target token.
            counts: `(N,)`, bool: which of them count; all when None.
        """
        if counts is not None:
            values = torch.where(counts, values, torch.zeros_like(values))
        kept = torch.ones_like(values) if counts is None else counts.to(values.dtype)
        sums, totals = (values.new_zeros(len(self.lessons)) for _ in range(2))
        sums = sums.index_add(0, self.owners, values)
        return sums / totals.index_add(0, self.owners, kept).clamp(min=1)

    def with_names(self, *names: str) -> Tensor:
        """`(L,)`, bool: which lessons have one of these names."""
        return torch.tensor([one.name in names for one in self.lessons], device=self.tokens.device)

    def first(self) -> Tensor:
        """`(L,)`: number of the first target token of each lesson."""
        count = len(self.tokens)
        numbers = torch.arange(count, device=self.tokens.device)
        start = numbers.new_full((len(self.lessons),), count)
        return start.scatter_reduce(0, self.owners, numbers, "amin")


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a loss: it is logged by its name, without its weight."""

    weight: float = 1.0
    lessons: tuple[str, ...] = ()
    """Names of the lessons that have it; empty for all."""


LANGUAGE = "language"
"""Name of the term that every student has: the mean cross-entropy of the target tokens."""


@runtime_checkable
class Objective(Protocol):
    """What a student is taught by: a loss over its outputs; `train/loss.py` asks it in each step.

    Its settings are plain arguments.  What it takes part in is a sum over lessons, so that the
    loss is the same however a step is divided among micro-batches and processes.
    """

    ref: PartRef
    needs: frozenset[Need]
    """What it reads of the student, which runs once for all of it, and whether it has a teacher, of
    which it reads the logits."""
    terms: Mapping[str, Term]
    """Every term by name; a weight of 0 leaves the plain objective."""
    layers: tuple[int, ...]
    """The layers whose hidden states it reads; empty without the need `hidden`."""

    def __call__(
        self, student: Outputs, teacher: Outputs | None, targets: Targets
    ) -> Mapping[str, Tensor]:
        """Each term by name, `(L,)`, in nats, not yet multiplied by its weight.

        Args:
            student: has a gradient.
            teacher: has none; None without the need `teacher`.
            targets: what should be said, in the order of both outputs.
        """
        ...


@runtime_checkable
class AsksTeacher(Protocol):
    """An objective that reads something else of its teacher than logits."""

    of_teacher: frozenset[Need]
    """What it reads of the teacher; without this attribute it is the logits."""


def of_teacher(objective: Objective) -> frozenset[Need]:
    """What an objective reads of its teacher; nothing where it has none."""
    if "teacher" not in objective.needs:
        return frozenset()
    asks: frozenset[Need] = frozenset({"logits"})
    if isinstance(objective, AsksTeacher):
        asks = objective.of_teacher
    return asks | (objective.needs & {"switch"})


@dataclass(frozen=True, slots=True)
class Shapes:
    """What an objective's own layers are made to fit."""

    width: int
    """Numbers of a state of the student."""
    head: Tensor
    """`(V, W)`: the weights that turn the student's last states into logits."""
    by_person: int = 0
    """Number of training examples that a person accepted."""
    auxiliary: int = 0
    """Numbers of a target from a tool."""
    teacher: int = 0
    """Numbers of a state of the teacher; 0 where the teacher is not one model."""


@runtime_checkable
class HasLayers(Protocol):
    """An objective with layers of its own, which are trained beside the student.

    They are part of every checkpoint, so that a run goes on with them.
    """

    def build(self, shapes: Shapes) -> nn.Module:
        """Make the layers, keep them, and return them; the caller has seeded the dice."""
        ...


@runtime_checkable
class LeavesLayers(Protocol):
    """An objective whose layers are of use when the student is finished."""

    def leave(
        self,
        weights: Mapping[str, Tensor],
        folder: Path,
        outputs: Iterable[tuple[Outputs, Targets]],
    ) -> None:
        """Do with the layers what they are for, once the student is finished.

        Args:
            weights: of the layers, at the checkpoint that is offered.
            folder: of the finished student; what the layers leave behind is written there.
            outputs: the finished student's outputs for the first lesson of each held-out example,
                computed as they are read.
        """
        ...


@runtime_checkable
class HidesPlaces(Protocol):
    """An objective whose student looks at each picture once or more, with some places hidden.

    The first look gives the student's outputs, and the others are their `views`.
    """

    def hides(self, targets: Targets, mask: Tensor) -> Sequence[Tensor]:
        """For each look the hidden places, `(R, P)`, bool; the order of lessons changes nothing.

        Args:
            targets: one lesson for each row.
            mask: `(R, P)`, bool: the places that the picture of each row has, in their order.
        """
        ...


@runtime_checkable
class HasStages(Protocol):
    """An objective that teaches something else later than in the beginning."""

    def begin(self, step: int, total: int) -> None:
        """Set the weights of its terms; a run that goes on calls it with the same numbers.

        Args:
            step: the one that begins, counted from 0.
            total: number of steps.
        """
        ...


@runtime_checkable
class HasPeer(Protocol):
    """An objective of two students that are trained together.

    Where others have a teacher's outputs it gets those of the second student, with a gradient.
    """

    peer: str
    """Checkpoint of the second student; empty for the first one's own, with other adapters."""


@runtime_checkable
class Surveys(Protocol):
    """An objective that looks at all training lessons once, before the first step."""

    def survey(self, batches: Iterable[tuple[Outputs, Targets]], head: Tensor) -> None:
        """Learn what it needs from the teacher's outputs, deterministically.

        Args:
            batches: the teacher's outputs for the lessons of every training example, in order.
            head: `(V, W)`: the weights that turn the teacher's last states into logits.
        """
        ...


@runtime_checkable
class UsesTool(Protocol):
    """An objective with the need `auxiliary`."""

    tool: str
    """What the targets come from; `train/auxiliary.py` lists the names."""


@runtime_checkable
class AsksAspects(UsesTool, Protocol):
    """One whose targets are what a checkpoint, its `tool`, says to yes-or-no questions."""

    aspects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classroom:
    """What a teacher is given once, before the first step."""

    images: Images
    vocabulary: Mapping[str, int]
    """The student's words and their numbers."""
    words: int
    """V: numbers of the student's logits; at least as many as it has words."""
    tokens: Callable[[str, str, str], Sequence[int]]
    """The student's tokens of an answer, from the digest of a picture, a prompt and the answer."""
    tasks: Mapping[str, str]
    """Id of the question of each example, by the example's id."""
    device: torch.device
    folder: Path
    """Of the job."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """The answer of each example, by the example's id."""
    checkpoint: Callable[[str], Teacher] | None = None
    """The model of a path, as a teacher that has entered; None where no model can be lent."""


@runtime_checkable
class Teacher(Protocol):
    """Who teaches: outputs for the lessons of a batch; `train/loss.py` asks it, without gradient.

    `switch` is the one exception: what it returns has a gradient to what the student sees.
    """

    ref: PartRef
    gives: frozenset[Need]
    """Which needs of an objective it can meet."""

    def enter(self, room: Classroom) -> None:
        """Load what it teaches with.

        Raises:
            InputError: it cannot teach this student: another vocabulary, a file that is absent.
        """
        ...

    def __call__(self, targets: Targets, needs: frozenset[Need], layers: Sequence[int]) -> Outputs:
        """Its outputs for the targets, lesson after lesson.

        Args:
            targets: lessons, and the target tokens in the order of the lessons.
            needs: what is read of the outputs.
            layers: whose hidden states are read.
        """
        ...


@runtime_checkable
class Switches(Protocol):
    """A teacher that can read what a student sees: what the need `switch` takes."""

    def switch(self, targets: Targets, view: Tensor) -> Tensor:
        """Its logits, `(N, V)`, with a gradient to the view.

        Args:
            targets: lessons, one in each row, and their tokens in this order.
            view: what the student's eyes give to the part behind them.
        """
        ...


@runtime_checkable
class FollowsStudent(Protocol):
    """A teacher whose weights change with the student's, after every step."""

    def follow(self, weights: Mapping[str, Tensor], step: int, total: int) -> None:
        """Take up the student's weights.

        Args:
            weights: of the student by their plain names, adapters added in.
            step: the one that has ended, counted from 0.
            total: number of steps.
        """
        ...

    def keep(self, folder: Path) -> None:
        """Write its own weights into the folder of a checkpoint."""
        ...

    def recall(self, folder: Path) -> None:
        """Read them again.

        Raises:
            InputError: they are not there, or cannot be read.
        """
        ...

    def leave(self, folder: Path) -> None:
        """Write what it has become as a checkpoint of its own."""
        ...


@runtime_checkable
class HasWeights(Protocol):
    """A teacher that is one model, whose weights can be changed."""

    def weights(self) -> Mapping[str, Tensor]:
        """Its own weights by name: to change them changes what it says."""
        ...

    def write(self, folder: Path) -> None:
        """Write it as it is now, as a checkpoint of its own."""
        ...


@runtime_checkable
class HasHead(Protocol):
    """A teacher that is one model: what `Surveys` needs of it."""

    @property
    def head(self) -> Tensor:
        """`(V, W)`: the weights that turn its last states into logits."""
        ...


@runtime_checkable
class Policy(Objective, Protocol):
    """Training by reward: an objective whose lessons `train/reward.py` makes in each step.

    A group is the G answers that a student gives to one question; its
    rewards are 0 to 1, as the loop's verifier judges answers.
    """

    answers: int
    """G."""
    heat: float
    """Temperature at which the student answers."""
    tries: int
    """How often a question that was never answered right is asked with a hint."""

    def wants_hint(self, rewards: Sequence[float]) -> bool:
        """Whether a group is to be asked again with a hint."""
        ...

    def replaced(self, hinted: Sequence[float]) -> int:
        """How many answers of a group give way to answers with a hint, from their rewards."""
        ...

    def lessons(
        self, question: Lesson, texts: Sequence[str], rewards: Sequence[float]
    ) -> Sequence[Lesson]:
        """What a group teaches: as many lessons for every group.

        Args:
            question: its prompt is that of every lesson, whatever the student was asked with.
            texts: the G answers.
            rewards: of the answers.
        """
        ...


@runtime_checkable
class Transform(Protocol):
    """From one student to another: adapters, heads, fewer bits; `train/classroom.py` asks it."""

    ref: PartRef

    def __call__(self, model: Any, folder: Path) -> Any:
        """The changed student.

        Args:
            model: a finished student, adapters merged.
            folder: of its checkpoint; what the student needs beside its weights is written there.
        """
        ...


def language(student: Outputs, targets: Targets) -> Tensor:
    """The term `LANGUAGE`, `(L,)`: mean cross-entropy of each lesson's own target tokens."""
    logits = student.logits.float() if student.logits.dtype != torch.float64 else student.logits
    return targets.mean(nn.functional.cross_entropy(logits, targets.tokens, reduction="none"))
