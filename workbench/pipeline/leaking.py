"""The pictures of a snapshot: their sizes and fingerprints, and which of them leak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from workbench.errors import ImageError, InputError
from workbench.records import JSON
from workbench.snapshot import Picture, alike, fingerprint
from workbench.store import Project
from workbench.store.reading import snapshots

NAMED = 5
"""Examples that the manifest names for each reason why something was left out."""


def look(
    project: Project,
    ours: set[str],
    held_out: set[str],
    progress: Callable[[int, int], None] | None,
) -> dict[str, Picture]:
    """Sizes and fingerprints of the pictures that can be read, from the store or by decoding.

    Our own are looked up on disk each time, so that a picture lost since then is noticed.

    Args:
        project: open for writing.
        ours: digests of the pictures that are to be trained on.
        held_out: digests of the pictures of evaluation sets.
        progress: called with how many pictures of how many have been looked at.
    """
    pictures = snapshots.pictures(project.database, sorted(ours | held_out))
    pictures = {
        d: p for d, p in pictures.items() if d not in ours or project.images.path(d) is not None
    }
    lacking = sorted((ours | held_out) - set(pictures))

    def size(digest: str) -> Picture | None:
        if project.images.path(digest) is None:  # it may still be among the decoded ones
            return None
        try:
            picture = project.images.open(digest)
        except ImageError:
            return None
        return Picture(digest, picture.width, picture.height, fingerprint(picture))

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(lacking), 500):
            part = lacking[start : start + 500]
            readable = [picture for picture in pool.map(size, part) if picture is not None]
            snapshots.add_pictures(project.database, readable)
            pictures.update({picture.digest: picture for picture in readable})
            if progress is not None:
                progress(start + len(part), len(lacking))
    return pictures


def leaks(
    pictures: Mapping[str, Picture],
    ours: set[str],
    held_out: set[str],
    action: str,
    near_bits: int,
) -> tuple[dict[str, str], dict[str, JSON]]:
    """Why each leaking picture is left out, and what the manifest says of the check.

    Args:
        pictures: by digest, those that can be read.
        ours: digests of the pictures that are to be trained on.
        held_out: digests of the pictures of evaluation sets.
        action: what is done about a leak: `leave-out`, `stop` or `keep`.
        near_bits: bits of 128 in which the fingerprints of copies differ at most.

    Raises:
        InputError: there is a leak, and the action is `stop`.
    """

    def prints(digests: set[str]) -> dict[str, int]:
        return {digest: pictures[digest].fingerprint for digest in digests if digest in pictures}

    same = ours & held_out
    pairs = alike(prints(ours - same), prints(held_out), near_bits)
    near = {one for one, _ in pairs}
    leakage: dict[str, JSON] = {
        "pictures": len(held_out),
        "unreadable": len(held_out - set(pictures)),
        "near_bits": near_bits,
        "same": len(same),
        "near": len(near),
        "pairs": [list(pair) for pair in pairs[:NAMED]],
        "action": action,
    }
    if action == "stop" and (same or near):
        first = next(iter(sorted(same)), "") or pairs[0][0]
        raise InputError(
            f"{len(same)} pictures are in an evaluation set too and {len(near)} look like one of "
            f"it (the first: {first[:12]}…); leave them out (leakage leave-out), or say that they "
            "may stay (leakage keep)"
        )
    if action == "keep":
        return {}, leakage
    why = dict.fromkeys(same, "an evaluation set has the same picture")
    return {
        **why,
        **dict.fromkeys(near, "its picture looks like one of an evaluation set"),
    }, leakage
