"""Compare: one question answered live by the program pipeline and by the student; and all questions
in a table.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from typing import Annotated, cast

import gradio as gr
from fastapi import Body, Request, Response
from fastapi.responses import FileResponse

from app import votes
from app.answers import Pictures, Rounds
from app.kept_answers import KeptAnswers
from app.people import Viewer, person_of
from app.side_news import SideNews, messages
from app.site import FOREVER, Site
from app.train_models import Students, finished_models
from workbench.errors import ImageError, InputError, WorkbenchError
from workbench.pipeline.ask import question_task
from workbench.pipeline.live import Live
from workbench.pipeline.live_events import SIDES, Side
from workbench.records import VISITORS, Task, content_key
from workbench.screen import views
from workbench.several_pictures import only_picture
from workbench.store.reading.ids import labelled_ids
from workbench.study.two_by_two import (
    CELLS,
    COUNTINGS,
    FILTERS,
    Counting,
    Table,
    compare,
)
from workbench.tasks.bundled import Collages, Photos

EXAMPLES = (("photos", 6), ("collages", 2))
"""Pictures offered, of each bundled source."""

AT_ONCE = 12
"""Streams at once; each side does one question at a time, the others wait and say so."""

LARGEST_URL = 900_000
"""Characters of a picture given as a data: URL."""


@dataclass(frozen=True, slots=True)
class StopAnswer:
    """A question whose answers are cancelled, on one side or on all."""

    run: str
    side: str | None = None


@dataclass(frozen=True, slots=True)
class ComparePicture:
    """A picture to ask about, with a question where one comes along."""

    image: str
    """The picture's digest."""
    url: str
    thumb: str
    """Address of a small one."""
    width: int
    height: int
    question: str = ""
    task: str = ""
    """Id of the question, where it is the project's."""
    change: str = ""
    """What was done to a file that was brought, in words; empty where nothing was."""


@dataclass(frozen=True, slots=True)
class LinkedAnswers:
    """The answers that a link carries."""

    picture: ComparePicture
    """With the question."""
    at: str
    """Time of the last answer, in UTC."""
    sides: Mapping[Side, Sequence[SideNews]]
    votable: bool
    """Whether the server has the answers at hand, so that they can be voted on."""


@dataclass(frozen=True, slots=True)
class CancelledSides:
    """How many sides were answering."""

    cancelled: int


@dataclass(frozen=True, slots=True)
class TableView:
    """A 2x2 table: questions in each cell, the shares of both sides, and McNemar's p."""

    both: int
    pipeline: int
    student: int
    neither: int
    of: int
    pipeline_right: views.ShareView
    student_right: views.ShareView
    p: float | None


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of the table, and the search of Browse that lists its questions."""

    name: str
    title: str
    filter: str


@dataclass(frozen=True, slots=True)
class CompareTables:
    """Both sides over the project's labelled questions that both have answered."""

    counting: Counting
    all: TableView
    families: Mapping[str, TableView]
    tools: Mapping[str, TableView]
    left_out: int
    """Questions without a label, verdicts or the student's answer."""
    means: str
    """The way of counting, in words."""
    k: int
    """Programs of each question."""
    cells: Sequence[CellView]


def add(site: Site) -> None:
    """Register the page, the answers of both sides, votes and tables."""
    project, pictures, rounds = site.project, Pictures(site.project), Rounds()
    kept = KeptAnswers(project.path / "cache" / "compare-answers")
    live = Live(project.profile(), pictures)
    site.on_close(live.close)
    students = Students(project, pictures, live)
    _pages(site, live, students)
    _pictures(site, pictures)
    _answers(site, pictures, rounds, kept)
    _api(site, pictures, rounds, kept, students)
    votes.add(site, pictures, rounds)
    _tables(site)


def _pages(site: Site, live: Live, students: Students) -> None:
    @site.server.get("/compare")
    def compare_page(request: Request) -> Response:
        finished = finished_models(site.project)
        names = {one.job: students.names(one) for one in finished} | {"": live.names}
        view = {
            "names": {
                job: {side: asdict(name) for side, name in sides.items()}
                for job, sides in names.items()
            },
            "own": live.names["student"],
            "sides": [side for side in SIDES if any(side in sides for sides in names.values())],
            "profile": site.project.profile().name,
            "tasks": site.project.count_tasks(),
            "countings": COUNTINGS,
            "models": finished,
            "taught": "base" in live.names,
        }
        return site.page(request, "compare.html", "compare", view)


def _pictures(site: Site, pictures: Pictures) -> None:
    @site.server.get("/compare/picture/{digest}")
    def picture(digest: str) -> Response:
        folder = pictures.of(digest)
        if folder.path(digest) is None:
            raise InputError("this picture is no longer held; give it again")
        return FileResponse(folder.display_path(digest), headers=FOREVER)

    @site.server.get("/compare/thumb/{digest}")
    def thumb(digest: str) -> Response:
        return FileResponse(pictures.of(digest).thumbnail(digest), headers=FOREVER)

    @site.server.get("/data/compare/examples")
    def examples(person: Viewer) -> list[ComparePicture]:
        return [
            _picture(pictures, pictures.add(source.image_path(task)), task.question)
            for source, task in bundled_examples()
        ]

    @site.server.get("/data/compare/picture")
    def one_picture(digest: str, person: Viewer) -> ComparePicture:
        return _picture(pictures, digest)

    @site.server.get("/data/compare/task")
    def task(person: Viewer, id: str = "", but: str = "") -> ComparePicture:
        """A question of the project.

        Args:
            person: who asks.
            id: of the question; empty: any one that has a label.
            but: id of a question that is not drawn.
        """
        question = _task(site, id) if id else _any(site, but)
        picture = _picture(pictures, question.image, question.question)
        return replace(picture, task=question.id)

    @site.server.post("/upload/compare")
    def upload(
        person: Viewer, data: Annotated[bytes, Body(media_type="application/octet-stream")] = b""
    ) -> ComparePicture:
        digest, change = pictures.take(data)
        return replace(_picture(pictures, digest), change=change)


