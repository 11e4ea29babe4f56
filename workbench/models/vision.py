"""Hub vision models behind their Auto classes: loading, device, precision and moving a batch over.

Image processors run on Pillow and NumPy (`backend="pil"`): torchvision is never needed, and a
result does not depend on whether it happens to be installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image

from workbench.errors import InputError
from workbench.models.language import preferred_device, quiet


class VisionModel:
    """A model of one Auto class with its processor, in evaluation mode.

    Args:
        auto: The Auto class of transformers that loads the weights.
        processor: `AutoProcessor` or `AutoImageProcessor`.
        checkpoint: A folder or a hub id.
        device: A device as torch names it; None takes CUDA, then Apple's GPU, then the processor.
        half: Whether to compute in 16-bit floats.  None means on CUDA only, where they double the
            speed; on a processor these small models are not faster in bfloat16, and boxes lose
            pixels.

    Raises:
        InputError: the checkpoint is not there or is of another kind.
    """

    def __init__(
        self,
        auto: Any,
        processor: Any,
        checkpoint: str,
        device: str | None = None,
        half: bool | None = None,
    ) -> None:
        self.device = preferred_device(device)
        sixteen_bit = self.device.type == "cuda" if half is None else half
        self.dtype = torch.float32
        if sixteen_bit:
            self.dtype = torch.bfloat16 if self.device.type == "cpu" else torch.float16
        if checkpoint.startswith((".", "/", "~")) and not Path(checkpoint).expanduser().is_dir():
            raise InputError(f"no model folder at {checkpoint}; give a folder or a hub id")
        path = str(Path(checkpoint).expanduser()) if checkpoint.startswith("~") else checkpoint
        try:
            with quiet():
                self.model: Any = (
                    auto.from_pretrained(path, dtype=self.dtype).to(self.device).eval()
                )
                self.processor: Any = processor.from_pretrained(path, backend="pil")
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{auto.__name__} cannot load '{checkpoint}' ({str(error).splitlines()[0][:300]}); "
                "give a folder or hub id of such a model, and check that the hub can be reached"
            ) from error
        self.kind = str(self.model.config.model_type)
        """The model family, for example `owlv2`."""

    def to_device(self, batch: Any) -> dict[str, Any]:
        """A processor's output on the model's device, floating-point tensors in its precision."""
        return {
            name: value.to(self.device, self.dtype if value.is_floating_point() else value.dtype)
            for name, value in batch.items()
            if isinstance(value, torch.Tensor)
        }

    def inputs(self, picture: Image.Image) -> dict[str, Any]:
        """One picture's inputs, alone: pictures of other sizes in the batch cannot change them."""
        return self.to_device(self.processor(images=picture, return_tensors="pt"))


def plain_float(output: Any) -> Any:
    """A model's output on the processor, its floating-point tensors as float32.

    Boxes are then computed exactly.
    """
    for name, value in list(output.items()):
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            output[name] = value.float().cpu()
        elif isinstance(value, torch.Tensor):
            output[name] = value.cpu()
    return output
