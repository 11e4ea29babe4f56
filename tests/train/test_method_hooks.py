"""What the newer methods ask of the loop: hidden places, counts of words, plain weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from small_job import example
from tiny_vlms import make

from workbench.errors import InputError
from workbench.records import Lesson
from workbench.train.auxiliary import word_counts
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.forward import hide_places, outputs_of
from workbench.train.job import Lora
from workbench.train.load import plain_weights, with_adapters

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


def test_words_of_an_example_are_counted_whatever_their_case() -> None:
    first, second, other = (
        word_counts(example(0, "picture", rationale=text))
        for text in ("A dog, a cat.", "cat a DOG a", "Two cups")
    )
    # one word twice and two once: 2 / sqrt 6 and 1 / sqrt 6
    assert sorted(first[first > 0].tolist()) == pytest.approx([6**-0.5, 6**-0.5, 2 * 6**-0.5])
    torch.testing.assert_close(first, second)
    assert float(first @ other) < 0.1
    bare = word_counts(example(0, "picture", rationale=None))
    assert float(bare.norm()) == pytest.approx(1), "question and answer where nothing is told"


def test_weights_of_a_student_have_plain_names_and_adapters_added_in() -> None:
    model, _ = make("region")
    before = {name: one.clone() for name, one in model.named_parameters()}
    adapted = with_adapters(model, Lora(r=2, alpha=4), 0)
    same = plain_weights(adapted)
    assert set(before) <= set(same)
    for name, weight in before.items():
        torch.testing.assert_close(same[name], weight)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.fill_(0.1)
    moved = plain_weights(adapted)
    merged = dict(adapted.merge_and_unload().named_parameters())
    changed = [name for name in merged if not torch.equal(merged[name], before[name])]
    assert changed
    for name, weight in merged.items():
        torch.testing.assert_close(moved[name], weight)
