"""Compare: one question answered live by the program pipeline and by the student; and all questions
in a table.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, cast

import gradio as gr
from fastapi import Body, Request, Response
from fastapi.responses import FileResponse

from app.answers import Pictures, Rounds, keep, messages, outputs
from app.people import Curator, Viewer, person_of
from app.site import FOREVER, Site
from app.train_models import Students, finished_models
from workbench.errors import ImageError, InputError, WorkbenchError
from workbench.pipeline.ask import question_task
from workbench.pipeline.live import Live
from workbench.pipeline.live_events import Side
from workbench.records import Rating, Task, content_key
from workbench.screen.review import person_event
from workbench.store.reading.ids import labelled_ids
from workbench.study.two_by_two import CELLS, COUNTINGS, FILTERS, Counting, compare, in_cell
from workbench.tasks.bundled import Collages, Photos

EXAMPLES = (("photos", 6), ("collages", 2))
"""Pictures offered, of each bundled source."""

AT_ONCE = 12
"""Streams at once; each side does one question at a time, the others wait and are told."""

LARGEST_URL = 900_000
"""Characters of a picture given as a data: URL."""

Choice = Literal["pipeline", "student", "tie", "neither"]


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """End what is under way."""

    run: str
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """Which side was better."""

    id: str
    run: str
    choice: Choice
    left: Side = "pipeline"
    """The side that was shown at the left."""
    blind: bool = False
    """The sides had no names."""
    note: str = ""
    seconds: float | None = None
    """From asking to voting."""


@dataclass(frozen=True, slots=True)
class ToQueue:
    """Send one question to the queue."""

    id: str
    run: str


@dataclass(frozen=True, slots=True)
class CellToQueue:
    """Send all questions of the cell "pipeline right, student wrong" to the queue."""

    id: str
    counting: Counting = "any"


def add(site: Site) -> None:
    project, pictures, rounds = site.project, Pictures(site.project), Rounds()
    live = Live(project.profile(), pictures)
    site.on_close(live.close)
    _pages(site, pictures, live)
    _api(site, pictures, rounds, Students(project, pictures, live))
    _votes(site, pictures, rounds)
    _tables(site)


def _pages(site: Site, pictures: Pictures, live: Live) -> None:
    @site.server.get("/compare")
    def compare_page(request: Request) -> Response:
        view = {
            "sides": list(live.sides),
            "profile": site.project.profile().name,
            "tasks": site.project.count_tasks(),
            "countings": COUNTINGS,
            "models": finished_models(site.project),
        }
        return site.page(request, "compare.html", "compare", view)

    @site.server.get("/compare/picture/{digest}")
    def picture(digest: str) -> Response:
        path = pictures.of(digest).path(digest)
        if path is None:
            raise InputError("this picture is no longer held; give it again")
        return FileResponse(path, headers=FOREVER)

    @site.server.get("/compare/thumb/{digest}")
    def thumb(digest: str) -> Response:
        return FileResponse(pictures.of(digest).thumbnail(digest), headers=FOREVER)

    @site.server.get("/data/compare/examples")
    def examples(person: Viewer) -> list[dict[str, Any]]:
        return [
            _shown(pictures, pictures.add(source.image_path(task)), task.question)
            for source, task in _examples()
        ]

    @site.server.get("/data/compare/picture")
    def known(digest: str, person: Viewer) -> dict[str, Any]:
        return _shown(pictures, digest)

    @site.server.get("/data/compare/task")
    def task(person: Viewer, id: str = "", but: str = "") -> dict[str, Any]:
        """A question of the project: the one named, else any with a label but one."""
        found = _task(site, id) if id else _any(site, but)
        return {**_shown(pictures, found.image, found.question), "task": found.id}

    @site.server.post("/upload/compare")
    def upload(
        person: Viewer, data: Annotated[bytes, Body(media_type="application/octet-stream")] = b""
    ) -> dict[str, Any]:
        return _shown(pictures, pictures.take(data))


def _api(site: Site, pictures: Pictures, rounds: Rounds, students: Students) -> None:
    @site.api("answer", concurrency_id="answer", concurrency_limit=AT_ONCE)
    def answer(
        image: str,
        question: str,
        request: gr.Request,
        side: str = "pipeline",
        task: str = "",
        run: str = "",
        model: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Answer a question about a picture, as a stream of messages {number: [event, ...]};
        `finished` is the last.

        Args: image: digest of a picture of this project (or one given to POST /upload/compare), or
            a data: URL with one. question: as people ask; at most 1,000 characters. side:
            `pipeline` (a program is written and run), `student` (answers in one forward pass, then
            explains), or
                `base` where there is a base model apart from the student.
            task: id of a question of the project, to compare with its label; image and question are
            then its own. run: an id of your own, the same for both sides, to cancel or vote on; may
            be left out. model: id of a finished training job, whose model then is the student; the
            profile's student if left out.
        """
        person_of(request)
        live = students.of(model if side == "student" else "")
        if side not in live.sides:
            raise InputError(f"no side is called '{side}'; there are: {', '.join(live.sides)}")
        asked = _task(site, task) if task else question_task(_digest(pictures, image), question)
        picture = pictures.open(asked.image)
        chosen: Side = side
        held, cancelled = rounds.begin(
            run or content_key(asked.id, side, id(request)), asked, chosen
        )
        yield from messages(live.answer(chosen, asked, cancelled), held, picture.size)

    @site.server.post("/do/compare/cancel")
    def cancel(body: StopAnswer, person: Viewer) -> dict[str, Any]:
        return {"cancelled": rounds.cancel(body.run, body.side)}


