"""One run of one job: `python -m workbench.train.run job.toml`.

It runs alone, or in several processes under `accelerate launch` or `torchrun`.  Started again it
goes on from its newest checkpoint; started once more after its end it does nothing.  The job's
folder holds all that it writes (see `status_files`, `checkpoint`).  A file `stop` in it, Ctrl-C or
SIGTERM ends the run after the step at hand, with a checkpoint.
"""

from __future__ import annotations

import argparse
import math
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from accelerate.utils import gather_object

from workbench.environment import environment
from workbench.errors import EngineError, InputError, WorkbenchError
from workbench.local_files import real_path
from workbench.records import JSON, Lesson
from workbench.shares import wilson
from workbench.snapshot import Example, Snapshot
from workbench.snapshot.example import SPLITS
from workbench.train import checkpoint
from workbench.train.batch import Batch
from workbench.train.classroom import (
    add_figures,
    begin_lessons,
    check_pictures,
    figure_names,
    finish_student,
    layer_weights,
    leave_layers,
    student_of_run,
    student_weights,
)
from workbench.train.devices import accelerator_of, peak_mb, run_processes, sum_over_processes
from workbench.train.examples import Adapter, Order
from workbench.train.failure import explain
from workbench.train.feeding import Feed, MicroBatch, worker_count
from workbench.train.held_out import SHOWN, AnswerLoss, Examiner, held_out
from workbench.train.job import FILE, Job, read_job
from workbench.train.load import load_student
from workbench.train.model_card import card
from workbench.train.notices import notices
from workbench.train.optimizer import ScheduledAdamW
from workbench.train.plan import plan_of
from workbench.train.reward import Rollouts
from workbench.train.schedule import Clock, RateSchedule, evaluation_plan, total_steps
from workbench.train.status_files import (
    LEFT_OUT,
    METRICS,
    RESULT,
    VALIDATION,
    Board,
    read_json,
    read_lines,
    write_json,
)
from workbench.train.trackers import open_trackers

MODEL = "model"
STOP = "stop"


