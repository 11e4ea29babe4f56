"""What the mask keeps, for every family: its own tiny model and processor, decoded."""

import pytest
import torch
from PIL import Image
from tiny_vlms import FAMILIES, make

from workbench.models.vlm import Vlm
from workbench.records import Lesson
from workbench.train.examples import Adapter, Order, pieces

PICTURE = Image.new("RGB", (96, 64), (200, 30, 40))
LESSONS = [
    Lesson("label", "How many dogs are there? Answer briefly.", "2"),
    Lesson(
        "rationale",
        "How many dogs are there? Explain.",
        "There are 2 dogs at 0 0 500 500. So, 2.",
        0.5,
    ),
]
ENDS = {
    "region": "<|im_end|>", "pointer": "<end>", "idefics3": "<end_of_utterance>", "smolvlm": "<end_of_utterance>",
    "smolvlm2": "<end_of_utterance>", "qwen2_vl": "<|im_end|>", "qwen25_vl": "<|im_end|>", "qwen3_vl": "<|im_end|>",
    "llava": "</s>", "paligemma": "<eos>",
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_the_mask_keeps_the_answer_and_the_end_of_the_turn(family: str) -> None:
    model, processor = make(family)
    adapter = Adapter(processor)
    batch = adapter.encode([(PICTURE, lesson) for lesson in LESSONS])
    lead = " " if family in ("pointer", "idefics3", "smolvlm", "smolvlm2", "llava") else ""
    for row, lesson in enumerate(LESSONS):
        kept = batch.targets[row][batch.targets[row] >= 0]
        taught = lesson.target
        if family == "pointer":  # no region of this picture fits the box
            taught = taught.replace(" 0 0 500 500", "<at_0><at_0><at_50><at_50>")
        assert processor.tokenizer.decode(kept) == lead + taught + ENDS[family]
        length = int(batch.inputs["attention_mask"][row].sum())
        assert torch.equal(kept, batch.inputs["input_ids"][row, length - len(kept) : length])
    assert torch.isfinite(model(**batch.inputs, logits_to_keep=1, use_cache=False).logits).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_prompt_is_what_the_student_is_asked(family: str) -> None:
    model, processor = make(family)
    adapter = Adapter(processor)
    batch = adapter.encode([(PICTURE, LESSONS[1])])
    asked = Vlm(model, processor, family)._inputs([PICTURE], [LESSONS[1].prompt], [""])[
        "input_ids"
    ][0]
    assert torch.equal(batch.inputs["input_ids"][0, : len(asked)], asked)
    assert (batch.targets[0] >= 0).nonzero()[0] == len(asked)


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_does_not_change_a_row(family: str) -> None:
    model, processor = make(family)
    adapter = Adapter(processor)
    both = adapter.encode([(PICTURE, lesson) for lesson in LESSONS])
    alone = adapter.encode([(PICTURE, LESSONS[0])])
    length = alone.targets.shape[1]
    with torch.no_grad():
        logits = model(**both.inputs, use_cache=False).logits[0, :length]
        torch.testing.assert_close(
            logits, model(**alone.inputs, use_cache=False).logits[0], rtol=1e-4, atol=1e-4
        )


def test_special_tokens_in_an_answer_are_taken_out() -> None:
    adapter = Adapter(make("qwen2_vl")[1])
    hostile = Lesson("label", "a<|im_end|>b", "2<|im_<|im_end|>end|>\n<|image_pad|>3")
    batch = adapter.encode([(PICTURE, hostile)])
    kept = batch.targets[0][batch.targets[0] >= 0]
    assert adapter.tokenizer.decode(kept) == "2 3<|im_end|>"


def test_a_preview_tells_counted_text_from_the_rest() -> None:
    adapter = Adapter(make("llava")[1])
    batch = adapter.encode([(PICTURE, LESSONS[0])])
    image = adapter.tokenizer.convert_tokens_to_ids("<image>")
    shown = pieces(batch, adapter.tokenizer, 0, image)
    assert shown == [
        ("USER: [16 of the picture]\nHow many dogs are there? Answer briefly. ASSISTANT:", False),
        (" 2</s>", True),
    ]


def test_every_epoch_shows_every_example_once_with_like_lengths_together() -> None:
    order = Order(tuple(range(100, 0, -1)), 8, seed=3)
    epoch = [order[step] for step in range(order.steps)]
    assert sorted(at for batch in epoch for at in batch) == list(range(100))
    assert all(max(batch) - min(batch) == len(batch) - 1 for batch in epoch)
    assert epoch != [order[step] for step in range(order.steps, 2 * order.steps)]
    assert epoch == [
        Order(tuple(range(100, 0, -1)), 8, seed=3)[step] for step in range(order.steps)
    ]


def test_examples_of_one_picture_stand_together_where_they_share_a_row() -> None:
    order = Order((1,) * 42, 8, 0, tuple("abc" * 14), together=4)
    epoch = [order[step] for step in range(order.steps)]
    assert sorted(at for batch in epoch for at in batch) == list(range(42))
    rows = [batch[at : at + 4] for batch in epoch if len(batch) == 8 for at in (0, 4)]
    mixed = [row for row in rows if len({order.pictures[at] for at in row}) > 1]
    assert len(mixed) <= 1
    assert epoch != [order[step] for step in range(order.steps, 2 * order.steps)]


@pytest.mark.parametrize(("ranks", "micro"), [(1, 3), (2, 3), (3, 2), (8, 1)])
def test_the_shares_of_a_step_are_the_step(ranks: int, micro: int) -> None:
    order = Order(tuple(range(7)), 7, seed=0)
    shares = [order.share(0, rank, ranks, micro) for rank in range(ranks)]
    assert len({len(share) for share in shares}) == 1
    real = [
        at for share in shares for taken, fillers in share for at in taken[: len(taken) - fillers]
    ]
    assert sorted(real) == list(range(7))
