"""The loss of Visual Program Distillation for `trl.SFTTrainer(compute_loss_func=...)`.

L = L_label + L_rationale (Hu et al. 2024, section 3.3): each target's cross-entropy is divided by
its own length before the two are added.  Trainers average over all target tokens of a step instead,
so that an answer of three tokens beside a rationale of ninety weighs a thirtieth of it.  This puts
the two back on one scale.

The file stands by itself: it needs PyTorch and nothing else.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class VpdLoss:
    """Each row's mean over its own target tokens, summed, over the examples of the whole step.

    Args:
        arguments: the trainer's arguments, of which it reads the batch, the accumulation and the
            number of processes.
        examples_per_row: number of examples divided by the number of rows; one half where each
            example has a label and a rationale.
    """

    def __init__(self, arguments: Any, examples_per_row: float) -> None:
        rows = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps
        # The trainer multiplies the loss by the number of processes where it counts the targets
        # of all of them together, and leaves it as it is where each counts its own.
        if getattr(arguments, "average_tokens_across_devices", False):
            rows *= arguments.world_size
        self.examples = rows * examples_per_row
        """Number of examples in a step."""
        self._share = examples_per_row

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Any = None) -> Tensor:
        """The share of some rows in the loss of their step.

        Args:
            outputs: of the model; `logits` are `(rows, tokens, vocabulary)`.
            labels: `(rows, tokens)`: the token itself where it is a target, -100 elsewhere.
            num_items_in_batch: the number of target tokens of the step, which decides nothing here.
        """
        means = row_losses(outputs.logits, labels)
        # an evaluation knows no step: it gets the mean of these rows
        evaluates = not torch.is_grad_enabled()
        loss: Tensor = means.mean() / self._share if evaluates else means.sum() / self.examples
        return loss


def row_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each row over its own target tokens, in nats, `(rows,)` float32.

    Args:
        logits: `(rows, tokens, vocabulary)`.
        labels: `(rows, tokens)`: the token itself where it is a target, -100 elsewhere.
    """
    targets = labels[:, 1:]
    counts = targets != -100
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1][counts].float(), targets[counts], reduction="none"
    )
    rows = counts.nonzero()[:, 0]
    sums = torch.zeros(len(labels), device=losses.device).index_add(0, rows, losses)
    return sums / counts.sum(1).clamp(min=1)
