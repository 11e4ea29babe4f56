"""Live answers for the pages: pictures that visitors bring, and questions under way.

Pictures that nobody decided on stay in the project's cache folder, the newest few hundred; a vote
or a place in the queue makes the picture, the question, the program with its trace and the
predictions part of the project.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from workbench.brought_pictures import acceptable
from workbench.errors import InputError
from workbench.images import ImageFolder
from workbench.pipeline.live_events import (
    Finished,
    Side,
    Times,
)
from workbench.records import Region, Task
from workbench.store import Project
from workbench.store.reading.ids import program_indexes

MOST_PICTURES = 200
"""Visitors' pictures kept."""

MOST_BYTES = 500_000_000
"""Bytes of these pictures together; the newest is kept whatever its size."""

MOST_ROUNDS = 200
"""Questions whose answers are held for a vote."""

_RUN = re.compile(r"[A-Za-z0-9._:-]{8,64}")


class Pictures:
    """Pictures of a project and of its visitors, by digest."""

    def __init__(self, project: Project) -> None:
        self.project = project.images
        self.guests = ImageFolder(project.path / "cache" / "compare")
        self._lock = threading.Lock()

    def of(self, digest: str) -> ImageFolder:
        """The folder that holds a picture."""
        return self.project if self.project.path(digest) is not None else self.guests

    def open(self, digest: str) -> Image.Image:
        return self.of(digest).open(digest)

    def crop(self, region: Region) -> Image.Image:
        return self.of(region.image).crop(region)

    def add_bytes(self, data: bytes, name: str) -> str:
        """Keep a picture that a program made of a visitor's.

        Args:
            data: content of its file.
            name: what messages call it.
        """
        with self._lock:
            digest = self.guests.add_bytes(data, name)
            self._make_room()
        return digest

    def take(self, data: bytes) -> tuple[str, str]:
        """Keep a visitor's picture; gives its digest, and what was done to it in words.

        Raises:
            ImageError: it cannot be read.
        """
        picture = acceptable(data, "the file")
        with self._lock:
            digest = self.guests.add_bytes(picture.data, "the file")
            self._make_room()
        return digest, picture.change

    def add(self, source: Path) -> str:
        """Keep a copy of a picture file."""
        with self._lock:
            digest = self.guests.add(source)
            self._make_room()
        return digest

    def _make_room(self) -> None:
        """The oldest pictures give way."""
        paths = sorted(self.guests.root.glob("??/*"), key=lambda path: path.stat().st_mtime)
        total = 0
        for number, path in enumerate(reversed(paths), 1):
            total += path.stat().st_size
            if number > MOST_PICTURES or (number > 1 and total > MOST_BYTES):
                self.guests.drop(path.stem)

    def keep(self, digest: str) -> None:
        """Make a picture the project's own.  Raises InputError when a visitor's picture has given
        way to newer ones.
        """
        path = self.of(digest).path(digest)
        if path is None:
            raise InputError("this picture is no longer held; give it again")
        self.project.add(path)


@dataclass(slots=True)
class Round:
    """One question with what each side made of it."""

    task: Task
    sides: dict[Side, Finished] = field(default_factory=dict)
    running: dict[Side, threading.Event] = field(default_factory=dict)


class Rounds:
    """The latest questions asked, by the id that the asking page made."""

    def __init__(self) -> None:
        self._rounds: OrderedDict[str, Round] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, run: str, task: Task, side: Side) -> tuple[Round, threading.Event]:
        """Hold a question for its answers; a second side joins the first one's round.

        Args:
            run: id that the page made.
            task: the question.
            side: that answers it.

        Returns:
            The round, and the event that cancels this side.

        Raises:
            InputError: the id is not as expected, or is that of another question.
        """
        if not _RUN.fullmatch(run):
            raise InputError("run must be 8 to 64 letters, digits or . _ : -")
        with self._lock:
            one = self._rounds.setdefault(run, Round(task))
            if one.task != task:
                raise InputError("this run is that of another question; make a new id")
            self._rounds.move_to_end(run)
            while len(self._rounds) > MOST_ROUNDS:
                self._rounds.popitem(last=False)
            one.running[side] = threading.Event()
            return one, one.running[side]

    def of(self, run: str) -> Round:
        """A question's answers.  Raises InputError when they are not held any more."""
        with self._lock:
            one = self._rounds.get(run)
        if one is None:
            raise InputError("these answers are no longer held; ask again, then vote")
        return one

    def has(self, run: str) -> bool:
        """Whether a question's answers are held."""
        with self._lock:
            return run in self._rounds

    def cancel(self, run: str, side: str | None = None) -> int:
        """Stop what is under way, on one side or on all; returns how many sides that were."""
        running = [event for name, event in self.of(run).running.items() if side in (None, name)]
        for event in running:
            event.set()
        return len(running)


def keep(project: Project, pictures: Pictures, one: Round, seed: int) -> Finished | None:
    """Write a round into the project: picture, question, program, trace, predictions.  What is
    there already stays as it is.

    Args:
        project: where it is stored.
        pictures: the folders that hold its picture.
        one: the round.
        seed: stored with the program.

    Returns:
        The pipeline's side; None where the pipeline has not answered.
    """
    task = one.task
    pictures.keep(task.image)
    if not project.known_tasks([task.id]):
        project.add_tasks([task])
    pipeline = one.sides.get("pipeline")
    if pipeline is not None and pipeline.program is not None:
        program = pipeline.program
        project.add_programs([program], seed)
        places = program_indexes(project.database, task.id)
        if program.id not in places:  # the loop has sampled another one at this place
            project.add_programs([replace(program, index=1 + max(places.values()))], seed)
        if pipeline.trace is not None:
            project.add_traces([pipeline.trace])
    predictions = [prediction for side in one.sides.values() for prediction in side.predictions]
    if predictions:
        project.add_predictions(predictions)
    return pipeline


@dataclass(frozen=True, slots=True)
class SideOutcome:
    """What one side made of a question, as it is kept with a vote."""

    answer: str | None
    failure: str | None
    """Kind of the failure."""
    cancelled: bool
    version: str
    times: Times


@dataclass(frozen=True, slots=True)
class VoteContext:
    """What is kept with a vote beside the vote itself."""

    note: str
    blind: bool
    """Whether the sides had no names."""
    sides: Mapping[Side, SideOutcome]


def outcomes(one: Round) -> Mapping[Side, SideOutcome]:
    """Each side's answer, version and times."""
    return {
        side: SideOutcome(
            answer=end.answer[:500] if end.answer is not None else None,
            failure=end.failure.kind if end.failure else None,
            cancelled=end.cancelled,
            version=version_of(end),
            times=end.times,
        )
        for side, end in one.sides.items()
    }


def version_of(event: Finished) -> str:
    """Name and version of the part that answered; empty when it was never reached."""
    return f"{event.maker.name} {event.maker.version}" if event.maker is not None else ""
