"""What recipes share that look at one thing more than once: the views, and what they agree on."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.boxes import Box
from workbench.recipes.ports import SynthesisRoom
from workbench.records import Region


def narrower(region: Region, margin: float) -> Region:
    """A region without a margin at each side."""
    across, down = region.width * margin, region.height * margin
    box = Box(across, down, region.width - across, region.height - down)
    return Region(region.image, region.width, region.height, box)


def commonest(votes: Sequence[str], room: SynthesisRoom) -> tuple[str, int]:
    """The answer that most votes agree with, the first of equals, and how many do."""
    counts = [(sum(room.alike(one, other) for other in votes), one) for one in votes]
    agreed, answer = max(counts, key=lambda count: count[0], default=(0, ""))
    return answer, agreed
