"""Finding things by every name the bundled student was taught: `find` and `exists` of the embedded
profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from workbench.api import STANDARD
from workbench.errors import ToolFailure
from workbench.models.bundled import student_folder
from workbench.models.find_by_name import bundled_namer, vocabulary
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, patch, text
from workbench.tools.coco_names import classes_of, unknown
from workbench.tools.detector import BATCH, CropDetector


@lru_cache(maxsize=8)
def shared_namer(threshold: float, iou: float) -> CropDetector:
    """One namer with its memory per setting and process, so that `exists` after `find` costs
    nothing.
    """
    return CropDetector(bundled_namer(), threshold, iou)


class FindNamed:
    """`find` by the student's eyes: detector's proposals named by the student's projector, COCO's
    other classes beside.

    Results stand best score first; boxes are whole pixels of the whole picture.  A name outside the
    student's and COCO's fails its call and says so.

    Args:
        threshold: lowest score, 0 to 1.
        iou: overlap above which the weaker of two boxes of one name is dropped.
    """

    spec = STANDARD["find"]
    batch_size = BATCH

    def __init__(self, threshold: float = 0.5, iou: float = 0.5) -> None:
        self._namer = shared_namer(threshold, iou)
        self._more = vocabulary()
        self.ref = PartRef(
            "tool", "student-regions", student_folder().name, {"threshold": threshold, "iou": iou}
        )

    def _asked(self, call: ToolCall) -> tuple[Region, tuple[str, ...]]:
        region, name = patch(call), text(call, "object_name")
        names = classes_of(name, self._more)
        if names is None:
            raise ToolFailure(unknown(name, self._more))
        return region, names

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, self._asked, lambda asked: self._namer.find(asked, images))


class ExistsNamed(FindNamed):
    """`exists` on the same detections as `FindNamed` with the same arguments."""

    spec = STANDARD["exists"]

    def __init__(self, threshold: float = 0.5, iou: float = 0.5) -> None:
        super().__init__(threshold, iou)
        self.ref = PartRef(
            "tool",
            "student-regions-exists",
            student_folder().name,
            {"threshold": threshold, "iou": iou},
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return [
            here if isinstance(here, ToolFailure) else bool(here)
            for here in super().__call__(calls, images)
        ]
