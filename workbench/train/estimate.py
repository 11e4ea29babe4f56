"""Before a run: what the student will see of its lessons, and what the run will cost.

    python -m workbench.train.estimate job.toml              take two steps: time, memory, disk
    python -m workbench.train.estimate --preview job.toml    show three examples after templating

Nothing is kept.  The figures are printed as JSON; with --result FILE they are written there, or
else why there are none.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import InputError, WorkbenchError
from workbench.records import JSON
from workbench.snapshot import Snapshot
from workbench.train.devices import peak_mb
from workbench.train.examples import pieces
from workbench.train.failure import explain
from workbench.train.job import FILE, Job, read_job
from workbench.train.load import adapter_of
from workbench.train.looks import Estimate, LessonPreview
from workbench.train.memory import Skeleton, fits, in_words, longest_shape
from workbench.train.pictures import seen_of
from workbench.train.plan import plan_of
from workbench.train.status_files import write_json
from workbench.train.training_run import TrainingRun
from workbench.unanswered import REFUSED, reason_line


def preview(job: Job, folder: Path, examples: int = 3) -> list[LessonPreview]:
    """The lessons of the first examples after templating; needs the processor alone, no weights.

    Args:
        job: what will be trained.
        folder: what the job's snapshot is relative to.
        examples: number of examples.

    Raises:
        InputError: there is no such snapshot, student or objective.
    """
    snapshot = Snapshot.open(folder / job.snapshot)
    plan = plan_of(job)
    _, adapter = adapter_of(job)
    tokenizer = adapter.tokenizer
    mark = adapter.picture_token
    previews = []
    for example in plan.rows(snapshot)[:examples]:
        lessons = plan.lessons(example)
        picture = seen_of(example, snapshot.images)
        batch = adapter.encode([(picture, lesson) for lesson in lessons])
        for row, lesson in enumerate(lessons):
            ids = batch.inputs["input_ids"][row]
            previews.append(
                LessonPreview(
                    task_id=example.task_id,
                    image=example.image,
                    name=lesson.name,
                    weight=lesson.weight,
                    pieces=[
                        (adapter.readable(text, lesson), counts)
                        for text, counts in pieces(batch, tokenizer, row, mark)
                    ],
                    tokens=int(batch.inputs["attention_mask"][row].sum()),
                    counted=int((batch.targets[row] >= 0).sum()),
                    picture=int((ids == mark).sum()),
                    more_images=example.more_images,
                )
            )
    return previews


def card_lines(job: Job, folder: Path) -> list[str]:
    """Whether a job fits on common graphics cards, in lines for people; no weight is loaded.

    Args:
        job: what will be trained.
        folder: what the job's snapshot is relative to.

    Raises:
        InputError: there is no such snapshot, student or objective.
    """
    examples = Snapshot.open(folder / job.snapshot).examples("train")
    if not examples:
        return ["memory is not known: the snapshot has no training example"]
    plan = plan_of(job)
    base, adapter = adapter_of(job)
    try:
        skeleton = Skeleton(job, base, adapter)
        lessons = [plan.lessons(example) for example in examples]
        shape = longest_shape(job, adapter, examples, lessons, skeleton.patch)
        need = skeleton.need(shape, job.checkpointing)
        return in_words(need, shape, fits(skeleton, shape, job))
    except (RuntimeError, *REFUSED, AttributeError) as error:
        # a family whose decoder looks at numbers cannot be run by shapes
        reason = reason_line(f"{type(error).__name__}: {error}")
        return [f"memory is not known for this student ({reason}); vpd train --dry-run measures it"]


def dry_run(job: Job, folder: Path) -> Estimate:
    """Take two steps, the longest and a middling one, and keep nothing.

    Raises:
        WorkbenchError: whatever a run raises.
    """
    run = TrainingRun(job, folder, None)
    load = [sum(run.order.lengths[at] for at in run.order[step]) for step in range(run.order.steps)]
    ranked = sorted(range(len(load)), key=load.__getitem__)
    longest = float(run.step(ranked[-1])["seconds"])
    middling = float(run.step(ranked[len(ranked) // 2])["seconds"])
    # what a step takes grows with its tokens, those of the pictures included
    low, high = load[ranked[len(ranked) // 2]], load[ranked[-1]]
    slope = max(longest - middling, 0.0) / (high - low) if high > low else 0.0
    typical = sum(max(middling + slope * (tokens - low), 0.0) for tokens in load) / len(load)
    weights = sum(p.numel() for p in run.model.parameters())
    trainable = sum(p.numel() for p in run.model.parameters() if p.requires_grad)
    device = run.accelerator.device
    left_out = len(run.note_left_out())
    return Estimate(
        steps=run.total,
        examples=run.order.batch,
        seconds=round(typical * run.total, 1),
        most_seconds=round(max(longest, middling) * run.total, 1),
        memory_mb=peak_mb(),
        disk_mb=round((weights * 2 + trainable * 16) / 2**20, 3),
        basis=(
            f"two steps on {device}, pictures included: the longest {longest:.2f} s, a middling "
            f"one {middling:.2f} s"
            + (f"; {left_out} examples cannot be taken and are left out" if left_out else "")
        ),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the look that the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workbench.train.estimate", description=__doc__)
    parser.add_argument("job", type=Path, help="job.toml, or the folder that holds it")
    parser.add_argument(
        "--preview", action="store_true", help="show three examples instead of measuring"
    )
    parser.add_argument("--result", type=Path, help="file for the result, or for why there is none")
    options = parser.parse_args(arguments)
    folder: Path = options.job if options.job.is_dir() else options.job.parent
    settings: dict[str, Any] = {}
    try:
        job = read_job(folder / FILE)
        settings = asdict(job)
        result = _look(job, folder, options.preview)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if options.result:
            failure = asdict(explain(text, settings))
            write_json(options.result, {"ok": False, "failure": failure})
        if not isinstance(error, WorkbenchError):
            raise
        print(text, file=sys.stderr)
        return 2
    if options.result:
        write_json(options.result, {"ok": True, "found": result})
    else:
        print(json.dumps(result, indent=1))
    return 0


def _look(job: Job, folder: Path, wants_preview: bool) -> JSON:
    if job.runner:
        raise InputError(
            "the job is run by a command of its own (runner), which nothing here can look into; "
            "take the runner out to look at the workbench's own run"
        )
    if wants_preview:
        return [asdict(row) for row in preview(job, folder)]
    return asdict(dry_run(job, folder))


if __name__ == "__main__":
    sys.exit(main())
