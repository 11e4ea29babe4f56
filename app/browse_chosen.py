"""What is done with many questions of Browse at once: they go to the queue, are accepted, rejected
or tagged, each as one batch that can be undone as one, or leave as a file.

A verdict of a batch is marked as such: nobody looked at each question, so that it counts in no
figure of agreement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field

from fastapi import Response
from fastapi.responses import StreamingResponse

from app.people import Curator, Person, Viewer
from app.site import Site
from workbench.errors import InputError
from workbench.records import JSON, Reason
from workbench.screen import views
from workbench.screen.decide import person_event
from workbench.store import Project
from workbench.store.people.decide_many import Verdicts

MOST = 20_000
"""Questions that are sent to the queue or tagged at once."""

FILE_ROWS = 200
"""Questions that are read at once for a file."""


@dataclass(frozen=True)
class Chosen:
    """Questions by id, or all that a search finds."""

    id: str
    tasks: list[str] = field(default_factory=list)
    everything: bool = False
    """Whether all questions are meant that the search `q` finds."""
    q: str = ""
    text: str = ""
    """Why they are sent to the queue or rejected, or the tag."""
    reason: Reason | None = None
    """Why they are rejected; None accepts them."""

    def ids(self, project: Project, most: int | None = None) -> list[str]:
        """Ids of the questions.

        Args:
            project: has the questions.
            most: how many may be chosen; None for any number.

        Raises:
            InputError: none is chosen, or more than may be.
        """
        ids = project.browse_ids(self.q) if self.everything else list(dict.fromkeys(self.tasks))
        if not ids:
            raise InputError("no question is chosen; nothing was changed")
        if most is not None and len(ids) > most:
            raise InputError(
                f"{len(ids):,} questions are chosen; at most {most:,} are taken at once: narrow "
                "the search"
            )
        return ids

    def verdicts(self, person: Person) -> Verdicts:
        """What is said of each, in this person's name."""
        return Verdicts(person.name, person.role, self.reason, self.text.strip())


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """What deciding on questions would do."""

    decided: int
    left_out: Mapping[str, int]
    """Questions that are left out, by the reason."""


@dataclass(frozen=True, slots=True)
class DecidedBatch:
    """What deciding on questions has done."""

    batch: str | None
    decided: int
    left_out: Mapping[str, int]
    """Questions that were left out, by the reason."""


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """Questions that were sent to the queue."""

    batch: str
    queued: int


@dataclass(frozen=True, slots=True)
class TaggedBatch:
    """Questions that were tagged."""

    batch: str
    tagged: int
    tag: str


def add(site: Site) -> None:
    """Register what the bar of chosen questions calls."""
    _add_verdicts(site)
    _add_words(site)

    @site.server.get("/browse/file")
    def file(person: Viewer, q: str = "", tasks: str = "") -> Response:
        """Questions with what came of them, one JSON object a line.

        Args:
            person: who asks.
            q: a search, whose questions are meant where no ids are given.
            tasks: ids as a JSON list.
        """
        chosen = Chosen("file", _ids(tasks), everything=not tasks, q=q)
        ids = chosen.ids(site.project)
        name = {"Content-Disposition": 'attachment; filename="questions.jsonl"'}
        return StreamingResponse(
            lines(site.project, ids), media_type="application/x-ndjson", headers=name
        )


def _ids(text: str) -> list[str]:
    """Ids from a JSON list; none from an empty text."""
    try:
        ids = json.loads(text or "[]")
    except ValueError:
        ids = None
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise InputError('tasks must be a JSON list of ids, such as ["a", "b"]')
    return ids


def _add_verdicts(site: Site) -> None:
    project, server = site.project, site.server

    @server.post("/do/browse/count")
    def count(body: Chosen, person: Viewer) -> DecisionCount:
        """What accepting these would do, or with a reason rejecting; nothing is written."""
        bulk = project.curation.bulk_count(body.ids(project), body.verdicts(person))
        return DecisionCount(bulk.decided, bulk.left_out)

    @server.post("/do/browse/accept")
    def accept(body: Chosen, person: Curator) -> DecidedBatch:
        """Accept the kept trace of each, as one batch that can be undone as one."""
        if body.reason is not None:
            raise InputError("a reason belongs to a reject; send it to do/browse/reject")
        return _decide(body, person)

    @server.post("/do/browse/reject")
    def reject(body: Chosen, person: Curator) -> DecidedBatch:
        """Reject each, as one batch that can be undone as one."""
        if body.reason is None:
            raise InputError("a reject needs a reason; nothing was changed")
        return _decide(body, person)

    def _decide(body: Chosen, person: Person) -> DecidedBatch:
        bulk = project.curation.decide_all(body.ids(project), body.verdicts(person), body.id)
        return DecidedBatch(bulk.batch, bulk.decided, bulk.left_out)


def _add_words(site: Site) -> None:
    project, server = site.project, site.server

    @server.post("/do/browse/queue")
    def queue(body: Chosen, person: Curator) -> QueuedBatch:
        """Ask for these in the queue, as one batch."""
        ids = body.ids(project, MOST)
        why = body.text.strip() or f"asked for by {person.name}"
        project.curation.decide(
            [
                person_event(
                    person, f"{body.id}.{at}", "queue", task_id=task_id, text=why, batch=body.id
                )
                for at, task_id in enumerate(ids)
            ]
        )
        return QueuedBatch(body.id, len(ids))

    @server.post("/do/browse/tag")
    def tag(body: Chosen, person: Curator) -> TaggedBatch:
        """Give these a tag, by which `tag:` finds them, as one batch."""
        ids = body.ids(project, MOST)
        events = [
            person_event(
                person, f"{body.id}.{at}", "tag", task_id=task_id, text=body.text, batch=body.id
            )
            for at, task_id in enumerate(ids)
        ]
        stored = project.curation.decide(events)
        return TaggedBatch(body.id, len(ids), stored[0].text)

    @server.get("/data/browse/tags")
    def tags(person: Viewer) -> list[str]:
        return project.curation.tags()


def lines(project: Project, ids: list[str]) -> Iterator[str]:
    """Questions as lines of JSON: the question, what was kept and what people say of it."""
    for begin in range(0, len(ids), FILE_ROWS):
        some = ids[begin : begin + FILE_ROWS]
        items, there = project.curation.items(some), project.known_tasks(some)
        for task_id in (one for one in some if one in there):
            view = project.task_view(task_id)
            run, task = view.chosen, view.task
            rationale = views.rationale_of(view, run)
            item = items[task_id]
            row: dict[str, JSON] = {
                "id": task.id,
                "source": task.source,
                "split": task.split,
                "image": task.image,
                "question": task.question,
                "answers": list(task.answers),
                "choices": list(task.choices),
                "program": run.program.source if run else None,
                "answer": run.trace.answer if run and run.trace else None,
                "rationale": rationale.text if rationale else None,
                "review": item.state,
                "reason": item.reason,
                "decisions": [
                    {name: value for name, value in asdict(one).items() if name in _SAID}
                    for one in project.curation.standing([task_id])
                ],
                "tags": project.curation.tags(task_id),
            }
            yield json.dumps(row, ensure_ascii=False) + "\n"


_SAID = ("author", "kind", "trace_id", "rationale_id", "reason")
"""Fields of a standing decision that a file has."""
