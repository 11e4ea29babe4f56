"""The embedded detector: SSDLite-MobileNetV2 over COCO's 80 classes, in onnxruntime.

One forward pass serves two users: the tools that find things (`SSDLite.detect`) and the student's
eyes (`SSDLite.regions`: proposals with features of the backbone pooled inside each box).  The file
is written by `making/convert_detector.py`; weights by Google's TensorFlow object detection API,
Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from workbench.boxes import Box
from workbench.errors import EngineError, InputError, MissingPart
from workbench.models.coco import CLASSES
from workbench.models.weights import detector_file

Array = np.ndarray[Any, Any]

SIDE = 300
"""Height and width of the network's input, pixels."""
MIDDLE, DEEP = 576, 1280
"""Channels of the backbone's 19x19 and 10x10 maps."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found in a picture."""

    label: str
    """One of `CLASSES`."""
    score: float
    """0 to 1."""
    box: Box
    """Pixels of the picture, clipped to it."""


@dataclass(frozen=True, slots=True)
class RegionFeatures:
    """What the student sees: proposals, the best first, and the backbone's features inside them.

    There are n pictures and k regions; rows beyond a picture's own regions are zero and have `mask`
    false.
    """

    boxes: Array
    """(n, k, 4) float32, x0 y0 x1 y1 in 0..1 of the picture."""
    scores: Array
    """(n, k, 80) float16, class scores in the order of `CLASSES`."""
    features: Array
    """(n, k, 576) float16, the 19x19 map averaged over the cells inside the box, weighted by
    overlap.

    On collages a linear classifier names 97 % of the regions from it (99 % of COCO's categories, 90
    % of the others), against 68 % from the class scores and 79 % from the 10x10 map; both maps
    together are no better.
    """
    objectness: Array
    """(n, k) float32, the best class score."""
    mask: Array
    """(n, k) bool."""
    whole: Array
    """(n, 1280) float16, the 10x10 map averaged over the picture."""


class SSDLite:
    """The detector, ready to run.  Safe to use from several threads.

    Args:
        path: An ONNX file as `convert_detector` writes it; None is the bundled one.
        threads: Threads of onnxruntime within one operation.

    Raises:
        InputError: the file is missing or is another model.
        MissingPart: onnxruntime is not installed.
    """

    def __init__(self, path: Path | None = None, threads: int = 1) -> None:
        path = path or detector_file()
        if not path.is_file():
            raise InputError(
                f"no detector at {path}; run `python -m workbench.making.convert_detector`"
            )
        try:
            import onnxruntime  # not at the top: training a student of a hub does without it
        except ImportError as error:
            raise MissingPart(
                "the embedded detector needs a package: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise InputError(
                f"{path} cannot be loaded by onnxruntime ({error}); convert it again"
            ) from error
        outputs = {o.name for o in self._session.get_outputs()}
        if missing := {"scores", "boxes", "middle", "deep"} - outputs:
            raise InputError(
                f"{path} lacks the outputs {', '.join(sorted(missing))}; convert it again"
            )

    def detect(
        self,
        images: Sequence[Image.Image],
        threshold: float = 0.3,
        iou: float = 0.5,
        classes: Collection[str] | None = None,
    ) -> list[list[Detection]]:
        """The detections in each picture, best score first.

        Args:
            images: Pictures.
            threshold: Lowest score of a class, 0 to 1.
            iou: Overlap above which the weaker of two boxes of one class is dropped.
            classes: Names of `CLASSES` to look for; None looks for all.
        """
        numbers = [i for i, name in enumerate(CLASSES) if classes is None or name in classes]
        out: list[list[Detection]] = []
        for picture in images:
            scores, boxes = self._run(["scores", "boxes"], picture)
            detections: list[Detection] = []
            for c in numbers:
                rows = np.flatnonzero(scores[:, c] >= threshold)
                for i in rows[suppress(boxes[rows], scores[rows, c], iou)]:
                    x0, y0, x1, y1 = np.clip(boxes[i], 0.0, 1.0).astype(float) * np.array(
                        [*picture.size] * 2
                    )
                    detections.append(
                        Detection(
                            CLASSES[c], float(scores[i, c]), Box(x0, y0, max(x0, x1), max(y0, y1))
                        )
                    )
            out.append(sorted(detections, key=lambda d: (-d.score, d.label, d.box)))
        return out

    def regions(
        self, images: Sequence[Image.Image], count: int = 16, floor: float = 0.05, iou: float = 0.6
    ) -> RegionFeatures:
        """The best proposals of each picture, whatever their classes, with pooled features.

        A proposal's objectness is its best class score.

        Args:
            images: Pictures.
            count: Most proposals of a picture.
            floor: Lowest objectness.
            iou: Overlap above which the weaker of two proposals is dropped.
        """
        n = len(images)
        out = RegionFeatures(
            np.zeros((n, count, 4), np.float32),
            np.zeros((n, count, len(CLASSES)), np.float16),
            np.zeros((n, count, MIDDLE), np.float16),
            np.zeros((n, count), np.float32),
            np.zeros((n, count), bool),
            np.zeros((n, DEEP), np.float16),
        )
        for row, picture in enumerate(images):
            scores, boxes, middle, deep = self._run(["scores", "boxes", "middle", "deep"], picture)
            best = scores.max(1)
            rows = np.flatnonzero(best >= floor)
            rows = rows[suppress(boxes[rows], best[rows], iou)][:count]
            k = len(rows)
            out.boxes[row, :k] = np.clip(boxes[rows], 0, 1)
            out.scores[row, :k] = scores[rows]
            out.features[row, :k] = pool(middle, out.boxes[row, :k])
            out.objectness[row, :k] = best[rows]
            out.mask[row, :k] = True
            out.whole[row] = deep.mean((0, 1))
        return out

    def _run(self, outputs: list[str], picture: Image.Image) -> list[Array]:
        """Some outputs of the network for one picture.

        A batch of pictures is not faster on a processor, and one by one they cannot change each
        other's results.
        """
        pixels = np.asarray(
            picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.uint8
        )
        try:
            return [value[0] for value in self._session.run(outputs, {"pictures": pixels[None]})]
        except Exception as error:  # as above
            raise EngineError(f"the detector failed: {error}") from error


