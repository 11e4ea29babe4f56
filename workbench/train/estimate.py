"""Before a run: what three examples look like to the student, and what the run will cost, measured on two steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench import registry
from workbench.models import region_vlm
from workbench.snapshot import Snapshot
from workbench.train.examples import pieces
from workbench.train.job import Job
from workbench.train.run import Run, peak_mb
from workbench.train.students import load_adapter


@dataclass(frozen=True, slots=True)
class Row:
    """One lesson as the student gets it."""

    task_id: str
    image: str
    name: str
    weight: float
    pieces: Sequence[tuple[str, bool]]
    """Runs of text, and whether they count in the loss."""
    tokens: int
    counted: int
    picture: int
    """Positions of the picture."""


def preview(job: Job, folder: Path, examples: int = 3) -> list[Row]:
    """The lessons of the first examples after templating; needs the processor alone, no weights.

    Raises InputError: no such snapshot, student or objective.
    """
    snapshot = Snapshot.open(folder / job.snapshot)
    objective = registry.build("objective", job.objective, **job.arguments)
    _, adapter = load_adapter(job.student)
    tokenizer = adapter.tokenizer
    mark = getattr(adapter.processor, "image_token_id", None)
    mark = tokenizer.convert_tokens_to_ids(region_vlm.IMAGE_TOKEN) if mark is None else mark
    out = []
    for example in snapshot.examples("train")[:examples]:
        lessons = objective.lessons(example)
        picture = snapshot.images.open(example.image)
        batch = adapter.encode([(picture, lesson) for lesson in lessons])
        for row, lesson in enumerate(lessons):
            ids = batch.inputs["input_ids"][row]
            out.append(
                Row(
                    example.task_id, example.image, lesson.name, lesson.weight, pieces(batch, tokenizer, row, mark),
                    int(batch.inputs["attention_mask"][row].sum()), int((batch.targets[row] >= 0).sum()),
                    int((ids == mark).sum()),
                )
            )  # fmt: skip
    return out


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will cost on this machine."""

    steps: int
    examples: int
    """Per step."""
    seconds: float
    """Of the whole run, evaluations left out: steps of middling length."""
    most_seconds: float
    """The same if every step were the longest."""
    memory_mb: float
    """Peak of the longest step: of the GPU, else of the process."""
    disk_mb: float
    """For the model and two checkpoints."""
    basis: str


def dry_run(job: Job, folder: Path) -> Estimate:
    """Take two steps, the longest and a middling one, and keep nothing.  Raises what a run raises."""
    run = Run(job, folder, None)
    load = [sum(run.order.lengths[at] for at in run.order[step]) for step in range(run.order.steps)]
    ranked = sorted(range(len(load)), key=load.__getitem__)
    longest = float(run.step(ranked[-1])["seconds"])
    middling = float(run.step(ranked[len(ranked) // 2])["seconds"])
    weights = sum(p.numel() for p in run.model.parameters())
    taught = sum(p.numel() for p in run.model.parameters() if p.requires_grad)
    return Estimate(
        run.total, run.order.batch, round(middling * run.total, 1), round(max(longest, middling) * run.total, 1),
        peak_mb(), round((weights * 2 + taught * 16) / 2**20, 3),
        f"two steps on {run.accelerator.device}: the longest {longest:.2f} s, a middling one {middling:.2f} s",
    )  # fmt: skip
