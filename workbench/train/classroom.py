"""Before the first step: teacher, tool and objective are brought together with the student."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText

from workbench.errors import ProfileError, SnapshotError
from workbench.models.bundled import save_checkpoint
from workbench.models.checkpoint import load_processor
from workbench.recipes.teaching import (
    LANGUAGE,
    AsksAspects,
    Classroom,
    FollowsStudent,
    HasHead,
    HasLayers,
    HasPeer,
    LeavesLayers,
    Objective,
    Outputs,
    Shapes,
    Surveys,
    Targets,
    Teacher,
    Transform,
    UsesTool,
)
from workbench.recipes.workshop import LearnsFromLessons
from workbench.records import Lesson
from workbench.several_pictures import images_of
from workbench.snapshot import SPLITS, Example, Pair, Snapshot
from workbench.train.auxiliary import AspectAnswers, ToolTargets, encoder_of
from workbench.train.forward import outputs_of
from workbench.train.job import Job
from workbench.train.load import LoadedStudent, finish
from workbench.train.loss import LossShare, StudentLoss, StudentWithLayers, check_teacher
from workbench.train.peers import PEER, PEERS, compare_peers, finish_peer, load_peer
from workbench.train.plan import CrossEntropy, Plan
from workbench.train.teachers import lend_checkpoints

LAYERS = "layers."
"""Beginning of the names of weights that are the objective's and not the student's."""
_STUDENT = "student."
LOOKS = ".looks"
"""Folder beside the jobs, with what a student of regions saw of pictures and read of questions: the
jobs of a study have the same ones."""


def begin_lessons(
    plan: Plan,
    job: Job,
    folder: Path,
    snapshot: Snapshot,
    student: LoadedStudent,
    device: torch.device,
) -> tuple[StudentLoss, Any]:
    """The loss of a run, and the model that is trained by it.

    Args:
        plan: the parts of the job.
        job: the settings.
        folder: of the job.
        snapshot: what is taught.
        student: who is taught.
        device: where the run is.

    Returns:
        The loss, with everything that it needs, and the student, in one with the layers of the
        objective where it has some.

    Raises:
        ProfileError: a need of the objective is not met.
        InputError: the teacher cannot teach this student.
    """
    objective, teacher = plan.objective, plan.teacher
    check_teacher(objective, teacher)
    _check_several(plan, snapshot)
    examples = {one.id: one for split in SPLITS for one in snapshot.examples(split)}
    if isinstance(teacher, FollowsStudent) and job.sharded:
        raise ProfileError(
            f"the teacher '{teacher.ref.name}' follows whole weights, which are divided among the "
            "processes here; set sharded = false"
        )
    if teacher is not None:
        teacher.enter(lend_checkpoints(_room(snapshot, examples, folder, student, device)))
    auxiliary = _tool_targets(objective, snapshot, examples)
    by_person = [one.id for one in examples.values() if one.kind == "person"]
    loss = StudentLoss(
        student.adapter, snapshot.images, device, objective, teacher, auxiliary, by_person
    )
    _keep_looks(student.adapter.processor, folder.parent / LOOKS)
    if isinstance(objective, Surveys):
        if not isinstance(teacher, HasHead):
            raise ProfileError(
                f"the objective '{objective.ref.name}' reads the head of its teacher; take the "
                "teacher 'checkpoint'"
            )
        lessons = [
            (one.image, own) for one in snapshot.examples("train") for own in plan.lessons(one)
        ]
        objective.survey(_teachers_outputs(loss, lessons, job.micro_batch), teacher.head)
    model = student.model
    if isinstance(objective, HasLayers):
        accepted = sum(one.kind == "person" for one in snapshot.examples("train"))
        model = _with_layers(objective, job, model, accepted, auxiliary, teacher)
    if isinstance(objective, HasPeer):
        loss.peer = load_peer(objective, job, student, device)
        model = StudentWithLayers(model, nn.ModuleDict({PEER: loss.peer}))
    return loss, model


def _check_several(plan: Plan, snapshot: Snapshot) -> None:
    """Hold that only the plain way meets questions about several pictures.

    Raises:
        ProfileError: a method would look at the first picture of one alone.
    """
    first = next((one for one in snapshot.examples() if one.more_images), None)
    method = plan.teacher or plan.objective
    plain = plan.teacher is None and isinstance(plan.objective, CrossEntropy)
    if first is not None and not plain:
        raise ProfileError(
            f"the method '{method.ref.name}' takes one picture; question '{first.task_id:.80}' has "
            f"{len(first.images)}: train the plain way, or take a snapshot without it (--filter)"
        )


def _keep_looks(processor: Any, root: Path) -> None:
    if hasattr(processor, "keep_in"):
        processor.keep_in(root)


def check_pictures(snapshot: Snapshot, examples: Sequence[Example | Pair]) -> None:
    """Hold that there is something to learn from, and that its pictures are there.

    Raises:
        SnapshotError: they are not.
    """
    if not examples:
        raise SnapshotError(
            f"the snapshot {snapshot.hash} has no training example; accept some questions, or take "
            "it with vpd snapshot --automatic"
        )
    paths = {image: snapshot.images.path(image) for image in images_of(examples)}
    if missing := sorted(image for image, path in paths.items() if path is None):
        raise SnapshotError(
            f"{len(missing)} pictures of the snapshot {snapshot.hash} are missing, for example "
            f"{missing[0]}; copy the snapshot's whole folder again"
        )


def add_figures(sums: Tensor, names: Sequence[str], loss: LossShare, lessons: int) -> None:
    """Add the terms of some lessons to the sums and numbers of their figures.

    Args:
        sums: `(2 + 2 * names,)`; behind the first two, a sum and a number for each name.
        names: of the figures.
        loss: of the lessons.
        lessons: how many of them count; the others are filling.
    """
    for term, values in loss.terms.items():
        for lesson, weight, value in zip(
            loss.names[:lessons], loss.weights.tolist(), values.double().tolist()
        ):
            name = figure_name(lesson, term)
            # exactly 0: a term that this lesson does not have
            if weight and value and name in names:
                at = 2 + 2 * names.index(name)
                sums[at] += value
                sums[at + 1] += 1


def _room(
    snapshot: Snapshot,
    examples: Mapping[str, Example],
    folder: Path,
    student: LoadedStudent,
    device: torch.device,
) -> Classroom:
    adapter = student.adapter

    def _tokens(image: str, prompt: str, answer: str) -> Sequence[int]:
        picture = snapshot.images.open(image) if adapter.points else None
        return adapter.answer(adapter.prompt(prompt), answer, picture=picture)

    return Classroom(
        images=snapshot.images,
        vocabulary=adapter.tokenizer.get_vocab(),
        words=len(student.model.get_output_embeddings().weight),
        tokens=_tokens,
        tasks={one.id: one.task_id for one in examples.values()},
        device=device,
        folder=folder,
        answers={one.id: one.answer for one in examples.values()},
    )


def _tool_targets(
    objective: Objective, snapshot: Snapshot, examples: Mapping[str, Example]
) -> ToolTargets | None:
    if "auxiliary" not in objective.needs:
        return None
    if not isinstance(objective, UsesTool):
        raise ProfileError(
            f"the objective '{objective.ref.name}' needs targets from a tool and does not say "
            "which: give it an attribute `tool`"
        )
    encoder = (
        AspectAnswers(objective.tool, objective.aspects, snapshot.images)
        if isinstance(objective, AsksAspects)
        else encoder_of(objective.tool, snapshot.images)
    )
    return ToolTargets(encoder, examples, snapshot.examples("train"))


def _teachers_outputs(
    loss: StudentLoss, lessons: Sequence[tuple[str, Lesson]], size: int
) -> Iterator[tuple[Outputs, Targets]]:
    """The teacher's outputs for all lessons that the student takes, a batch at a time."""
    for start in range(0, len(lessons), size):
        rows = [row for row in lessons[start : start + size] if loss.takes(*row)]
        if rows:
            targets = loss.targets(loss.encode(rows, 0).to(loss.device), rows)
            yield loss.ask_teacher(targets), targets


