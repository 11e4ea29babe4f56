"""`vpd publish`: a project as a folder of pages for strangers, readable from a disk or any host.

index.html, index-2.html ...   the questions, with what came of each
questions/00001.html ...       a question: picture, rationale, programs with their steps
report.html                    the figures (`app.report`), without people and places
published.json                 what was published, when and by which version

Each page holds its picture and its styles and loads nothing; a policy in it lets nothing else run.
What reviewers did, arguments of parts, addresses and paths are left out (`app.public_text`), and so
are questions of Compare's visitors.  Pictures are written anew, so that no data on a place or a
camera goes along.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from app import report
from app.public_text import public_text
from workbench import __version__
from workbench.errors import InputError
from workbench.local_files import real_path
from workbench.records import PartRef, Task, storable
from workbench.screen import views
from workbench.screen.highlight import Words, highlight
from workbench.screen.steps import Step, StepBox, plain, steps_of
from workbench.store import Project, Run, TaskView

NAME = "published.json"
QUESTIONS = "questions"

LIMIT = 200
"""Questions that are published unless told otherwise."""

MOST = 10_000
"""Questions that can be published: a hundred kilobytes each are a gigabyte."""

PER_PAGE = 100
"""Questions on a page of the list."""

THUMB = 96
"""Largest width and height of a picture in the list, in pixels: twice what it takes on the page."""

PROGRAMS = 10
"""Programs of a question at most."""

STEPS = 60
"""Steps of a program at most."""

BOXES = 24
"""Boxes of a step at most."""

TEXT = 600
"""Characters of a value at most."""

SOURCE = 20_000
"""Characters of a program at most."""

STYLES = ("style.css", "publish.css")


@dataclass(frozen=True, slots=True)
class PublishedStep:
    """A step of a program as its page shows it."""

    line: int
    title: str
    kind: str
    lines: Sequence[tuple[str, str]]
    """Names and values: arguments, the answer, what was printed, variables that were set."""
    boxes: Sequence[StepBox]


@dataclass(frozen=True, slots=True)
class PublishedProgram:
    """A program with its run."""

    name: str
    kept: bool
    state: str
    answer: str
    problem: str
    why: str
    facts: str
    source: Sequence[Words]
    cut: int
    """Characters of the program that are left out."""
    steps: Sequence[PublishedStep]
    more: int
    """Steps that are left out."""


@dataclass(frozen=True, slots=True)
class PublishedQuestion:
    """A question's line in the list."""

    page: str
    """Name of its page's file."""
    id: str
    question: str
    family: str
    gold: str
    state: str
    answer: str
    thumb: report.EmbeddedPicture