class TrainingRun:
    """A job's state while it runs: plain attributes, one object in each process.

    Args:
        job: what to do.
        folder: the job's folder.
        board: where the first process writes its status and its figures; None in the others.
    """

    def __init__(self, job: Job, folder: Path, board: Board | None) -> None:
        self.job, self.folder, self.board = job, folder, board
        self.snapshot = Snapshot.open(folder / job.snapshot)
        self.plan = plan_of(job)
        self.examples = self.plan.rows(self.snapshot)
        check_pictures(self.snapshot, self.examples)
        self.lessons = [self.plan.lessons(example) for example in self.examples]
        names = sorted({lesson.name for lessons in self.lessons for lesson in lessons})
        self.names = figure_names(self.plan.objective, names)
        self.total = total_steps(job, len(self.examples))
        self.accelerator = accelerator_of(job)
        self.eval_every, self.max_val = evaluation_plan(
            job, self.total, self.accelerator.device.type
        )
        student = load_student(job, self.accelerator.device)
        self.base = student.base
        self.loss, model = begin_lessons(
            self.plan, job, folder, self.snapshot, student, self.accelerator.device
        )
        self.loss.skips_broken = job.skip_broken
        self.loss.tasks = {example.image: example.task_id for example in self.snapshot.examples()}
        self.order = self._order(student.adapter)
        workers = worker_count(job, student.adapter)
        self.feed = Feed(self.loss, self._micro_batches, self.total, workers)
        schedule = RateSchedule.of(job, self.total)
        groups = [(model.parameters(), job.lr)]
        self.optimizer = ScheduledAdamW(groups, schedule, job.betas, job.weight_decay)
        self.model, wrapped = self.accelerator.prepare(model, self.optimizer.adam)
        self.optimizer.adam = wrapped.optimizer
        self.rollouts = self._rollouts()
        self.examiner = self._examiner()
        self.best: dict[str, JSON] = {}
        """Figures of the best evaluation so far."""
        self.waited = 0
        """Evaluations since the best one."""
        self._noted = 0
        """Examples that were noted as left out."""
        self._stopping = False
        """Whether this process got a signal to stop."""
        self.model.train()

    def _order(self, adapter: Adapter) -> Order:
        """Which examples each step takes."""
        lengths = tuple(
            adapter.longest(lessons) + adapter.picture_length(example.width, example.height)
            for example, lessons in zip(self.examples, self.lessons, strict=True)
        )
        pictures = (
            tuple(example.image for example in self.examples) if adapter.shares_pictures else ()
        )
        batch = min(self.job.batch, len(self.examples))
        return Order(lengths, batch, self.job.seed, pictures, self.job.micro_batch)

    def _rollouts(self) -> Rollouts | None:
        """What asks the student in each step, where it is trained by reward."""
        if self.plan.policy is None:
            return None
        self.names += ["reward", "hints"]
        student = student_of_run(self.accelerator.unwrap_model(self.model))
        return Rollouts(
            student, self.loss, self.plan.policy, self.plan.lessons, self.job.max_tokens
        )

    def _shares(self, step: int) -> list[tuple[Sequence[int], int]]:
        """Positions of the examples of each micro-batch here, and how many of them are filling."""
        ranks, rank = self.accelerator.num_processes, self.accelerator.process_index
        return list(self.order.share(step, rank, ranks, self.job.micro_batch))

    def _micro_batches(self, step: int) -> list[MicroBatch]:
        """The micro-batches of this process in a step, of lessons that stand still."""
        return [
            self._micro_batch(positions, fillers, [self.lessons[at] for at in positions])
            for positions, fillers in self._shares(step)
        ]

    def _micro_batch(
        self, positions: Sequence[int], fillers: int, lessons: Sequence[Sequence[Lesson]]
    ) -> MicroBatch:
        rows = [
            (self.examples[at].image, lesson)
            for at, own in zip(positions, lessons, strict=True)
            for lesson in own
        ]
        return MicroBatch(rows, sum(len(own) for own in lessons[len(positions) - fillers :]))

    def _batches(self, step: int, sums: torch.Tensor) -> Iterator[tuple[MicroBatch, Batch | None]]:
        """The micro-batches of a step, in tokens where somebody has encoded them before."""
        if self.rollouts is None:
            yield from zip(self._micro_batches(step), self.feed.step(step), strict=True)
            return
        for positions, fillers in self._shares(step):
            lessons = self._own_answers(self.rollouts, positions, sums)
            yield self._micro_batch(positions, fillers, lessons), None

    def _examiner(self) -> Examiner | None:
        # every process leaves out the same ones, since they ask together
        questions = [
            example
            for example in held_out(self.snapshot, self.max_val)
            if self.loss.takes(example.image, self.plan.lessons(example)[0])
        ]
        if not questions:
            return None
        return Examiner(
            student_of_run(self.accelerator.unwrap_model(self.model)),
            self.loss,
            self.plan.lessons,
            questions,
            self.job.max_tokens,
            max(self.job.micro_batch, 8),
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )

    def resume(self) -> int:
        """Go on from the newest checkpoint; returns the steps done."""
        path = checkpoint.newest(self.folder, self.job)
        if path is None:
            return 0
        state = checkpoint.restore(path, self.model, self.optimizer.adam)
        self.best, self.waited = state["best"], state["waited"]
        return int(state["step"])

    def step(self, step: int) -> dict[str, JSON]:
        """One optimizer step, counted from 0; returns its figures, summed over all processes."""
        began, spent = time.perf_counter(), time.process_time()
        torch.manual_seed(hash((self.job.seed, step, self.accelerator.process_index)) % 2**63)
        sums = self._backward(step)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.job.clip or math.inf)
        rate = self.optimizer.step(step)
        loss, tokens, *by_name = sum_over_processes(self.accelerator, sums).tolist()
        seconds = time.perf_counter() - began
        spent = time.process_time() - spent
        if not math.isfinite(loss):
            raise EngineError(
                f"the loss is not a number at step {step + 1}: the run diverged; lower the "
                "learning rate"
            )
        figures: dict[str, JSON] = {
            "step": step + 1,
            "epoch": round((step + 1) / self.order.steps, 4),
            "loss": loss,
            "lr": rate,
            "norm": float(norm),
            "examples": self._examples_until(step),
            "seconds": round(seconds, 4),
            "processor_s": round(spent, 4),
            "tokens_per_s": round(tokens / seconds, 1),
            "memory_mb": peak_mb(),
        }
        for name, total, count in zip(self.names, by_name[::2], by_name[1::2], strict=True):
            if count:
                figures[name] = total / count
        return figures

    def _backward(self, step: int) -> torch.Tensor:
        """Compute the gradients of a step, a micro-batch at a time.

        Returns:
            This process's share of the loss and its number of tokens, then the sum of the losses
            and the number of the lessons of each name.
        """
        ranks, count = self.accelerator.num_processes, len(self._shares(step))
        examples = len(self.order[step])
        sums = torch.zeros(2 + 2 * len(self.names), dtype=torch.float64)
        for number, (micro, ready) in enumerate(self._batches(step, sums)):
            rows, spare = micro.rows, micro.fillers
            last = number == count - 1
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                loss = self.loss(self.model, rows, examples, spare, True, ready)
                # Gradients are averaged over processes, so each share counts as often.
                self.accelerator.backward(loss.share * ranks)
            sums[0] += float(loss.share.detach())
            sums[1] += loss.tokens
            add_figures(sums, self.names, loss, len(rows) - spare)
        return sums

    def _own_answers(
        self, rollouts: Rollouts, positions: Sequence[int], sums: torch.Tensor
    ) -> list[Sequence[Lesson]]:
        """The student's own answers to some examples, as lessons."""
        examples = cast(list[Example], [self.examples[at] for at in positions])  # see `plan_of`
        groups = rollouts(examples)
        for name, values in (("reward", rollouts.rewards), ("hints", rollouts.hints)):
            at = 2 + 2 * self.names.index(name)
            sums[at] += sum(values)
            sums[at + 1] += len(values)
        return groups

    def _examples_until(self, step: int) -> int:
        """Examples taken by all steps up to this one; the last step of an epoch may take fewer."""
        epochs, within = divmod(step, self.order.steps)
        steps = range(step - within, step + 1)
        return epochs * len(self.examples) + sum(len(self.order[at]) for at in steps)

    def evaluate(self, step: int) -> None:
        """Ask the held-out questions and note the figures, and which evaluation was the best."""
        if not self.examiner:
            return
        began = time.perf_counter()
        answers: dict[int, AnswerLoss] = {}
        for part in gather_object([self.examiner.ask(self.model)]):
            answers |= part
        scored = self.examiner.judge(answers)
        right, of = sum(row.right for row in scored), len(scored)
        loss = sum(row.loss for row in scored) / of
        figures = {
            "step": step,
            "accuracy": right / of,
            "right": right,
            "of": of,
            "eval_loss": loss,
        }
        if step:  # the student as it came is not a candidate
            better = not self.best or (right, -loss) > (self.best["right"], -self.best["eval_loss"])
            self.waited = 0 if better else self.waited + 1
            self.best = figures if better else self.best
        if self.board:
            seconds = round(time.perf_counter() - began, 2)
            self.board.add(METRICS, [{**figures, "eval_seconds": seconds}])
            self.board.add(VALIDATION, [row.line(step) for row in scored[:SHOWN]])

    def save(self, step: int) -> None:
        """Write a checkpoint; the best one and the newest one are kept."""
        weights, state = checkpoint.gather(self.model, self.optimizer.adam)
        if self.board:
            figures = {"step": step, "best": self.best, "waited": self.waited}
            checkpoint.save(self.folder, self.job, weights, state, figures)
            checkpoint.prune(self.folder, int(self.best.get("step", step)))
        self.accelerator.wait_for_everyone()

    def note_left_out(self) -> list[dict[str, JSON]]:
        """Write which examples the student cannot be taught, and why; returns them all."""
        rows: list[dict[str, JSON]] = [
            {"task_id": example.task_id, "image": example.image, "split": split, "reason": reason}
            for split in SPLITS
            for example in self.snapshot.examples(split)
            if (reason := self.loss.refused.get(example.image))
        ]
        if self.board and len(rows) != self._noted:
            for row in rows[self._noted :]:
                print(f"left out {row['task_id']}: {row['reason']}", flush=True)
            self.board.write(LEFT_OUT, rows)
            self.board.say(left_out=len(rows))
            self._noted = len(rows)
        return rows

    def enough(self) -> bool:
        """Whether the last `patience` evaluations were no better than the best one."""
        return 0 < self.job.patience <= self.waited

    def wants_stop(self) -> bool:
        """Whether any process has to stop; all processes get the same answer."""
        mine = float(self._stopping or (self.folder / STOP).exists())
        return bool(sum_over_processes(self.accelerator, torch.tensor([mine]))[0])

    def on_signal(self, *_: object) -> None:
        """Stop after the step at hand."""
        self._stopping = True


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
    model = finish_student(run.plan, run.job, student_weights(weights), run.folder / MODEL)
    held_out_side = run.examiner.examples if run.examiner else ()
    leave_layers(run.plan, run.loss, layer_weights(weights), model, held_out_side)
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
