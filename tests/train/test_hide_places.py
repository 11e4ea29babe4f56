"""Places of the picture that a student does not get to see, in every way families have eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tiny_vlms import make

from workbench.errors import InputError
from workbench.records import Lesson
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.forward import hide_places, outputs_of

COLLAGES = Path(__file__).resolve().parents[2] / "data" / "collages" / "images" / "test"


def batch_of(family: str) -> tuple[Any, Batch, int]:
    """A tiny model, two lessons about a picture in which the embedded detector sees things."""
    model, processor = make(family)
    adapter = Adapter(processor)
    picture = Image.open(next(iter(sorted(COLLAGES.iterdir())))).convert("RGB")
    lessons = [Lesson("label", "How many?", "2"), Lesson("label", "What is it?", "dog")]
    batch = adapter.encode([(adapter.look(picture), one) for one in lessons])
    assert adapter.picture_token is not None
    return model, batch, adapter.picture_token


@torch.no_grad()
@pytest.mark.parametrize("family", ["region", "pointer", "llava", "smolvlm", "qwen2_vl"])
def test_what_is_hidden_changes_what_is_said_and_nothing_else_does(family: str) -> None:
    model, batch, mark = batch_of(family)
    count = int((batch.inputs["input_ids"] == mark).sum())
    assert count > 2

    def said(shut: torch.Tensor) -> torch.Tensor:
        with hide_places(model, batch, shut) as shown:
            return outputs_of(model, shown, frozenset(), (), mark).logits

    whole = outputs_of(model, batch, frozenset(), (), mark).logits
    nothing = torch.zeros(count, dtype=torch.bool)
    second = nothing.clone()
    second[count // 2 :] = True  # the places of the second row
    torch.testing.assert_close(said(nothing), whole)
    rows = outputs_of(model, batch, frozenset(), (), mark).places[:, 0]
    half = said(second)
    torch.testing.assert_close(half[rows == 0], whole[rows == 0], atol=1e-5, rtol=1e-4)
    assert (half - whole)[rows == 1].abs().max() > 1e-6
    torch.testing.assert_close(outputs_of(model, batch, frozenset(), (), mark).logits, whole)


def test_places_that_do_not_fit_are_told() -> None:
    model, batch, mark = batch_of("llava")
    with (
        hide_places(model, batch, torch.zeros(3, dtype=torch.bool)) as shown,
        pytest.raises(InputError, match="places and its text has 3 positions"),
    ):
        outputs_of(model, shown, frozenset(), (), mark)
