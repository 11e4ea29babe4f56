"""What recipes of peers share: two students of one batch, each of which learns from the other."""

from __future__ import annotations

from torch import Tensor, nn

from workbench.recipes.features import real
from workbench.recipes.maths import kl
from workbench.recipes.teaching import Outputs, Targets


def both_ways(student: Outputs, peer: Outputs) -> tuple[Tensor, Tensor]:
    """What the student learns from its peer, and the peer from the student, each `(N,)`.

    Each divergence has a gradient to the learner alone: KL(sg q || p), KL(sg p || q).

    Args:
        student: with a gradient.
        peer: with a gradient.
    """
    p, q = real(student.logits), real(peer.logits)
    return kl(q.detach(), p), kl(p.detach(), q)


def nats(outputs: Outputs, targets: Targets) -> Tensor:
    """`(N,)`: the cross-entropy of each target token."""
    return nn.functional.cross_entropy(real(outputs.logits), targets.tokens, reduction="none")
