"""The lessons about one picture in one row, so that what their prompts begin with alike is computed once.

The bundled student spends most of its tokens on the picture; label and rationale, and other questions of the same
picture, begin with it.  Each lesson sees its own prompt and itself, never its neighbours, and its positions are those
it would have alone: the loss is that of the lessons one by one (tested).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from workbench.train.objective import Batch


def shared(batch: Batch, pictures: Sequence[str]) -> Batch:
    """Put neighbouring rows about the same picture into one row: a tree of tokens, each seeing its ancestors.

    Args:
        batch: of a family whose only inputs are tokens and `region_features`, and that takes a mask of four
            dimensions.
        pictures: digest of each row's picture.
    """
    groups = [[row for row, _ in run] for _, run in groupby(enumerate(pictures), key=lambda pair: pair[1])]
    trees = [_tree(batch, group) for group in groups]
    sizes = [1 + int(max(path[-1] for path in paths)) for paths in trees]
    count, longest = len(groups), max(sizes)
    ids = batch.inputs["input_ids"]
    tokens = ids.new_full((count, longest), int(ids[0, len(trees[0][0]) - 1]))  # any but a picture's
    positions = ids.new_zeros((count, longest))
    targets = batch.targets.new_full((count, longest), -100)
    owners = batch.owners.new_zeros((count, longest))
    # Filling sees itself: a position that sees nothing has no defined value.
    allowed = torch.eye(longest, dtype=torch.bool).repeat(count, 1, 1)
    for at, (group, paths) in enumerate(zip(groups, trees, strict=True)):
        for row, path in zip(group, paths, strict=True):
            length, own = len(path), batch.targets[row, : len(path)] >= 0
            tokens[at, path] = ids[row, :length]
            positions[at, path] = torch.arange(length)
            targets[at, path[own]] = batch.targets[row, :length][own]
            owners[at, path[own]] = row
            allowed[at, path[:, None], path] |= torch.ones(length, length, dtype=torch.bool).tril()
    inputs = {
        "input_ids": tokens, "position_ids": positions, "attention_mask": allowed[:, None],
        "region_features": batch.inputs["region_features"][[group[0] for group in groups]],
    }  # fmt: skip
    return Batch(inputs, targets, owners, batch.weights, batch.names, sum(sizes))


def _tree(batch: Batch, group: Sequence[int]) -> list[Tensor]:
    """Where each token of each row goes; rows go the same way until they differ.

    A row keeps its targets and the token before them for itself: that one predicts the first target.
    """
    places: dict[tuple[int, int], int] = {}
    taken, paths = 0, []
    for row in group:
        length = int(batch.inputs["attention_mask"][row].sum())
        common = int((batch.targets[row] >= 0).nonzero()[0]) - 1
        last, path = -1, []
        for at, token in enumerate(batch.inputs["input_ids"][row, :length].tolist()):
            here = places.setdefault((last, token), taken) if at < common else taken
            taken += here == taken
            path.append(here)
            last = here
        paths.append(torch.tensor(path))
    return paths
