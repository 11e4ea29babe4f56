"""`vpd report`: a project as one HTML file that needs nothing else, to be read, printed or sent.

It shows the dashboard's charts (`workbench.screen.charts`), each with its table and how it was
made, and a dozen questions as they went.  Everything from the store is escaped by the template or,
in the charts' data, by JSON; a policy in the page itself lets only the page's own scripts run.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workbench import __version__
from workbench.errors import ImageError, InputError
from workbench.pipeline.ingesting import ingest
from workbench.records import PartRef, storable
from workbench.screen import views
from workbench.screen.charts.overview import overview
from workbench.screen.charts.project_charts import loop_charts, numbers, people_charts, tool_charts
from workbench.screen.charts.system_charts import model_charts
from workbench.screen.charts.trust_charts import trust_charts
from workbench.screen.highlight import highlight
from workbench.screen.steps import Step, steps_of
from workbench.store import Project, Run, TaskView
from workbench.store.reading.ids import example_ids

HERE = Path(__file__).resolve().parent
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""Plotly's own build, out of its package."""

MARK = '<meta name="generator" content="VPD Workbench report">'
SCRIPTS = ("dom.js", "plot.js", "chart.js", "report.js")
STYLES = ("style.css", "dashboard.css", "report.css")

EXAMPLES = 12
WIDTH = 640
"""Pixels of an example's picture at most: as wide as it is shown, and some more for sharp screens."""

BOXES = 24
"""Boxes drawn on one picture at most."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report that was written."""

    path: Path
    bytes: int
    examples: int


def write(project: Project, path: Path) -> ReportFile:
    """Write a project's report; a report that is there gives way, whole or not at all.

    Raises:
        InputError: something else is there, or it cannot be written.
    """
    try:
        if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="ignore")[:500]:
            raise InputError(
                f"{path} is there and is no report; choose another name with: vpd report -o NAME.html"
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
    """The report's file, and how many examples it has."""
    ingest(project)
    examples = _examples(project)
    return storable(_page(project, examples)).encode(), len(examples)


def _page(project: Project, examples: Sequence[Mapping[str, Any]]) -> str:
    found = overview(project)
    sections = (
        ("loop", "From question to answer", loop_charts(found)),
        ("systems", "Systems", model_charts(found)),
        ("trust", "What can be believed", trust_charts(project)),
        ("tools", "Tools", tool_charts(found)),
        ("people", "People", people_charts(found)),
    )
    charts = [chart for _, _, held in sections for chart in held]
    scripts = {
        "theme": _static("theme.js"),
        "library": LIBRARY.read_text(encoding="utf-8"),
        "page": "\n".join(_unbound(_static(name)) for name in SCRIPTS),
    }
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"cell": _cell, "spaced": views.family_words, "duration": views.duration}
    return environment.get_template("report.html").render(
        mark=Markup(MARK),  # noqa: S704
        policy=_policy(scripts.values()),
        styles=Markup(_for_paper("\n".join(_static(name) for name in STYLES))),  # noqa: S704
        scripts={name: Markup(text) for name, text in scripts.items()},  # noqa: S704
        data=Markup(_json([chart.to_json() for chart in charts])),  # noqa: S704
        name=project.path.resolve().name,
        at=found.at.replace("T", " ").replace("Z", " UTC"),
        version=__version__,
        numbers=numbers(found),
        parts=_parts(project),
        sources=[
            (source.part, json.dumps(dict(source.arguments), default=str))
            for source in project.sources()
        ],
        sections=sections,
        examples=examples,
    )


def _parts(project: Project) -> list[tuple[str, str, str, str]]:
    """Role, name, version and arguments of the parts in force."""
    scope, known = project.scope(), project.parts
    keys = (scope.sampler, scope.executor, scope.verifier, scope.writer, scope.student)
    refs = [known[key] for key in keys if key is not None and key in known]
    return [
        (ref.role, ref.name, ref.version, json.dumps(dict(ref.arguments), ensure_ascii=False))
        for ref in refs
    ]


# --- examples


def _examples(project: Project) -> list[dict[str, Any]]:
    scope = project.scope()
    ids = example_ids(project.database, EXAMPLES)
    return [_example(project, project.task_view(one, scope)) for one in ids]


