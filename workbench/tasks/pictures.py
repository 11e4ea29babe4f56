"""The spellings under which a picture may lie on disk."""

from __future__ import annotations

import unicodedata

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
