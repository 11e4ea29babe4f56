"""Decisions that people made in Argilla or Label Studio, read from those tools' own JSON files.

Argilla 2: the list of `dataset.records.to_list(flatten=True)`.  Its `to_json` writes answers
without their status, so that a draft and a discarded answer look like a submitted one: such answers
are refused.  Label Studio: its export "JSON" (https://labelstud.io/guide/task_format), not
"JSON-MIN".  Everything in the files is hostile: of each record only texts of known names are taken,
and what does not fit, or cannot be told, is listed with its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from workbench.errors import DatasetError
from workbench.parsing import TOO_DEEP, TooDeep, check_depth
from workbench.records import Reason, storable_json
from workbench.snapshot.exports.questions import DECISIONS, REASON_TITLES, Kind

LARGEST = 2_000_000_000
"""Most bytes of a file that is read."""


@dataclass(frozen=True, slots=True)
class ImportedDecision:
    """One person's decision on one example."""

    id: str
    """Hash of the tool's own ids and of the decision.

    Reading the file again gives the same id; a person who decided anew over there gets a new one.
    """
    where: str
    """The place in the file, for people."""
    author: str
    task_id: str
    trace_id: str | None
    rationale_id: str | None
    kind: Kind
    reason: Reason | None
    note: str
    rationale: str | None
    """The rationale as it stands there, edited or not; None where that tool holds none."""
    seconds: float | None = None
    client_time: datetime | None = None
    """UTC without a zone."""


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry that cannot be taken."""

    where: str
    reason: str


def read(path: Path, tool: str) -> tuple[list[ImportedDecision], list[RefusedEntry]]:
    """The decisions in a file of `tool` (`argilla` or `label-studio`), and the refused entries.

    Raises:
        DatasetError: the tool is unknown, or the file cannot be read at all.
    """
    if tool == "fiftyone":
        raise DatasetError(
            "FiftyOne's files do not say who decided what, so no decision can be read from them; "
            f"decide in the app, or in one of: {', '.join(TOOLS)}"
        )
    if tool not in TOOLS:
        raise DatasetError(f"decisions of '{tool}' cannot be read; there are: {', '.join(TOOLS)}")
    decisions: dict[str, ImportedDecision] = {}
    refused = []
    for number, entry in enumerate(_entries(path, tool), 1):
        for row in _rows(number, entry, tool):
            if isinstance(row, ImportedDecision):
                decisions[row.id] = row
            else:
                refused.append(row)
    return list(decisions.values()), refused


def _entries(path: Path, tool: str) -> list[Any]:
    """The entries of a file."""
    try:
        if path.stat().st_size > LARGEST:
            raise DatasetError(
                f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read, split it"
            )
        entries = json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except RecursionError as error:
        raise DatasetError(f"{path} cannot be read: {TOO_DEEP}") from error
    except ValueError as error:
        raise DatasetError(
            f"{path} is not valid JSON ({error}); export it again from {tool}"
        ) from error
    if not isinstance(entries, list):
        raise DatasetError(
            f"{path} holds {type(entries).__name__}; expected the list that {tool} exports as JSON"
        )
    return entries


def _rows(number: int, entry: Any, tool: str) -> Iterator[ImportedDecision | RefusedEntry]:
    """What one entry of a file holds."""
    try:
        check_depth(entry)
    except TooDeep as error:
        yield RefusedEntry(f"entry {number}", str(error))
    else:
        yield from TOOLS[tool](number, storable_json(entry))


def _argilla(number: int, entry: Any) -> Iterator[ImportedDecision | RefusedEntry]:
    """The decisions in one record, flattened or not; only what a person submitted is one."""
    where = f"record {number}"
    people: dict[str, dict[str, _ArgillaAnswer]] = {}
    for answer in _argilla_answers(entry):
        people.setdefault(answer.who, {})[answer.question] = answer
    about = _mapping(entry, "metadata") or (entry if isinstance(entry, dict) else {})
    for who, answers in sorted(people.items()):
        statuses = {answer.status for answer in answers.values()}
        if statuses == {"submitted"}:
            values = {name: answer.value for name, answer in answers.items() if answer.value}
            yield _decision(where, "argilla", [_text(entry, "id"), who], who, about, values)
        else:
            yield RefusedEntry(where, _not_submitted(who, statuses - {"submitted"}))


@dataclass(frozen=True, slots=True)
class _ArgillaAnswer:
    """One person's answer to one question of a record."""

    who: str
    question: str
    value: str
    status: str
    """`submitted`, `draft` or `discarded`; empty where the file does not say."""


def _argilla_answers(entry: Any) -> Iterator[_ArgillaAnswer]:
    """Answers of a nested record (a list for each question), or of a flattened one.

    A flattened record holds three lists of equal length for each question.
    """
    for question, answers in _mapping(entry, "responses").items():
        for answer in answers if isinstance(answers, list) else ():
            if who := _text(answer, "user_id"):
                value, status = _text(answer, "value"), _text(answer, "status")
                yield _ArgillaAnswer(who, question, value, status)
    for question in _QUESTIONS:
        key = f"{question}.responses"
        lists = [_list(entry, name) for name in (key, f"{key}.users", f"{key}.status")]
        for value, who, status in zip_longest(*lists, fillvalue=""):
            if isinstance(who, str) and who:
                texts = (part if isinstance(part, str) else "" for part in (value, status))
                yield _ArgillaAnswer(who, question, *texts)


