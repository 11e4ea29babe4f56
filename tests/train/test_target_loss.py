"""How well a student says a target before it is taught: the same as by its own logits."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_vlms import save

from workbench.images import ImageFolder
from workbench.models.vlm import Vlm
from workbench.records import Lesson
from workbench.train.examples import Adapter
from workbench.train.target_loss import BATCH, target_losses

LESSONS = [Lesson("label", "How many?", "2"), Lesson("rationale", "Why?", "There are two. So, 2.")]


def test_each_lesson_has_the_cross_entropy_of_its_target(tmp_path: Path) -> None:
    folder = save("smolvlm", tmp_path / "student")
    picture = Image.new("RGB", (96, 64), (40, 90, 200))
    picture.save(tmp_path / "one.png")
    images = ImageFolder(tmp_path / "images")
    digest = images.add(tmp_path / "one.png")
    vlm = Vlm.load(str(folder))
    by_hand = []
    for lesson in LESSONS:
        batch = Adapter(vlm.processor).encode([(images.open(digest), lesson)])
        with torch.no_grad():
            logits = vlm.model(**batch.inputs).logits[0].double()
        chances = torch.log_softmax(logits[:-1], -1)
        targets = batch.targets[0, 1:].tolist()
        nats = [-float(chances[at, token]) for at, token in enumerate(targets) if token >= 0]
        by_hand.append(sum(nats) / len(nats))
    # more examples than a batch, of one lesson and of two, and one that has no picture
    examples = [(digest, LESSONS), ("0" * 64, LESSONS), *[(digest, LESSONS[1:])] * BATCH]
    seen: list[int] = []
    losses = target_losses(str(folder), examples, images, lambda done, of: seen.append(done))
    assert losses[0] == pytest.approx(by_hand, abs=1e-4)
    assert losses[1] == ()
    assert [loss for (loss,) in losses[2:]] == pytest.approx([by_hand[1]] * BATCH, abs=1e-4)
    assert seen == [BATCH, len(examples)]
