"""One run of one job: `python -m workbench.train.run job.toml`.

It runs alone, or in several processes under `accelerate launch` or `torchrun`.  Started again it
goes on from its newest checkpoint; started once more after its end it does nothing.  The job's
folder holds all that it writes (see `status_files`, `checkpoint`).  A file `stop` in it, Ctrl-C or
SIGTERM ends the run after the step at hand, with a checkpoint.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.environment import environment
from workbench.errors import InputError, WorkbenchError
from workbench.local_files import real_path
from workbench.recipes.teaching import FollowsStudent
from workbench.records import JSON
from workbench.shares import wilson
from workbench.train import checkpoint
from workbench.train.classroom import (
    finish_student,
    layer_weights,
    leave_layers,
    student_weights,
)
from workbench.train.devices import peak_mb, run_processes
from workbench.train.failure import explain
from workbench.train.job import FILE, Job, read_job
from workbench.train.model_card import card
from workbench.train.notices import notices
from workbench.train.schedule import Clock
from workbench.train.status_files import (
    METRICS,
    RESULT,
    Board,
    read_json,
    read_lines,
    write_json,
)
from workbench.train.trackers import open_trackers
from workbench.train.training_run import STOP, TrainingRun

MODEL = "model"
FUSED = "fused"
"""The folder of a teacher that followed the student, beside the model's."""


def train(job: Job, folder: Path, board: Board | None) -> str:
    """Run a job to its end, or until it has to stop; returns `done` or `stopped`.

    Args:
        job: what to do.
        folder: the job's folder.
        board: in the first process; None in the others.
    """
    run = TrainingRun(job, folder, board)
    for line in notices(run.snapshot, run.plan.curriculum, run.names, run.loss) if board else ():
        print(line, flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, run.on_signal)
    done = run.resume()
    if board:
        board.follow(open_trackers(job, folder))
        board.rewind(done)
        board.say(phase="training", step=done, total=run.total, device=str(run.accelerator.device))
        board.say(sources=dict(run.sources))
    if not done:
        run.evaluate(0)
    run.note_left_out()
    refused = len(run.loss.refused)
    clock = Clock(done, run.total)
    while done < run.total and not run.enough():
        figures = run.step(done)
        done += 1
        if len(run.loss.refused) > refused:
            refused = len(run.loss.refused)
            run.note_left_out()
        if board:
            board.add(METRICS, [figures])
            board.say(phase="training", step=done, eta=clock.left(done), loss=figures["loss"])
        if _end_step(run, done):
            return "stopped"
    if board:
        _offer(run, done, board)
    run.accelerator.wait_for_everyone()
    return "done"


def _end_step(run: TrainingRun, done: int) -> bool:
    """Evaluate and save where a step asks for it; returns whether the run has to stop after it."""
    # Every process has to take the same way: `wants_stop` is a sum over all of them.
    due = done == run.total or done % run.eval_every == 0
    stopping = done < run.total and run.wants_stop()
    if due:
        _phase(run, "evaluating")
        run.evaluate(done)
    if due or stopping:
        _phase(run, "saving")
        run.save(done)
    return stopping


def _phase(run: TrainingRun, phase: str) -> None:
    if run.board:
        run.board.say(phase=phase)


def _offer(run: TrainingRun, steps: int, board: Board) -> None:
    """Write the model of the best checkpoint, its card, and last the result that names it."""
    board.say(phase="writing the model")
    best = int(run.best.get("step", steps))
    names = {path.name: path for path in checkpoint.checkpoints(run.folder)}
    kept = names.get(f"step-{best:06d}", run.folder / checkpoint.FOLDER / f"step-{steps:06d}")
    shutil.rmtree(run.folder / MODEL, ignore_errors=True)  # of a run that was cut off here
    weights = checkpoint.weights_of(kept)
    model = finish_student(
        run.plan, run.job, student_weights(weights), run.folder / MODEL, run.loss.device
    )
    if isinstance(run.plan.teacher, FollowsStudent):
        run.plan.teacher.recall(kept)
        shutil.rmtree(run.folder / FUSED, ignore_errors=True)
        run.plan.teacher.leave(run.folder / FUSED)
    held_out_side = run.examiner.examples if run.examiner else ()
    leave_layers(run.plan, run.job, run.loss, layer_weights(weights), model, held_out_side)
    rows = read_lines(run.folder / METRICS)
    right, of = run.best.get("right", 0.0), run.best.get("of", 0)
    result: dict[str, JSON] = {
        "model": MODEL,
        "step": best,
        "steps": steps,
        "base": run.base,
        "student": run.job.student,
        "snapshot": run.snapshot.hash,
        "objective": asdict(run.plan.ref),
        "rows": len(run.examples),
        "accuracy": run.best.get("accuracy"),
        "right": right,
        "of": of,
        "interval": list(wilson(right, of)),
        "first": next(
            (row["accuracy"] for row in rows if row.get("step") == 0 and "accuracy" in row), None
        ),
        "left_out": run.note_left_out(),
        "seconds": round(sum(row.get("seconds", 0.0) for row in rows), 1),
        "processor_seconds": round(sum(row.get("processor_s", 0.0) for row in rows), 1),
        "device": run.accelerator.device.type,
        "memory_mb": peak_mb(),
        "sources": dict(run.sources),
        "environment": dict(environment()),
    }
    (model / "README.md").write_text(card(run.job, run.snapshot.manifest, result), encoding="utf-8")
    write_json(run.folder / RESULT, result)


def execute(folder: Path) -> int:
    """Run the job in a folder and note how it ended; returns the exit code (0: done or stopped)."""
    if read_json(folder / RESULT):
        print(f"{folder.name} is done: its model is {folder / MODEL}", flush=True)
        return 0
    (folder / STOP).unlink(missing_ok=True)
    with Board(folder) if run_processes().is_main_process else nullcontext() as board:
        job: dict[str, Any] = {}
        try:
            read = read_job(folder / FILE)
            job = asdict(read)
            state = train(read, folder, board)
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            if not isinstance(error, WorkbenchError):
                traceback.print_exc()
            print(text, file=sys.stderr, flush=True)
            if board:
                with suppress(OSError):  # a full disk may be why
                    board.say(
                        state="failed",
                        eta=None,
                        failure=asdict(explain(text, job, f"peak {peak_mb():.0f} MB")),
                    )
            if not isinstance(error, Exception):
                raise
            return 2 if isinstance(error, InputError) else 1
        if board:
            board.say(state=state, phase="", eta=None)
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job that the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workbench.train.run", description=__doc__)
    parser.add_argument("job", type=Path, help="job.toml, or the folder that holds it")
    parser.add_argument(
        "--dry-run", action="store_true", help="the same as: python -m workbench.train.estimate"
    )
    options = parser.parse_args(arguments)
    if options.dry_run:  # `estimate` stands on this module, so it is asked from outside
        command = [sys.executable, "-m", "workbench.train.estimate", str(options.job)]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - our own module
    folder: Path = options.job if options.job.is_dir() else options.job.parent
    return execute(real_path(folder))


if __name__ == "__main__":
    sys.exit(main())
