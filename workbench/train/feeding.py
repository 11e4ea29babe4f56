"""Micro-batches in tokens, ready before the model asks for them.

To decode, resize and cut a picture takes a processor longer than a GPU takes for the whole lesson.
So processes of their own do it, a few micro-batches ahead.  They are forked: what they need is
there, and nothing has to be packed for them.  The order is a function of the step, so that a run
that goes on from a checkpoint loses nothing; a process that dies is replaced, and its micro-batches
are encoded again.  What a worker makes is what the run itself would have made (tested).
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from workbench.errors import EngineError
from workbench.records import Lesson
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.job import Job
from workbench.train.loss import StudentLoss

AHEAD = 2
"""Micro-batches that are made ready for each worker, the one at hand among them."""
REPLACED = 2
"""How often dead workers are replaced in a run before it ends with the reason."""


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """The lessons that a process computes at once."""

    rows: Sequence[tuple[str, Lesson]]
    """The digest of a picture and a lesson about it."""
    fillers: int
    """Number of lessons at the end that weigh nothing."""


Plan = Callable[[int], Sequence[MicroBatch]]
"""The micro-batches of a step, counted from 0; always the same ones for the same step."""
_Encoded = str
"""File of a batch in arrays, and of the pictures that were refused so far, with their reasons.

A worker's pipe carries its name alone: of a batch that is being written when a worker is killed the
other side would wait for the rest for ever.
"""


def worker_count(job: Job, adapter: Adapter) -> int:
    """How many workers a process of a run has.

    Args:
        job: what it says counts; where it says -1, there are none.
        adapter: the embedded students' looks at pictures by a detector, which is no part of a fork
            and keeps what it saw.
    """
    if "fork" not in multiprocessing.get_all_start_methods() or adapter.detects:
        return 0
    # forked workers die on some systems (see LOG.md), so that they are there when asked for alone
    return max(job.workers, 0)


class Feed:
    """Gives the micro-batches of each step in their order.

    Args:
        loss: encodes lessons, and keeps which pictures were refused.
        plan: the micro-batches of a step.
        steps: of the whole run; nothing is encoded beyond them.
        workers: number of processes; without any, each batch is encoded when it is asked for.
    """

    def __init__(self, loss: StudentLoss, plan: Plan, steps: int, workers: int = 0) -> None:
        self._loss, self._plan, self._steps = loss, plan, steps
        self.workers = workers
        self.replaced = 0
        """How often dead workers were replaced."""
        self._pool: ProcessPoolExecutor | None = None
        self._results = TemporaryDirectory(prefix="vpd-feed-")
        """Batches from the workers, for as long as nobody has taken them."""
        self._ahead: deque[tuple[int, int, Future[_Encoded] | None]] = deque()
        """Step and number of micro-batches that are being encoded."""
        self._places: Iterator[tuple[int, int]] = iter(())
        """Step and number of the micro-batches after those."""

    def step(self, step: int) -> Iterator[Batch]:
        """The batches of one step.

        Raises:
            EngineError: workers died again and again.
            WorkbenchError: as encoding raises it.
        """
        for number, micro in enumerate(self._plan(step)):
            if not self.workers:
                yield self._loss.encode(micro.rows, micro.fillers)
            else:
                yield self._fetch(step, number)
        if step + 1 >= self._steps:
            self.close()

    def _fetch(self, step: int, number: int) -> Batch:
        if not self._ahead or self._ahead[0][:2] != (step, number):
            self._begin(step, number)
        while True:
            self._fill()
            future = self._ahead[0][2]
            assert future is not None, "a place without its work"
            try:
                file = Path(future.result())
            except BrokenProcessPool as error:
                self._replace(step, number, error)
                continue
            self._ahead.popleft()
            self._fill()
            arrays, refused = pickle.loads(file.read_bytes())  # noqa: S301 - our worker's own
            file.unlink()
            self._loss.refused.update(refused)
            batch = _of_arrays(arrays)
            return batch.pin_memory() if self._loss.device.type == "cuda" else batch

    def _begin(self, step: int, number: int) -> None:
        """Go on from a micro-batch, whatever was made ready before."""
        for _, _, future in self._ahead:
            if future is not None:
                future.cancel()
        self._ahead.clear()
        self._places = self._from(step, number)

    def _from(self, step: int, number: int) -> Iterator[tuple[int, int]]:
        for at in range(step, max(self._steps, step + 1)):
            for place in range(number if at == step else 0, len(self._plan(at))):
                yield at, place

    def _fill(self) -> None:
        """Keep as many micro-batches under way as the workers need."""
        while len(self._ahead) < AHEAD * self.workers:
            place = next(self._places, None)
            if place is None:
                return
            try:
                future = self._workers().submit(_encode, *place)
            except BrokenProcessPool as error:
                self._replace(*place, error)
                continue
            self._ahead.append((*place, future))

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("fork"),
                initializer=_begin_worker,
                initargs=(self._loss, self._plan, self._results.name),
            )
        return self._pool

    def _replace(self, step: int, number: int, error: BrokenProcessPool) -> None:
        """New workers in place of dead ones, which go on from a micro-batch."""
        self.close()
        self.replaced += 1
        if self.replaced > REPLACED:
            raise EngineError(
                f"processes that encode pictures died {self.replaced} times, last at step "
                f"{step + 1} ({error}): a system short of memory ends them; set workers = "
                f"{self.workers // 2}, or a smaller max_pixels"
            ) from error
        print(
            f"a process that encodes pictures died at step {step + 1} and is replaced", flush=True
        )
        first = self._ahead[0][:2] if self._ahead else (step, number)
        self._begin(*first)

    def close(self) -> None:
        """End the workers, and wait for it: nobody may be forked while a thread of theirs runs."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


_work: tuple[StudentLoss, Plan, str] | None = None
"""In a worker: what it encodes with."""


def _begin_worker(loss: StudentLoss, plan: Plan, folder: str) -> None:
    global _work
    _work = (loss, plan, folder)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one process, one core
    torch.set_num_threads(1)


def _encode(step: int, number: int) -> _Encoded:
    assert _work is not None, "a worker that was not begun"
    loss, plan, folder = _work
    micro = plan(step)[number]
    batch = _arrays(loss.encode(micro.rows, micro.fillers))
    file = Path(folder, f"{os.getpid()}-{step}-{number}")
    file.write_bytes(pickle.dumps((batch, dict(loss.refused))))
    return str(file)


def _arrays(batch: Batch) -> dict[str, Any]:
    """A batch as arrays, which go through a file: shared memory is scarce where containers run."""
    return {
        "inputs": {name: value.numpy() for name, value in batch.inputs.items()},
        "targets": batch.targets.numpy(),
        "owners": batch.owners.numpy(),
        "weights": batch.weights.numpy(),
        "names": batch.names,
        "tokens": batch.tokens,
    }


def _of_arrays(arrays: Mapping[str, Any]) -> Batch:
    """The inverse of `_arrays`."""
    inputs = {name: torch.from_numpy(value) for name, value in arrays["inputs"].items()}
    return Batch(
        inputs,
        torch.from_numpy(arrays["targets"]),
        torch.from_numpy(arrays["owners"]),
        torch.from_numpy(arrays["weights"]),
        arrays["names"],
        arrays["tokens"],
    )