def _not_submitted(who: str, statuses: Collection[str]) -> str:
    """Why a person's answers are no decision."""
    if "" in statuses:
        return (
            f"the answer of {who} does not say whether it was submitted: to_json leaves that out; "
            "export with dataset.records.to_list(flatten=True), as the export's README.txt shows"
        )
    return (
        f"the answer of {who} is {' and '.join(sorted(statuses))}, not submitted; "
        "submit it there and export again, if it is meant"
    )


def _label_studio(number: int, entry: Any) -> Iterator[ImportedDecision | RefusedEntry]:
    """The decisions in one task: `data` names the example, each annotation is one person's."""
    where = f"task {_text(entry, 'id') or number}"
    annotations = entry.get("annotations") if isinstance(entry, dict) else None
    if not isinstance(annotations, list):
        yield RefusedEntry(where, "it has no list 'annotations'; export as JSON, not as JSON-MIN")
        return
    for at, annotation in enumerate(annotations, 1):
        yield _annotation(f"{where}, annotation {at}", entry, annotation)


def _annotation(
    where: str, entry: Mapping[str, Any], annotation: Any
) -> ImportedDecision | RefusedEntry:
    """One person's decision in Label Studio, which marks what a person skipped as cancelled."""
    if not isinstance(annotation, dict):
        return RefusedEntry(where, f"it is {type(annotation).__name__}; expected an object")
    if annotation.get("was_cancelled", False) is not False:
        return RefusedEntry(where, "it was cancelled")
    values = _results(annotation)
    several = [name for name, texts in values.items() if len(texts) > 1]
    if several:
        return RefusedEntry(
            where,
            f"it holds several values of '{several[0]}', and which of them is meant cannot be "
            "told; leave one there and export again",
        )
    who = annotation.get("completed_by")
    name = (
        _text(who, "email") or _text(who, "id")
        if isinstance(who, dict)
        else _text(annotation, "completed_by")
    )
    ids = [_text(entry, "id"), _text(annotation, "unique_id") or _text(annotation, "id")]
    texts = {name: texts[0] for name, texts in values.items()}
    decision = _decision(where, "label-studio", ids, name, _mapping(entry, "data"), texts)
    if isinstance(decision, RefusedEntry):
        return decision
    spent = annotation.get("lead_time")
    seconds = float(spent) if isinstance(spent, int | float) and 0 <= spent < 1e7 else None
    return replace(decision, seconds=seconds, client_time=_time(_text(annotation, "created_at")))


def _results(annotation: Mapping[str, Any]) -> dict[str, list[str]]:
    """Different texts that an annotation holds under each name, in order."""
    values: dict[str, list[str]] = {}
    for result in _list(annotation, "result"):
        value = _mapping(result, "value")
        content = value.get("choices", value.get("text"))
        texts = values.setdefault(_text(result, "from_name"), [])
        for text in content if isinstance(content, list) else [content]:
            if isinstance(text, str) and text not in texts:
                texts.append(text)
    return {name: texts for name, texts in values.items() if name in _QUESTIONS and texts}


def _decision(
    where: str,
    tool: str,
    ids: list[str],
    who: str,
    about: Mapping[str, Any],
    values: Mapping[str, str],
) -> ImportedDecision | RefusedEntry:
    kind = values.get("decision", "")
    if kind not in DECISIONS:
        return RefusedEntry(where, f"its decision is {kind!r:.40}; expected {', '.join(DECISIONS)}")
    task = _text(about, "task_id")
    if not task or not who:
        return RefusedEntry(
            where,
            "it does not name "
            + ("its task; it was not exported from here" if not task else "who decided"),
        )
    named = values.get("reason", "")
    if named and kind != "reject":
        return RefusedEntry(
            where,
            f"it is '{kind}' and names a reason of rejection ({named!r:.40}); "
            "clear one of the two there and export again",
        )
    reason = _REASONS.get(named)
    if kind == "reject" and reason is None:
        return RefusedEntry(where, "a rejection needs a reason; choose one there and export again")
    made_of = [tool, *ids, who, kind, reason, values.get("note", ""), values.get("rationale", "")]
    key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]
    return ImportedDecision(
        id=f"{tool}:{key}",
        where=where,
        author=f"{tool}:{who}",
        task_id=task,
        kind=kind,
        reason=reason,
        trace_id=_text(about, "trace_id") or None,
        rationale_id=_text(about, "rationale_id") or None,
        note=values.get("note", ""),
        rationale=values.get("rationale") or None,
    )


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _mapping(entry: Any, name: str) -> Mapping[str, Any]:
    value = entry.get(name) if isinstance(entry, dict) else None
    return value if isinstance(value, dict) else {}


def _list(entry: Any, name: str) -> list[Any]:
    value = entry.get(name) if isinstance(entry, dict) else None
    return value if isinstance(value, list) else []


def _text(entry: Any, name: str) -> str:
    """A text or a whole number of this name, as text; empty where there is neither."""
    value = entry.get(name) if isinstance(entry, dict) else None
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) else ""


_QUESTIONS = ("decision", "reason", "note", "rationale")
"""Names of what a person is asked in either tool."""
_REASONS: Mapping[str, Reason] = {
    words: name for name, title in REASON_TITLES.items() for words in (name, title)
}
TOOLS: Mapping[str, Callable[[int, Any], Iterator[ImportedDecision | RefusedEntry]]] = {
    "argilla": _argilla,
    "label-studio": _label_studio,
}
"""How one entry of each tool's list is read."""
