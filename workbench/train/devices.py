"""Where a run computes: the processes, their number format, and how much memory they take."""

from __future__ import annotations

import resource
import sys

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import DistributedDataParallelKwargs

from workbench.train.job import Job
from workbench.train.load import dtype_of


def accelerator_of(job: Job) -> Accelerator:
    """What divides a job's run among processes."""
    # The vision tower's last layers are unused in some families (LLaVA): their adapters get no
    # gradient.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    state = run_processes()
    mixed = job.method == "full" and dtype_of(job, state.device) == torch.bfloat16
    return Accelerator(
        cpu=state.device.type == "cpu",
        mixed_precision="bf16" if mixed else "no",
        kwargs_handlers=[unused],
    )


def run_processes() -> PartialState:
    """This process among those of the run."""
    return PartialState(cpu=not torch.accelerator.is_available())


def peak_mb() -> float:
    """Highest use of memory so far, in MB: of the GPU if there is one, else of this process."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    unit = 2**20 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def sum_over_processes(accelerator: Accelerator, values: torch.Tensor) -> torch.Tensor:
    """The sum of each process's values, on the processor; all processes have to call it."""
    kind = torch.float32 if accelerator.device.type == "mps" else torch.float64
    whole: torch.Tensor = accelerator.reduce(values.to(accelerator.device, kind), "sum")
    return whole.cpu()
