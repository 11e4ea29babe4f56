"""Trainers on the same rows: ours, transformers' Trainer and TRL's SFTTrainer, a step at a time.

Each begins with the same weights and the same first adapters, sees the same lessons in the same
step, and is measured after some steps that warm it up.  Losses are compared by one measure: the
mean loss of some lessons, each over its own target tokens, before the first step and after the last
one.  An equal loss before says that the models are the same; TRL at its best averages over the
target tokens of a step, so that its loss after may differ.

Operations are those of one step as torch's FlopCounterMode counts them (multiply and add are two);
a kernel that is written by hand is not seen by it.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForImageTextToText, Trainer, TrainerCallback, TrainingArguments

from workbench.bench.train_models import register
from workbench.errors import InputError
from workbench.models.language import preferred_device, quiet
from workbench.records import JSON, Lesson
from workbench.snapshot import Snapshot
from workbench.snapshot.exports.vpd_loss import VpdLoss
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.job import Job, Lora, write_job
from workbench.train.load import adapter_of, linear_layers, with_adapters
from workbench.train.loss import lesson_losses, weighted_loss
from workbench.train.plan import plan_of
from workbench.train.training_run import TrainingRun, order_of

PROBE = 4
"""Examples whose loss is compared."""


@dataclass(frozen=True, slots=True)
class Course:
    """What every contender is taught, and for how long."""

    snapshot: Snapshot
    student: str
    """Folder of the checkpoint, or the name of one that ships."""
    folder: Path
    """Where contenders write."""
    batch: int
    """Examples of a step, all at once."""
    warm: int
    """Steps that are not measured, at least two."""
    timed: int
    """Steps that are, at most."""
    seconds: float = 60.0
    """After so many, no further step begins."""
    workers: int = 0
    """Processes that encode pictures, for those that have some."""
    lora: Lora = field(default_factory=Lora)

    def job(self, **changes: Any) -> Job:
        """The job of our own trainer.

        Args:
            changes: settings besides those of the course.
        """
        settings: dict[str, Any] = {
            "snapshot": str(self.snapshot.path),
            "student": self.student,
            "lora": self.lora,
            "batch": self.batch,
            "micro_batch": self.batch,
            "steps": self.warm + self.timed,
            "eval_every": self.warm + self.timed,
            "max_val": 1,
            "lr": 1e-3,
            "schedule": "constant",
            **changes,
        }
        return Job(**settings)


@dataclass(slots=True)
class Stopwatch:
    """When steps end."""

    warm: int
    most: float
    """Seconds after which no step begins."""
    began: float = 0.0
    ends: list[float] | None = None

    def start(self) -> None:
        """The first step begins."""
        self.began, self.ends = time.perf_counter(), []

    def tick(self) -> bool:
        """A step has ended; returns whether another one may begin."""
        assert self.ends is not None, "a watch that was not started"
        settle()
        self.ends.append(time.perf_counter())
        return len(self.ends) <= self.warm or self.ends[-1] - self.began < self.most

    @property
    def steps(self) -> int:
        """Number of measured steps."""
        return max(len(self.ends or ()) - self.warm, 0)

    @property
    def seconds(self) -> float:
        """Of the measured steps."""
        ends = self.ends or []
        return ends[-1] - ends[self.warm - 1] if self.steps else 0.0


def settle() -> None:
    """Wait until the device has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def clear() -> None:
    """Give memory back, and begin to count its peak anew."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_gib() -> float | None:
    """Highest use of the GPU's memory since `clear`; None on a processor."""
    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None