@dataclass(frozen=True, slots=True)
class Published:
    """What `publish` wrote, as `published.json` says it."""

    version: str
    at: str
    """Time, UTC, ISO 8601."""
    questions: int
    of: int
    """Questions that the search finds, published or not."""
    search: str
    bytes: int = 0
    """Of all pages together."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """By what, how many programs, steps and characters of programs were too many."""


Told = Callable[[int, int], None]
"""Called with the number of questions written and their number in all."""


def publish(
    project: Project,
    folder: Path,
    search: str = "",
    limit: int = LIMIT,
    progress: Told | None = None,
) -> Published:
    """Write a project's pages, all or none; those of an earlier call in their place are replaced.

    Args:
        project: what to publish.
        folder: a new or empty folder, or one that was published to before.
        search: takes the questions that it finds, in the language of Browse; "" takes all.
        limit: number of questions at most, in order of import.
        progress: is called as pages are written.

    Raises:
        InputError: another folder is in the place, the limit is out of bounds, the search cannot
            be understood, or nothing can be written there.
    """
    if not 1 <= limit <= MOST:
        raise InputError(f"{limit} questions were to be published; give 1 to {MOST:,}")
    _check_place(folder)
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        (part / QUESTIONS).mkdir(parents=True)
        published = _PageWriter(project, part).write(search, limit, progress)
        _check_place(folder)
        _take_place(part, folder)
    except OSError as error:
        raise InputError(
            f"nothing can be published to {folder} ({error.strerror}); make room, or choose another"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return published


def _check_place(folder: Path) -> None:
    """Raises InputError where a folder holds anything but what was published before."""
    if not folder.name:
        raise InputError(f"{folder} has no name of its own; give the name of a new folder")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} is no folder; give the name of a new one")
    if folder.exists() and any(folder.iterdir()) and not (folder / NAME).is_file():
        raise InputError(
            f"{folder} has other files in it (no {NAME}); give the name of a new folder"
        )


def _take_place(part: Path, folder: Path) -> None:
    """Put the finished pages where they belong, and what was there away."""
    if not folder.exists():
        part.rename(folder)
        return
    before = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.before")
    folder.rename(before)
    try:
        part.rename(folder)
    except OSError:
        before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


class _PageWriter:
    """Writes the pages of a project into a folder."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.folder = folder
        self.scope = project.scope()
        self.parts = project.parts
        self.bytes = 0
        self.left_out = {"programs": 0, "steps": 0, "characters": 0}
        self.templates: Environment = report.templates()
        script = report.static_text("theme.js")
        styles = report.for_paper("\n".join(map(report.static_text, STYLES)))
        self.shared: dict[str, Any] = {
            "name": real_path(project.path).name,
            "version": __version__,
            "theme": Markup(script),  # noqa: S704
            "styles": Markup(styles),  # noqa: S704
            "policy": report.policy_of([script], report.hashed(styles)),
        }

    def write(self, search: str, limit: int, progress: Told | None) -> Published:
        """All pages; the record of them comes last.

        Args:
            search: takes the questions that it finds.
            limit: number of questions at most.
            progress: is called as pages are written.
        """
        hits = self.project.browse_ids(f"{search} -origin:visitor".strip())
        ids = hits[:limit]
        self._file("report.html", report.public_page(self.project))
        lines = []
        for at, task_id in enumerate(ids, 1):
            lines.append(self._question(at, len(ids), task_id))
            if progress:
                progress(at, len(ids))
        published = Published(
            __version__,
            datetime.now(UTC).isoformat(timespec="seconds"),
            len(ids),
            len(hits),
            search,
        )
        published = replace(published, left_out={k: n for k, n in self.left_out.items() if n})
        self._list(lines, published)
        published = replace(published, bytes=self.bytes)
        self._file(NAME, json.dumps(asdict(published), indent=1).encode())
        return published

    def _file(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)
        self.bytes += len(data)

    def _page(self, name: str, template: str, **values: Any) -> None:
        text = self.templates.get_template(template).render(**self.shared, **values)
        self._file(name, storable(text).encode())

    def _list(self, lines: Sequence[PublishedQuestion], published: Published) -> None:
        """The list of questions, on as many pages as it takes."""
        pages = max(1, -(-len(lines) // PER_PAGE))
        names = ["index.html", *(f"index-{at}.html" for at in range(2, pages + 1))]
        for at, name in enumerate(names):
            part = lines[at * PER_PAGE : (at + 1) * PER_PAGE]
            self._page(
                name, "publish_list.html", lines=part, names=names, here=at, published=published
            )

    def _question(self, at: int, of: int, task_id: str) -> PublishedQuestion:
        """Write a question's page; its line of the list."""
        view = self.project.task_view(task_id, self.scope)
        task, best = view.task, report.best_run(view)
        picture = report.embedded(self.project, task.image)
        size = (picture.width, picture.height) if picture.data else None
        programs = [self._program(view, run, size) for run in view.runs[:PROGRAMS]]
        self.left_out["programs"] += max(0, len(view.runs) - PROGRAMS)
        self.left_out["steps"] += sum(one.more for one in programs)
        self.left_out["characters"] += sum(one.cut for one in programs)
        state = views.run_state(best) if best else "none"
        answer = best.trace.answer if best and best.trace and best.trace.ok else None
        line = PublishedQuestion(
            f"{QUESTIONS}/{at:05d}.html",
            task.id,
            task.question,
            task.family,
            views.gold_of(task),
            state,
            answer or ("no answer" if best else "not run"),
            report.embedded(self.project, task.image, THUMB),
        )
        number = len(task.images)
        steps = steps_of(best.trace.events, size, number) if best and best.trace and size else []
        self._page(
            line.page,
            "publish_question.html",
            at=at,
            of=of,
            list=f"index-{(at - 1) // PER_PAGE + 1}.html" if at > PER_PAGE else "index.html",
            one=line,
            choices=task.choices,
            picture=_without_place(picture),
            boxes=report.boxes_of(steps),
            more=self._others(task, steps),
            told=views.rationale_view(views.rationale_of(view, best)),
            students=_students(view, self.parts),
            programs=programs,
            fewer=max(0, len(view.runs) - PROGRAMS),
        )
        return line

    def _others(
        self, task: Task, steps: Sequence[Step]
    ) -> list[tuple[report.EmbeddedPicture, Sequence[report.PatchBox]]]:
        """The pictures of a question after the first one, each with what tools found in it."""
        others = report.other_pictures(self.project, task, steps)
        return [(_without_place(one.picture), one.boxes) for one in others]

    def _program(self, view: TaskView, run: Run, size: tuple[int, int] | None) -> PublishedProgram:
        number = len(view.task.images)
        steps = steps_of(run.trace.events, size, number) if run.trace else []
        chosen = view.chosen
        answer = run.trace.answer if run.trace and run.trace.ok else None
        return PublishedProgram(
            name=f"Program {run.program.index + 1}",
            kept=chosen is not None and chosen.program.id == run.program.id,
            state=views.run_state(run),
            answer="no answer" if answer is None else _short(answer),
            problem=_short(public_text(views.problem_of(run))),
            why=_short(public_text(run.verdict.reason)) if run.verdict else "",
            facts=views.facts_of(run),
            source=highlight(run.program.source[:SOURCE]),
            cut=max(0, len(run.program.source) - SOURCE),
            steps=[_step(step) for step in steps[:STEPS]],
            more=max(0, len(steps) - STEPS),
        )


def _without_place(picture: report.EmbeddedPicture) -> report.EmbeddedPicture:
    return replace(picture, problem=public_text(picture.problem))


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[:TEXT]}… ({len(text) - TEXT} more characters)"


def _step(step: Step) -> PublishedStep:
    """A step with its values as text; what failed names no place."""
    lines = [(one.name, _short(plain(one.value))) for one in step.arguments]
    if step.result is not None:
        lines.append(("answer" if step.kind == "tool" else "value", _short(plain(step.result))))
    if step.text:
        lines.append((step.textTitle or "text", _short(step.text)))
    lines += [
        (one.name, _short(plain(one.value))) for one in step.changed if one.name != "returned"
    ]
    if step.error:
        lines.append(("failure", _short(public_text(step.error))))
    boxes = step.boxes[:BOXES] if step.kind == "tool" else ()
    return PublishedStep(step.line, _short(step.title), step.kind, lines, boxes)


def _students(view: TaskView, parts: Mapping[str, PartRef]) -> list[report.ModelAnswer]:
    """Students' answers; the models under names that hold no address and no path."""
    answers = report.students_of(view, parts.values())
    return [replace(one, model=public_text(one.model)) for one in answers]
