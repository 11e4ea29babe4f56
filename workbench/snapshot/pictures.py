"""Pictures of a snapshot: their fingerprints, which look alike, and the side each is put on.

The fingerprint is a difference hash: the picture in grey, scaled to 9 x 8 and to 8 x 9 cells, one
bit for each pair of neighbours that says whether brightness rises (N. Krawetz, "Kind of Like That",
2013).  It survives another file format, size or quality; it does not see crops, mirror images or
turned pictures.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from workbench.snapshot.example import Split

BITS = 128
NEAR = 6
"""Bits of 128 in which two fingerprints may differ and still count as the same picture."""

_STEP = 2
"""Rise in grey levels, of 255, that counts: less is noise of the file format."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a picture without opening it."""

    digest: str
    width: int
    height: int
    fingerprint: int
    """128 bits; see `fingerprint`."""


def fingerprint(picture: Image.Image) -> int:
    """The difference hash of a picture, 128 bits.

    Copies of another size, format or quality have the same one, or one that differs in a few bits.
    """
    grey = picture.convert("L")
    bits = 0
    for width, height, ahead in ((9, 8, 1), (8, 9, 8)):
        cells = grey.resize((width, height), Image.Resampling.BOX).tobytes()
        for at in range(width * height - ahead):
            if ahead > 1 or at % width < width - 1:
                bits = bits << 1 | (cells[at + ahead] > cells[at] + _STEP)
    return bits


def alike(
    ours: Mapping[str, int], others: Mapping[str, int], threshold: int = NEAR
) -> list[tuple[str, str]]:
    """Pairs (ours, other) of digests whose fingerprints differ in at most `threshold` bits, sorted.

    Exact: two numbers that differ in n bits agree in one of n + 1 slices, so only pictures that
    share a slice are compared.  A picture without any structure (fingerprint 0) is like nothing:
    blank pages are not copies.

    Args:
        ours: fingerprints by digest.
        others: fingerprints by digest of the pictures to compare with.
        threshold: most bits of 128 in which two that look alike differ.
    """
    slices = threshold + 1
    width = -(-BITS // slices)
    by_print: dict[int, list[str]] = defaultdict(list)
    for digest, value in others.items():
        if value:
            by_print[value].append(digest)
    by_slice: dict[tuple[int, int], list[int]] = defaultdict(list)
    for value in by_print:
        for at in range(slices):
            by_slice[at, value >> at * width & (1 << width) - 1].append(value)
    pairs: set[tuple[str, str]] = set()
    for digest, value in ours.items():
        if value:
            near = {
                other
                for at in range(slices)
                for other in by_slice.get((at, value >> at * width & (1 << width) - 1), ())
                if (other ^ value).bit_count() <= threshold
            }
            pairs.update((digest, twin) for other in near for twin in by_print[other])
    return sorted(pairs)


def sides(
    pictures: Iterable[Picture],
    val_share: float,
    seed: int,
    threshold: int = NEAR,
    linked: Iterable[Sequence[str]] = (),
) -> dict[str, Split]:
    """The side of each picture, by digest: `val` for about `val_share` of them.

    A picture's side follows from its digest and the seed alone, so it stays when others come or go;
    pictures that look alike, or that one question is about, follow the first of them by digest, so
    that no copy stands on the other side.

    Args:
        pictures: with their fingerprints.
        val_share: share of the pictures that is held out.
        seed: another one gives another division.
        threshold: most bits of 128 in which two that look alike differ.
        linked: the pictures of each question about several.
    """
    prints = {picture.digest: picture.fingerprint for picture in pictures}
    leader = {digest: digest for digest in prints}

    def first(digest: str) -> str:
        while leader[digest] != digest:
            leader[digest] = leader[leader[digest]]
            digest = leader[digest]
        return digest

    together = [(own[0], other) for own in linked for other in own[1:]]
    for one, other in (*alike(prints, prints, threshold), *together):
        low, high = sorted((first(one), first(other)))
        leader[high] = low
    return {
        digest: "val" if _share(first(digest), seed) < val_share else "train" for digest in prints
    }


def _share(digest: str, seed: int) -> float:
    """A number from 0 to 1, evenly spread over digests."""
    return int.from_bytes(hashlib.sha256(f"{seed} {digest}".encode()).digest()[:8]) / 2**64
