"""What TRL counts in the loss of our exported rows: the answer, as our own trainer does."""

from __future__ import annotations

import json
import sys
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import small_job
import tiny_vlms
import torch
from PIL import Image
from torch import Tensor

from workbench.records import Lesson
from workbench.snapshot import Snapshot
from workbench.snapshot.exports import export
from workbench.snapshot.exports.chat import conversations
from workbench.snapshot.exports.vpd_loss import VpdLoss, row_losses
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.loss import weighted_loss

FAMILIES = ("qwen2_vl", "qwen3_vl", "smolvlm", "idefics3")
"""Whose templates write what ends a turn; where one does not (LLaVA), TRL teaches no end."""


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return small_job.snapshot(tmp_path, rows=4, val=1)


def rows_of(snapshot: Snapshot, folder: Path) -> list[dict[str, Any]]:
    """The typed rows of an export, with the pictures in place of their paths."""
    out = export(snapshot, "chat", folder).path
    rows = [json.loads(line) for line in (out / "train.typed.jsonl").read_text().splitlines()]
    return [
        {**row, "images": [Image.open(out / path).convert("RGB") for path in row["images"]]}
        for row in rows
    ]


def counted(row: dict[str, Any], processor: Any) -> list[int]:
    """The tokens that TRL's rule for prompt and completion counts.

    The rule: the template writes the prompt alone, and prompt and completion together; what both
    begin with is the prompt, the rest the completion, and its tokens alone are targets.
    """
    options = row["chat_template_kwargs"]
    asked = processor.apply_chat_template(
        row["prompt"], tokenize=False, add_generation_prompt=True, **options
    )
    whole = processor.apply_chat_template(
        row["prompt"] + row["completion"], tokenize=False, **options
    )
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(asked, whole)))
    tokens: list[int] = processor.tokenizer(whole[common:], add_special_tokens=False)["input_ids"]
    return tokens


def ours(snapshot: Snapshot, processor: Any) -> tuple[list[list[int]], Batch]:
    """The targets of our own trainer for the same lessons, and its batch."""
    adapter, lessons = Adapter(processor), []
    for example in snapshot.examples("train"):
        picture = snapshot.images.open(example.image)
        lessons += [
            (picture, Lesson(name, prompt, target))
            for name, prompt, target in conversations(example)
        ]
    batch = adapter.encode(lessons)
    return [row[row >= 0].tolist() for row in batch.targets], batch


@pytest.mark.parametrize("family", FAMILIES)
def test_trl_counts_what_our_trainer_counts(
    snapshot: Snapshot, tmp_path: Path, family: str
) -> None:
    _, processor = getattr(tiny_vlms, family)()
    targets, _ = ours(snapshot, processor)
    rows = rows_of(snapshot, tmp_path / "out")
    assert len(rows) == len(targets) == 6
    for row, own in zip(rows, targets, strict=True):
        tokens = counted(row, processor)
        # the template may write a line break behind the token that ends the turn
        assert tokens[: len(own)] == own
        assert not processor.tokenizer.decode(tokens[len(own) :]).strip()


def test_trls_own_collator_counts_the_completion(snapshot: Snapshot, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="pip install trl")
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    _, processor = tiny_vlms.qwen2_vl()
    rows = rows_of(snapshot, tmp_path / "out")
    collator = DataCollatorForVisionLanguageModeling(
        processor, max_length=None, completion_only_loss=True
    )
    labels = collator([dict(row) for row in rows])["labels"]
    targets, _ = ours(snapshot, processor)
    for row, own in zip(labels, targets, strict=True):
        assert row[row >= 0].tolist()[: len(own)] == own
        assert (row >= 0).sum() <= len(own) + 1


def losses_of(batch: Batch, logits: Tensor) -> Tensor:
    """The loss of each lesson, as our trainer computes it of whole logits."""
    return row_losses(logits, batch.targets)


def test_the_loss_for_trl_is_the_loss_of_our_trainer(snapshot: Snapshot) -> None:
    """Summed over the micro-batches of a step, with the gradient of the whole."""
    model, processor = tiny_vlms.qwen2_vl()
    _, batch = ours(snapshot, processor)
    with torch.no_grad():
        logits = model(**batch.inputs, use_cache=False).logits.float()
    examples = len(snapshot.examples("train"))
    arguments = SimpleNamespace(
        per_device_train_batch_size=2,
        gradient_accumulation_steps=3,
        world_size=1,
        average_tokens_across_devices=True,
    )
    loss = VpdLoss(arguments, examples / 6)
    whole = logits.clone().requires_grad_()
    parts = logits.clone().requires_grad_()
    expected = weighted_loss(losses_of(batch, whole), batch, examples)
    shares = [
        loss(SimpleNamespace(logits=parts[at : at + 2]), batch.targets[at : at + 2], 99)
        for at in (0, 2, 4)
    ]
    assert sum(shares).item() == pytest.approx(expected.item(), rel=1e-5)
    expected.backward()
    sum(shares).backward()
    assert torch.allclose(whole.grad, parts.grad, atol=1e-7)


def test_a_short_answer_weighs_as_much_as_a_long_rationale() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 41, 7)
    labels = torch.full((2, 41), -100)
    labels[0, 1:3], labels[1, 1:] = 3, 3
    means = row_losses(logits, labels)
    each = torch.nn.functional.cross_entropy(logits[0, :2], torch.tensor([3, 3]))
    assert means[0].item() == pytest.approx(each.item(), rel=1e-5)
    tokens = torch.nn.functional.cross_entropy(
        logits[:, :-1].reshape(-1, 7), labels[:, 1:].reshape(-1)
    )
    assert abs(means.mean().item() - tokens.item()) > 0.01


@pytest.mark.parametrize(("together", "rows"), [(True, 32), (False, 8)])
def test_several_processes_share_the_examples_of_a_step(together: bool, rows: int) -> None:
    """The trainer multiplies by the number of processes where it counts all targets together."""
    arguments = SimpleNamespace(
        per_device_train_batch_size=2,
        gradient_accumulation_steps=4,
        world_size=4,
        average_tokens_across_devices=together,
    )
    assert VpdLoss(arguments, 0.5).examples == rows / 2


def test_an_evaluation_knows_no_step() -> None:
    arguments = SimpleNamespace(per_device_train_batch_size=8, gradient_accumulation_steps=8)
    labels = torch.tensor([[-100, 1, 2]])
    with torch.no_grad():
        value = VpdLoss(arguments, 0.5)(SimpleNamespace(logits=torch.zeros(1, 3, 4)), labels)
    assert value.item() == pytest.approx(2 * torch.tensor(4.0).log().item(), rel=1e-5)


def test_the_script_for_trl_trains(snapshot: Snapshot, tmp_path: Path) -> None:
    """The exported script itself, on a tiny student."""
    pytest.importorskip("trl", reason="pip install trl")
    import runpy

    folder = export(snapshot, "chat", tmp_path / "out").path
    model, processor = tiny_vlms.smolvlm()
    model.save_pretrained(tmp_path / "tiny")
    processor.save_pretrained(tmp_path / "tiny")
    script = folder / "trl_sft.py"
    text = script.read_text().replace("Qwen/Qwen3-VL-2B-Instruct", str(tmp_path / "tiny"))
    script.write_text(text.replace("bf16=True", "bf16=False, use_cpu=True, max_steps=1"))
    sys.path.insert(0, str(folder))
    try:
        import os

        here = Path.cwd()
        os.chdir(folder)
        runpy.run_path(str(script), run_name="__main__")
    finally:
        os.chdir(here)
        sys.path.remove(str(folder))
    assert (folder / "trl-model").is_dir()
