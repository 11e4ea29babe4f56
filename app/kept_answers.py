"""Answers that a link carries: what each side said of a question, in files of the project's
cache, so that the link reads the same after the server was started again.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic_core import to_jsonable_python

from app.side_news import SideNews
from workbench.errors import InputError
from workbench.pipeline.live_events import Side
from workbench.records import Task, storable

MOST = 500
"""Questions whose answers are kept; the oldest give way."""


@dataclass(frozen=True, slots=True)
class KeptRound:
    """A question and what the sides said, as their columns take it."""

    run: str
    task: str
    image: str
    question: str
    at: str
    """Time of the last answer, in UTC."""
    sides: Mapping[Side, Sequence[SideNews]]


class KeptAnswers:
    """Answers by the id that the asking page made.

    Args:
        folder: where they lie, one file for each question.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def put(self, run: str, task: Task, side: Side, news: Sequence[SideNews]) -> None:
        """Keep what a side said; an earlier answer of the same side gives way.

        Args:
            run: id that the page made.
            task: the question.
            side: who answered.
            news: all that its column shows.
        """
        with self._lock:
            before = self._read(run)
            sides = dict(before.sides) if before is not None and before.task == task.id else {}
            now = datetime.now(UTC).isoformat()
            sides[side] = to_jsonable_python(news)
            one = KeptRound(run, task.id, task.image, task.question, now, sides)
            # a full disk or a read-only folder costs the link its answers, not the visitor theirs
            with suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                part = self._path(run).with_suffix(".part")
                part.write_text(json.dumps(to_jsonable_python(one)), encoding="ascii")
                part.replace(self._path(run))
                self._make_room()

    def of(self, run: str) -> KeptRound:
        """The answers of a question.  Raises InputError where they are not kept."""
        with self._lock:
            one = self._read(run)
        if one is None:
            raise InputError("the answers of this link are no longer kept; ask again")
        return one

    def _path(self, run: str) -> Path:
        """A file's name of its own: an id may hold a colon, which not every system takes."""
        digest = hashlib.sha256(storable(run).encode()).hexdigest()
        return self._folder / f"{digest[:40]}.json"

    def _read(self, run: str) -> KeptRound | None:
        """The answers of a question; None where no file can be read as such."""
        try:
            one = KeptRound(**json.loads(self._path(run).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return one if one.run == run else None

    def _make_room(self) -> None:
        paths = list(self._folder.glob("*.json"))
        if len(paths) > MOST:
            paths.sort(key=lambda path: path.stat().st_mtime)
            for path in paths[: len(paths) - MOST]:
                path.unlink(missing_ok=True)
