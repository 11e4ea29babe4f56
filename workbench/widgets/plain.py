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
"""Characters of one text."""


def text(value: object) -> str:
    """Any value as escaped text, cut where it is very long."""
    words = str(value)
    return html.escape(words if len(words) <= LONGEST else words[:LONGEST] + "…")


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> str:
    """Cells are HTML already."""
    top = f"<tr>{''.join(f'<th>{text(one)}</th>' for one in head)}</tr>" if head else ""
    body = ("".join(f"<td>{one}</td>" for one in row) for row in rows)
    return f"<table>{top}{''.join(f'<tr>{row}</tr>' for row in body)}</table>"


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Names and values; what is empty is left out."""
    return table(
        (f"<b>{text(name)}</b>", text(value)) for name, value in rows if value not in ("", None, ())
    )


def code(source: str) -> str:
    return f"<pre>{text(source)}</pre>"


def task(one: Task, picture: str = "") -> str:
    """A question; `picture` is an <img> or nothing."""
    rows = [
        ("expected", views.gold_of(one)),
        ("choices", ", ".join(one.choices)),
        ("family", views.family_words(one.family)),
    ]
    return f"{picture}<p><b>{text(one.question)}</b></p>{facts([*rows, ('split', one.split), ('task', one.id)])}"


def program(one: Program) -> str:
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
    return f"<p>No answer: {text(one.failure.kind.replace('_', ' '))}{where}: {text(one.failure.message)}</p>"


def steps(found: Sequence[Step]) -> str:
    """The steps as a table, the first ones where there are many."""
    rows = []
    for at, step in enumerate(found[:MOST_STEPS], 1):
        came = (
            plain(step.result) if step.result is not None else step.error or step.text or step.short
        )
        rows.append([str(at), str(step.line), text(step.title), text(came)])
    more = f"<p>and {len(found) - MOST_STEPS} more steps</p>" if len(found) > MOST_STEPS else ""
    return table(rows, ("step", "line", "what", "result")) + more


def trace(one: Trace) -> str:
    counts = f"{views.count_label(one.steps, 'step')}, {views.count_label(one.tool_calls, 'tool call')}, "
    return (
        answer_of(one)
        + f"<p>{counts}{views.duration(one.seconds)}</p>"
        + steps(steps_of(one.events))
    )


def verdict(one: Verdict) -> str:
    if one.method == "agreement":
        word = "kept by agreement" if one.chosen else "not kept"
    else:
        word = ("right" if one.correct else "wrong") + (", kept" if one.chosen else "")
    rows = [("score", f"{one.score:.2f}"), ("method", one.method), ("trace", one.trace_id)]
    return f"<p><b>{word}</b>: {text(one.reason)}</p>{facts(rows)}"


def rationale(one: Rationale) -> str:
    """Boxes as code; a sentence that nothing in the trace supports is marked."""
    said = views.rationale_view(one)
    shown = ""
    for sentence in said.sentences if said else ():
        words = "".join(
            f"<code>{text(p.text)}</code>" if p.box else text(p.text) for p in sentence.pieces
        )
        shown += (
            f"{words} " if sentence.supported else f"<u>{words}</u> (not supported by the trace) "
        )
    foot = "Every number, name and box is in the trace."
    if one.issues:
        foot = f"Not faithful: {text('; '.join(one.issues))}"
    return f"<p>{shown}</p><p>{foot} Written by {text(one.writer.name)}.</p>"


def prediction(one: Prediction) -> str:
    rows = [
        ("score", f"{one.score:.2f}"),
        ("time", views.duration(one.seconds)),
        ("by", one.model.name),
    ]
    said = f"<p>{text(one.rationale)}</p>" if one.rationale else ""
    return f"<p>Answer: <b>{text(one.answer)}</b></p>{said}{facts([*rows, ('task', one.task_id)])}"
