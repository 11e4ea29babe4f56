"""`vpd report`: a project as one HTML file that needs nothing else, to be read, printed or sent.

The report shows the dashboard's charts (`workbench.screen.charts`), each with its table and a note
on its making, and a dozen questions as they went.  Everything from the store is escaped by the
template or, in the charts' data, by JSON; a policy in the page itself lets only the page's own
scripts run.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.chart_library import LIBRARY
from app.public_text import PUBLIC_SECTIONS, public_section, public_text
from workbench import __version__
from workbench.errors import ImageError, InputError
from workbench.local_files import real_path
from workbench.pipeline.ingesting import ingest
from workbench.records import PartRef, Task, storable
from workbench.screen import views
from workbench.screen.charts.overview import overview
from workbench.screen.charts.project_charts import numbers
from workbench.screen.charts.sections import sections_of
from workbench.screen.charts.trust_charts import trust_charts
from workbench.screen.highlight import Words, highlight
from workbench.screen.part_names import part_name
from workbench.screen.steps import Step, steps_of
from workbench.store import Project, Run, TaskView
from workbench.store.reading.ids import example_ids

HERE = Path(__file__).resolve().parent

MARK = '<meta name="generator" content="VPD Workbench report">'
SCRIPTS = ("dom.js", "plot.js", "chart.js", "report.js")
STYLES = ("style.css", "dashboard.css", "report.css")

EXAMPLES = 12
WIDTH = 640
"""Largest width and height of an example's picture, in pixels: more than the page needs, for sharp
screens."""

BOXES = 24
"""Number of boxes on one picture at most."""

STEPS = 20
"""Number of an example's steps at most."""

ANSWERS = 8
"""Number of students' answers beside an example at most."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the report says of a question's run."""

    state: str = "none"
    answer: str | None = None
    problem: str = "Not run yet."
    why: str = ""
    """The verdict's reason."""
    facts: str = ""
    """Duration and counts, in words."""
    program: Sequence[Words] = ()


NO_RUN = RunFacts()
"""What an example says in place of a run's facts while its question has no run."""


@dataclass(frozen=True, slots=True)
class EmbeddedPicture:
    """A picture inside the page; without data, the problem says why."""

    data: str
    """Address that holds the picture itself; empty where it cannot be read."""
    width: int
    """Pixels of the whole picture, in which boxes are given."""
    height: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PatchBox:
    """A patch that a tool returned."""

    box: Sequence[float]
    """Left, upper, right and lower end, in pixels."""
    label: str


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What one model says of a question."""

    model: str
    answer: str
    rationale: str
    state: str
    seconds: float
    problem: str = ""
    """Why there is no answer, or why it is not whole."""


@dataclass(frozen=True, slots=True)
class MarkedPicture:
    """Another picture of a question about several."""

    picture: EmbeddedPicture
    boxes: Sequence[PatchBox]


@dataclass(frozen=True, slots=True)
class ReportExample:
    """One question with all that the report shows of it."""

    id: str
    question: str
    choices: Sequence[str]
    gold: str
    family: str
    picture: EmbeddedPicture
    boxes: Sequence[PatchBox]
    more: Sequence[MarkedPicture]
    """The other pictures of a question about several."""
    run: RunFacts
    steps: Sequence[tuple[int, str, str]]
    """Line, title and result of each step that asks a tool or ends the run."""
    told: views.RationaleView | None
    student: Sequence[ModelAnswer]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """What `write` wrote: where, how many bytes, and how many examples."""

    path: Path
    bytes: int
    examples: int


def write(project: Project, path: Path) -> ReportFile:
    """Write a project's report, whole or not at all; an older report in its place is replaced.

    Raises:
        InputError: another file than a report is there, or the report cannot be written.
    """
    try:
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="ignore")[:500]:
            raise InputError(
                f"{path} is there and is no report; "
                "choose another name with: vpd report -o NAME.html"
            )
        data, examples = page(project)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise InputError(
            f"the report cannot be written to {path}: {error.strerror}; choose another place"
        ) from error
    return ReportFile(path, len(data), examples)


def page(project: Project) -> tuple[bytes, int]:
    """The bytes of the report's file, and how many examples it has."""
    ingest(project)
    examples = _examples(project)
    return storable(_page(project, examples)).encode(), len(examples)


