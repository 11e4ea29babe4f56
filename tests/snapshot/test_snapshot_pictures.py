"""Fingerprints and sides: copies are found, strangers are not, and no picture stands on both sides."""

from __future__ import annotations

import io
import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from snapshot_rows import draw

from workbench.snapshot import NEAR, Picture, alike, fingerprint, sides
from workbench.snapshot.pictures import BITS
from workbench.tasks.collage.pictures import make_scene, render


def copy(picture: Image.Image, scale: float, quality: int) -> Image.Image:
    """The picture in another size, as a JPEG."""
    size = (round(picture.width * scale), round(picture.height * scale))
    held = io.BytesIO()
    picture.resize(size, Image.Resampling.BICUBIC).save(held, "JPEG", quality=quality)
    return Image.open(held)


@pytest.mark.parametrize(("scale", "quality"), [(1, 95), (1, 20), (0.5, 80), (0.25, 80), (1.7, 90)])
def test_copies_of_collages_are_near(scale: float, quality: int) -> None:
    for at in range(6):
        picture = render(make_scene("train", at))
        apart = (fingerprint(picture) ^ fingerprint(copy(picture, scale, quality))).bit_count()
        assert apart <= NEAR


def test_different_collages_are_far() -> None:
    prints = [
        fingerprint(render(make_scene(split, at)))
        for split in ("train", "test")
        for at in range(20)
    ]
    assert min((a ^ b).bit_count() for a, b in itertools.combinations(prints, 2)) > NEAR


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), threshold=st.integers(0, 12))
def test_the_slices_miss_no_pair(seed: int, threshold: int) -> None:
    dice = random.Random(seed)
    others = {f"o{at}": dice.getrandbits(BITS) for at in range(30)}
    ours = {}
    for at, value in enumerate(others.values()):
        for bit in dice.sample(range(BITS), dice.randrange(16)):
            value ^= 1 << bit
        ours[f"p{at}"] = value
    slow = [(a, b) for a in ours for b in others if (ours[a] ^ others[b]).bit_count() <= threshold]
    assert alike(ours, others, threshold) == sorted(slow)


def test_blank_pages_are_not_copies_of_each_other() -> None:
    white, black = (
        fingerprint(Image.new("RGB", (40, 30), colour)) for colour in ("white", "black")
    )
    assert white == black == 0
    assert alike({"a": white}, {"b": black}) == []


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999), n=st.integers(1, 40), share=st.floats(0, 1), others=st.integers(0, 20)
)
def test_a_pictures_side_is_its_own(seed: int, n: int, share: float, others: int) -> None:
    dice = random.Random(seed)
    made = [
        Picture(f"{dice.getrandbits(256):064x}", 9, 9, dice.getrandbits(BITS))
        for _ in range(n + others)
    ]
    few, many = sides(made[:n], share, seed), sides(made, share, seed)
    assert few == {digest: many[digest] for digest in few}, "others that come do not move it"
    assert sides(list(reversed(made)), share, seed) == many


def test_pictures_that_look_alike_are_on_one_side(tmp_path: Path) -> None:
    held = []
    for at in range(60):
        picture = Image.open(draw(tmp_path, at))
        prints = (fingerprint(picture), fingerprint(copy(picture, 0.8, 85)))
        held += [
            Picture(f"{at:02d}{copy_:062x}"[::-1], 96, 64, value)
            for copy_, value in enumerate(prints)
        ]
    found = sides(held, 0.4, 0)
    assert all(found[a.digest] == found[b.digest] for a, b in zip(held[::2], held[1::2]))
    assert set(found.values()) == {"train", "val"}


def test_the_share_of_val_is_about_what_was_asked() -> None:
    made = [Picture(f"{at:064x}", 9, 9, 0) for at in range(4000)]
    assert 350 < sum(side == "val" for side in sides(made, 0.1, 3).values()) < 450
    assert set(sides(made, 0, 3).values()) == {"train"}
    assert sides(made, 0.5, 3) != sides(made, 0.5, 4), "another seed splits otherwise"
