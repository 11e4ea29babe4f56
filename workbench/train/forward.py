"""One run of a model over lessons, with as much of its inside as somebody reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from workbench.errors import InputError
from workbench.models.eyes import projector_of
from workbench.recipes.teaching import Need, Outputs
from workbench.train.batch import Batch


def outputs_of(
    model: Any,
    batch: Batch,
    needs: frozenset[Need] = frozenset(),
    layers: Sequence[int] = (),
    picture: int | None = None,
) -> Outputs:
    """Run a model once.

    The head runs only at positions that some row predicts a target from: with a vocabulary of
    150,000 the logits of a picture's positions would be most of the memory.

    Args:
        model: a vision-language model.
        batch: the lessons.
        needs: what is read of the outputs; logits are always there.
        layers: whose hidden states are kept.
        picture: the token that stands for a position of the picture.

    Raises:
        InputError: the model has no such layer.
    """
    is_target = batch.targets[:, 1:] >= 0
    at = is_target.any(0).nonzero().squeeze(1)
    chosen = is_target[:, at]
    # before the model runs: its work would have to be waited for
    rows, places = chosen.nonzero(as_tuple=True)
    more: dict[str, Any] = {"output_hidden_states": True} if "hidden" in needs else {}
    result = model(**batch.inputs, logits_to_keep=at, use_cache=False, **more)
    ids = batch.inputs["input_ids"]
    mask = batch.inputs["attention_mask"]
    if mask.dim() != 2:  # rows that lessons share: filling sees itself alone
        mask = mask[:, 0].sum(-1) > 1
        mask[:, 0] = True
    return Outputs(
        logits=result.logits[rows, places],
        places=torch.stack([rows, at[places]], 1),
        mask=mask.bool(),
        image=torch.zeros_like(ids, dtype=torch.bool) if picture is None else ids == picture,
        hidden=_states(result, layers) if "hidden" in needs else {},
    )


def _states(result: Any, layers: Sequence[int]) -> dict[int, Tensor]:
    states = result.hidden_states
    if states is None:
        raise InputError(
            "this model does not hand out its hidden states; take an objective that reads logits"
        )
    wrong = [layer for layer in layers if not -len(states) <= layer < len(states)]
    if wrong:
        raise InputError(
            f"the model has no layer {', '.join(map(str, wrong))}; its layers are 0 (the "
            f"embeddings) to {len(states) - 1}, or from the end -1 to {-len(states)}"
        )
    return {layer: states[layer] for layer in layers}


def target_tokens(batch: Batch) -> tuple[Tensor, Tensor]:
    """The target tokens of a batch and the number of the lesson of each, both `(N,)`."""
    is_target = batch.targets[:, 1:] >= 0
    return batch.targets[:, 1:][is_target], batch.owners[:, 1:][is_target]


@contextmanager
def hide_places(model: Any, batch: Batch, shut: Tensor) -> Iterator[Batch]:
    """While it is open, a model that runs on what is yielded sees nothing in some places.

    The places stay where they are; what would stand in them is 0.

    Args:
        model: a vision-language model.
        batch: the lessons.
        shut: bool, one for each position of a picture, row by row.

    Raises:
        InputError: the model's eyes give another number of places.
    """
    features = batch.inputs.get("region_features")
    if features is not None:  # of the embedded detector: two flags, then what is there
        inside = features[..., :2].sum(-1) > 0
        look = features.clone()
        rows = look[inside]
        rows[..., 2:] *= ~shut[:, None]
        look[inside] = rows
        yield replace(batch, inputs={**batch.inputs, "region_features": look})
        return

    def blank(views: Tensor) -> Tensor:
        flat = views.reshape(-1, views.shape[-1])
        if len(flat) != len(shut):
            raise InputError(
                f"the model's eyes give {len(flat)} places and its text has {len(shut)} positions "
                "for them, so that none can be hidden; take an objective that hides no places"
            )
        return (flat * ~shut[:, None]).reshape(views.shape)

    hook = projector_of(model).register_forward_hook(lambda module, arguments, views: blank(views))
    try:
        yield batch
    finally:
        hook.remove()


@contextmanager
def watch_projector(model: Any) -> Iterator[list[Tensor]]:
    """While it is open, what the model's eyes give to the part behind them."""
    views: list[Tensor] = []
    hook = projector_of(model).register_forward_pre_hook(
        lambda module, arguments: views.append(arguments[0])
    )
    try:
        yield views
    finally:
        hook.remove()
