"""Reading text in a patch with RapidOCR, whose wheel has PP-OCR models for onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from rapidocr import RapidOCR

from workbench.api import STANDARD
from workbench.environment import versions_of
from workbench.errors import ToolFailure
from workbench.ports import Images
from workbench.records import PartRef, Region, ToolCall, Value
from workbench.tools.arguments import answer_batch, patch

MARGIN = 8
"""White pixels around a crop: text that touches the border is missed otherwise."""


class ReadText:
    """`read_text`: the text in the patch, its lines joined by spaces from top to bottom.

    The answer is empty where there is no text.

    Args:
        threshold: Lowest confidence of a line, 0 to 1.
        smallest: A crop whose shorter side has fewer pixels is enlarged to this.
        threads: Processor threads of the networks.
    """

    spec = STANDARD["read_text"]
    batch_size = 4

    def __init__(self, threshold: float = 0.5, smallest: int = 64, threads: int = 1) -> None:
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": threshold,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        self._threshold, self._smallest = threshold, smallest
        self._lock = Lock()
        # the networks come in the package
        libraries = versions_of("rapidocr", "onnxruntime")
        self.ref = PartRef(
            "tool", "rapidocr", f"1+{libraries}", {"threshold": threshold, "smallest": smallest}
        )

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def parse(call: ToolCall) -> Any:
            return self._pixels(patch(call), images)

        return answer_batch(calls, parse, lambda crops: [self._read(crop) for crop in crops])

    def _pixels(self, region: Region, images: Images) -> Any:
        crop = images.crop(region).convert("RGB")
        scale = self._smallest / min(crop.size)
        if scale > 1:
            crop = crop.resize(
                (min(round(crop.width * scale), 4096), min(round(crop.height * scale), 4096))
            )
        pixels = np.asarray(crop, np.uint8)[:, :, ::-1]  # OpenCV's order: blue first
        return np.pad(pixels, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)

    def _read(self, pixels: Any) -> str:
        with self._lock:  # the engine keeps its thresholds in itself while it runs
            result = self._engine(pixels)
        lines = zip(result.txts or (), result.scores or (), strict=True)
        return " ".join(
            words.strip() for words, score in lines if score >= self._threshold and words.strip()
        )
