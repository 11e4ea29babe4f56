"""The part of a model between what it sees and what it reads, and the memory that may lie there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from workbench.errors import InputError
from workbench.recipes.knowledge import FILE, FactMemory


def projector_of(model: Any) -> Any:
    """The part between what a model sees and what it reads.

    Raises:
        InputError: none of its parts has a name that such a part has.
    """
    names = ("multi_modal_projector", "connector", "merger", "projector", "region_reader")
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in names:
            return module
    raise InputError(
        "no part of this model is called " + ", ".join(names) + ": nothing stands between its eyes "
        "and its language model that another model's eyes could be put in front of"
    )


def with_knowledge(model: Any, checkpoint: str) -> Any:
    """The model, which sees through the memory of facts where its folder has one.

    Args:
        model: as it was loaded.
        checkpoint: its folder, or its hub id.
    """
    file = Path(checkpoint) / FILE
    if not file.is_file():
        return model
    tensors = load_file(file)
    slots, width = tensors["values"].shape
    memory = FactMemory(width, slots, tensors["keys"].shape[1])
    memory.load_state_dict(tensors)
    memory.to(model.device).requires_grad_(False).put_behind(projector_of(model))
    return model
