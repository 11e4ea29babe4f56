"""Depth and image-text similarity with models of the hub."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoModelForDepthEstimation, AutoProcessor

from workbench.api import STANDARD
from workbench.errors import InputError, ToolFailure
from workbench.models.checkpoint_state import with_state
from workbench.models.vision import VisionModel, plain_float
from workbench.ports import Images
from workbench.records import Parameter, PartRef, Region, ToolCall, ToolSpec, Value
from workbench.tools.arguments import answer_batch, patch, patches, text, texts
from workbench.tools.detector import crop_key

K = TypeVar("K")

LONGEST_SIDE = 1024
"""Longest side of a remembered depth map."""
DISPARITY = ("dpt", "depth_anything")
"""Families whose relative models give inverse depth: larger is nearer."""

_SIMILARITY = ToolSpec(
    "similarity",
    (Parameter("text", "str"),),
    "float",
    "How well a text describes this patch, -1 to 1; larger is better.\n"
    ">>> print(image_patch.similarity('a red car'))",
)


def _remember(
    memory: OrderedDict[K, Tensor], keys: Sequence[K], make: Callable[[K], Tensor], most: int
) -> list[Tensor]:
    """The values of some keys, of which the missing ones are made.

    Args:
        memory: Values of earlier calls, the latest last; it keeps at most `most`.
        keys: The keys.
        make: Makes the value of a key.
        most: Number of values that are remembered.
    """
    here: dict[K, Tensor] = {}
    for key in dict.fromkeys(keys):
        here[key] = memory[key] if key in memory else make(key)
        memory[key] = here[key]
        memory.move_to_end(key)
    while len(memory) > most:
        memory.popitem(last=False)
    return [here[key] for key in keys]


class HubDepth:
    """`compute_depth` with any model of `AutoModelForDepthEstimation`, such as Depth Anything.

    The whole picture goes through the model once, and the median inside the patch is the answer, as
    in ViperGPT.  Larger is always farther: metres for metric models; for models that give inverse
    depth, the distance below the nearest point's value, in the model's own unit.

    Args:
        model: A folder or a hub id, for example `depth-anything/Depth-Anything-V2-Small-hf`.
        inverse: Whether the model's values grow towards the viewer; None decides by its family.
        device: See `VisionModel`.
        half: See `VisionModel`.
        keep: Number of depth maps that are remembered.
    """

    spec = STANDARD["compute_depth"]
    batch_size = 32

    def __init__(
        self,
        model: str,
        inverse: bool | None = None,
        device: str | None = None,
        half: bool | None = None,
        keep: int = 32,
    ) -> None:
        self._vision = VisionModel(
            AutoModelForDepthEstimation, AutoImageProcessor, model, device, half
        )
        config = self._vision.model.config
        metric = getattr(config, "depth_estimation_type", "relative") == "metric"
        self._inverse = (
            (self._vision.kind in DISPARITY and not metric) if inverse is None else inverse
        )
        self._maps: OrderedDict[str, Tensor] = OrderedDict()
        self._keep = keep
        arguments = {"model": model, "inverse": self._inverse}
        self.ref = PartRef("tool", "hub-depth", with_state("1", model), arguments)

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def parse(call: ToolCall) -> Region:
            region = patch(call)
            images.open(region.image)
            return region

        def run(regions: list[Region]) -> list[Value | ToolFailure]:
            maps = _remember(
                self._maps, [r.image for r in regions], lambda d: self._depth(d, images), self._keep
            )
            return [_median(depth, region) for depth, region in zip(maps, regions, strict=True)]

        return answer_batch(calls, parse, run)

    def _depth(self, digest: str, images: Images) -> Tensor:
        """Depth of a picture, `(height, width)`; larger is farther.

        The map is scaled to at most 1024 on the longer side.
        """
        picture = images.open(digest)
        with torch.inference_mode():
            output = plain_float(self._vision.model(**self._vision.inputs(picture)))
        scale = min(1.0, LONGEST_SIDE / max(picture.size))
        sizes = [(max(round(picture.height * scale), 1), max(round(picture.width * scale), 1))]
        depth: Tensor = self._vision.processor.post_process_depth_estimation(
            output, target_sizes=sizes
        )[0]["predicted_depth"]
        return depth.max() - depth if self._inverse else depth


def _median(depth: Tensor, region: Region) -> float:
    """The median inside the region, the lower middle value where their number is even."""
    high, wide = depth.shape
    _, x0, y0, x1, y1 = crop_key(region)
    part = depth[_cells(y0, y1, region.height, high), _cells(x0, x1, region.width, wide)]
    return round(float(part.median()), 4)


def _cells(low: float, past: float, size: int, count: int) -> slice:
    """The cells, at least one, of `count` along an edge that pixels `low` to `past` of it cover.

    Args:
        low: First pixel.
        past: The pixel behind the last.
        size: Length of the edge, pixels.
        count: Length of the edge, cells.
    """
    start = min(max(int(low * count / size), 0), count - 1)
    return slice(start, max(round(past * count / size), start + 1))


class _ImageText:
    """A dual encoder that gives unit vectors of crops and texts, and remembers them."""

    def __init__(
        self, model: str, device: str | None, half: bool | None, prompt: str, keep: int
    ) -> None:
        self._vision = VisionModel(AutoModel, AutoProcessor, model, device, half)
        if not hasattr(self._vision.model, "get_image_features"):
            kind = type(self._vision.model).__name__
            raise InputError(
                f"'{model}' is a {kind}, not a model with image and text vectors such as CLIP or "
                "SigLIP"
            )
        self._prompt, self._keep = prompt, keep
        self._crops: OrderedDict[Any, Tensor] = OrderedDict()
        self._texts: OrderedDict[str, Tensor] = OrderedDict()

    def scale(self) -> float:
        """What cosines are multiplied by before they are compared.

        Raises:
            InputError: the model has no such number.
        """
        logarithm = getattr(self._vision.model, "logit_scale", None)
        if logarithm is None:
            kind = type(self._vision.model).__name__
            raise InputError(
                f"a {kind} has no scale for its cosines, so that they are no log-odds; take a "
                "model such as CLIP or SigLIP"
            )
        return float(logarithm.detach().exp())

    def crops(self, regions: Sequence[Region], images: Images) -> Tensor:
        """Vectors of the regions' crops, `(regions, channels)`."""
        by_key = {crop_key(region): region for region in regions}

        def look(key: Any) -> Tensor:
            with torch.inference_mode():
                crop = images.crop(by_key[key])
                return _unit(self._vision.model.get_image_features(**self._vision.inputs(crop)))

        return torch.stack(_remember(self._crops, [crop_key(r) for r in regions], look, self._keep))

    def texts(self, words: Sequence[str]) -> Tensor:
        """Vectors of texts, each put into the prompt, `(texts, channels)`."""

        def read(word: str) -> Tensor:
            # SigLIP was trained on texts of full length, and CLIP does not mind
            batch = self._vision.processor(
                text=[self._prompt.replace("{text}", word)],
                padding="max_length",
                truncation=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                return _unit(self._vision.model.get_text_features(**self._vision.to_device(batch)))

        return torch.stack(_remember(self._texts, list(words), read, self._keep))


def _unit(output: Any) -> Tensor:
    vector = output if isinstance(output, Tensor) else output.pooler_output
    return torch.nn.functional.normalize(vector.float(), dim=-1)[0].cpu()


class _ImageTextTool:
    name: str
    batch_size = 32

    def __init__(
        self,
        model: str,
        device: str | None = None,
        half: bool | None = None,
        prompt: str = "a photo of {text}",
        keep: int = 4096,
    ) -> None:
        self._encoder = _ImageText(model, device, half, prompt, keep)
        arguments = {"model": model, "prompt": prompt}
        self.ref = PartRef("tool", self.name, with_state("1", model), arguments)


class HubImageText(_ImageTextTool):
    """`best_image_match` with a dual encoder such as CLIP or SigLIP.

    The answer is the index of the patch that is nearest to the texts on average.  An empty list
    gives None, as ViperGPT's does.

    Args:
        model: A folder or a hub id, for example `google/siglip2-base-patch16-224`.
        device: See `VisionModel`.
        half: See `VisionModel`.
        prompt: The text around a text, with `{text}` in it.
        keep: Number of vectors that are remembered.
    """

    name = "hub-image-text"
    spec = STANDARD["best_image_match"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def parse(call: ToolCall) -> tuple[list[Region], list[str]]:
            content = call.arguments.get("content")
            words = [text(call, "content")] if isinstance(content, str) else texts(call, "content")
            if call.arguments.get("list_patches") in ([], ()):
                return [], words
            regions = patches(call, "list_patches")
            for region in regions:
                images.open(region.image)
            return regions, words

        def run(requests: list[tuple[list[Region], list[str]]]) -> list[Value | ToolFailure]:
            out: list[Value | ToolFailure] = []
            for regions, words in requests:
                if not regions:
                    out.append(None)
                    continue
                scores = (self._encoder.crops(regions, images) @ self._encoder.texts(words).T).mean(
                    1
                )
                out.append(int(scores.argmax()))
            return out

        return answer_batch(calls, parse, run)


class HubSimilarity(_ImageTextTool):
    """`similarity`: the cosine between a patch and a text.  Arguments as `HubImageText`."""

    name = "hub-similarity"
    spec = _SIMILARITY

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def parse(call: ToolCall) -> tuple[Region, str]:
            region = patch(call)
            images.open(region.image)
            return region, text(call, "text")

        def run(requests: list[tuple[Region, str]]) -> list[Value | ToolFailure]:
            crops = self._encoder.crops([region for region, _ in requests], images)
            texts = self._encoder.texts([words for _, words in requests])
            return [round(float(value), 4) for value in (crops * texts).sum(1)]

        return answer_batch(calls, parse, run)


class HubTextMatch(_ImageTextTool):
    """`best_text_match` with a dual encoder: the option that is nearest to the patch.

    Arguments as `HubImageText`.
    """

    name = "hub-text-match"
    spec = STANDARD["best_text_match"]

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> list[Value | ToolFailure]:
        def parse(call: ToolCall) -> tuple[Region, list[str], list[Any]]:
            region, options = patch(call), texts(call, "options")
            images.open(region.image)
            prefix = text(call, "prefix") if call.arguments.get("prefix") not in (None, "") else ""
            values = call.arguments["options"]
            assert isinstance(values, list | tuple)  # `texts` has checked it
            return (
                region,
                [f"{prefix} {option}" if prefix else option for option in options],
                list(values),
            )

        def run(requests: list[tuple[Region, list[str], list[Any]]]) -> list[Value | ToolFailure]:
            crops = self._encoder.crops([region for region, _, _ in requests], images)
            best = [
                int((self._encoder.texts(options) @ row).argmax())
                for row, (_, options, _) in zip(crops, requests)
            ]
            return [values[i] for i, (_, _, values) in zip(best, requests, strict=True)]

        return answer_batch(calls, parse, run)


class ImageTextEyes:
    """How well words fit a patch, by a dual encoder such as CLIP.

    Args:
        model: A folder or a hub id.
    """

    def __init__(self, model: str) -> None:
        self._encoder = _ImageText(model, None, None, "a photo of something{text}", 4096)
        self._scale = self._encoder.scale()
        self.version = with_state("1", model)

    def read(self, call: ToolCall, images: Images, name: str) -> tuple[Region, str]:
        """The patch and the words of a call.

        Args:
            call: Of a program.
            images: Opens pictures.
            name: Of the argument that holds the words.
        """
        region = patch(call)
        images.open(region.image)
        return region, text(call, name)

    def fit(self, regions: Sequence[Region], words: Sequence[str], images: Images) -> list[float]:
        """The scaled cosine of patch and words, less that of words that fit anything.

        Args:
            regions: Parts of pictures.
            words: For each of them.
            images: Opens pictures.
        """
        if not regions:
            return []
        crops = self._encoder.crops(regions, images)
        apart = self._encoder.texts([f" {word}" for word in words]) - self._encoder.texts([""])
        cosines: list[float] = (self._scale * (crops * apart).sum(1)).tolist()
        return cosines
