"""How probable an option is must be what generation says: over-fitted tiny students of every family
answer yes about a red picture and no about a blue one.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from tiny_vlms import FAMILIES, make

from workbench.images import ImageFolder
from workbench.models.vlm import Vlm
from workbench.records import Lesson
from workbench.train.examples import Adapter
from workbench.train.loss import lesson_losses

RED, BLUE = Image.new("RGB", (64, 64), (220, 20, 20)), Image.new("RGB", (64, 64), (20, 20, 220))


def overfit(family: str, lessons: Sequence[tuple[Image.Image, Lesson]]) -> Vlm:
    """A tiny student of a family that knows a few lessons by heart."""
    model, processor = make(family)
    batch = Adapter(processor).encode(lessons)
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(400):
        losses = lesson_losses(model, batch)
        worst = float(losses.detach().max())
        if worst < 0.01:
            break
        adam.zero_grad()
        losses.sum().backward()
        adam.step()
    assert worst < 0.05, f"{family} did not learn its lessons"
    return Vlm(model, processor, family)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_probability_of_an_answer_is_what_generation_says(family: str, tmp_path: Path) -> None:
    # a detector's features tell no bare colour from another, so these are asked two questions
    rows = [(RED, "Is it red?", "yes"), (BLUE, "Is it red?", "no")]
    if family in ("region", "pointer"):
        rows = [(RED, "Is it red?", "yes"), (RED, "Is it blue?", "no")]
    vlm = overfit(family, [(picture, Lesson("label", q, a)) for picture, q, a in rows])
    images = ImageFolder(tmp_path)
    regions = []
    for picture, _, _ in rows:
        picture.save(tmp_path / "picture.png")
        regions.append(images.whole(images.add(tmp_path / "picture.png")))
    asked = [question for _, question, _ in rows]
    assert vlm.generate(regions, asked, images) == ["yes", "no"]
    shares = vlm.choose(regions, asked, [("yes", "no")] * 2, images)
    assert shares[0][0] > 0.95
    assert shares[1][0] < 0.05
    # an answer that is begun goes on, and one that is only begun is not the answer
    assert vlm.generate(regions, asked, images, begun=["ye", "n"]) == ["s", "o"]
    assert vlm.choose(regions[:1], asked[:1], [("ye", "yes", "yes, it is")], images)[0][1] > 0.95
