"""Records as HTML that needs no script and no address: what a saved notebook shows on GitHub and in
nbviewer.

Everything that is shown goes through `html.escape`: questions, programs, tools and models are
hostile.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from workbench.records import Prediction, Program, Rationale, Task, Trace, Verdict
from workbench.screen import views
from workbench.screen.steps import Step, plain, steps_of

MOST_STEPS = 40
"""Steps of a trace that are listed."""
LONGEST = 4000
"""Most characters of one text."""


def text(value: object) -> str:
    """Any value as escaped text, cut where it is very long."""
    words = str(value)
    cut = words if len(words) <= LONGEST else words[:LONGEST] + "…"
    return html.escape(str(views.visible(cut)))


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Rows as a table; cells are HTML already, the head is text."""
    top = f"<tr>{''.join(f'<th>{text(one)}</th>' for one in head)}</tr>" if head else ""
    body = ("".join(f"<td>{one}</td>" for one in row) for row in rows)
    return f"<table>{top}{''.join(f'<tr>{row}</tr>' for row in body)}</table>"


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Names and values; what is empty is left out."""
    return table(
        (f"<b>{text(name)}</b>", text(value)) for name, value in rows if value not in ("", None, ())
    )


def code(source: str) -> str:
    """A program's text, as it is."""
    return f"<pre>{text(source)}</pre>"


def task(one: Task, picture: str = "") -> str:
    """A question; `picture` is an <img> or nothing."""
    rows = [
        ("expected", views.gold_of(one)),
        ("choices", ", ".join(one.choices)),
        ("family", views.family_words(one.family)),
    ]
    rows += [("split", one.split), ("task", one.id)]
    return f"{picture}<p><b>{text(one.question)}</b></p>{facts(rows)}"


def program(one: Program) -> str:
    """A program's source, and where it comes from."""
    rows = [
        ("program", one.index + 1),
        ("score", f"{one.score:.2f}"),
        ("tokens", one.tokens),
        ("task", one.task_id),
    ]
    rows += [("by", f"{one.sampler.name} {one.sampler.version}"), ("edit of", one.parent)]
    return code(one.source) + facts(rows)


def answer_of(one: Trace) -> str:
    """The answer, or why there is none, in one line."""
    if one.failure is None:
        return f"<p>Answer: <b>{text(one.answer or 'an empty answer')}</b></p>"
    where = f" in line {one.failure.line}" if one.failure.line is not None else ""
    kind = text(one.failure.kind.replace("_", " "))
    return f"<p>No answer: {kind}{where}: {text(one.failure.message)}</p>"


def steps(run: Sequence[Step], current: int | None = None) -> str:
    """The steps of a run as a table, those around the one shown where there are many.

    Args:
        run: all steps.
        current: index of the step whose boxes are in the picture; None: none is marked.
    """
    first = min(max((current or 0) - MOST_STEPS // 2, 0), max(len(run) - MOST_STEPS, 0))
    rows = []
    for at, step in list(enumerate(run))[first : first + MOST_STEPS]:
        result = step.error or step.text or step.short
        if step.result is not None:
            result = plain(step.result)
        row = [str(at + 1), str(step.line), text(step.title), text(result)]
        if at == current:
            row = [f"<b>▶ {row[0]}</b>", *(f"<b>{cell}</b>" for cell in row[1:])]
        rows.append(row)
    hidden = len(run) - len(rows)
    more = f"<p>and {views.count_label(hidden, 'more step')}</p>" if hidden else ""
    return table(rows, ("step", "line", "what", "result")) + more


def trace(one: Trace) -> str:
    """A run: its answer, what it cost, and its steps."""
    steps_words = views.count_label(one.steps, "step")
    calls_words = views.count_label(one.tool_calls, "tool call")
    costs = f"<p>{steps_words}, {calls_words}, {views.duration(one.seconds)}</p>"
    return answer_of(one) + costs + steps(steps_of(one.events))


def verdict(one: Verdict) -> str:
    """What the verifier says of a run, and why."""
    if one.method == "agreement":
        word = "kept by agreement" if one.chosen else "not kept"
    else:
        word = ("right" if one.correct else "wrong") + (", kept" if one.chosen else "")
    rows = [("score", f"{one.score:.2f}"), ("method", one.method), ("trace", one.trace_id)]
    return f"<p><b>{word}</b>: {text(one.reason)}</p>{facts(rows)}"


def rationale(one: Rationale) -> str:
    """Boxes as code; a sentence that nothing in the trace supports is marked."""
    view = views.rationale_view(one)
    body = ""
    for sentence in view.sentences if view else ():
        words = "".join(
            f"<code>{text(p.text)}</code>" if p.box else text(p.text) for p in sentence.pieces
        )
        body += words if sentence.supported else f"<u>{words}</u> (not supported by the trace)"
        body += " "
    foot = "Every number, name and box is in the trace."
    if one.issues:
        foot = f"Not faithful: {text('; '.join(one.issues))}"
    return f"<p>{body}</p><p>{foot} Written by {text(one.writer.name)}.</p>"


def prediction(one: Prediction) -> str:
    """A student's answer, with its rationale where it gave one."""
    rows = [
        ("score", f"{one.score:.2f}"),
        ("time", views.duration(one.seconds)),
        ("by", one.model.name),
    ]
    rows.append(("task", one.task_id))
    if one.problem:
        rows.append(("problem", one.problem))
    rationale_words = f"<p>{text(one.rationale)}</p>" if one.rationale else ""
    return f"<p>Answer: <b>{text(one.answer)}</b></p>{rationale_words}{facts(rows)}"
