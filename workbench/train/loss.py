"""From lessons about pictures to their losses, for training steps and for held-out questions.

Here the loop meets two extension points, the objective and the teacher: the student runs once for
all that the objective reads, the teacher without gradient.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from workbench.errors import ImageError, InputError, ProfileError, SnapshotError
from workbench.images import ImageFolder
from workbench.models.conversation import RowOfSeen, Seen
from workbench.models.region_vlm import RegionView
from workbench.recipes.features import place_mask
from workbench.recipes.teaching import (
    HasLayers,
    HasPeer,
    HidesPlaces,
    Objective,
    Outputs,
    Switches,
    Targets,
    Teacher,
    language,
    of_teacher,
)
from workbench.records import Lesson
from workbench.snapshot.example import JOINED
from workbench.train.auxiliary import ToolTargets
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.forward import hide_places, outputs_of, target_tokens, watch_projector
from workbench.train.plan import CrossEntropy
from workbench.train.shared_prefix import share_prefixes
from workbench.unanswered import REFUSED, reason_line

KEPT = 8192
"""Pictures that stay in memory as a student saw them; each takes some ten kilobytes."""


@dataclass(frozen=True, slots=True)
class LossShare:
    """The losses of some lessons of a step."""

    share: Tensor
    """Their share in the loss of the step, a scalar that has a gradient."""
    lessons: Tensor
    """`(lessons,)`: the loss of each lesson, in nats per target token."""
    names: tuple[str, ...]
    """The name of each lesson."""
    tokens: int
    """Number of tokens that the student read, padding not counted."""
    weights: Tensor
    """`(lessons,)`: their weights; 0 for one that is left out or fills the batch."""
    terms: Mapping[str, Tensor]
    """Each term of the objective by name, `(lessons,)`, without its weight and without gradient."""


class StudentWithLayers(nn.Module):
    """A student, and the layers of the objective that are trained beside it.

    All that has a gradient is computed inside of its forward pass, as several processes need it.

    Args:
        student: the model.
        layers: of the objective.
    """

    def __init__(self, student: Any, layers: nn.Module) -> None:
        super().__init__()
        self.student, self.layers = student, layers

    def forward(self, compute: Any) -> Any:
        """What `compute` makes of the student."""
        return compute(self.student)


class StudentLoss:
    """Runs a student over lessons about pictures, once.

    Args:
        adapter: turns lessons into the student's tokens.
        images: opens pictures by digest.
        device: where the student is.
        objective: the loss over the student's outputs; cross-entropy when None.
        teacher: who has entered the room of this student; None where the objective has no need.
        auxiliary: what a tool says of examples; None where the objective has no need.
        by_person: ids of the examples that a person accepted.
    """

    def __init__(
        self,
        adapter: Adapter,
        images: ImageFolder,
        device: torch.device,
        objective: Objective | None = None,
        teacher: Teacher | None = None,
        auxiliary: ToolTargets | None = None,
        by_person: Collection[str] = (),
    ) -> None:
        self.adapter, self.images, self.device = adapter, images, device
        self.objective: Objective = objective or CrossEntropy()
        self.teacher, self.auxiliary, self.by_person = teacher, auxiliary, frozenset(by_person)
        check_teacher(self.objective, teacher)
        self.skips_broken = False
        """Whether examples of a picture whose file is broken are left out; else the run ends."""
        self.peer: Any = None
        """The second student, for an objective of two; it is trained beside the first one."""
        self.tasks: Mapping[str, str] = {}
        """A question about each picture, by digest: how people know it."""
        self.refused: dict[str, str] = {}
        """Pictures that the student cannot take, by digest, and why."""
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        """What a student that points saw of pictures, by digest."""

    def _broken(self, image: str, error: ImageError) -> SnapshotError:
        return SnapshotError(
            f"the picture {image[:12]}… of {self.tasks.get(image, 'the snapshot')} cannot be read; "
            "copy the snapshot's whole folder again, or leave its examples out with skip_broken = "
            f"true ({error})"
        )

    def _picture(self, image: str) -> RowOfSeen:
        """A picture as the adapter takes it; one that was looked at is not decoded again.

        Several stand for one question where the text joins their digests.
        """
        if JOINED in image:
            digests = image.split(JOINED)
            if not self.adapter.takes_several:
                raise InputError(f"this student takes one picture; the question has {len(digests)}")
            return tuple(self.images.open(digest) for digest in digests)
        if not self.adapter.points:
            return self.images.open(image)
        if image not in self._seen:
            self._seen[image] = self.adapter.look(self.images.open(image))
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)
        return self._seen[image]

    def pictures_without_regions(self, pictures: Iterable[str]) -> int:
        """In how many pictures a student that points sees no region; 0 for other students."""
        if not self.adapter.points:
            return 0
        return sum(not self._sees(image) for image in pictures)

    def _sees(self, image: str) -> bool:
        try:
            view = self._picture(image)
        except REFUSED:  # a step names it
            return True
        return not isinstance(view, RegionView) or bool(view.cells)

    def takes(self, image: str, lesson: Lesson) -> bool:
        """Whether the student takes a picture; if not, the reason is noted in `refused`."""
        if image not in self.refused:
            try:
                self.adapter.encode([(self._picture(image), lesson)])
            except ImageError as error:
                if not self.skips_broken:
                    raise self._broken(image, error) from error
                self.refused[image] = reason_line(error)
            except REFUSED as error:
                self.refused[image] = reason_line(f"{type(error).__name__}: {error}")
        return image not in self.refused

    def encode(self, rows: Sequence[tuple[str, Lesson]], fillers: int) -> Batch:
        """The lessons in tokens; one about a picture that the student cannot take weighs nothing.

        It stays in the batch, about a white picture: all processes of a run compute as often.
        """
        try:
            return self.adapter.encode(
                [(self._picture(image), lesson) for image, lesson in rows], fillers
            )
        except REFUSED:
            bad = [not self.takes(image, lesson) for image, lesson in rows]
            if not any(bad):
                raise
        white = Image.new("RGB", (64, 64), "white")
        pictures = [
            (white, replace(lesson, weight=0.0)) if is_bad else (self._picture(image), lesson)
            for is_bad, (image, lesson) in zip(bad, rows, strict=True)
        ]
        return self.adapter.encode(pictures, fillers)

    def __call__(
        self,
        model: Any,
        rows: Sequence[tuple[str, Lesson]],
        examples: int,
        fillers: int = 0,
        together: bool = False,
        ready: Batch | None = None,
    ) -> LossShare:
        """The losses of some lessons.

        Args:
            model: the student, as the processes of a run have wrapped it.
            rows: the digest of a picture and a lesson about it.
            examples: number of examples in the whole step.
            fillers: number of lessons at the end that weigh nothing.
            together: whether neighbouring lessons about one picture stand in one row (see
                `shared_prefix`), where the student's family allows it.
            ready: the rows in tokens, where somebody has encoded them before.
        """
        batch = self.encode(rows, fillers) if ready is None else ready
        if together and self.shares:
            batch = share_prefixes(batch, [self.adapter.source(*row) for row in rows])
        batch = batch.to(self.device)
        terms = self._terms(model, batch, self.targets(batch, rows))
        weights = {name: term.weight for name, term in self.objective.terms.items()}
        losses = torch.stack([weights[name] * value for name, value in terms.items()]).sum(0)
        return LossShare(
            weighted_loss(losses, batch, examples),
            losses.detach(),
            batch.names,
            batch.tokens,
            batch.weights,
            {name: value.detach() for name, value in terms.items()},
        )

    @property
    def shares(self) -> bool:
        """Whether lessons about one picture may stand in one row.

        They may not where the objective reads states by row: those of one lesson would be those of
        its neighbours as well.
        """
        return self.adapter.shares and not self.objective.needs & {"hidden", "image", "switch"}

    def targets(self, batch: Batch, rows: Sequence[tuple[str, Lesson]]) -> Targets:
        """What should be said in a batch.

        Args:
            batch: the rows in tokens.
            rows: the digest of a picture and a lesson about it.
        """
        tokens, owners = target_tokens(batch)
        lessons, images = [lesson for _, lesson in rows], [image for image, _ in rows]
        by_person = [lesson.example in self.by_person for lesson in lessons]
        auxiliary = self.auxiliary
        return Targets(
            tokens=tokens,
            owners=owners,
            lessons=lessons,
            images=images,
            by_person=torch.tensor(by_person, dtype=torch.bool, device=tokens.device),
            auxiliary=None if auxiliary is None else auxiliary(rows).to(tokens.device),
            bank=None if auxiliary is None else auxiliary.bank.to(tokens.device),
        )

    def _terms(self, model: Any, batch: Batch, targets: Targets) -> Mapping[str, Tensor]:
        """Each term of the objective, `(lessons,)`, with a gradient."""
        objective = self.objective
        teacher = None if self.teacher is None else self.ask_teacher(targets)

        def compute(student: Any) -> Mapping[str, Tensor]:
            outputs = self._outputs(student, batch, targets)
            other = teacher if self.peer is None else outputs_of(self.peer, batch)
            if other is not None:
                assert outputs.logits.shape == other.logits.shape, "two vocabularies"
            return objective(outputs, other, targets)

        has_layers = isinstance(objective, HasLayers | HasPeer)
        terms: Mapping[str, Tensor] = model(compute) if has_layers else compute(model)
        assert set(terms) == set(objective.terms), f"terms {set(terms)}, not {objective.terms}"
        for name, value in terms.items():
            assert value.shape == (len(targets.lessons),), f"{name} is not one value a lesson"
        return terms

    def _outputs(self, student: Any, batch: Batch, targets: Targets) -> Outputs:
        """What the student says, and what its teacher says to what the student sees."""
        objective, mark = self.objective, self.adapter.picture_token
        if isinstance(objective, HidesPlaces):
            return self._looks(student, batch, objective.hides(targets, self._places(batch)))
        if "switch" not in objective.needs:
            return outputs_of(student, batch, objective.needs, objective.layers, mark)
        with watch_projector(student) as views:
            outputs = outputs_of(student, batch, objective.needs, objective.layers, mark)
        if torch.is_grad_enabled() and not views[0].requires_grad:
            raise InputError(
                "nothing of what this student sees is trained, so the switch would teach nothing: "
                "the embedded students' detector is frozen; set visual = 0, or train the encoder"
            )
        assert isinstance(self.teacher, Switches), "check_teacher refuses others"
        return replace(outputs, switch=self.teacher.switch(targets, views[0]))

    def _places(self, batch: Batch) -> Tensor:
        """`(R, P)`, bool: the places that the picture of each row has."""
        ids = batch.inputs["input_ids"]
        mark = self.adapter.picture_token
        return place_mask(torch.zeros_like(ids, dtype=torch.bool) if mark is None else ids == mark)

    def _looks(self, student: Any, batch: Batch, hidden: Sequence[Tensor]) -> Outputs:
        """What the student says to several looks at the lessons, each with some places hidden."""
        objective, mark = self.objective, self.adapter.picture_token
        mask = self._places(batch)
        looks = []
        for shut in hidden:
            with hide_places(student, batch, shut[mask]) as view:
                looks.append(outputs_of(student, view, objective.needs, objective.layers, mark))
        return replace(looks[0], views=tuple(looks[1:]))

    def ask_teacher(self, targets: Targets) -> Outputs:
        """The teacher's outputs, without gradient, in the order of the student's target tokens."""
        assert self.teacher is not None, "no teacher has entered"
        # lessons that share a row stand in it one in another; the teacher gets one after the other
        order = torch.argsort(targets.owners, stable=True)
        apart = replace(targets, tokens=targets.tokens[order], owners=targets.owners[order])
        needs = of_teacher(self.objective) - {"switch"}
        with torch.no_grad():
            outputs = self.teacher(apart, needs, self.objective.layers)
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order), device=order.device)
        speaks = outputs.speaks
        return replace(
            outputs,
            logits=outputs.logits[back],
            places=outputs.places[back],
            speaks=None if speaks is None else speaks[back],
        )


def check_teacher(objective: Objective, teacher: Teacher | None) -> None:
    """Refuse an objective whose needs nobody meets.

    Raises:
        ProfileError: there is no teacher, or it does not give what the objective reads.
    """
    name = objective.ref.name
    if "teacher" not in objective.needs:
        if teacher is not None:
            raise ProfileError(
                f"the objective '{name}' asks no teacher, and the job names "
                f"'{teacher.ref.name}'; take the teacher out, or another objective"
            )
        return
    if teacher is None:
        raise ProfileError(
            f"the objective '{name}' needs a teacher, and the job names none; give one, for "
            "example teacher = { part = 'checkpoint', path = 'FOLDER' }, or --teacher FOLDER"
        )
    if missing := of_teacher(objective) - teacher.gives:
        raise ProfileError(
            f"the objective '{name}' reads {', '.join(sorted(missing))} of its teacher, and "
            f"'{teacher.ref.name}' gives {', '.join(sorted(teacher.gives))}; take the teacher "
            "'checkpoint'"
        )


def lesson_losses(model: Any, batch: Batch) -> Tensor:
    """Mean cross-entropy of each lesson over its own target tokens, in nats, `(lessons,)` float32.

    Args:
        model: a vision-language model.
        batch: the lessons.
    """
    tokens, owners = target_tokens(batch)
    lessons = [Lesson(name, "", "") for name in batch.names]
    nobody = torch.zeros(len(lessons), dtype=torch.bool, device=tokens.device)
    targets = Targets(tokens, owners, lessons, [""] * len(lessons), nobody)
    return language(outputs_of(model, batch), targets)


def weighted_loss(losses: Tensor, batch: Batch, examples: float) -> Tensor:
    """The weighted sum of the losses, divided by the number of examples in the whole step.

    The shares of the batches that a step is divided into add up to the loss of the step.

    Args:
        losses: `(lessons,)`, as `lesson_losses` gives them.
        batch: the lessons.
        examples: number of examples in the step; the sum of the weights gives the weighted mean of
            this batch.
    """
    return (losses * batch.weights).sum() / examples
