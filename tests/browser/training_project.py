"""A project with an accepted set and its snapshot, a tiny student, and jobs whose folders a run's
own board wrote.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import page_project
import psutil

from workbench.pipeline.snapshotting import SnapshotWish, take
from workbench.records import JSON, Decision, content_key
from workbench.snapshot import Snapshot
from workbench.store import Project
from workbench.train.failure import explain
from workbench.train.job import Job, Lora, read_job
from workbench.train.jobs import Jobs
from workbench.train.status_files import METRICS, RESULT, STATUS, VALIDATION, Board, write_json

sys.path.append(
    str(Path(__file__).resolve().parent.parent / "train")
)  # the tiny models of the training room's tests


def build(folder: Path, scenes: int = 8) -> Path:
    """A project whose kept traces a person accepted; no snapshot yet."""
    page_project.build(folder, scenes=scenes)
    with Project.open(folder) as project:
        kept = [one for one in project.outcomes() if one.chosen]
        project.curation.decide(
            [
                Decision(
                    content_key("accept", at),
                    "accept",
                    "ann",
                    "curator",
                    task_id=one.task_id,
                    trace_id=one.chosen,
                    seconds=3.0,
                )
                for at, one in enumerate(kept)
            ]
        )
    return folder


def snapshot(folder: Path, name: str = "first", **wanted: Any) -> Snapshot:
    """Freeze what was accepted."""
    with Project.open(folder) as project:
        return take(project, SnapshotWish(**{"val": 0.3, **wanted}), name)


def student(folder: Path) -> Path:
    """A checkpoint of the bundled student's kind with random weights, a few hundred kilobytes."""
    from tiny_vlms import save

    return save("region", folder)


def job(taken: Snapshot, student: str = "bundled", **changes: Any) -> Job:
    """A small job on a snapshot."""
    settings: dict[str, Any] = {
        "snapshot": str(taken.path),
        "student": student,
        "steps": 20,
        "eval_every": 10,
        "batch": 4,
        "micro_batch": 2,
        "max_tokens": 3,
        "lr": 1e-3,
        "lora": Lora(r=2, alpha=4),
        **changes,
    }
    return Job(**settings)


class Written:
    """A job's folder, written as a run writes it; no process runs."""

    def __init__(self, project: Path, job: Job) -> None:
        self.jobs = Jobs(project / "jobs", start=False)
        self.id = self.jobs.submit(job)
        self.folder = self.jobs.show(self.id).folder
        self.board = Board(self.folder)

    def running(self, step: int = 3, silent: float = 0.0) -> Written:
        """As if this process ran it."""
        me = psutil.Process()
        write_json(
            self.folder / "process.json",
            {"pid": me.pid, "born": me.create_time(), "host": os.uname().nodename},
        )
        self.board.say(phase="training", step=step, total=self.job.steps, eta=12.0)
        if silent:
            held: Mapping[str, JSON] = {"state": "running", "step": step, "total": self.job.steps}
            write_json(self.folder / STATUS, {**held, "at": time.time() - silent})
        (self.folder / "queue.json").unlink(missing_ok=True)
        return self

    @property
    def job(self) -> Job:
        return read_job(self.folder / "job.toml")

    def steps(self, first: int, last: int) -> None:
        """Figures of some steps."""
        self.board.add(
            METRICS,
            [
                {
                    "step": step,
                    "epoch": step / 5,
                    "loss": 3 - step / last / 2 + step % 3 / 9,
                    "label": 1.0 + step % 2,
                    "rationale": 2 - step / last,
                    "lr": 1e-3,
                    "norm": 1.5,
                    "examples": 4 * step,
                    "seconds": 0.5,
                    "tokens_per_s": 900.0,
                    "memory_mb": 120.0,
                }
                for step in range(first, last + 1)
            ],
        )

    def evaluated(self, step: int, right: int, of: int = 4, answers: tuple[str, ...] = ()) -> None:
        """An evaluation, with answers to as many held-out questions, the first `right` of them
        right.
        """
        self.board.add(
            METRICS,
            [
                {
                    "step": step,
                    "accuracy": right / of,
                    "right": right,
                    "of": of,
                    "eval_loss": 2.5,
                    "eval_seconds": 1.0,
                }
            ],
        )
        asked = Snapshot.open(Path(self.job.snapshot)).examples()
        self.board.add(
            VALIDATION,
            [
                {
                    "step": step,
                    "task_id": one.task_id,
                    "image": one.image,
                    "question": one.question,
                    "gold": one.answer,
                    "answer": said,
                    "right": float(at < right),
                }
                for at, (one, said) in enumerate(zip(asked, answers, strict=False))
            ],
        )

    def failed(self, text: str) -> Written:
        """As a run that ended with this error."""
        self.running()
        (self.folder / "process.json").unlink()
        (self.folder / "log.txt").write_text(f"loading\n{text}\n", encoding="utf-8")
        self.board.say(state="failed", eta=None, failure=asdict(explain(text, asdict(self.job))))
        return self

    def done(self, right: int = 3, of: int = 4) -> Written:
        """As a run that ended well; its model is a folder with a card alone."""
        self.running(self.job.steps)
        (self.folder / "process.json").unlink()
        (self.folder / "model").mkdir()
        card = "---\ntags: [x]\n---\n\n# A card\n\nMade from `tiny`, with a <b>mark</b>.\n\n## Limits\n\nMany.\n"
        (self.folder / "model" / "README.md").write_text(card, encoding="utf-8")
        self.board.say(state="done", phase="", eta=None)
        found = {
            "model": "model",
            "step": 10,
            "steps": 20,
            "accuracy": right / of,
            "right": right,
            "of": of,
        }
        more = {
            "interval": [0.3, 0.95],
            "first": 0.25,
            "seconds": 30.0,
            "memory_mb": 500.0,
            "rows": 9,
        }
        write_json(self.folder / RESULT, {**found, **more})
        return self
