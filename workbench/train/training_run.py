"""A training run's state and what one step of it does; `run` decides when what is done."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from accelerate.utils import gather_object

from workbench.cut_text import UnendedText
from workbench.errors import EngineError
from workbench.recipes.teaching import FollowsStudent, HasStages
from workbench.recipes.workshop import LearnsFromLessons
from workbench.records import JSON, Lesson
from workbench.snapshot import Example, Pair, Snapshot
from workbench.snapshot.example import SPLITS
from workbench.train import checkpoint
from workbench.train.batch import Batch
from workbench.train.classroom import (
    add_figures,
    begin_lessons,
    check_pictures,
    figure_names,
    student_of_run,
)
from workbench.train.devices import accelerator_of, peak_mb, sum_over_processes
from workbench.train.examples import Adapter, Order
from workbench.train.feeding import Feed, MicroBatch, worker_count
from workbench.train.held_out import SHOWN, AnswerLoss, Examiner, held_out
from workbench.train.job import Job
from workbench.train.load import load_student, plain_weights
from workbench.train.loss import LossShare
from workbench.train.optimizer import ScheduledAdamW
from workbench.train.plan import plan_of
from workbench.train.reward import Rollouts
from workbench.train.schedule import RateSchedule, evaluation_plan, total_steps
from workbench.train.sources import sources
from workbench.train.status_files import (
    LEFT_OUT,
    METRICS,
    VALIDATION,
    Board,
)
from workbench.train.workshop import workshop_of

STOP = "stop"
"""File in a job's folder that ends its run after the step at hand."""


def order_of(
    job: Job,
    adapter: Adapter,
    examples: Sequence[Example | Pair],
    lessons: Sequence[Sequence[Lesson]],
) -> Order:
    """Which examples each step of a job takes.

    Args:
        job: whose batch and seed count.
        adapter: the student's processor.
        examples: to train on.
        lessons: of each example.
    """
    lengths = tuple(
        adapter.longest(own) + sum(adapter.picture_length(*size) for size in example.sizes)
        for example, own in zip(examples, lessons, strict=True)
    )
    pictures = tuple(example.pictures for example in examples) if adapter.shares_pictures else ()
    batch = min(job.batch, len(examples))
    return Order(lengths, batch, job.seed, pictures, job.micro_batch)


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
        self.sources = sources(job)  # before they are loaded: what is edited later is not in it
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
        if isinstance(self.plan.transform, LearnsFromLessons):  # a wrong setting ends the run here
            self.plan.transform.enter(workshop_of(self.plan, job, folder, self.snapshot, self.loss))
        self.loss.tasks = {
            example.pictures: example.task_id for example in self.snapshot.examples()
        }
        self.order = order_of(job, student.adapter, self.examples, self.lessons)
        workers = worker_count(job, student.adapter)
        self.feed = Feed(self.loss, self._micro_batches, self.total, workers)
        if not (job.sharded or job.method == "qlora"):  # copies of weights are where these are
            model = model.to(self.accelerator.device)
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
            (self.examples[at].pictures, lesson)
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
            if self.loss.takes(example.pictures, self.plan.lessons(example)[0])
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
        state = checkpoint.restore(path, self.model, self.optimizer)
        if isinstance(self.plan.teacher, FollowsStudent):
            self.plan.teacher.recall(path)
        self.best, self.waited = state["best"], state["waited"]
        return int(state["step"])

    def step(self, step: int) -> dict[str, JSON]:
        """One optimizer step, counted from 0; returns its figures, summed over all processes."""
        began, spent = time.perf_counter(), time.process_time()
        if isinstance(self.plan.objective, HasStages):
            self.plan.objective.begin(step, self.total)
        torch.manual_seed(hash((self.job.seed, step, self.accelerator.process_index)) % 2**63)
        sums = self._backward(step)
        norm = self._clip(self.job.clip or math.inf)
        rate = self.optimizer.step(step)
        if isinstance(self.plan.teacher, FollowsStudent):
            student = student_of_run(self.accelerator.unwrap_model(self.model))
            self.plan.teacher.follow(plain_weights(student), step, self.total)
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
            "norm": norm,
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

    def _clip(self, longest: float) -> float:
        """Shorten the gradient to at most this length; returns its length before."""
        if self.optimizer.masters:
            return self.optimizer.clip(longest)
        return float(self.accelerator.clip_grad_norm_(self.model.parameters(), longest))

    def _backward(self, step: int) -> torch.Tensor:
        """Compute the gradients of a step, a micro-batch at a time.

        Returns:
            This process's share of the loss and its number of tokens, then the sum of the losses
            and the number of the lessons of each name.
        """
        ranks, count = self.accelerator.num_processes, len(self._shares(step))
        examples = len(self.order[step])
        sums = torch.zeros(2 + 2 * len(self.names), dtype=torch.float64)
        losses: list[tuple[LossShare, int]] = []
        for number, (micro, ready) in enumerate(self._batches(step, sums)):
            rows, spare = micro.rows, micro.fillers
            last = number == count - 1
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                loss = self.loss(self.model, rows, examples, spare, True, ready)
                # Gradients are averaged over processes, so each share counts as often.
                self.accelerator.backward(loss.share * ranks)
            if ranks == 1:  # several processes add theirs up in the parameters themselves
                self.optimizer.gather()
            losses.append((replace(loss, share=loss.share.detach()), len(rows) - spare))
        for loss, own in losses:  # a look at a number waits for the device
            sums[0] += float(loss.share)
            sums[1] += loss.tokens
            add_figures(sums, self.names, loss, own)
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
            "cut": sum(isinstance(row.answer, UnendedText) for row in scored),
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
        weights, state = checkpoint.gather(self.model, self.optimizer)
        if self.board:
            figures = {
                "step": step,
                "best": self.best,
                "waited": self.waited,
                "sources": self.sources,
            }
            teacher = self.plan.teacher
            beside = teacher.keep if isinstance(teacher, FollowsStudent) else None
            checkpoint.save(self.folder, self.job, weights, state, figures, beside)
            checkpoint.prune(self.folder, int(self.best.get("step", step)))
        self.accelerator.wait_for_everyone()

    def note_left_out(self) -> list[dict[str, JSON]]:
        """Write which examples the student cannot be taught, and why; returns them all."""
        rows: list[dict[str, JSON]] = [
            {"task_id": example.task_id, "image": example.image, "split": split, "reason": reason}
            for split in SPLITS
            for example in self.snapshot.examples(split)
            if (reason := self.loss.refused.get(example.pictures))
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
