"""Finding things by every name that the bundled student was taught: `find` and `exists`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from workbench.api import STANDARD
from workbench.errors import ToolFailure
from workbench.models.bundled import student_folder
from workbench.models.find_by_name import bundled_namer, vocabulary
from workbench.models.weights import with_detector
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, patch, text
from workbench.tools.coco_names import classes_of, unknown
from workbench.tools.detector import BATCH, CropDetector


@lru_cache(maxsize=8)
def shared_namer(threshold: float, iou: float) -> CropDetector:
    """One namer per setting and process; through its memory `exists` costs nothing after `find`."""
    return CropDetector(bundled_namer(), threshold, iou)


class FindNamed:
    """`find` by the student's eyes: the detector's proposals, named by the student's projector.

    COCO's other classes come from the detector itself.  Results stand best score first; boxes are
    whole pixels of the whole picture.  A name outside the student's and COCO's fails its call and
    says so.

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
            "tool",
            "student-regions",
            with_detector(student_folder().name),
            {"threshold": threshold, "iou": iou},
        )

    def _request(self, call: ToolCall) -> tuple[Region, tuple[str, ...]]:
        region, name = patch(call), text(call, "object_name")
        names = classes_of(name, self._more)
        if names is None:
            raise ToolFailure(unknown(name, self._more))
        return region, names

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls, self._request, lambda requests: self._namer.find(requests, images)
        )


class ExistsNamed(FindNamed):
    """`exists` on the same detections as `FindNamed` with the same arguments."""

    spec = STANDARD["exists"]

    def __init__(self, threshold: float = 0.5, iou: float = 0.5) -> None:
        super().__init__(threshold, iou)
        self.ref = PartRef(
            "tool",
            "student-regions-exists",
            with_detector(student_folder().name),
            {"threshold": threshold, "iou": iou},
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return [
            here if isinstance(here, ToolFailure) else bool(here)
            for here in super().__call__(calls, images)
        ]