def _votes(site: Site, pictures: Pictures, rounds: Rounds) -> None:
    project = site.project

    @site.server.post("/do/compare/vote")
    def vote(body: Vote, person: Curator) -> dict[str, Any]:
        held = rounds.of(body.run)
        pipeline = keep(project, pictures, held, project.profile().seed)
        student = held.sides.get("student")
        maker = student.maker if student is not None else None
        keys = {
            "pipeline": "pipeline",
            "student": project.add_part(maker) if maker is not None else "student",
        }
        right: Side = "student" if body.left == "pipeline" else "pipeline"
        sided = {body.left: "left", right: "right", "tie": "both", "neither": "neither"}
        [stored] = project.curation.decide(
            [
                person_event(
                    person,
                    body.id,
                    "rating",
                    task_id=held.task.id,
                    trace_id=pipeline.trace.id
                    if pipeline is not None and pipeline.trace is not None
                    else None,
                    program_id=pipeline.program.id
                    if pipeline is not None and pipeline.program is not None
                    else None,
                    text=json.dumps(
                        outputs(held, {"note": body.note[:2000], "blind": body.blind}),
                        ensure_ascii=False,
                    ),
                    rating=Rating(
                        keys[body.left], keys[right], None, None, cast(Any, sided[body.choice])
                    ),
                    seconds=body.seconds,
                    hidden=body.blind,
                )
            ]
        )
        return {"id": stored.id, "task": held.task.id}

    @site.server.post("/do/compare/queue")
    def queue(body: ToQueue, person: Curator) -> dict[str, Any]:
        held = rounds.of(body.run)
        pipeline = keep(project, pictures, held, project.profile().seed)
        trace = pipeline.trace.id if pipeline is not None and pipeline.trace is not None else None
        why = "pipeline right, student wrong (Compare)"
        project.curation.decide(
            [person_event(person, body.id, "queue", task_id=held.task.id, trace_id=trace, text=why)]
        )
        return {"id": body.id, "task": held.task.id, "trace": trace}

    @site.server.post("/do/compare/queue-cell")
    def queue_cell(body: CellToQueue, person: Curator) -> dict[str, Any]:
        why = "pipeline right, student wrong (all questions)"
        ids = in_cell(project.outcomes(), "pipeline", body.counting)
        project.curation.decide(
            [
                person_event(
                    person, f"{body.id}.{at}", "queue", task_id=task, text=why, batch=body.id
                )
                for at, task in enumerate(ids)
            ]
        )
        return {"id": body.id, "queued": len(ids)}


def _tables(site: Site) -> None:
    @site.server.get("/data/compare/tables")
    def tables(person: Viewer, counting: str = "any") -> dict[str, Any]:
        site.project.browse_total()  # brings what is known of the traces' tools up to date
        found = compare(site.project.outcomes(), cast(Counting, counting))
        return {
            **found.to_json(),
            "means": COUNTINGS[found.counting],
            "k": site.project.scope().k,
            "cells": [
                {"name": name, "title": title, "filter": FILTERS[name]}
                for name, title in CELLS.items()
            ],
        }


@lru_cache(maxsize=1)
def _examples() -> Sequence[tuple[Photos | Collages, Task]]:
    """Bundled questions, each about another picture; none where the package came without its data."""
    found: list[tuple[Photos | Collages, Task]] = []
    for name, count in EXAMPLES:
        source = Photos() if name == "photos" else Collages()
        seen: set[str] = set()
        try:
            for task in source.tasks("test"):
                if task.image not in seen and len(seen) < count:
                    seen.add(task.image)
                    found.append((source, task))
        except WorkbenchError:
            continue
    return found


def _shown(pictures: Pictures, digest: str, question: str = "") -> dict[str, Any]:
    picture = pictures.open(digest)
    return {
        "image": digest,
        "url": f"/compare/picture/{digest}",
        "thumb": f"/compare/thumb/{digest}",
        "width": picture.width,
        "height": picture.height,
        "question": question,
    }


def _task(site: Site, id: str) -> Task:
    found = site.project.tasks([id])
    if not found:
        raise InputError(f"no question is called '{id}' in this project; Browse lists them")
    return found[0]


def _any(site: Site, but: str) -> Task:
    """A labelled question whose picture is there, drawn anew each time."""
    for id in labelled_ids(site.project.database, but, limit=5):
        task = _task(site, id)
        if site.project.images.path(task.image) is not None:
            return task
    raise InputError("the project has no labelled question yet; import some, or choose an example")


def _digest(pictures: Pictures, image: str) -> str:
    """The digest of a picture given as one, or as a data: URL."""
    if not image.startswith("data:"):
        return image
    head, _, packed = image.partition(",")
    if not head.endswith(";base64") or len(packed) > LARGEST_URL:
        raise ImageError(
            f"a picture in a data: URL must be base64 of at most {LARGEST_URL:,} characters"
        )
    try:
        return pictures.take(base64.b64decode(packed, validate=True))
    except (ValueError, binascii.Error) as error:
        raise ImageError(f"the data: URL does not hold a picture ({error})") from error
