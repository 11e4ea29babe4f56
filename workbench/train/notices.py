"""What a run would have learnt from and does not get, said at its beginning."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.ports import Curriculum
from workbench.snapshot import Snapshot
from workbench.train.loss import StudentLoss


def notices(
    snapshot: Snapshot, curriculum: Curriculum, names: Sequence[str], loss: StudentLoss
) -> list[str]:
    """Sentences for the log of a run; none where nothing is missing.

    Args:
        snapshot: what is learnt.
        curriculum: makes lessons of it.
        names: of these lessons.
        loss: looks at the pictures.
    """
    out = []
    if curriculum.ref.arguments.get("weight") and "rationale" not in names:
        out.append(
            f"no example of the snapshot {snapshot.hash} has a rationale: the run learns from "
            "labels alone, as --objective instruct does"
        )
    pictures = {example.pictures for example in snapshot.examples("train")}
    if blind := loss.pictures_without_regions(pictures):
        out.append(
            f"the detector proposes no region in {blind} of {len(pictures)} pictures: there the "
            "student reads the question alone"
        )
    return out
