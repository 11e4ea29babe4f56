"""What noise costs: a share of a snapshot's rationales made wrong on purpose.

Two kinds of noise take turns.  Wrong boxes: each box of a rationale is mirrored in the picture, so
that it shows another place.  Right for the wrong reason: one slip in what stands before the
conclusion (`rationalize.slips`).  Answers stay as they are, and so does the held-out side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.boxes import GRID
from workbench.boxes_in_text import boxes_in, split_at_boxes
from workbench.errors import InputError
from workbench.rationalize.slips import slips
from workbench.records import content_key
from workbench.snapshot import Example, Snapshot
from workbench.store import Project
from workbench.study.derived import derive

REASONS = ("side", "size", "negation", "number")
"""Slips that make a reason wrong."""
_CONCLUSION = "Thus, "


def corrupt(project: Project, source: Snapshot, share: float, seed: int = 0) -> Snapshot:
    """A snapshot with a share of its training rationales made wrong; the source itself at 0.

    The same rationales are wrong at a larger share, and others with them.

    Args:
        project: keeps the snapshot.
        source: has the rationales.
        share: of the rationales of the training side, 0 to 1.
        seed: decides which.

    Raises:
        InputError: the share is no share, or fewer rationales can be made wrong.
    """
    if not 0 <= share < 1:
        raise InputError(f"noise is a share from 0 to below 1, found {share}")
    if share == 0:
        return source
    rows = source.examples()
    texts = [row for row in rows if row.split == "train" and row.rationale is not None]
    order = sorted(texts, key=lambda row: content_key("noise", seed, row.id))
    number = round(share * len(texts))
    wrong: dict[str, Example] = {}
    for row in order:
        if len(wrong) == number:
            break
        text = _wrong(row.rationale or "", len(wrong) % 2 == 0, content_key("slip", seed, row.id))
        if text is not None:
            wrong[row.id] = replace(row, rationale=text, boxes=boxes_in(text))
    if len(wrong) < number:
        raise InputError(
            f"{number} of {len(texts)} rationales were to be made wrong, and {len(wrong)} can be: "
            "the others say nothing before their conclusion; take a smaller share"
        )
    return derive(
        project,
        source,
        [wrong.get(row.id, row) for row in rows],
        {"corrupted": number, "of_rationales": len(texts), "share": share, "seed": seed},
        f"CORRUPTED {share:.0%} of {source.manifest.name or source.hash[:12]}",
    )


def _wrong(text: str, boxes_first: bool, dice: str) -> str | None:
    """A rationale made wrong before its conclusion; None where there is nothing to make wrong.

    Args:
        text: the rationale.
        boxes_first: whether boxes are made wrong where there are any, else a reason where possible.
        dice: hexadecimal digits that decide which slip.
    """
    body, mark, end = text.rpartition(_CONCLUSION)
    if not mark or not body.strip():
        return None
    reasons = [slip for kind, slip in slips(body, off=1) if kind in REASONS]
    reason = reasons[int(dice[:8], 16) % len(reasons)] if reasons else None
    boxes = _mirrored(body) if boxes_in(body) else None
    ways = (boxes, reason) if boxes_first else (reason, boxes)
    chosen = next((way for way in ways if way is not None and way != body), None)
    return None if chosen is None else chosen + mark + end


def _mirrored(text: str) -> str:
    """A text whose boxes show the opposite places of the picture."""
    pieces: list[str] = list(split_at_boxes(text))
    for at, box in enumerate(boxes_in(text)):
        cells: Sequence[int] = (
            GRID - box.ymax,
            GRID - box.xmax,
            GRID - box.ymin,
            GRID - box.xmin,
        )
        pieces[2 * at + 1] = " ".join(map(str, cells))
    return "".join(pieces)
