"""Finding things with the embedded closed-set detector: `find` and `exists`.

One run of the network per distinct crop serves all names, both tools and all programs of the
process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from threading import Lock
from typing import Protocol

from PIL import Image

from workbench.api import STANDARD
from workbench.boxes import Box, clip, non_maximum_suppression
from workbench.errors import ImageError, ToolFailure
from workbench.models.detector import Detection, bundled_detector
from workbench.models.weights import with_detector
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, patch, text
from workbench.tools.coco_names import classes_of, unknown

BATCH = 16
"""Most calls of one batch."""
KEPT = 4096
"""Number of crops whose detections are remembered."""

CropKey = tuple[str, int, int, int, int]
"""Digest of the picture and the crop's x0, y0, x1, y1 in whole pixels."""
FindRequest = tuple[Region, tuple[str, ...]]
"""A region and the names of classes to find in it."""


class Finder(Protocol):
    """A closed-set detector, which finds all its classes in one run."""

    def detect(
        self, images: Sequence[Image.Image], threshold: float = ..., iou: float = ...
    ) -> list[list[Detection]]:
        """The detections in each picture, best score first.

        Args:
            images: Pictures.
            threshold: Lowest score, 0 to 1.
            iou: Overlap above which the weaker of two boxes is dropped.
        """
        ...


class CropDetector:
    """Detections of crops in pixels of the whole picture; each crop goes through the model once.

    Safe for several threads.

    Args:
        model: The detector.
        threshold: Lowest score, 0 to 1.
        iou: Overlap above which the weaker of two boxes is dropped.
    """

    def __init__(self, model: Finder, threshold: float, iou: float) -> None:
        self._model, self._threshold, self._iou = model, threshold, iou
        self._memory: OrderedDict[CropKey, tuple[Region, ...]] = OrderedDict()
        self._lock = Lock()

    def look(
        self, regions: Sequence[Region], images: Images
    ) -> list[tuple[Region, ...] | ToolFailure]:
        """The detections in each region, of all classes, best score first.

        A region whose picture cannot be read has a failure in place of them.
        """
        with self._lock:
            results: dict[CropKey, tuple[Region, ...] | ToolFailure] = {
                key: self._memory[key] for key in map(crop_key, regions) if key in self._memory
            }
        fresh = {crop_key(r): r for r in regions if crop_key(r) not in results}
        crops = []
        for key, region in fresh.items():
            try:
                crops.append((key, region, images.crop(region)))
            except ImageError as error:
                results[key] = ToolFailure(str(error))
        detections = self._model.detect([crop for _, _, crop in crops], self._threshold, self._iou)
        for (key, region, _), here in zip(crops, detections, strict=True):
            results[key] = _all_to_picture(region, key, here)
        self._remember(results)
        return [results[crop_key(r)] for r in regions]

    def _remember(self, results: Mapping[CropKey, tuple[Region, ...] | ToolFailure]) -> None:
        with self._lock:
            for key, value in results.items():
                if not isinstance(value, ToolFailure):
                    self._memory[key] = value
            while len(self._memory) > KEPT:
                self._memory.popitem(last=False)

    def find(
        self, requests: Sequence[FindRequest], images: Images
    ) -> list[list[Region] | ToolFailure]:
        """The detections of some classes in some regions, best first.

        Several classes are one wider word: of two classes in the same place only the better one
        counts.
        """
        out: list[list[Region] | ToolFailure] = []
        looks = self.look([region for region, _ in requests], images)
        for (_, names), here in zip(requests, looks, strict=True):
            if isinstance(here, ToolFailure):
                out.append(here)
                continue
            matches = [r for r in here if r.label in names]
            if len(names) > 1:
                boxes, scores = [r.box for r in matches], [r.score or 0.0 for r in matches]
                kept = non_maximum_suppression(boxes, scores, self._iou)
                matches = [matches[i] for i in kept]
            out.append(matches)
        return out


def _all_to_picture(region: Region, key: CropKey, here: Sequence[Detection]) -> tuple[Region, ...]:
    """The detections in a region's crop as regions of the picture, without those of no area."""
    x, y = key[1], key[2]
    in_picture = (to_picture(region, x, y, d.box, d.label, d.score) for d in here)
    return tuple(r for r in in_picture if r.box.area > 0)


def crop_key(region: Region) -> CropKey:
    """The pixels that `Images.crop` shows of a region: equal keys, equal crops."""
    box = region.box
    x, y = min(int(box.x0), region.width - 1), min(int(box.y0), region.height - 1)
    return region.image, x, y, max(round(box.x1), x + 1), max(round(box.y1), y + 1)


def to_picture(region: Region, x: int, y: int, box: Box, label: str, score: float) -> Region:
    """A box in a crop as a region of the whole picture, in whole pixels.

    Args:
        region: The region that was cropped.
        x: Left edge of the crop, pixels of the picture.
        y: Upper edge of the crop, pixels of the picture.
        box: The box, pixels of the crop.
        label: What the box holds.
        score: 0 to 1.
    """
    moved = clip(Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y), region.width, region.height)
    whole = Box(*(float(round(v)) for v in moved.as_tuple()))
    return Region(region.image, region.width, region.height, whole, label, round(score, 4))


@lru_cache(maxsize=8)
def shared_detector(threshold: float, iou: float, threads: int) -> CropDetector:
    """One detector per setting and process; through its memory `exists` costs nothing after `find`.

    Args:
        threshold: Lowest score, 0 to 1.
        iou: Overlap above which the weaker of two boxes is dropped.
        threads: Processor threads of the network.
    """
    return CropDetector(bundled_detector(threads), threshold, iou)


def _request(call: ToolCall) -> FindRequest:
    region, name = patch(call), text(call, "object_name")
    names = classes_of(name)
    if names is None:
        raise ToolFailure(unknown(name))
    return region, names


class FindCoco:
    """`find` with SSDLite-MobileNetV2: COCO's 80 classes, synonyms and wider words (`animal`).

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
        self.ref = PartRef(
            "tool", "ssdlite-coco", with_detector("1"), {"threshold": threshold, "iou": iou}
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, _request, lambda requests: self._detector.find(requests, images))


class ExistsCoco:
    """`exists` on the same detections as `FindCoco` with the same arguments."""

    spec = STANDARD["exists"]
    batch_size = BATCH

    def __init__(self, threshold: float = 0.3, iou: float = 0.5, threads: int = 1) -> None:
        self._detector = shared_detector(threshold, iou, threads)
        self.ref = PartRef(
            "tool", "ssdlite-coco-exists", with_detector("1"), {"threshold": threshold, "iou": iou}
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def run(requests: list[FindRequest]) -> list[Value | ToolFailure]:
            results = self._detector.find(requests, images)
            return [here if isinstance(here, ToolFailure) else bool(here) for here in results]

        return answer_batch(calls, _request, run)