class Lessons:
    """The lessons of a course in the order in which our own trainer takes them.

    Args:
        course: what is taught.
    """

    def __init__(self, course: Course) -> None:
        job = course.job()
        plan = plan_of(job)
        examples = plan.rows(course.snapshot)
        for one in examples:
            if one.more_images:
                raise InputError(
                    f"a measurement of training takes one picture; question '{one.task_id:.80}' "
                    f"has {len(one.images)}"
                )
        lessons = [plan.lessons(example) for example in examples]
        _, self.adapter = adapter_of(job)
        self.images = course.snapshot.images
        order = order_of(job, self.adapter, examples, lessons)
        rows = [[(one.image, own) for own in lessons[at]] for at, one in enumerate(examples)]
        self.steps: list[list[tuple[str, Lesson]]] = [
            [row for at in order[step] for row in rows[at]] for step in range(job.steps)
        ]
        self.examples = len(order[0])
        """Of the first step."""
        probe = [row for own in rows[:PROBE] for row in own]
        self.probe = self.adapter.encode([(self.images.open(image), one) for image, one in probe])

    def counts(self, first: int, last: int) -> tuple[int, int]:
        """Lessons and target tokens of some steps."""
        rows = [lesson for step in self.steps[first:last] for _, lesson in step]
        targets = [self.adapter.length(lesson.target) + len(self.adapter.end) for lesson in rows]
        return len(rows), sum(targets)

    @torch.no_grad()
    def loss(self, model: Any, device: torch.device) -> float:
        """The mean loss of the lessons by which contenders are compared.

        Args:
            model: the student.
            device: where it is.
        """
        trains = model.training
        batch = self.probe.to(device)
        model.eval()
        share = weighted_loss(lesson_losses(model, batch), batch, float(batch.weights.sum()))
        model.train(trains)
        return float(share)


def _figures(
    watch: Stopwatch, lessons: Lessons, losses: Sequence[float], flops: float
) -> dict[str, JSON]:
    rows, targets = lessons.counts(watch.warm, watch.warm + watch.steps)
    seconds = watch.seconds
    return {
        "lessons_per_s": rows / seconds,
        "target_tokens_per_s": targets / seconds,
        "step_s": seconds / watch.steps,
        "steps": watch.steps,
        "loss_before": losses[0],
        "loss_after": losses[1],
        "operations_of_a_step": flops,
        "operations_per_s": flops * watch.steps / seconds,
        "peak_gib": peak_gib(),
    }


@contextmanager
def _own_run(course: Course, name: str, changes: Mapping[str, Any]) -> Iterator[TrainingRun]:
    """A run of our own trainer, ready for its first step."""
    register()
    clear()
    folder = course.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    job = course.job(**changes)
    write_job(job, folder)
    run = TrainingRun(job, folder, None)
    try:
        yield run
    finally:
        run.feed.close()
        shutil.rmtree(folder, ignore_errors=True)


def measure_ours(course: Course, **changes: Any) -> dict[str, JSON]:
    """Our own trainer.

    Args:
        course: what is taught.
        changes: settings of its job besides the course's.
    """
    with _own_run(course, "ours", changes) as run:
        lessons = Lessons(course)
        device = run.accelerator.device
        watch = Stopwatch(course.warm, course.seconds)
        before, flops = lessons.loss(run.model, device), 0.0
        watch.start()
        for step in range(run.total):
            if step == course.warm - 1:  # counting takes time of its own
                with FlopCounterMode(display=False) as counter:
                    run.step(step)
                flops = float(counter.get_total_flops())
            else:
                run.step(step)
            if not watch.tick():
                break
        losses = (before, lessons.loss(run.model, device))
        return _figures(watch, lessons, losses, flops)


class _StepClock(TrainerCallback):  # type: ignore[misc, unused-ignore]
    """Measures the steps of a Trainer."""

    def __init__(self, watch: Stopwatch) -> None:
        self.watch, self.flops, self._steps = watch, 0.0, 0
        self._counter: Any = None

    def on_step_begin(self, *event: Any, **_: Any) -> None:
        if self.watch.ends is None:
            self.watch.start()
        if self._steps == self.watch.warm - 1:
            self._counter = FlopCounterMode(display=False)
            self._counter.__enter__()

    def on_step_end(self, *event: Any, **_: Any) -> None:
        if self._counter is not None:
            self._counter.__exit__(None, None, None)
            self.flops, self._counter = float(self._counter.get_total_flops()), None
        self._steps += 1
        if not self.watch.tick():
            _, _, control = event
            control.should_training_stop = True


def _recompute(kind: Any) -> str:
    """The setting that computes activations again; transformers gave it another name."""
    new = "activation_checkpointing"
    return new if new in kind.__dataclass_fields__ else "gradient_checkpointing"