def _with_layers(
    objective: HasLayers,
    job: Job,
    student: Any,
    by_person: int,
    auxiliary: ToolTargets | None,
    teacher: Teacher | None,
) -> StudentWithLayers:
    if job.sharded:
        raise ProfileError(
            f"the objective '{job.objective}' has layers of its own, which are not divided among "
            "processes; set sharded = false"
        )
    head = student.get_output_embeddings().weight
    width = 0 if auxiliary is None else auxiliary.bank.shape[1]
    its_width = teacher.head.shape[1] if isinstance(teacher, HasHead) else 0
    torch.manual_seed(job.seed)
    layers = objective.build(Shapes(head.shape[1], head.detach(), by_person, width, its_width))
    return StudentWithLayers(student, layers.float().requires_grad_(True))


def student_of_run(model: Any) -> Any:
    """The student, without the layers of the objective beside it."""
    return model.student if isinstance(model, StudentWithLayers) else model


def student_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The student's own trainable weights, from those of a checkpoint of a run."""
    if not any(name.startswith(LAYERS) for name in weights):
        return dict(weights)
    return {
        name.removeprefix(_STUDENT): weight
        for name, weight in weights.items()
        if not name.startswith(LAYERS)
    }


def layer_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of the objective's own layers, from those of a checkpoint of a run."""
    return {
        name.removeprefix(LAYERS): weight
        for name, weight in weights.items()
        if name.startswith(LAYERS)
    }


