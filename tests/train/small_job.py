"""Small real snapshots and jobs for the training room's tests."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_vlms import save

from workbench.images import digest_of
from workbench.snapshot import Example, Snapshot, write
from workbench.train.job import Job, Lora, write_job
from workbench.train.training_run import TrainingRun


def picture(folder: Path, number: int) -> Path:
    """Coloured blocks that no other number gives."""
    path = folder / f"{number}.png"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        dice = random.Random(number)
        small = Image.new("RGB", (4, 4))
        small.putdata(
            [(dice.randrange(256), dice.randrange(256), dice.randrange(256)) for _ in range(16)]
        )
        small.resize((48, 48), Image.Resampling.NEAREST).save(path)
    return path


def example(number: int, image: str, **changes: Any) -> Example:
    answer = str(number % 3)
    made = Example(
        task_id=f"made/{number:04d}",
        source="made",
        task_split="train",
        split="train",
        family="count",
        question=f"How many of kind {number}?",
        choices=(),
        answer=answer,
        answers=(answer,),
        answer_type="integer",
        rationale=None
        if number % 4 == 3
        else f"There are {answer} things" + " and more" * (number % 3) + f". So, {answer}.",
        boxes=(),
        program=None,
        image=image,
        width=48,
        height=48,
        kind="automatic",
        trace_id=f"t{number}",
        program_id=f"p{number}",
        rationale_id=f"r{number}",
        edited=False,
        reviewers=(),
        guideline=None,
    )
    return replace(made, **changes)


def snapshot(folder: Path, rows: int = 7, val: int = 2) -> Snapshot:
    """Questions about as many pictures; the last `val` are held out."""
    pictures = {
        digest_of(path): path for path in (picture(folder / "drawn", at) for at in range(rows))
    }
    examples = [
        example(at, image, split="val" if at >= rows - val else "train")
        for at, image in enumerate(pictures)
    ]
    return write(folder / "snapshots", examples, pictures, filter={"accepted": "automatic"})


def job_folder(folder: Path, family: str = "smolvlm", name: str = "job", **changes: Any) -> Path:
    """A job's folder with its snapshot and tiny student, ready to run."""
    taken = snapshot(folder)
    student = folder / "student"
    if not student.exists():
        save(family, student)
    settings: dict[str, Any] = {
        "snapshot": str(taken.path),
        "student": str(student),
        "lr": 1e-2,
        "batch": 4,
        "micro_batch": 2,
        "steps": 4,
        "eval_every": 2,
        "precision": "fp32",
        "max_tokens": 3,
        "lora": Lora(r=2, alpha=4),
        **changes,
    }
    target = folder / name
    target.mkdir()
    write_job(Job(**settings), target)
    return target


@contextmanager
def cut_off_at(step: int) -> Iterator[None]:
    """While this holds, a run of this process breaks off before a step."""
    take = TrainingRun.step

    def cut_off(self: TrainingRun, at: int) -> Any:
        if at == step:
            raise RuntimeError("killed here")
        return take(self, at)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrainingRun, "step", cut_off)
        yield


def run_in_two_processes(folder: Path) -> None:
    """Run a job as two processes that meet, as a launcher would start them; both must succeed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "workbench.train.run", str(folder / "job.toml")],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        texts = [process.communicate(timeout=240)[0] for process in ranks]
    finally:
        for process in ranks:
            process.kill()
    assert [process.returncode for process in ranks] == [0, 0], texts