def public_page(project: Project) -> bytes:
    """The report's file for strangers, beside the pages of the questions.

    It has no section on people, no arguments of parts and no examples, and names no place.
    """
    ingest(project)
    return storable(_page(project, (), public=True)).encode()


def _page(project: Project, examples: Sequence[ReportExample], public: bool = False) -> str:
    figures = overview(project)
    sections = [
        section
        for section in sections_of(figures, trust_charts(project))
        if section.name != "folder"  # of no use to whom the report is sent
    ]
    if public:
        sections = [public_section(one) for one in sections if one.name in PUBLIC_SECTIONS]
    charts = [chart for section in sections for chart in section.charts]
    scripts = {
        "theme": static_text("theme.js"),
        "library": LIBRARY.read_text(encoding="utf-8"),
        "page": "\n".join(_unbound(static_text(name)) for name in SCRIPTS),
    }
    return (
        templates()
        .get_template("report.html")
        .render(
            mark=Markup(MARK),  # noqa: S704
            policy=policy_of(scripts.values()),
            styles=Markup(for_paper("\n".join(static_text(name) for name in STYLES))),  # noqa: S704
            scripts={name: Markup(text) for name, text in scripts.items()},  # noqa: S704
            data=Markup(_json([chart.to_json() for chart in charts])),  # noqa: S704
            name=real_path(project.path).name,
            at=figures.at.replace("T", " ").replace("Z", " UTC"),
            version=__version__,
            numbers=[one for one in numbers(figures) if not public or one[0] != "Endpoints"],
            parts=_parts(project, public),
            sources=_sources(project, public),
            public=public,
            sections=sections,
            examples=examples,
        )
    )


def templates() -> Environment:
    """The templates of pages that are files, which escape whatever they are given."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        finalize=views.visible,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"cell": _cell, "spaced": views.family_words, "duration": views.duration}
    return environment


def _parts(project: Project, public: bool) -> list[tuple[str, str, str, str]]:
    """Role, name, version and arguments of the parts in force; in public without the last."""
    scope, parts = project.scope(), project.parts
    keys = (scope.sampler, scope.executor, scope.verifier, scope.writer, scope.student)
    refs = [parts[key] for key in keys if key is not None and key in parts]
    if public:
        return [(one.role, public_text(one.name), public_text(one.version), "") for one in refs]
    return [
        (ref.role, ref.name, ref.version, json.dumps(dict(ref.arguments), ensure_ascii=False))
        for ref in refs
    ]


def _sources(project: Project, public: bool) -> list[tuple[str, str]]:
    """Name and arguments of the sources of questions; in public without the latter."""
    if public:
        return [(public_text(source.part), "") for source in project.sources()]
    return [
        (source.part, json.dumps(dict(source.arguments), default=str))
        for source in project.sources()
    ]


# --- examples


def _examples(project: Project) -> list[ReportExample]:
    scope = project.scope()
    ids = example_ids(project.database, EXAMPLES)
    return [_example(project, project.task_view(one, scope)) for one in ids]


def _example(project: Project, view: TaskView) -> ReportExample:
    """What the template shows of one question: its picture, its run and its students' answers."""
    task, run = view.task, best_run(view)
    picture = embedded(project, task.image)
    size = (picture.width, picture.height) if picture.data else None
    number = len(task.images)
    steps = steps_of(run.trace.events, size, number) if run and run.trace else []
    listed = [step for step in steps if step.kind in ("tool", "error", "end")]
    return ReportExample(
        id=task.id,
        question=task.question,
        choices=task.choices,
        gold=views.gold_of(task),
        family=task.family,
        picture=picture,
        boxes=boxes_of(steps) if size else [],
        more=other_pictures(project, task, steps),
        run=_run_facts(run) if run else NO_RUN,
        steps=[(step.line, step.title, step.short) for step in listed][:STEPS],
        told=views.rationale_view(views.rationale_of(view, run)),
        student=students_of(view, project.parts.values()),
    )


