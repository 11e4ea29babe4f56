"""Formulas that several recipes share, once.

All take torch tensors of any float type and keep it.  The last axis holds the classes or the
dimensions of a vector; masks are boolean and have the shape without that axis.
"""

from __future__ import annotations

import torch
from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor | None = None) -> Tensor:
    """The mean of the values where the mask is true, a scalar; 0 with a gradient where none is.

    A mean over nothing is 0, not NaN: a batch without a supervised position teaches nothing.
    """
    if mask is None:
        mask = torch.ones_like(values, dtype=torch.bool)
    # a value that is left out may be infinite, and infinity times 0 is NaN
    kept = torch.where(mask, values, torch.zeros_like(values))
    return kept.sum() / mask.sum().clamp(min=1)


def kl(p_logits: Tensor, q_logits: Tensor, temperature: float = 1.0) -> Tensor:
    """KL(p||q) of two softmax distributions over the last axis, in nats, without that axis.

    It is not multiplied by the temperature's square; a caller whose paper does so multiplies.

    Args:
        p_logits: `(..., classes)`: the distribution whose expectation is taken.
        q_logits: `(..., classes)`: the other one.
        temperature: divides both.
    """
    p = torch.log_softmax(p_logits / temperature, -1)
    q = torch.log_softmax(q_logits / temperature, -1)
    return _divergence(p, q)


def jensen_shannon(
    teacher_logits: Tensor, student_logits: Tensor, beta: float = 0.5, temperature: float = 1.0
) -> Tensor:
    """The generalised Jensen-Shannon divergence, in nats, without the last axis.

    M = beta p_t + (1 - beta) p_s and the value is beta KL(p_t||M) + (1 - beta) KL(p_s||M), which
    is 0 at equality and at both ends of beta.

    Args:
        teacher_logits: `(..., classes)`.
        student_logits: `(..., classes)`.
        beta: the teacher's share in the mixture, 0 to 1.
        temperature: divides both.
    """
    t = torch.log_softmax(teacher_logits / temperature, -1)
    s = torch.log_softmax(student_logits / temperature, -1)
    mixture = torch.log(beta * t.exp() + (1 - beta) * s.exp())
    return beta * _divergence(t, mixture) + (1 - beta) * _divergence(s, mixture)


def _divergence(p: Tensor, q: Tensor) -> Tensor:
    """The sum of exp(p) (p - q) over the last axis; a class of probability 0 adds nothing."""
    terms = p.exp() * (p - q)
    return torch.where(p.exp() > 0, terms, torch.zeros_like(terms)).sum(-1)


def info_nce(queries: Tensor, keys: Tensor, temperature: float | Tensor = 0.1) -> Tensor:
    """The contrastive loss of each query, `(rows,)`: its own key against the keys of other rows.

    Args:
        queries: `(rows, dimensions)`; they are normalised here.
        keys: `(rows, dimensions)`: the key of row i belongs to the query of row i.
        temperature: divides the cosines.
    """
    cosines = (
        torch.nn.functional.normalize(queries, dim=-1)
        @ torch.nn.functional.normalize(keys, dim=-1).mT
    )
    own = torch.arange(len(queries), device=queries.device)
    return torch.nn.functional.cross_entropy(cosines / temperature, own, reduction="none")


def equal_rows(some: Tensor, others: Tensor) -> Tensor:
    """Which rows are equal, bool `(rows, other rows)`.

    The distance is taken number by number: of many rows torch takes it by products else, and then
    that of equal ones is anything up to 3e-4.

    Args:
        some: `(rows, dimensions)`.
        others: `(other rows, dimensions)`.
    """
    return torch.cdist(some, others, compute_mode="donot_use_mm_for_euclid_dist") < 1e-6


def bank_contrast(guess: Tensor, own: Tensor, bank: Tensor, scale: Tensor, same: Tensor) -> Tensor:
    """The cross-entropy of the own target against a bank of others, `(L,)`.

    A bank that is the same in every step makes a loss that does not change with the batch.

    Args:
        guess: `(L, A)`.
        own: `(L, A)`: the target of each lesson.
        bank: `(B, A)`: targets of others.
        scale: multiplies the cosines.
        same: `(L, B)`, bool: which of the bank are the lesson's own, and do not count.
    """
    cosine = torch.nn.functional.cosine_similarity
    own, bank = own.to(guess.dtype), bank.to(guess.dtype)
    others = cosine(guess[:, None], bank[None], dim=-1) * scale
    # masked behind the product: the scale's gradient of an infinite cosine would be NaN
    logits = torch.cat(
        [cosine(guess, own, dim=-1)[:, None] * scale, others.masked_fill(same, -torch.inf)], 1
    )
    first = torch.zeros(len(guess), dtype=torch.long, device=guess.device)
    return torch.nn.functional.cross_entropy(logits, first, reduction="none")
