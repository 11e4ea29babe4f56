"""Browse: questions with their programs, by facets and words; what is chosen goes to the queue, or
is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.people import Curator, Viewer
from app.site import Site
from workbench.errors import InputError
from workbench.records import Task
from workbench.screen import views
from workbench.screen.highlight import highlight
from workbench.screen.review import person_event
from workbench.store import Outcome, Project, RunLine, parse_query
from workbench.store.reading.browse import delete_view, save_view, saved_views
from workbench.verify.answers import canonical

PAGE = 50
"""Questions on one page."""

MOST = 20_000
"""Questions sent to the queue at once."""

SORTS = (
    ("import", "Order of import"),
    ("newest", "Newest first"),
    ("siblings", "Programs disagree most"),
    ("student", "Student and pipeline apart"),
    ("-seconds", "Fastest first"),
    ("seconds", "Slowest first"),
    ("steps", "Most steps"),
)

RESULTS = {"right": "right", "wrong": "wrong", "crashed": "failed"}

STUDENTS = {"right": "right", "wrong": "wrong"}


@dataclass(frozen=True)
class Chosen:
    """Questions by id, or all that a search finds (`everything`)."""

    id: str
    tasks: list[str] = field(default_factory=list)
    everything: bool = False
    q: str = ""
    text: str = ""

    def ids(self, project: Project) -> list[str]:
        found = project.browse_ids(self.q) if self.everything else list(dict.fromkeys(self.tasks))
        if not found:
            raise InputError("no question is chosen; nothing was changed")
        return found


@dataclass(frozen=True)
class ViewRequest:
    id: str
    name: str
    q: str = ""
    sort: str = "import"


def add(site: Site) -> None:
    project, server = site.project, site.server

    @server.get("/")
    def start() -> Response:
        return RedirectResponse("/browse", 307)

    @server.get("/browse")
    def browse(request: Request) -> Response:
        view = {"sorts": SORTS, "command": f"vpd run --project {project.path}"}
        return site.page(request, "browse.html", "browse", view)

    @server.get("/data/browse")
    def page(q: str = "", sort: str = "import", after: str = "") -> dict[str, Any]:
        query = parse_query(q)
        found = project.browse(q, sort, after or None, PAGE)
        return {
            "rows": [row(task, one) for task, one in found.rows],
            "next": found.next,
            "tokens": [{"token": one, "without": query.without_token(one)} for one in query.tokens],
            "words": list(query.words),
        }

    @server.get("/data/browse/total")
    def total(q: str = "") -> dict[str, int]:
        return {
            "total": project.browse_total(q),
            "all": project.browse_total() if q.strip() else -1,
        }

    @server.get("/data/browse/facets")
    def facets(q: str = "") -> list[dict[str, Any]]:
        query = parse_query(q)
        return [
            {
                "name": facet.name,
                "title": facet.title,
                "values": [
                    {
                        "value": one.value,
                        "count": one.count,
                        "picked": one.picked,
                        "to": query.without_token(one.token)
                        if one.picked
                        else query.with_token(one.token),
                    }
                    for one in facet.values
                ],
            }
            for facet in project.browse_facets(q)
        ]

    @server.get("/data/browse/peek")
    def peek(task: str) -> dict[str, Any]:
        return look(site, task)

    @server.get("/data/views")
    def saved() -> list[dict[str, str]]:
        return [
            {"name": v.name, "q": v.text, "sort": v.sort, "author": v.author}
            for v in saved_views(project.database)
        ]

    @server.post("/do/browse/view")
    def keep(body: ViewRequest, person: Curator) -> dict[str, str]:
        view = save_view(project.database, body.name.strip(), body.q, body.sort, person.name)
        return {"name": view.name}

    @server.post("/do/browse/forget")
    def forget(body: ViewRequest, person: Curator) -> dict[str, str]:
        delete_view(project.database, body.name)
        return {"name": body.name}

    @server.post("/do/browse/count")
    def count(body: Chosen, person: Viewer) -> dict[str, Any]:
        """What accepting these would do; nothing is written."""
        bulk = project.curation.bulk_count(body.ids(project), person.name)
        return {"accepted": bulk.accepted, "left_out": dict(bulk.left_out)}

    @server.post("/do/browse/accept")
    def accept(body: Chosen, person: Curator) -> dict[str, Any]:
        """Accept the kept trace of each, as one batch that can be undone as one."""
        bulk = project.curation.accept_all(body.ids(project), person.name, person.role, body.id)
        return {"batch": bulk.batch, "accepted": bulk.accepted, "left_out": dict(bulk.left_out)}

    @server.post("/do/browse/queue")
    def queue(body: Chosen, person: Curator) -> dict[str, Any]:
        """Ask for these in the queue, as one batch."""
        ids = body.ids(project)
        if len(ids) > MOST:
            raise InputError(
                f"{len(ids):,} questions are chosen; at most {MOST:,} go to the queue at once"
            )
        why = body.text.strip() or f"asked for by {person.name}"
        project.curation.decide(
            [
                person_event(
                    person, f"{body.id}.{at}", "queue", task_id=task_id, text=why, batch=body.id
                )
                for at, task_id in enumerate(ids)
            ]
        )
        return {"batch": body.id, "queued": len(ids)}


def row(task: Task, one: Outcome) -> dict[str, Any]:
    """One question of the list."""
    return {
        "id": task.id,
        "image": task.image,
        "question": task.question,
        "gold": views.gold_of(task),
        "family": views.family_words(task.family),
        "state": views.STATES[one.status],
        "said": one.said if one.said is not None else views.SHORT_WORDS[one.status] or "no answer",
        "status": views.WORDS[one.status],
        "kept": one.chosen,
        "faithful": one.faithful,
        "tools": list(one.tools),
        "steps": one.steps,
        "seconds": one.seconds,
        "student": one.student_answer,
        "student_state": STUDENTS.get(one.student, "none"),
        "review": one.review,
        "reviewers": list(one.reviewers),
        "updated": one.updated_at.replace(tzinfo=UTC).isoformat(),
        "runs": [_run(run, task) for run in one.runs],
    }


def _run(run: RunLine, task: Task) -> dict[str, Any]:
    form = None if run.answer is None else canonical(run.answer, task)
    return {
        "number": run.index + 1,
        "program": run.program,
        "trace": run.trace,
        "answer": run.answer,
        "form": form,
        "kind": run.kind,
        "steps": run.steps,
        "seconds": run.seconds,
        "tools": list(run.tools),
        "state": RESULTS.get(run.result, "none"),
    }


def look(site: Site, task_id: str) -> dict[str, Any]:
    """One question at a glance: picture, the kept program (else the first), its rationale, the
    student's answer.
    """
    view = site.project.task_view(task_id)
    run = view.chosen or next(iter(view.runs), None)
    told = next(
        (r for r in view.rationales if run and run.trace and r.trace_id == run.trace.id), None
    )
    answer, state, words = views.student_view(view.task, view.prediction)
    return {
        "picture": site.picture_of(view.task.image),
        "question": view.task.question,
        "choices": list(view.task.choices),
        "gold": views.gold_of(view.task),
        "trace": run.trace.id if run and run.trace else None,
        "answer": run.trace.answer if run and run.trace else None,
        "state": views.run_state(run) if run else "none",
        "number": run.program.index + 1 if run else None,
        "problem": views.problem_of(run) if run else "No program was written yet.",
        "source": highlight(run.program.source) if run else [],
        "rationale": told.text if told else "",
        "faithful": told.faithful if told else None,
        "student": {"answer": answer, "state": state, "words": words} if view.prediction else None,
    }