def figure_names(objective: Objective, lessons: Sequence[str]) -> list[str]:
    """Names of the figures of a step.

    The cross-entropy of a lesson has the lesson's name; any other term has its own name behind it.
    """
    own = {name for what in objective.terms.values() for name in what.lessons}
    lessons = [*lessons, *sorted(own - set(lessons))]
    return [
        figure_name(lesson, term)
        for term, what in objective.terms.items()
        for lesson in lessons
        if not what.lessons or lesson in what.lessons
    ]


def figure_name(lesson: str, term: str) -> str:
    """The name of the figure of a term in the lessons of a name."""
    return lesson if term == LANGUAGE else f"{lesson} {term}"


def finish_student(
    plan: Plan,
    job: Job,
    weights: Mapping[str, torch.Tensor],
    folder: Path,
    device: torch.device,
) -> Path:
    """Write the finished student, as the job's transform leaves it; returns its folder.

    Args:
        plan: the parts of the run.
        job: the settings.
        weights: the student's own trainable weights.
        folder: of the finished student.
        device: of the run.
    """
    finish(job, weights, folder)
    if plan.transform is not None:
        _put_through(plan.transform, folder, device)
    return folder


def _put_through(transform: Transform, folder: Path, device: torch.device) -> None:
    """Put a finished student through a transform; the folder is replaced once all is written.

    Args:
        transform: what changes it.
        folder: of the student.
        device: where a transform that learns has its lessons.
    """
    before = {path.name for path in folder.iterdir()}
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto")
    if isinstance(transform, LearnsFromLessons):
        model = model.to(device)
    model = transform(model, folder)
    beside = folder.with_name(f".{folder.name}-changed")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was cut off here
    save_checkpoint(model, load_processor(str(folder)), beside)
    for path in folder.iterdir():
        if path.name not in before:  # what the transform leaves beside the weights
            path.rename(beside / path.name)
    shutil.rmtree(folder)
    beside.rename(folder)


def leave_layers(
    plan: Plan,
    job: Job,
    loss: StudentLoss,
    weights: Mapping[str, torch.Tensor],
    folder: Path,
    examples: Sequence[Example],
) -> None:
    """Let an objective do what its layers are for, where they are of use behind the training.

    Args:
        plan: the parts of the run.
        job: the settings.
        loss: of the run.
        weights: of the layers, at the checkpoint that is offered.
        folder: of the finished student.
        examples: the held-out side.
    """
    objective = plan.objective
    lessons = [(one.image, plan.lessons(one)[0]) for one in examples]
    if isinstance(objective, LeavesLayers):
        objective.leave(weights, folder, _students_outputs(loss, folder, lessons))
    if isinstance(objective, HasPeer):
        beside = finish_peer(objective, job, weights, folder.with_name(PEER))
        outputs = {one.name: _students_outputs(loss, one, lessons) for one in (folder, beside)}
        compare_peers(outputs, folder / PEERS)


@torch.no_grad()
def _students_outputs(
    loss: StudentLoss, folder: Path, lessons: Sequence[tuple[str, Lesson]], size: int = 8
) -> Iterator[tuple[Outputs, Targets]]:
    """The finished student's outputs for lessons; it is loaded when the first one is read."""
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    model = model.to(loss.device).eval()
    for start in range(0, len(lessons), size):
        rows = lessons[start : start + size]
        batch = loss.encode(rows, 0).to(loss.device)
        objective, picture = loss.objective, loss.adapter.picture_token
        outputs = outputs_of(model, batch, objective.needs, objective.layers, picture)
        yield outputs, loss.targets(batch, rows)
