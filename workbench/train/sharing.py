"""The lessons about one picture in one row, so that the picture and the question are computed once.

The bundled student spends most of its tokens on the picture; label and rationale ask about the same one.  Each
lesson sees what they share and itself, never its neighbours, and its positions go on from what they share: the loss
is that of the lessons one by one (tested), at about six tenths of the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch

from workbench.train.objective import Batch


def shared(batch: Batch, pictures: Sequence[object]) -> Batch:
    """Put neighbouring rows about the same picture into one row.

    Args:
        batch: of a family whose only inputs are tokens and `region_features`, and that takes a mask of four
            dimensions.
        pictures: of each row; the same object is the same picture.
    """
    ids, lengths = batch.inputs["input_ids"], batch.inputs["attention_mask"].sum(1).tolist()
    groups = [[row for row, _ in run] for _, run in groupby(enumerate(pictures), key=lambda pair: id(pair[1]))]
    prefixes = [_common(batch, group) for group in groups]
    sizes = [p + sum(lengths[row] - p for row in group) for p, group in zip(prefixes, groups, strict=True)]
    count, longest = len(groups), max(sizes)
    tokens = ids.new_full((count, longest), int(ids[0, lengths[0] - 1]))  # any but a picture's
    positions = ids.new_zeros((count, longest))
    targets = batch.targets.new_full((count, longest), -100)
    owners = batch.owners.new_zeros((count, longest))
    # Filling sees itself: a position that sees nothing has no defined value.
    allowed = torch.eye(longest, dtype=torch.bool).repeat(count, 1, 1)
    for at, (group, prefix) in enumerate(zip(groups, prefixes, strict=True)):
        tokens[at, :prefix] = ids[group[0], :prefix]
        positions[at, :prefix] = torch.arange(prefix)
        allowed[at, :prefix, :prefix] = torch.ones(prefix, prefix, dtype=torch.bool).tril()
        end = prefix
        for row in group:
            start, end = end, end + lengths[row] - prefix
            tokens[at, start:end] = ids[row, prefix : lengths[row]]
            positions[at, start:end] = torch.arange(prefix, lengths[row])
            targets[at, start:end] = batch.targets[row, prefix : lengths[row]]
            owners[at, start:end] = row
            allowed[at, start:end, :prefix] = True
            allowed[at, start:end, start:end] = torch.ones(end - start, end - start, dtype=torch.bool).tril()
    inputs = {
        "input_ids": tokens, "position_ids": positions, "attention_mask": allowed[:, None],
        "region_features": batch.inputs["region_features"][[group[0] for group in groups]],
    }  # fmt: skip
    return Batch(inputs, targets, owners, batch.weights, batch.names, sum(sizes))


def _common(batch: Batch, group: Sequence[int]) -> int:
    """Tokens that the prompts of these rows begin with alike; each keeps at least its last one for itself."""
    starts = [int((batch.targets[row] >= 0).nonzero()[0]) for row in group]
    most = min(starts) - 1
    rows = batch.inputs["input_ids"][list(group), :most]
    differ = (rows != rows[:1]).any(0).nonzero()
    return int(differ[0]) if len(differ) else most
