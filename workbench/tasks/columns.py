"""What the columns of a table hold, and what a misspelt one was meant to be."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

KNOWN = ("id", "image", "images", "question", "answer", "answers", "choices", "split")
"""The columns of a folder's table that mean something."""

_MEANT = {
    "answer": (
        "label labels gold gold_answer ground_truth groundtruth gt target targets response reply "
        "solution correct correct_answer expected ans output"
    ),
    "choices": "options option choice candidates alternatives",
    "image": "img image_path image_file image_name file filename file_name path picture photo",
    "question": "prompt query text instruction q",
    "id": "question_id qid uid index idx",
    "split": "subset partition fold",
}
_OTHER_NAMES = {name: column for column, names in _MEANT.items() for name in names.split()}
"""Names that other tables use, and the column that each was meant to be."""

MOST_COLUMNS = 200
"""Most unknown columns that are counted; a table with more names data as columns."""


def likely_column(name: str) -> str | None:
    """The column that a name that is not known was probably meant to be; None where none is near.

    >>> likely_column("anwser"), likely_column("Label"), likely_column("note")
    ('answer', 'answer', None)
    """
    low = name.strip().lower().replace(" ", "_").replace("-", "_")
    if low in KNOWN:
        return low
    if low in _OTHER_NAMES:
        return _OTHER_NAMES[low]
    near = difflib.get_close_matches(low, KNOWN, n=1, cutoff=0.75)
    return near[0] if near else None


@dataclass(slots=True)
class TableColumns:
    """What the rows of a table hold."""

    table: str
    """Its name."""
    rows: int = 0
    answered: int = 0
    """Rows with an answer."""
    with_choices: int = 0
    pictured: int = 0
    """Rows whose picture is there."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Rows with a value in each column that means nothing here."""

    def near(self) -> dict[str, str]:
        """The unknown columns that were probably meant to be a known one."""
        return {
            name: column for name in self.unknown if (column := likely_column(name)) is not None
        }

    def add(self, names: Sequence[str], answered: bool, choices: bool, pictured: bool) -> None:
        """Count one row.

        Args:
            names: columns in which it holds something.
            answered: whether it has an answer.
            choices: whether it has options.
            pictured: whether its picture is there.
        """
        self.rows += 1
        self.answered += answered
        self.with_choices += choices
        self.pictured += pictured
        for name in names:
            if name not in KNOWN and (name in self.unknown or len(self.unknown) < MOST_COLUMNS):
                self.unknown[name] += 1
