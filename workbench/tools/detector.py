"""Finding things with the embedded closed-set detector: `find` and `exists`.

One run of the network per distinct crop serves every name that is asked of it, by both tools, in
all programs of the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Protocol

from PIL import Image

from workbench.api import STANDARD
from workbench.boxes import Box, clip, non_maximum_suppression
from workbench.errors import ImageError, ToolFailure
from workbench.models.detector import Detection, bundled_detector
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, patch, text
from workbench.tools.coco_names import classes_of, unknown

BATCH = 16
KEPT = 4096
"""Crops whose detections are remembered."""

CropKey = tuple[str, int, int, int, int]


class Finder(Protocol):
    """A closed-set detector: all its classes in one run."""

    def detect(
        self, images: Sequence[Image.Image], threshold: float = ..., iou: float = ...
    ) -> list[list[Detection]]: ...


class CropDetector:
    """Detections of crops in pixels of the whole picture, each crop looked at once.  Thread-safe."""

    def __init__(self, model: Finder, threshold: float, iou: float) -> None:
        self._model, self._threshold, self._iou = model, threshold, iou
        self._seen: OrderedDict[CropKey, tuple[Region, ...]] = OrderedDict()
        self._lock = Lock()

    def look(
        self, regions: Sequence[Region], images: Images
    ) -> list[tuple[Region, ...] | ToolFailure]:
        """What each region shows, of all classes, best score first; a picture that cannot be read
        is a failure.
        """
        with self._lock:
            found: dict[CropKey, tuple[Region, ...] | ToolFailure] = {
                key: self._seen[key] for key in map(crop_key, regions) if key in self._seen
            }
        fresh = {crop_key(r): r for r in regions if crop_key(r) not in found}
        crops = []
        for key, region in fresh.items():
            try:
                crops.append((key, region, images.crop(region)))
            except ImageError as error:
                found[key] = ToolFailure(str(error))
        detections = self._model.detect([crop for _, _, crop in crops], self._threshold, self._iou)
        for (key, region, _), here in zip(crops, detections, strict=True):
            x, y = key[1], key[2]
            placed = (placed_in(region, x, y, d.box, d.label, d.score) for d in here)
            found[key] = tuple(r for r in placed if r.box.area > 0)
        with self._lock:
            for key, value in found.items():
                if not isinstance(value, ToolFailure):
                    self._seen[key] = value
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)
        return [found[crop_key(r)] for r in regions]

    def find(
        self, asked: Sequence[tuple[Region, tuple[str, ...]]], images: Images
    ) -> list[list[Region] | ToolFailure]:
        """For each (region, class names) the detections of those classes, best first.

        Several classes are one wider word: of two classes seen in the same place only the better
        one counts.
        """
        out: list[list[Region] | ToolFailure] = []
        for (_, names), here in zip(
            asked, self.look([region for region, _ in asked], images), strict=True
        ):
            if isinstance(here, ToolFailure):
                out.append(here)
                continue
            wanted = [r for r in here if r.label in names]
            if len(names) > 1:
                kept = non_maximum_suppression(
                    [r.box for r in wanted], [r.score or 0.0 for r in wanted], self._iou
                )
                wanted = [wanted[i] for i in kept]
            out.append(wanted)
        return out


def crop_key(region: Region) -> CropKey:
    """The pixels that `Images.crop` shows of a region: equal keys, equal crops."""
    box = region.box
    x, y = min(int(box.x0), region.width - 1), min(int(box.y0), region.height - 1)
    return region.image, x, y, max(round(box.x1), x + 1), max(round(box.y1), y + 1)


def placed_in(region: Region, x: int, y: int, box: Box, label: str, score: float) -> Region:
    """A box found in a crop whose corner is (x, y), as a region of the whole picture in whole
    pixels.
    """
    moved = clip(Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y), region.width, region.height)
    whole = Box(*(float(round(v)) for v in moved.as_tuple()))
    return Region(region.image, region.width, region.height, whole, label, round(score, 4))


@lru_cache(maxsize=8)
def shared_detector(threshold: float, iou: float, threads: int) -> CropDetector:
    """One detector with its memory per setting and process, so that `exists` after `find` costs
    nothing.
    """
    return CropDetector(bundled_detector(threads), threshold, iou)


def _asked(call: ToolCall) -> tuple[Region, tuple[str, ...]]:
    region, name = patch(call), text(call, "object_name")
    names = classes_of(name)
    if names is None:
        raise ToolFailure(unknown(name))
    return region, names


class FindCoco:
    """`find` with SSDLite-MobileNetV2: COCO's 80 classes, their synonyms and wider words such as
    `animal`.

    Results stand best score first, as ViperGPT's do (its detector, GLIP, sorts by score): programs
    that need another order sort, and programs that take `[0]` mean the surest one.  Boxes are whole
    pixels of the whole picture, also when a crop was searched.  A name outside the table fails its
    call and says what can be found.

    Args:
        threshold: lowest score, 0 to 1.
        iou: overlap above which the weaker of two boxes is dropped.
        threads: processor threads of the network.
    """

    spec = STANDARD["find"]
    batch_size = BATCH

    def __init__(self, threshold: float = 0.3, iou: float = 0.5, threads: int = 1) -> None:
        self._detector = shared_detector(threshold, iou, threads)
        self.ref = PartRef("tool", "ssdlite-coco", "1", {"threshold": threshold, "iou": iou})

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, _asked, lambda asked: self._detector.find(asked, images))


class ExistsCoco:
    """`exists` on the same detections as `FindCoco` with the same arguments."""

    spec = STANDARD["exists"]
    batch_size = BATCH

    def __init__(self, threshold: float = 0.3, iou: float = 0.5, threads: int = 1) -> None:
        self._detector = shared_detector(threshold, iou, threads)
        self.ref = PartRef("tool", "ssdlite-coco-exists", "1", {"threshold": threshold, "iou": iou})

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def run(asked: list[tuple[Region, tuple[str, ...]]]) -> list[Value | ToolFailure]:
            found = self._detector.find(asked, images)
            return [here if isinstance(here, ToolFailure) else bool(here) for here in found]

        return answer_batch(calls, _asked, run)
