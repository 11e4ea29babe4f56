"""The pointer student's own words: what it says often is one word, and it spells the rest.

Its vocabulary is a few hundred words, every byte, a pointer for each region of a picture and the
places of a grid.  A word that is not in it is spelled in its longest known parts, down to bytes, so
that no answer is lost.  Tokens keep the space in front of them: `" dog"` is one of them.

Boxes are texts everywhere else (see `boxes_in_text`).  Here a box is the pointer of the region that
it fits, or else four places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from workbench.boxes import GRID, Box, iou
from workbench.boxes_in_text import NamedBox, boxes_in
from workbench.models.region_vlm import IMAGE_TOKEN

PAD, END, QUESTION = "<pad>", "<end>", "<question>"
"""Filling; what ends an answer; a position that a word of the question takes."""
ANSWER, BRIEF, EXPLAIN = "<answer>", "<brief>", "<explain>"
"""Marks between question and answer: any answer, a short one, an explanation."""
MARKS = (ANSWER, BRIEF, EXPLAIN)
FITS = 0.5
"""Lowest overlap (IoU) at which a region stands for a box."""
PLACES = 100
"""Places along a side of the picture."""

_STEP = (GRID + 1) // PLACES
_POINTER = re.compile(r" ?<(region|at)_([0-9]+)>")
_LONGEST = 10**9
"""Bytes of the longest word; a longer one would be lost."""

Cells = tuple[int, ...]
"""A region's box as rationales write it: ymin, xmin, ymax, xmax on the grid."""


def pointer(number: int) -> str:
    """The token that points to a region, counted from 0."""
    return f"<region_{number}>"


def word_tokenizer(words: Iterable[str], regions: int) -> PreTrainedTokenizerFast:
    """A tokenizer of these words.

    Args:
        words: Words as they stand behind a space; a mark such as a comma stands without one.
        regions: Most regions of a picture.
    """
    special = [PAD, END, IMAGE_TOKEN, QUESTION, *MARKS]
    pointing = [
        *(pointer(number) for number in range(regions)),
        *(f"<at_{place}>" for place in range(PLACES)),
    ]
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    entire = [
        split.pre_tokenize_str(word if not word[:1].isalnum() else f" {word}")[0][0]
        for word in dict.fromkeys(words)
    ]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    entries = dict.fromkeys([*special, *pointing, *alphabet, *entire])
    raw = Tokenizer(
        models.WordPiece(
            vocab={entry: number for number, entry in enumerate(entries)},
            unk_token=PAD,
            max_input_chars_per_word=_LONGEST,
            continuing_subword_prefix="",
        )
    )
    raw.pre_tokenizer = split
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token=PAD,
        eos_token=END,
        # a pointer takes the space in front of it along
        additional_special_tokens=[
            *(AddedToken(token, special=True) for token in (IMAGE_TOKEN, QUESTION, *MARKS)),
            *(AddedToken(token, special=True, lstrip=True) for token in pointing),
        ],
        clean_up_tokenization_spaces=False,
    )


def pointed(text: str, regions: Sequence[Cells]) -> str:
    """A text with a pointer in place of each box.

    Args:
        text: Any text; its boxes are four numbers.
        regions: The regions of the picture.
    """
    out, at = "", 0
    for box in boxes_in(text):
        out += text[at : box.start] + pointer_to(box, regions)
        at = box.end
    return out + text[at:]


def pointer_to(box: NamedBox, regions: Sequence[Cells]) -> str:
    """The token of the region that a box fits, or the four of its places."""
    if box.cells in regions:  # a flat one too, whose overlap with itself is none
        return pointer(list(regions).index(box.cells))
    overlaps = [iou(_box(box.cells), _box(cells)) for cells in regions]
    best = max(range(len(regions)), key=overlaps.__getitem__, default=None)
    if best is not None and overlaps[best] >= FITS:
        return pointer(best)
    return "".join(f"<at_{cell // _STEP}>" for cell in box.cells)


def _box(cells: Sequence[int]) -> Box:
    ymin, xmin, ymax, xmax = cells
    return Box(xmin, ymin, xmax, ymax)


def unpointed(text: str, regions: Sequence[Cells]) -> str:
    """A text with four numbers in place of each pointer: `pointed`, undone.

    Args:
        text: What the student wrote.
        regions: The regions of the picture; a pointer to none of them is named as such.
    """

    def numbers(match: re.Match[str]) -> str:
        kind, number = match[1], int(match[2])
        if kind == "at":
            return f" {number * _STEP + _STEP // 2}"
        if number >= len(regions):
            return f" (no region {number})"
        return " " + " ".join(map(str, regions[number]))

    return _POINTER.sub(numbers, text)


def read_tokens(tokenizer: Any, tokens: Sequence[int], regions: Sequence[Cells]) -> str:
    """The text of an answer's tokens, up to its end.

    Args:
        tokenizer: As `word_tokenizer` makes it.
        tokens: What the student wrote.
        regions: The regions of the picture.
    """
    text = str(tokenizer.decode(list(tokens))).partition(END)[0]
    for mark in (PAD, IMAGE_TOKEN, QUESTION, *MARKS):
        text = text.replace(mark, "")
    return unpointed(text, regions).strip()