def _answers(site: Site, pictures: Pictures, rounds: Rounds, kept: KeptAnswers) -> None:
    @site.server.get("/data/compare/answers")
    def answers(run: str, person: Viewer) -> LinkedAnswers:
        """The answers that a link carries.

        Args:
            run: id of the question asked.
            person: who reads them.
        """
        one = kept.of(run)
        tasks = site.project.tasks([one.task])
        picture = _picture(pictures, one.image, one.question)
        picture = replace(picture, task=one.task if tasks and tasks[0].source != VISITORS else "")
        return LinkedAnswers(picture, one.at, one.sides, rounds.has(run))

    @site.server.post("/do/compare/cancel")
    def cancel(body: StopAnswer, person: Viewer) -> CancelledSides:
        return CancelledSides(rounds.cancel(body.run, body.side))


def _api(
    site: Site, pictures: Pictures, rounds: Rounds, kept: KeptAnswers, students: Students
) -> None:
    @site.api("answer", concurrency_id="answer", concurrency_limit=AT_ONCE)
    def answer(
        image: str,
        question: str,
        request: gr.Request,
        side: str = "pipeline",
        task: str = "",
        run: str = "",
        model: str = "",
    ) -> Iterator[Mapping[str, Sequence[SideNews]]]:
        """Answer a question about a picture, as a stream of messages {number: [event, ...]};
        `finished` is the last.

        Args:
            image: digest of a picture of this project (or one given to POST /upload/compare), or a
                data: URL with one.
            question: as people ask; at most 1,000 characters.
            side: `pipeline` (a program is written and run), `student` (answers in one forward pass,
                then explains), or `base` where there is a base model apart from the student.
            task: id of a question of the project, to compare with its label; image and question are
                then its own.
            run: an id of your own, the same for both sides, to cancel or vote on; may be left out.
            model: id of a finished training job, whose model then is the student, and what it was
                taught from the base; those of the profile if left out.
        """
        person_of(request)
        live = students.of(model if side != "pipeline" else "")
        if side not in live.sides:
            raise InputError(f"no side is called '{side}'; there are: {', '.join(live.sides)}")
        record = _task(site, task) if task else question_task(_digest(pictures, image), question)
        picture = pictures.open(record.image)
        chosen: Side = side
        key = run or content_key(record.id, side, id(request))
        one, cancelled = rounds.begin(key, record, chosen)
        stream = live.answer(chosen, record, cancelled)
        yield from messages(stream, one, picture.size, partial(kept.put, key, record))


def _tables(site: Site) -> None:
    @site.server.get("/data/compare/tables")
    def tables(person: Viewer, counting: str = "any") -> CompareTables:
        site.project.browse_total()  # brings what is known of the traces' tools up to date
        both = compare(site.project.outcomes(), cast(Counting, counting))
        return CompareTables(
            counting=both.counting,
            all=_table(both.all),
            families={name: _table(table) for name, table in both.families.items()},
            tools={name: _table(table) for name, table in both.tools.items()},
            left_out=both.left_out,
            means=COUNTINGS[both.counting],
            k=site.project.scope().k,
            cells=[CellView(name, title, FILTERS[name]) for name, title in CELLS.items()],
        )


def _table(table: Table) -> TableView:
    return TableView(
        both=table.both,
        pipeline=table.pipeline,
        student=table.student,
        neither=table.neither,
        of=table.of,
        pipeline_right=views.share_view(table.pipeline_right),
        student_right=views.share_view(table.student_right),
        p=table.p,
    )


@lru_cache(maxsize=1)
def bundled_examples() -> Sequence[tuple[Photos | Collages, Task]]:
    """Bundled questions, each about another picture; none where the package has no data."""
    examples: list[tuple[Photos | Collages, Task]] = []
    for name, count in EXAMPLES:
        source = Photos() if name == "photos" else Collages()
        images: set[str] = set()
        try:
            for task in source.tasks("test"):
                if task.image not in images and len(images) < count:
                    images.add(task.image)
                    examples.append((source, task))
        except WorkbenchError:
            continue
    return examples


def _picture(pictures: Pictures, digest: str, question: str = "") -> ComparePicture:
    """A picture with its addresses and size, and a question about it."""
    picture = pictures.open(digest)
    return ComparePicture(
        image=digest,
        url=f"/compare/picture/{digest}",
        thumb=f"/compare/thumb/{digest}",
        width=picture.width,
        height=picture.height,
        question=question,
    )


def _task(site: Site, id: str) -> Task:
    """A question of the project.  Raises InputError where there is none of this id."""
    tasks = site.project.tasks([id])
    if not tasks:
        raise InputError(f"no question is called '{id}' in this project; Browse lists them")
    only_picture(tasks[0], "Compare")
    return tasks[0]


def _any(site: Site, but: str) -> Task:
    """A labelled question whose picture is there, drawn anew each time."""
    for id in labelled_ids(site.project.database, but, limit=5):
        (task,) = site.project.tasks([id])
        if task.more_images:
            continue
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
        return pictures.take(base64.b64decode(packed, validate=True))[0]
    except (ValueError, binascii.Error) as error:
        raise ImageError(f"the data: URL does not hold a picture ({error})") from error
