"""Linked pages with pictures, read from a folder of Markdown files.

A page is one file: its first heading is its title, `[words](other.md)` leads to another page,
`![words](picture.png)` shows a picture of the folder, and a line `price: 20 euros` is a fact.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from workbench.errors import ImageError, InputError
from workbench.local_files import real_path
from workbench.recipes.ports import Document
from workbench.records import Region
from workbench.settings import data_dir

BUNDLED = Path("knowledge") / "pages"
"""The bundled pages, in the data folder."""
LARGEST_PAGE = 1_000_000
"""Bytes of the largest page that is read."""
_LINK = re.compile(r"(!?)\[([^\]\n]{0,300})\]\(\s*([^()\s]{1,500})[^()\n]{0,200}\)")
_FACT = re.compile(r"^\s*(?:[-*]\s+)?([A-Za-z][\w ]{0,40}):\s+(\S.{0,200})$")
_TITLE = re.compile(r"^#\s+(.+)$", re.MULTILINE)


class KeepsPictures(Protocol):
    """What stores pictures of pages."""

    def keep_file(self, path: Path) -> Region:
        """Store a picture's file; returns the region that shows all of it."""
        ...


def documents(folder: str, room: KeepsPictures) -> list[Document]:
    """The pages of a folder, by name.

    Args:
        folder: with Markdown files, or `bundled`.
        room: stores their pictures.

    Raises:
        InputError: there is no such folder, or no page in it.
    """
    own = folder != "bundled"
    place = Path(folder).expanduser() if own else data_dir() / BUNDLED
    files = sorted(place.glob("*.md")) if place.is_dir() else []
    if not files:
        raise InputError(
            f"no page in {place}: expected a folder of Markdown files that link to one another and "
            "show pictures; data/knowledge/pages is an example"
        )
    names = {file.stem for file in files}
    root = real_path(place if own else data_dir())
    return [_page(file, _Reading(file, names, room, root)) for file in files]


class _Reading:
    """What a page names, as far as it is there.

    Args:
        file: of the page.
        names: of all pages.
        room: stores pictures.
        root: a folder without links, outside of which no picture is shown.
    """

    def __init__(self, file: Path, names: set[str], room: KeepsPictures, root: Path) -> None:
        self._file, self._names, self._room, self._root = file, names, room, root
        self.links: list[str] = []
        self.pictures: list[Region] = []
        self.unread: list[str] = []

    def has(self, file: Path) -> bool:
        """Whether a file lies where pages may show something from."""
        return real_path(file).is_relative_to(self._root)

    def show(self, target: str) -> None:
        """Take up a picture."""
        place = self._file.parent / target
        if "\0" in target or (place.exists() and not place.is_file()):
            self.unread.append(f"it shows {target!r:.200}, which is no file")
            return
        if not self.has(place):
            self.unread.append(f"it shows {target}, which is outside of the folder")
            return
        try:
            self.pictures.append(self._room.keep_file(place))
        except ImageError as error:
            self.unread.append(f"a picture cannot be read: {error}")

    def lead_to(self, target: str) -> None:
        """Take up a link to another page."""
        name = Path(target).stem
        if name in self._names and "/" not in target.removeprefix("./"):
            self.links.append(name)
        else:
            self.unread.append(f"it leads to {target}, which is no page of the folder")


def _page(file: Path, page: _Reading) -> Document:
    """One page, read into `page` from its Markdown `file`."""
    try:
        text = _text(file, page)
    except (OSError, UnicodeDecodeError, InputError) as error:
        return Document(
            file.stem, file.stem, "", {}, (), (), (f"the page cannot be read: {error}",)
        )
    for mark, _, address in _LINK.findall(text):
        target = unquote(address.partition("#")[0])
        if "://" in target or not target:
            continue  # the world outside of the folder
        if mark:
            page.show(target)
        elif target.endswith(".md"):
            page.lead_to(target)
    title = _TITLE.search(text)
    plain = _LINK.sub(lambda link: "" if link[1] else link[2], text)
    return Document(
        name=file.stem,
        title=title[1].strip() if title else file.stem,
        text=" ".join(re.sub(r"[#*_`>]", " ", plain).split()),
        facts={
            fact[1].strip().lower(): fact[2].strip()
            for line in plain.splitlines()
            if (fact := _FACT.match(line))
        },
        links=tuple(dict.fromkeys(name for name in page.links if name != file.stem)),
        pictures=tuple(dict.fromkeys(page.pictures)),
        unread=tuple(page.unread),
    )


def _text(file: Path, page: _Reading) -> str:
    """What is in the file of a page, as `_page` takes it."""
    if not file.is_file() or not page.has(file):
        raise InputError(f"{file.name} is no file of the folder")
    if file.stat().st_size > LARGEST_PAGE:
        raise InputError(f"{file.name} has more than {LARGEST_PAGE} bytes")
    return file.read_text(encoding="utf-8")
