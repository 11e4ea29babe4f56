"""Finding things with detectors of the hub: open vocabularies and closed sets.

Examples are OWLv2 and Grounding DINO for the former, DETR and YOLOS for the latter.  They answer
`find` and `exists` in place of the embedded detector; a profile names the checkpoint and the
thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoModelForObjectDetection,
    AutoModelForZeroShotObjectDetection,
    AutoProcessor,
)

from workbench.api import STANDARD
from workbench.boxes import Box, non_maximum_suppression
from workbench.english import singular
from workbench.errors import ToolFailure
from workbench.models.checkpoint_state import with_state
from workbench.models.detector import Detection
from workbench.models.vision import VisionModel, plain_float
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, patch, text
from workbench.tools.coco_names import classes_of
from workbench.tools.detector import CropDetector, crop_key, to_picture


@dataclass(frozen=True, slots=True)
class _DetectionRequest:
    region: Region
    name: str
    crop: Image.Image


class HubDetection:
    """`find` with any model of `AutoModelForZeroShotObjectDetection`, such as OWLv2.

    Results stand best score first, in whole pixels of the whole picture.  OWL models look once at
    each crop for all names that a batch finds in it; a name's result does not depend on the names
    beside it.

    Args:
        model: A folder or a hub id, for example `google/owlv2-base-patch16-ensemble`.
        threshold: Lowest score, 0 to 1.
        iou: Overlap above which the weaker of two boxes is dropped.
        prompt: The text around a name, with `{name}` in it; None is `a photo of a {name}` for OWL
            models and `a {name}` for others.
        device: See `VisionModel`.
        half: See `VisionModel`.
        batch_size: Crops per forward pass.
    """

    name = "hub-zero-shot-detection"
    spec = STANDARD["find"]

    def __init__(
        self,
        model: str,
        threshold: float = 0.25,
        iou: float = 0.5,
        prompt: str | None = None,
        device: str | None = None,
        half: bool | None = None,
        batch_size: int = 8,
    ) -> None:
        self._vision = VisionModel(
            AutoModelForZeroShotObjectDetection, AutoProcessor, model, device, half
        )
        self._owl = self._vision.kind.startswith("owl")
        self._prompt = prompt or ("a photo of a {name}" if self._owl else "a {name}")
        self._threshold, self._iou = threshold, iou
        self.batch_size = batch_size
        arguments = {"model": model, "threshold": threshold, "iou": iou, "prompt": self._prompt}
        self.ref = PartRef("tool", self.name, with_state("1", model), arguments)

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(calls, lambda call: self._parse(call, images), self._answer)

    def _answer(self, requests: list[_DetectionRequest]) -> Sequence[Value | ToolFailure]:
        return self._find(requests)

    @staticmethod
    def _parse(call: ToolCall, images: Images) -> _DetectionRequest:
        region = patch(call)
        # a full stop separates names in Grounding DINO's text
        name = text(call, "object_name").replace(".", " ").strip()
        if not name:
            raise ToolFailure(f"{call.tool}: object_name is empty")
        return _DetectionRequest(region, name, images.crop(region))

    def _find(self, requests: list[_DetectionRequest]) -> list[list[Region]]:
        """The detections of each (crop, name)."""
        groups: dict[Any, list[int]] = {}
        for i, item in enumerate(requests):
            # crops of one size need no padding, which some models would see
            groups.setdefault(crop_key(item.region) if self._owl else item.crop.size, []).append(i)
        out: list[list[Region]] = [[] for _ in requests]
        if self._owl:
            crops = list(groups.values())
            for start in range(0, len(crops), self.batch_size):
                self._look_owl(requests, crops[start : start + self.batch_size], out)
        else:
            for rows in groups.values():
                for start in range(0, len(rows), self.batch_size):
                    self._look(requests, rows[start : start + self.batch_size], out)
        return out

    def _look(
        self, requests: list[_DetectionRequest], rows: list[int], out: list[list[Region]]
    ) -> None:
        pictures, texts = (
            [requests[i].crop for i in rows],
            [[self._text(requests[i].name)] for i in rows],
        )
        batch = self._vision.processor(
            images=pictures, text=texts, padding=True, return_tensors="pt"
        )
        results = self._results(batch, [requests[i].crop for i in rows])
        for i, result in zip(rows, results, strict=True):
            out[i] = self._regions(requests[i], result)

    def _look_owl(
        self, requests: list[_DetectionRequest], groups: list[list[int]], out: list[list[Region]]
    ) -> None:
        names = [list(dict.fromkeys(requests[i].name for i in rows)) for rows in groups]
        most = max(map(len, names))
        texts = [[self._text(n) for n in row] + [" "] * (most - len(row)) for row in names]
        crops = [requests[rows[0]].crop for rows in groups]
        images = self._vision.processor.image_processor
        if self._vision.kind == "owlv2":
            # the processor's own resizing needs SciPy; Pillow's is as smooth, and faster
            side = (images.size["width"], images.size["height"])
            pixels = images(
                [_square(c).resize(side) for c in crops],
                do_pad=False,
                do_resize=False,
                return_tensors="pt",
            )
        else:
            pixels = images(crops, return_tensors="pt")
        flat = [t for row in texts for t in row]
        words = self._vision.processor.tokenizer(
            flat, padding="max_length", truncation=True, return_tensors="pt"
        )
        output = self._forward({**words, **pixels})
        for g, rows in enumerate(groups):
            for i in rows:
                q = names[g].index(requests[i].name)
                one = SimpleNamespace(
                    logits=output.logits[g : g + 1, :, q : q + 1],
                    pred_boxes=output.pred_boxes[g : g + 1],
                )
                out[i] = self._regions(requests[i], self._read(one, [crops[g]])[0])

    def _forward(self, batch: Any) -> Any:
        with torch.inference_mode():
            return plain_float(self._vision.model(**self._vision.to_device(batch)))

    def _results(self, batch: Any, crops: list[Image.Image]) -> Any:
        output = self._forward(batch)
        if "input_ids" not in output:
            output["input_ids"] = batch["input_ids"]
        return self._read(output, crops)

    def _read(self, output: Any, crops: list[Image.Image]) -> Any:
        sizes = [(crop.height, crop.width) for crop in crops]
        return self._vision.processor.post_process_grounded_object_detection(
            output, threshold=self._threshold, target_sizes=sizes
        )

    def _regions(self, request: _DetectionRequest, result: Any) -> list[Region]:
        _, x, y, _, _ = crop_key(request.region)
        rows = zip(result["boxes"].tolist(), result["scores"].tolist(), strict=True)
        regions = [
            to_picture(request.region, x, y, _box(corners, request.crop), request.name, score)
            for corners, score in rows
        ]
        regions = [region for region in regions if region.box.area > 0]
        boxes, scores = [r.box for r in regions], [r.score or 0.0 for r in regions]
        return [regions[i] for i in non_maximum_suppression(boxes, scores, self._iou)]

    def _text(self, name: str) -> str:
        return self._prompt.replace("{name}", name)


class HubZeroShotExists(HubDetection):
    """`exists`: whether `HubDetection` with the same arguments finds anything."""

    name = "hub-zero-shot-exists"
    spec = STANDARD["exists"]

    def _answer(self, requests: list[_DetectionRequest]) -> Sequence[Value | ToolFailure]:
        return [bool(regions) for regions in self._find(requests)]


class _ClosedModel:
    """A model of `AutoModelForObjectDetection` in the form that `CropDetector` takes."""

    def __init__(self, vision: VisionModel) -> None:
        self._vision = vision
        self.labels = {int(i): str(label) for i, label in vision.model.config.id2label.items()}

    def detect(
        self, images: Sequence[Image.Image], threshold: float = 0.5, iou: float = 0.5
    ) -> list[list[Detection]]:
        """The detections in each picture, best score first.

        Args:
            images: Pictures, which go through the model one by one.
            threshold: Lowest score, 0 to 1.
            iou: Overlap above which the weaker of two boxes of one label is dropped.
        """
        out: list[list[Detection]] = []
        for picture in images:
            with torch.inference_mode():
                output = plain_float(self._vision.model(**self._vision.inputs(picture)))
            result = self._vision.processor.post_process_object_detection(
                output, threshold=threshold, target_sizes=[(picture.height, picture.width)]
            )[0]
            rows = zip(
                *(result[part].tolist() for part in ("boxes", "scores", "labels")), strict=True
            )
            detections = [
                Detection(self.labels[int(label)], float(score), _box(corners, picture))
                for corners, score, label in rows
            ]
            kept: list[Detection] = []
            for name in sorted({d.label for d in detections}):
                same = [d for d in detections if d.label == name]
                order = non_maximum_suppression([d.box for d in same], [d.score for d in same], iou)
                kept += [same[i] for i in order]
            out.append(sorted(kept, key=lambda d: (-d.score, d.label, d.box)))
        return out

    def names(self, word: str) -> tuple[str, ...]:
        """The model's labels that a word stands for.

        A word that is a label stands for itself; others go by COCO's synonyms and wider words.
        """
        plain = {label.lower(): label for label in self.labels.values()}
        low = word.lower()
        for candidate in (low, singular(low)):
            if candidate in plain:
                return (plain[candidate],)
        return tuple(plain[name] for name in classes_of(word) or () if name in plain)


class HubClosedDetection:
    """`find` with any model of `AutoModelForObjectDetection`, such as DETR, RT-DETR or YOLOS.

    Each crop goes through the model once for all names.  A name outside the model's labels fails
    its call.

    Args:
        model: A folder or a hub id, for example `PekingU/rtdetr_r50vd`.
        threshold: Lowest score, 0 to 1.
        iou: Overlap above which the weaker of two boxes of one label is dropped.
        device: See `VisionModel`.
        half: See `VisionModel`.
        batch_size: Crops per call.
    """

    name = "hub-detection"
    spec = STANDARD["find"]

    def __init__(
        self,
        model: str,
        threshold: float = 0.5,
        iou: float = 0.5,
        device: str | None = None,
        half: bool | None = None,
        batch_size: int = 8,
    ) -> None:
        self._model = _ClosedModel(
            VisionModel(AutoModelForObjectDetection, AutoImageProcessor, model, device, half)
        )
        self._detector = CropDetector(self._model, threshold, iou)
        self.batch_size = batch_size
        arguments = {"model": model, "threshold": threshold, "iou": iou}
        self.ref = PartRef("tool", self.name, with_state("1", model), arguments)

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        return answer_batch(
            calls, self._parse, lambda requests: self._answer(self._detector.find(requests, images))
        )

    def _answer(self, results: list[list[Region] | ToolFailure]) -> Sequence[Value | ToolFailure]:
        return results

    def _parse(self, call: ToolCall) -> tuple[Region, tuple[str, ...]]:
        region, word = patch(call), text(call, "object_name")
        names = self._model.names(word)
        if not names:
            labels = sorted(set(self._model.labels.values()))
            more = ", ..." if len(labels) > 12 else ""
            raise ToolFailure(
                f"the detector does not know '{word}'; it finds {len(labels)} classes: "
                f"{', '.join(labels[:12])}{more}"
            )
        return region, names


class HubClosedExists(HubClosedDetection):
    """`exists`: whether `HubClosedDetection` with the same arguments finds anything."""

    name = "hub-exists"
    spec = STANDARD["exists"]

    def _answer(self, results: list[list[Region] | ToolFailure]) -> Sequence[Value | ToolFailure]:
        return [here if isinstance(here, ToolFailure) else bool(here) for here in results]


def _square(crop: Image.Image) -> Image.Image:
    """The picture in the upper left of a black square, as OWLv2 was trained."""
    side = max(crop.size)
    canvas = Image.new("RGB", (side, side))
    canvas.paste(crop)
    return canvas


def _box(corners: Sequence[float], crop: Image.Image) -> Box:
    """A model's corners as a box inside the crop; corners in the wrong order give an empty box."""
    x0, y0, x1, y1 = corners
    x0, x1 = min(max(x0, 0.0), crop.width), min(max(x1, 0.0), crop.width)
    y0, y1 = min(max(y0, 0.0), crop.height), min(max(y1, 0.0), crop.height)
    return Box(x0, y0, max(x0, x1), max(y0, y1))
