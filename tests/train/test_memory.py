"""What a job needs on a card: counted by shapes, and checked against passes with numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_job import job_folder
from tiny_vlms import save
from torch.utils.flop_counter import FlopCounterMode

from workbench.train.estimate import card_lines
from workbench.train.job import Job, Lora, read_job
from workbench.train.load import adapter_of, load_student
from workbench.train.memory import (
    CONTEXT,
    CardFit,
    MemoryNeed,
    MicroShape,
    Skeleton,
    fits,
    kept_bytes,
)

SHAPE = MicroShape(examples=4, lessons=2, tokens=40, targets=8, patches=16)


def skeleton(tmp_path: Path, family: str = "smolvlm", **changes: object) -> tuple[Job, Skeleton]:
    save(family, tmp_path)
    job = replace(
        Job("s", student=str(tmp_path), precision="fp32", lora=Lora(r=2, alpha=4)), **changes
    )
    base, adapter = adapter_of(job)
    return job, Skeleton(job, base, adapter)


@pytest.mark.parametrize("family", ["smolvlm", "llava"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_shapes_give_what_a_pass_with_numbers_keeps_and_computes(
    tmp_path: Path, family: str, method: str
) -> None:
    job, bones = skeleton(tmp_path, family, method=method)
    model = load_student(job).model.train()
    embedded = torch.randn(16, 4, model.config.get_text_config().hidden_size, requires_grad=True)
    with FlopCounterMode(display=False) as counter, kept_bytes(model) as sizes:
        model.get_decoder()(inputs_embeds=embedded, use_cache=False)[0].sum().backward()
    kept, flops = bones.decoder_pass(16, 4)
    assert kept == pytest.approx(sum(sizes.values()), rel=0.15)
    assert flops == pytest.approx(counter.get_total_flops(), rel=0.1)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert bones.trained == trained


def test_more_rows_need_more_and_checkpointing_less(tmp_path: Path) -> None:
    _, bones = skeleton(tmp_path)
    small = bones.need(replace(SHAPE, examples=1), False)
    large = bones.need(SHAPE, False)
    assert large.activations == pytest.approx(4 * small.activations, rel=0.05)
    assert large.logits == 4 * small.logits
    assert (large.weights, large.training) == (small.weights, small.training)
    assert large.flops > 3.9 * small.flops


class Counted:
    """A skeleton of round numbers: each example takes 6 GiB, or 2 with checkpointing."""

    def need(self, shape: MicroShape, checkpointing: bool) -> MemoryNeed:
        each = 2.0 if checkpointing else 6.0
        return MemoryNeed(4.0 - CONTEXT, 0.0, each * shape.examples, 0.0, 1.0)


def test_a_card_that_is_too_small_is_told_what_would_fit() -> None:
    cards = fits(Counted(), SHAPE, Job("s"))  # type: ignore[arg-type]
    assert cards == [
        CardFit(8, 28.0, False, {"micro_batch": 1, "checkpointing": True}),
        CardFit(24, 28.0, False, {"micro_batch": 2, "checkpointing": False}),
        CardFit(80, 28.0, True, {}),
    ]


def test_a_preview_says_what_three_cards_make_of_the_job(tmp_path: Path) -> None:
    folder = job_folder(tmp_path)
    lines = card_lines(read_job(folder / "job.toml"), folder)
    assert [line.split()[:2] for line in lines[1:]] == [["8", "GiB"], ["24", "GiB"], ["80", "GiB"]]
    assert all("fits" in line for line in lines[1:])
    assert "4 lessons of at most" in lines[0]
    assert "TFLOP" in lines[0]
