"""Tokens drawn by numbers that are given."""

from __future__ import annotations

import torch
from torch import Tensor

_LIKELY = 64
"""Number of the likeliest tokens that are tried before the whole vocabulary is sorted."""


class TokenDice:
    """Draws tokens from logits.

    Args:
        temperature: Divides the logits; at 0 the likeliest token is taken.
        top_p: Probability of the tokens that are drawn from; 1 is all.
    """

    def __init__(self, temperature: float, top_p: float) -> None:
        self._temperature, self._top_p = temperature, top_p

    def draw(
        self, logits: Tensor, rows: Tensor, chance: Tensor, greedy: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """A token per sample by its own uniform number, and its log-probability at temperature 1.

        Args:
            logits: `(rows, vocabulary)`.
            rows: `(samples,)`, the row of each sample.
            chance: `(samples,)`, numbers in [0, 1).
            greedy: `(samples,)`, whether a sample takes the likeliest token whatever its number is;
                None where none does.
        """
        logits = logits.float()
        rows = rows.to(logits.device)
        if self._temperature == 0:
            chosen = logits.argmax(-1)[rows]
        else:
            share = (logits / self._temperature).softmax(-1)
            chosen = self._pick(share, rows, chance.to(device=share.device, dtype=share.dtype))
            if greedy is not None:
                chosen = torch.where(greedy.to(rows.device), logits.argmax(-1)[rows], chosen)
        return chosen, logits[rows, chosen] - logits.logsumexp(-1)[rows]

    def _pick(self, share: Tensor, rows: Tensor, chance: Tensor) -> Tensor:
        """The token of each sample at which its number falls, the likeliest tokens first.

        `share` is `(rows, vocabulary)`; sorting the whole vocabulary costs more than the model, and
        the likeliest few settle nearly every sample.  `rows` and `chance` are `(samples,)`.
        """
        few = min(_LIKELY, share.shape[-1])
        high, tokens = share.topk(few, dim=-1)
        total = high.cumsum(-1)
        if self._top_p < 1:
            high = high.masked_fill(total - high >= self._top_p, 0.0)
            scaled = chance * high.sum(-1)[rows]
            settled = total[rows, -1] >= self._top_p
        else:
            scaled, settled = chance, chance < total[rows, -1]
        rank = (high.cumsum(-1)[rows] <= scaled[:, None]).sum(-1).clamp(max=few - 1)
        chosen = tokens[rows, rank]
        if few < share.shape[-1]:
            for place in (~settled).nonzero().flatten().tolist():
                chosen[place] = self._pick_slowly(share[rows[place]], float(chance[place]))
        return chosen

    def _pick_slowly(self, share: Tensor, chance: float) -> int:
        """The token of one sample, as `_pick` takes it, but over all tokens; `share` is its row."""
        high, tokens = share.sort(descending=True)
        if self._top_p < 1:
            high = high[high.cumsum(-1) - high < self._top_p]
            chance = chance * float(high.sum())
        rank = int((high.cumsum(-1) <= chance).sum())
        return int(tokens[min(rank, len(high) - 1)])