def suppress(boxes: Array, scores: Array, iou: float) -> Array:
    """Indices of the boxes that greedy non-maximum suppression keeps, best score first.

    Args:
        boxes: `(m, 4)`, x0 y0 x1 y1.
        scores: `(m,)`.
        iou: Overlap above which the weaker of two boxes is dropped.
    """
    order = np.argsort(-scores, kind="stable")
    low, high = boxes[:, :2], boxes[:, 2:]
    area = np.prod(np.maximum(high - low, 0), axis=1)
    kept: list[int] = []
    while len(order):
        i, rest = order[0], order[1:]
        kept.append(int(i))
        shared = np.prod(
            np.maximum(np.minimum(high[i], high[rest]) - np.maximum(low[i], low[rest]), 0), axis=1
        )
        order = rest[shared <= iou * (area[i] + area[rest] - shared)]
    return np.array(kept, np.int64)


def pool(cells: Array, boxes: Array) -> Array:
    """Averages (k, channels) of a feature map (side, side, channels) inside boxes (k, 4) in 0..1.

    A cell has the weight of its part that the box covers.  A box counts as at least 1/1000 wide and
    high.
    """
    side = cells.shape[0]
    edges = np.arange(side + 1, dtype=np.float32) / side

    def cover(low: Array, high: Array) -> Array:
        high = np.clip(high, 1e-3, 1)
        low = np.clip(low, 0, high - 1e-3)
        overlap = np.minimum(high[:, None], edges[1:]) - np.maximum(low[:, None], edges[:-1])
        overlap = np.maximum(overlap, 0) + np.float32(1e-9)
        shares: Array = overlap / overlap.sum(1, keepdims=True)
        return shares

    across, down = cover(boxes[:, 0], boxes[:, 2]), cover(boxes[:, 1], boxes[:, 3])
    weights = (down[:, :, None] * across[:, None, :]).reshape(len(boxes), side * side)
    pooled: Array = weights @ cells.reshape(side * side, -1)
    return pooled


@lru_cache(maxsize=2)
def bundled_detector(threads: int = 1) -> SSDLite:
    """The bundled detector, loaded once per process."""
    return SSDLite(threads=threads)
