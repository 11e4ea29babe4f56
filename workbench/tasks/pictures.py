"""The pictures that a row names, and the spellings under which they may lie on disk."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from workbench.tasks.fields import Row, describe

MOST_PICTURES = 16
"""Most pictures of one question."""
_FORMS = ("NFC", "NFD")
"""Archives made on a Mac hold decomposed names; most tables hold composed ones."""


def spellings(name: str) -> tuple[str, ...]:
    """A picture's name as it stands, and as another system would write it.

    That is with slashes for the backslashes of Windows, and with letters composed or decomposed.

    >>> spellings("a.jpg"), spellings("in\\\\a.jpg")
    (('a.jpg',), ('in\\\\a.jpg', 'in/a.jpg'))
    """
    names = (name, name.replace("\\", "/"))
    forms = [form for one in names for form in (one, *(_form(kind, one) for kind in _FORMS))]
    return tuple(dict.fromkeys(forms))


def one_spelling(name: str) -> str:
    """The one spelling that all spellings of a name share."""
    return _form("NFC", name.replace("\\", "/"))


def _form(kind: str, name: str) -> str:
    if name.isascii():
        return name
    return unicodedata.normalize("NFC" if kind == "NFC" else "NFD", name)


def named_pictures(row: Row) -> list[Any]:
    """What a row names as its pictures, in order; what is wrong with one is told of it alone."""
    images = row.get("images")
    if images is None:
        return [row.get("image")]
    if row.get("image") not in (None, ""):
        raise ValueError("both 'image' and 'images' are given; choose one")
    if not isinstance(images, list) or not 1 <= len(images) <= MOST_PICTURES:
        raise ValueError(
            f"images is {describe(images)}; expected a list of 1 to {MOST_PICTURES} paths"
        )
    return images


def plain_name(image: str) -> str:
    """A picture's name without what the table may add or leave out."""
    return re.sub(r"^(?:\./|images/)+", "", one_spelling(image.strip()))