def _example(project: Project, view: TaskView) -> dict[str, Any]:
    task, run = view.task, _shown_run(view)
    picture = _picture(project, task.image)
    size = (picture["width"], picture["height"]) if picture["data"] else None
    steps = steps_of(run.trace.events, size) if run and run.trace else []
    told = next(
        (one for one in view.rationales if run and run.trace and one.trace_id == run.trace.id), None
    )
    return {
        "id": task.id,
        "question": task.question,
        "choices": task.choices,
        "gold": views.gold_of(task),
        "family": task.family,
        "picture": picture,
        "boxes": _boxes(steps) if size else [],
        "state": views.run_state(run) if run else "none",
        "answer": run.trace.answer if run and run.trace else None,
        "problem": views.problem_of(run) if run else "Not run yet.",
        "why": run.verdict.reason if run and run.verdict else "",
        "facts": views.facts_of(run) if run else "",
        "program": highlight(run.program.source) if run else [],
        "steps": [
            (step.line, step.title, step.short)
            for step in steps
            if step.kind in ("tool", "error", "end")
        ][:20],
        "told": views.rationale_view(told),
        "student": _student(view),
    }


def _shown_run(view: TaskView) -> Run | None:
    """The kept run, else one that has an answer, else the first."""
    answered = (run for run in view.runs if run.trace is not None and run.trace.ok)
    return view.chosen or next(answered, None) or next(iter(view.runs), None)


def _student(view: TaskView) -> list[dict[str, Any]]:
    """The newest answer of each model, and the newest with a rationale."""
    found: dict[tuple[str, bool], dict[str, Any]] = {}
    for one in view.predictions:
        right = one.score >= 0.5 if view.task.labelled else None
        state = "none" if right is None else "right" if right else "wrong"
        named = {
            "model": _named(one.model),
            "answer": one.answer,
            "rationale": one.rationale,
            "state": state,
        }
        found.setdefault((named["model"], bool(one.rationale)), {**named, "seconds": one.seconds})
    return list(found.values())[:8]


def _named(ref: PartRef) -> str:
    return f"{ref.name} {ref.version[:8]}"


def _boxes(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """What tools found, each patch once."""
    found: dict[str, dict[str, Any]] = {}
    for step in steps:
        for one in step.boxes:
            if one.role == "result":
                box = {"box": [float(end) for end in one.box], "label": one.label}
                found.setdefault(one.label, box)
    return list(found.values())[:BOXES]


def _picture(project: Project, digest: str) -> dict[str, Any]:
    """A picture as a data address, as large as it is shown; without one, why."""
    try:
        whole = project.images.open(digest)
    except ImageError as error:
        return {
            "data": "",
            "width": 0,
            "height": 0,
            "problem": str(error).replace(str(project.path), ""),
        }
    small = whole.copy()
    small.thumbnail((WIDTH, WIDTH))
    held = io.BytesIO()
    small.save(held, "WEBP", quality=78)
    data = "data:image/webp;base64," + base64.b64encode(held.getvalue()).decode()
    return {"data": data, "width": whole.width, "height": whole.height, "problem": ""}


# --- the page's own parts


def _static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")


def _unbound(module: str) -> str:
    """A module of the app's as a piece of one script: its imports stand above it."""
    return re.sub(r"(?m)^import [^;]*;\n|^export ", "", module)


def _for_paper(styles: str) -> str:
    """Dark colours on screens alone, and there without a script as well."""
    dark = re.search(r':root\[data-theme="dark"\] (\{.*?\n\})\n', styles, re.DOTALL)
    if dark is None:
        raise ValueError("style.css has no dark theme")
    alone = f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {dark[1]} }}"
    return styles.replace(dark[0], f"@media not print {{ {dark[0]} {alone} }}\n")


def _policy(scripts: Any) -> str:
    """Nothing is loaded, and no script runs but those that were put in here."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'"


def _json(value: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _cell(value: Any) -> str:
    """A table's cell, as the dashboard writes it."""
    if value is None:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4f}".rstrip("0")
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
