"""The site of one project: which page stands at which path, and what it reads.

Each request opens the store for reading, and lets go of it at once: a `vpd run` in another process is never
kept waiting by an open page, and a page asked for while a run writes says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import views
from app.steps import player_data
from workbench.errors import ImageError, InputError
from workbench.images import ImageFolder
from workbench.pipeline import report
from workbench.store import STATUSES, Outcome, Project, Run, TaskView

PAGE = 50
"""Questions on one page of the list."""

GALLERY = 8
"""Kept rationales shown in the overview."""

Query = Mapping[str, str]


class Pages:
    """The pages of the project in a folder.  Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = ImageFolder(folder / "images")
        self.environment = Environment(
            loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self.environment.filters["spaced"] = views.spaced
        self.routes: dict[str, tuple[str, Callable[[Project, Query], dict[str, Any]]]] = {
            "/": ("overview.html", self._overview),
            "/questions": ("questions.html", self._questions),
            "/question": ("question.html", self._question),
            "/trace": ("trace.html", self._trace),
        }

    def page(self, path: str, query: Query) -> str | None:
        """HTML, or None where there is no such page."""
        if path not in self.routes:
            return None
        template, make = self.routes[path]
        with self._open() as project:
            view = make(project, query)
        return self._render(template, view)

    def data(self, path: str, query: Query) -> object | None:
        """The trace that the player asks for, or None."""
        if path != "/data/trace":
            return None
        with self._open() as project:
            task, run = project.run_view(_given(query, "id"))
        picture = self._picture_of(task.image)
        return player_data(run, (picture["width"], picture["height"]) if picture["picture"] else None)

    def picture(self, digest: str, side: int | None) -> Path | None:
        """The file of a picture, or of its thumbnail; None where it is missing or broken."""
        try:
            return self.images.path(digest) if side is None else self.images.thumbnail(digest, side)
        except ImageError:
            return None

    def problem(self, status: HTTPStatus, message: str) -> str:
        """An error page."""
        titles = {
            HTTPStatus.NOT_FOUND: "Not here",
            HTTPStatus.SERVICE_UNAVAILABLE: "Not now",
            HTTPStatus.INTERNAL_SERVER_ERROR: "A fault of this page",
        }
        again = status is HTTPStatus.SERVICE_UNAVAILABLE
        view = {"title": titles.get(status, status.phrase), "message": message, "again": again}
        return self._render("problem.html", view)

    def _open(self) -> Project:
        return Project.open(self.folder, read_only=True, wait=2.0)

    def _render(self, template: str, view: dict[str, Any]) -> str:
        return self.environment.get_template(template).render(view=view, project=self.folder.resolve().name)

    def _run_command(self) -> str:
        return f"vpd run --project {self.folder}"

    # --- one method per page: what its template needs

    def _overview(self, project: Project, query: Query) -> dict[str, Any]:
        found = report(project)
        counts, every = found.counts, found.all
        outcomes = [one for one in project.outcomes() if one.programs]
        questions = len(outcomes)
        figures = [
            views.figure("pass@1", every.passed[1], "one program, taken at random, is right"),
            views.figure(f"pass@{found.k}", every.passed[found.k], f"at least one of {found.k} is right"),
            views.figure("yield", every.kept, "a right trace is kept"),
        ]
        if every.student.of:
            figures.append(views.figure("student", every.student, "one forward pass, no program"))
        if found.seconds_per_question is not None:
            figures.append(views.pace(found.seconds_per_question, found.student_seconds))
        return {
            "headline": f"{questions:,} questions, {counts.programs:,} programs" if questions else "No run yet",
            "subline": _subline(found.k, counts.tasks - questions),
            "questions": questions,
            "command": self._run_command(),
            "figures": figures,
            "way": views.way(counts, questions),
            "families": views.families(found.families, found.k),
            "k": found.k,
            "has_student": bool(every.student.of),
            "ends": views.ends(counts, outcomes),
            "gallery": self._gallery(project, outcomes),
        }

    def _gallery(self, project: Project, outcomes: list[Outcome]) -> list[dict[str, str | None]]:
        """Kept rationales, of other kinds and on other pictures first."""
        kept = {one.task_id: one for one in outcomes if one.status == "kept" and one.faithful}
        seen: Counter[str] = Counter()
        order = []
        for task in project.tasks(list(kept)):
            seen.update((f"family {task.family}", f"picture {task.image}"))
            order.append((seen[f"family {task.family}"] + seen[f"picture {task.image}"], kept[task.id]))
        found = []
        for _, one in sorted(order, key=lambda entry: entry[0])[:GALLERY]:
            view = project.task_view(one.task_id)
            text = next((r.text for r in view.rationales if r.trace_id == one.chosen), "")
            found.append(
                {"trace_id": one.chosen, "image": view.task.image, "question": view.task.question, "text": text}
                | {"answer": one.answer or ""}
            )
        return found

    def _questions(self, project: Project, query: Query) -> dict[str, Any]:
        words, family, outcome = (query.get(key, "")[:200] for key in ("words", "family", "outcome"))
        after = _number(query, "after")
        status = outcome if outcome in STATUSES else None
        page = project.tasks_page(after, PAGE, text=words, family=family or None, status=status)
        families = project.database.rows("SELECT DISTINCT family FROM task WHERE family <> '' ORDER BY family")
        asked = {key: value for key, value in (("words", words), ("family", family), ("outcome", outcome)) if value}
        return {
            "rows": [views.row(task, one) for task, one in page.rows],
            "matching": page.total,
            "total": page.total if not asked else project.tasks_page(limit=1).total,
            "filtered": bool(asked),
            "families": [one["family"] for one in families],
            "outcomes": [("", "every outcome"), *((status, views.WORDS[status]) for status in STATUSES)],
            "words": words,
            "family": family,
            "outcome": outcome,
            "size": PAGE,
            "first": f"/questions?{urlencode(asked)}" if after is not None else None,
            "next": f"/questions?{urlencode({**asked, 'after': page.next})}" if page.next is not None else None,
            "command": self._run_command(),
        }

    def _question(self, project: Project, query: Query) -> dict[str, Any]:
        view = project.task_view(_given(query, "id"))
        chosen = view.chosen
        outcome = _outcome_of(view)
        answer, student_state, student_words = views.student_view(view.task, view.prediction)
        return {
            **self._picture_of(view.task.image),
            "task_id": view.task.id,
            "question": view.task.question,
            "family": view.task.family,
            "choices": [(chr(65 + at), text) for at, text in enumerate(view.task.choices[:26])],
            "gold": views.gold_of(view.task),
            "answer": chosen.trace.answer if chosen is not None and chosen.trace is not None else "",
            "state": views.STATES[outcome],
            "words": views.WORDS[outcome],
            "seconds": views.duration(_seconds(view)),
            "student": answer,
            "student_state": student_state,
            "student_words": student_words,
            "student_seconds": views.duration(view.prediction.seconds if view.prediction is not None else None),
            "told": self._told(view, chosen),
            "kept_trace": chosen.trace.id if chosen is not None and chosen.trace is not None else "",
            "programs": len(view.runs),
            "groups": views.groups(view),
        }

    def _trace(self, project: Project, query: Query) -> dict[str, Any]:
        some_id = _given(query, "id")
        task, run = project.run_view(some_id)
        if run.trace is None:
            raise InputError(f"program {run.program.id} of {task.id} has not been run yet; {self._run_command()}")
        view = project.task_view(task.id)
        ids = [other.trace.id for other in view.runs if other.trace is not None]
        at = ids.index(run.trace.id) if run.trace.id in ids else None
        state = views.run_state(run)
        said = "no answer" if run.trace.answer is None else run.trace.answer
        step = _number(query, "step")
        return {
            **self._picture_of(task.image),
            "trace_id": run.trace.id,
            "task_id": task.id,
            "question": task.question,
            "number": run.program.index + 1,
            "programs": max(len(view.runs), run.program.index + 1),
            "previous": ids[at - 1] if at else None,
            "next": ids[at + 1] if at is not None and at + 1 < len(ids) else None,
            "state": state,
            "words": said if len(said) <= 60 else said[:59] + "…",
            "facts": " · ".join(filter(None, (views.facts_of(run), _expected(views.gold_of(task))))),
            "problem": views.problem_of(run),
            "step": "" if step is None else step,
            "told": self._told(view, run),
        }

    def _told(self, view: TaskView, run: Run | None) -> views.Told | None:
        if run is None or run.trace is None:
            return None
        return views.told(next((r for r in view.rationales if r.trace_id == run.trace.id), None))

    def _picture_of(self, digest: str) -> dict[str, Any]:
        """The picture's size, or that it cannot be shown: a page is more useful than an error."""
        try:
            picture = self.images.open(digest)
        except ImageError:
            return {"image": digest, "picture": False, "width": 4, "height": 3}
        return {"image": digest, "picture": True, "width": picture.width, "height": picture.height}


def _subline(k: int, waiting: int) -> str:
    text = f"{views.counted(k, 'program')} sampled for each question, run on its picture and judged by its label."
    return f"{text} {views.counted(waiting, 'more question')} imported and not run yet." if waiting else text


def _given(query: Query, key: str) -> str:
    if not query.get(key):
        raise InputError(f"this address needs ?{key}=…; open it from the list of questions")
    return query[key]


def _number(query: Query, key: str) -> int | None:
    text = query.get(key, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _expected(gold: str) -> str:
    return f"expected: {gold}" if gold else ""


def _seconds(view: TaskView) -> float | None:
    """Sampling and running all programs of the question, as the store counts it."""
    if not view.runs:
        return None
    return sum(run.program.seconds + (run.trace.seconds if run.trace is not None else 0.0) for run in view.runs)


def _outcome_of(view: TaskView) -> str:
    """The store's status of one task, from its runs."""
    if not view.runs or any(run.verdict is None for run in view.runs):
        return "waiting"
    if view.chosen is not None:
        return "kept" if view.task.labelled else "agreed"
    return "wrong" if any(run.trace is not None and run.trace.ok for run in view.runs) else "failed"
