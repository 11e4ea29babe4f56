"""AdamW that follows a schedule, for every training loop of the house.

Parameters of low precision have fp32 masters: an update of 1e-4 vanishes in bfloat16, so the
optimizer changes a copy in full precision and rounds it at the end.  Adapters in bfloat16 beside
frozen weights of the same kind were a fifth faster, on the processor measured, than adapters in
fp32 with casts (see LOG.md, base student).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from workbench.train.schedule import RateSchedule


class ScheduledAdamW:
    """AdamW on groups of parameters, each with its own peak of one schedule.

    Args:
        groups: parameters and the highest learning rate of each group; frozen ones are left out.
        schedule: the learning rate of each step.
        betas: decay of the averages of the gradient and of its square.
        weight_decay: as AdamW takes it.
    """

    def __init__(
        self,
        groups: Iterable[tuple[Iterable[nn.Parameter], float]],
        schedule: RateSchedule,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 0.01,
    ) -> None:
        self._schedule = schedule
        self.masters: list[tuple[nn.Parameter, nn.Parameter]] = []
        """Parameters of low precision with their copies."""
        self._peaks: list[float] = []
        specs = []
        for parameters, peak in groups:
            specs.append(
                {"params": [self._master(p) for p in parameters if p.requires_grad], "lr": peak}
            )
            self._peaks.append(peak)
        # one kernel for all parameters, where they are on a GPU that has it
        on_gpu = all(
            p.device.type == "cuda" for spec in specs for p in cast(list[Tensor], spec["params"])
        )
        self.adam: torch.optim.Optimizer = torch.optim.AdamW(
            specs, betas=betas, weight_decay=weight_decay, fused=True if on_gpu else None
        )
        """What holds the state; whoever wraps the parameters puts its own in place."""

    def _master(self, parameter: nn.Parameter) -> nn.Parameter:
        if parameter.dtype == torch.float32:
            return parameter
        self.masters.append((parameter, nn.Parameter(parameter.detach().float())))
        return self.masters[-1][1]

    def gather(self) -> None:
        """Add the gradients of low precision to those of their copies, and drop them.

        Called after each of several backward passes it adds up in full precision.
        """
        for live, master in self.masters:
            if live.grad is not None:
                grad, live.grad = live.grad.float(), None
                master.grad = grad if master.grad is None else master.grad.add_(grad)

    def round_masters(self) -> None:
        """Put the copies, as far as their precision goes, into the parameters that compute."""
        with torch.no_grad():
            for live, master in self.masters:
                live.copy_(master)

    def clip(self, longest: float) -> float:
        """Shorten the gradient to at most this length; returns its length before."""
        self.gather()
        parameters = [p for group in self.adam.param_groups for p in group["params"]]
        return float(nn.utils.clip_grad_norm_(parameters, longest))

    def step(self, step: int) -> float:
        """Apply the gradients and drop them; returns the learning rate of the first group.

        Args:
            step: number of the step, counted from 0; the schedule decides by it.
        """
        self.gather()
        for group, peak in zip(self.adam.param_groups, self._peaks, strict=True):
            group["lr"] = self._schedule.rate(peak, step)
        self.adam.step()
        self.adam.zero_grad()
        self.round_masters()
        return self._schedule.rate(self._peaks[0], step)


def mean_step(
    optimizer: ScheduledAdamW,
    step: int,
    losses: Sequence[Tensor] | Iterable[Tensor],
    count: int,
    clip: float = 1.0,
) -> tuple[float, float]:
    """One step on the mean of several losses; returns the mean and the unclipped gradient's length.

    Args:
        optimizer: changes the weights.
        step: number of the step, counted from 0.
        losses: computed one at a time, so that only one graph is held.
        count: number of losses.
        clip: longest gradient.
    """
    mean = 0.0
    for loss in losses:
        (loss / count).backward()  # type: ignore[no-untyped-call]
        mean += float(loss.detach()) / count
    norm = optimizer.clip(clip)
    optimizer.step(step)
    return mean, norm
