"""Boxes in a text: the one place that decides whether four numbers in a rationale are a box.

A box is written `ymin xmin ymax xmax`, four integers on the 0-999 grid of the whole picture (Hu et
al. 2024, section 4).  The faithfulness check, the pages, the widgets, the snapshots and the probes
of students all ask here, so that a box that the check accepts is drawn and stored everywhere, and
numbers that it refuses nowhere.  The rule, with the text that it decides:

| text                          | boxes | why                                                      |
|-------------------------------|-------|----------------------------------------------------------|
| `the bus at 469 124 726 351.` | one   | the form of the paper; a stop, comma or word may follow  |
| `at 0 0 9 9, 1 1 2 2 and ...` | all   | a comma and a space, or a word, stands between two boxes |
| `at 100 200 100 300`          | one   | a flat thing rounds to a box without height on the grid  |
| `at 726 124 469 351`          | none  | no detector gives ymin > ymax or xmin > xmax             |
| `at 1000 124 726 351`         | none  | the grid ends at 999                                     |
| `at 007 124 726 351`          | none  | an integer is written without leading zeros              |
| `at 1,469 124 726 351`        | none  | `1,469` is one number, and it is above 999               |
| `at 469 124 726 351.5`        | none  | `351.5` is not an integer                                |
| `3 469 124 726 351`           | none  | in a row of five nothing says which four are meant       |
| `In 2019 100 200 300 400`     | none  | the same; with a comma behind the year it is a box       |
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from workbench.boxes import Box, from_grid
from workbench.english import singular

_CELL = r"(0|[1-9][0-9]{0,2})"  # 0 to 999: `boxes.GRID`
_BOX = re.compile(
    # Not inside a word or a longer number, and not behind another number of the same row.
    r"(?<![\w.,-])(?<!\d )" + " ".join([_CELL] * 4) + r"(?! ?\d|\w|[.,-]\d)"
)
_NOUN_AT = re.compile(
    r"(?P<noun>[\w'-]+(?: [\w'-]+)?)(?: in the (?:image|picture))?,? at (?=[0-9])"
)
_AT = re.compile(r",? at \Z")
_LISTED = (", ", " and ", ", and ")
"""What stands between two boxes of one list."""
_LEADING = re.compile(r"^(?:\d+|the|a|an|this|that|one|both|of|is|are|and) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedBox:
    """A box that a text names."""

    label: str
    """What the text calls it, in the singular; empty where it does not say."""
    ymin: int
    xmin: int
    ymax: int
    xmax: int
    """Sides on the 0-999 grid of the whole picture."""
    start: int
    """First character of the four numbers in the text."""
    end: int
    """One past the last character of the four numbers."""

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """The four numbers in the order of the text, as `boxes.from_grid` takes them."""
        return self.ymin, self.xmin, self.ymax, self.xmax

    @property
    def text(self) -> str:
        """The box as it stands in the text, for example `469 124 726 351`."""
        return " ".join(map(str, self.cells))

    def pixels(self, width: int, height: int) -> Box:
        """The box in pixels of a picture of this size, top-left origin."""
        return from_grid(self.cells, width, height)


def boxes_in(text: str) -> tuple[NamedBox, ...]:
    """The boxes that a text names (`the bus at 469 124 726 351`), in the order of the text.

    A label stands before the first box of a list and counts for all of it.
    """
    nouns = {match.end(): match["noun"] for match in _NOUN_AT.finditer(text)}
    boxes: list[NamedBox] = []
    for match in _BOX.finditer(text):
        ymin, xmin, ymax, xmax = map(int, match.groups())
        if ymin > ymax or xmin > xmax:
            continue
        label = _label(nouns.get(match.start(), ""))
        if not label and boxes and text[boxes[-1].end : match.start()] in _LISTED:
            label = boxes[-1].label
        boxes.append(NamedBox(label, ymin, xmin, ymax, xmax, match.start(), match.end()))
    return tuple(boxes)


def split_at_boxes(text: str) -> list[str]:
    """The text in pieces: what stands before a box and the box, in turn, then the rest.

    >>> split_at_boxes("The dogs at 1 2 3 4 and 5 6 7 8.")
    ['The dogs at ', '1 2 3 4', ' and ', '5 6 7 8', '.']
    """
    cuts = [0, *(cut for box in boxes_in(text) for cut in (box.start, box.end)), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(cuts)]


def without_boxes(text: str) -> str:
    """The text without its boxes and without the `at` before each.

    >>> without_boxes("There is 1 dog in the image, at 1 2 3 4.")
    'There is 1 dog in the image.'
    """
    *before, rest = split_at_boxes(text)[::2]
    return "".join([*(_AT.sub("", piece) for piece in before), rest])


def without_box_lists(text: str) -> str:
    """The text without its boxes, and without what joins those of a list.

    >>> without_box_lists("The dogs at 1 2 3 4 and 5 6 7 8 differ.")
    'The dogs differ.'
    """
    *before, rest = split_at_boxes(text)[::2]
    pieces = ("" if piece in _LISTED else _AT.sub("", piece) for piece in before)
    return "".join([*pieces, rest])


def _label(noun: str) -> str:
    while (shorter := _LEADING.sub("", noun)) != noun:
        noun = shorter
    *others, last = noun.lower().split() or [""]
    return "" if last in ("", "one", "ones", "both") else " ".join([*others, singular(last)])
