"""Kernels of the package liger-kernel in place of a student's own: norms, gates and rotations.

They are written for GPUs, and change results by rounding alone.  The loss stays ours: it needs
logits at targets only, which the package's own loss does not give.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import torch

from workbench.errors import InputError, MissingPart

PACKAGE = "liger_kernel"
KERNELS = {
    "rope": True,
    "rms_norm": True,
    "layer_norm": True,
    "swiglu": True,
    "geglu": True,
    "cross_entropy": False,
    "fused_linear_cross_entropy": False,
}
"""What is replaced; a family takes those of them that it has."""


def check_fast() -> None:
    """Refuse fast kernels where there are none, before weights are read.

    Raises:
        MissingPart: there is no GPU, or the package is absent.
    """
    if not torch.cuda.is_available():
        raise MissingPart("fast kernels are written for a CUDA device; set fast = false")
    if importlib.util.find_spec(PACKAGE) is None:
        raise MissingPart(
            "fast kernels are in a package that is absent: pip install 'vpd-workbench[fast]'; or "
            "set fast = false"
        )


def make_fast(model: Any) -> None:
    """Put fast kernels into a student, which is changed.

    Args:
        model: of transformers, without adapters.

    Raises:
        InputError: the package has none for its family.
    """
    patches = importlib.import_module(f"{PACKAGE}.transformers.monkey_patch")
    family = model.config.model_type
    if family not in patches.MODEL_TYPE_TO_APPLY_LIGER_FN:
        raise InputError(
            f"liger-kernel has no fast kernels for the family {family}; set fast = false"
        )
    patches._apply_liger_kernel_to_instance(model=model, **KERNELS)
