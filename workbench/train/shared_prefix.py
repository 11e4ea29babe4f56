"""Several lessons in one row of tokens, so that their common beginning is computed once.

A picture, or a list of tools, stands in front of every question about it, and is most of the
tokens.  A row is a tree: each lesson sees its own prompt and itself, never its neighbours, and its
positions are those that it would have alone. The losses and gradients are those of the lessons one
by one (tested).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from workbench.train.batch import Batch


@dataclass(frozen=True, slots=True)
class TokenLesson:
    """A lesson in tokens."""

    prompt: Sequence[int]
    target: Sequence[int]
    """The token that ends the answer is its last one."""
    source: Hashable
    """What the prompt begins with, for example the digest of its picture.  Lessons of different
    sources share nothing: two pictures may be the same tokens and are not the same picture.
    """
    weight: float = 1.0
    name: str = ""


def shared_rows(rows: Sequence[Sequence[TokenLesson]], inputs: Mapping[str, Tensor]) -> Batch:
    """Put the lessons of each row behind the beginnings that they share.

    Args:
        rows: the lessons of each row of tokens; those of one source need not stand together.
        inputs: what the model takes besides tokens, for example `region_features`, in the order of
            the sources.

    Returns:
        A batch of as many rows.  Its mask is boolean, true where attention is allowed, as scaled
        dot-product attention takes it.
    """
    trees = [_tree(row) for row in rows]
    sizes = [1 + int(max(path[-1] for path in paths)) for paths in trees]
    count, longest = len(rows), max(sizes)
    filling = rows[0][0].target[-1]  # any token but a picture's
    tokens = torch.full((count, longest), filling)
    positions = torch.zeros((count, longest), dtype=torch.long)
    targets = torch.full((count, longest), -100)
    owners = torch.zeros((count, longest), dtype=torch.long)
    # Filling sees itself: a position that sees nothing has no defined value.
    allowed = torch.eye(longest, dtype=torch.bool).repeat(count, 1, 1)
    owner = 0
    for at, (row, paths) in enumerate(zip(rows, trees, strict=True)):
        for lesson, path in zip(row, paths, strict=True):
            length, answer = len(path), path[len(lesson.prompt) :]
            tokens[at, path] = torch.tensor([*lesson.prompt, *lesson.target])
            positions[at, path] = torch.arange(length)
            targets[at, answer] = torch.tensor(lesson.target)
            owners[at, answer] = owner
            allowed[at, path[:, None], path] |= torch.ones(length, length, dtype=torch.bool).tril()
            owner += 1
    lessons = [lesson for row in rows for lesson in row]
    return Batch(
        {
            "input_ids": tokens,
            "position_ids": positions,
            "attention_mask": allowed[:, None],
            **inputs,
        },
        targets,
        owners,
        torch.tensor([lesson.weight for lesson in lessons]),
        tuple(lesson.name for lesson in lessons),
        sum(sizes),
    )


def share_prefixes(batch: Batch, sources: Sequence[Hashable]) -> Batch:
    """Put neighbouring rows of the same source into one row.

    Args:
        batch: one lesson a row, of a family whose inputs besides tokens have one entry a row.
        sources: of each row, for example the digest of its picture.
    """
    lessons = []
    for row, source in enumerate(sources):
        length = int(batch.inputs["attention_mask"][row].sum())
        tokens = batch.inputs["input_ids"][row, :length].tolist()
        first = int((batch.targets[row] >= 0).nonzero()[0])
        weight = float(batch.weights[row])
        lessons.append(
            TokenLesson(tokens[:first], tokens[first:], source, weight, batch.names[row])
        )
    rows = [list(run) for _, run in groupby(lessons, key=lambda lesson: lesson.source)]
    firsts = [sum(map(len, rows[:at])) for at in range(len(rows))]
    tokens_only = ("input_ids", "attention_mask")
    features = {k: value[firsts] for k, value in batch.inputs.items() if k not in tokens_only}
    return shared_rows(rows, features)


def _tree(lessons: Sequence[TokenLesson]) -> list[Tensor]:
    """The positions of each lesson's tokens in the row; lessons share them until they differ.

    Lessons of different sources share none.
    A lesson keeps its target and the token before it for itself, side by side: that token predicts
    the first target.
    """
    places: dict[tuple[Hashable, int], int] = {}
    length, paths = 0, []
    for lesson in lessons:
        last: Hashable = ("source", lesson.source)
        path = []
        for at, token in enumerate((*lesson.prompt, *lesson.target)):
            here = length
            if at < len(lesson.prompt) - 1:
                here = places.setdefault((last, token), length)
            length += here == length
            path.append(here)
            last = here
        paths.append(torch.tensor(path))
    return paths