def _arguments(course: Course, lessons: Lessons, kind: Any, **more: Any) -> Any:
    """The arguments of a Trainer at its best settings."""
    cuda = torch.cuda.is_available()
    job = course.job()
    return kind(
        output_dir=str(course.folder / "peer"),
        per_device_train_batch_size=len(lessons.steps[0]),
        max_steps=len(lessons.steps),
        learning_rate=job.lr,
        lr_scheduler_type="constant",
        adam_beta1=job.betas[0],
        adam_beta2=job.betas[1],
        weight_decay=job.weight_decay,
        max_grad_norm=job.clip,
        optim="adamw_torch_fused" if cuda else "adamw_torch",
        bf16=cuda,
        use_cpu=not cuda,
        **{_recompute(kind): False},
        dataloader_num_workers=course.workers,
        dataloader_pin_memory=cuda,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        logging_strategy="no",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        **more,
    )


def _loaded(course: Course) -> Any:
    """The student without adapters, as a Trainer gets it."""
    device = preferred_device()
    path, _ = adapter_of(course.job())
    # without a GPU our own trainer is measured in float32, and so are the others
    kind = torch.bfloat16 if device.type == "cuda" else torch.float32
    with quiet():
        return AutoModelForImageTextToText.from_pretrained(path, dtype=kind).to(device)


def _measured(
    trainer: Any, watcher: _StepClock, lessons: Lessons, student: Callable[[], Any]
) -> dict[str, JSON]:
    device = preferred_device()
    trainer.add_callback(watcher)
    before = lessons.loss(student(), device)
    trainer.train()
    losses = (before, lessons.loss(student(), device))
    return _figures(watcher.watch, lessons, losses, watcher.flops)


class _Collator:
    """Lessons in tokens by our own adapter, in the workers of a DataLoader."""

    def __init__(self, adapter: Adapter, files: Mapping[str, Path]) -> None:
        self._adapter, self._files = adapter, files

    def __call__(self, rows: Sequence[tuple[str, Lesson]]) -> dict[str, torch.Tensor]:
        pictures = [(Image.open(self._files[image]).convert("RGB"), one) for image, one in rows]
        batch: Batch = self._adapter.encode(pictures)
        return {**batch.inputs, "labels": batch.targets}


def measure_transformers(course: Course) -> dict[str, JSON]:
    """transformers' Trainer with the method's loss.

    Its batches are made by our own adapter in its workers.

    Args:
        course: what is taught.
    """
    register()
    clear()
    lessons = Lessons(course)
    rows = [row for step in lessons.steps for row in step]
    files = {image: lessons.images.path(image) for image, _ in rows}
    assert all(files.values()), "a picture of the snapshot is gone"
    model = with_adapters(_loaded(course), course.lora, course.job().seed)
    arguments = _arguments(course, lessons, TrainingArguments)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=_Collator(lessons.adapter, {k: v for k, v in files.items() if v}),
        compute_loss_func=VpdLoss(arguments, lessons.examples / len(lessons.steps[0])),
    )
    watcher = _StepClock(Stopwatch(course.warm, course.seconds))
    return _measured(trainer, watcher, lessons, lambda: model)


def measure_trl(course: Course) -> dict[str, JSON]:
    """TRL's SFTTrainer at its best settings: its own collator, and its loss without whole logits.

    Args:
        course: what is taught.

    Raises:
        ModuleNotFoundError: TRL is not installed.
    """
    import datasets
    import peft
    import trl

    register()
    clear()
    lessons = Lessons(course)
    rows = [
        {
            "prompt": [
                {
                    "role": "user",
                    "content": [{"type": "image"}, {"type": "text", "text": lesson.prompt}],
                }
            ],
            "completion": [
                {"role": "assistant", "content": [{"type": "text", "text": lesson.target}]}
            ],
            "images": [str(lessons.images.path(image))],
        }
        for step in lessons.steps
        for image, lesson in step
    ]
    data = datasets.Dataset.from_list(rows)
    data = data.cast_column("images", datasets.List(datasets.Image()))
    model = _loaded(course)
    lora = course.lora
    arguments = _arguments(
        course, lessons, trl.SFTConfig, max_length=None, completion_only_loss=True
    )
    trainer = trl.SFTTrainer(
        model=model,
        args=arguments,
        processing_class=lessons.adapter.processor,
        train_dataset=data,
        peft_config=peft.LoraConfig(
            r=lora.r, lora_alpha=lora.alpha, target_modules=linear_layers(model, lora)
        ),
    )
    watcher = _StepClock(Stopwatch(course.warm, course.seconds))
    return _measured(trainer, watcher, lessons, lambda: trainer.model)