def _run_facts(run: Run) -> RunFacts:
    return RunFacts(
        state=views.run_state(run),
        answer=run.trace.answer if run.trace else None,
        problem=views.problem_of(run),
        why=run.verdict.reason if run.verdict else "",
        facts=views.facts_of(run),
        program=highlight(run.program.source),
    )


def best_run(view: TaskView) -> Run | None:
    """The kept run; without one, a run that has an answer; without any, the first run."""
    answered = (run for run in view.runs if run.trace is not None and run.trace.ok)
    return view.chosen or next(answered, None) or next(iter(view.runs), None)


def students_of(view: TaskView, parts: Collection[PartRef]) -> list[ModelAnswer]:
    """The newest answer of each model, and the newest with a rationale."""
    answers: dict[tuple[str, bool], ModelAnswer] = {}
    for one in view.predictions:
        state = "none"
        if view.task.labelled:
            state = "right" if one.score >= 0.5 else "wrong"
        answer = ModelAnswer(
            part_name(one.model, parts),
            one.answer,
            one.rationale,
            state,
            one.seconds,
            one.problem,
        )
        answers.setdefault((answer.model, bool(one.rationale)), answer)
    return list(answers.values())[:ANSWERS]


def other_pictures(project: Project, task: Task, steps: Sequence[Step]) -> list[MarkedPicture]:
    """The pictures of a question after the first one, each with what tools returned in it.

    Args:
        project: has the pictures.
        task: the question.
        steps: of its run.
    """
    return [
        MarkedPicture(embedded(project, digest), boxes_of(steps, number))
        for number, digest in enumerate(task.more_images, start=1)
    ]


def boxes_of(steps: Sequence[Step], picture: int = 0) -> list[PatchBox]:
    """The patches that tools returned in a picture, each once, as boxes in pixels.

    Args:
        steps: of a run.
        picture: which of the pictures of the question, from 0.
    """
    boxes: dict[str, PatchBox] = {}
    for step in steps:
        for one in step.boxes:
            if one.role == "result" and one.picture == picture:
                box = PatchBox([float(end) for end in one.box], one.label)
                boxes.setdefault(one.label, box)
    return list(boxes.values())[:BOXES]


def embedded(project: Project, digest: str, side: int = WIDTH) -> EmbeddedPicture:
    """A picture as a data address; if it cannot be read, the problem.

    Args:
        project: has the picture.
        digest: of the picture.
        side: largest width and height, in pixels.
    """
    try:
        whole = project.images.open(digest)
    except ImageError as error:
        return EmbeddedPicture("", 0, 0, str(error).replace(str(project.path), ""))
    small = whole.copy()
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "WEBP", quality=78)
    data = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
    return EmbeddedPicture(data, whole.width, whole.height)


# --- the page's own parts


def static_text(name: str) -> str:
    """A file of the pages' own."""
    return (HERE / "static" / name).read_text(encoding="utf-8")


def _unbound(module: str) -> str:
    """A module's text as a piece of one script: the modules that it imports stand above it."""
    return re.sub(r"(?m)^import [^;]*;\n|^export ", "", module)


def for_paper(styles: str) -> str:
    """Styles whose dark colours hold on screens alone, and hold there without a script as well."""
    dark = re.search(r':root\[data-theme="dark"\] (\{.*?\n\})\n', styles, re.DOTALL)
    if dark is None:
        raise ValueError("style.css has no dark theme")
    alone = f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {dark[1]} }}"
    return styles.replace(dark[0], f"@media not print {{ {dark[0]} {alone} }}\n")


def policy_of(scripts: Iterable[str], styles: str = "'unsafe-inline'") -> str:
    """A policy under which a page loads nothing and runs these scripts alone.

    Args:
        scripts: the texts of the page's scripts.
        styles: where styles may stand; the charts' library adds some as it draws.
    """
    allowed = " ".join(map(hashed, scripts))
    return (
        f"default-src 'none'; img-src data:; style-src {styles}; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )


def hashed(text: str) -> str:
    """A script or a style as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """A value as JSON that cannot end the HTML element that it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _cell(value: Any) -> str:
    """The text of a table's cell, as the dashboard writes it."""
    if value is None:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4f}".rstrip("0")
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
