"""Decisions that people made in Argilla or Label Studio, read from those tools' own JSON files.

Argilla: what `dataset.records.to_json(PATH)` writes (argilla 2).  Label Studio: its export "JSON"
(https://labelstud.io/guide/task_format), not "JSON-MIN".  Everything in the files is hostile: of
each record only texts of known names are taken, and what does not fit is listed with its reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.errors import DatasetError
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
    if tool not in TOOLS:
        raise DatasetError(f"decisions of '{tool}' cannot be read; there are: {', '.join(TOOLS)}")
    try:
        if path.stat().st_size > LARGEST:
            raise DatasetError(
                f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read, split it"
            )
        entries = storable_json(json.loads(path.read_bytes()))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{path} is not valid JSON ({error}); export it again from {tool}"
        ) from error
    if not isinstance(entries, list):
        raise DatasetError(
            f"{path} holds {type(entries).__name__}; expected the list that {tool} exports as JSON"
        )
    decisions: dict[str, ImportedDecision] = {}
    refused = []
    for number, entry in enumerate(entries, 1):
        for row in TOOLS[tool](number, entry):
            if isinstance(row, ImportedDecision):
                decisions[row.id] = row
            else:
                refused.append(row)
    return list(decisions.values()), refused


def _argilla(number: int, entry: Any) -> Iterator[ImportedDecision | RefusedEntry]:
    """The decisions in one record.

    `metadata` names the example, and `responses` holds a list of answers for each question.
    """
    where = f"record {number}"
    about, responses = _mapping(entry, "metadata"), _mapping(entry, "responses")
    people: dict[str, dict[str, str]] = {}
    for question, answers in responses.items():
        for answer in answers if isinstance(answers, list) else ():
            who = _text(answer, "user_id")
            if who and _text(answer, "status") in ("", "submitted"):
                people.setdefault(who, {})[question] = _text(answer, "value")
    for who, values in sorted(people.items()):
        yield _decision(where, "argilla", [_text(entry, "id"), who], who, about, values)


def _label_studio(number: int, entry: Any) -> Iterator[ImportedDecision | RefusedEntry]:
    """The decisions in one task: `data` names the example, each annotation is one person's."""
    where = f"task {_text(entry, 'id') or number}"
    about = _mapping(entry, "data")
    annotations = entry.get("annotations") if isinstance(entry, dict) else None
    if not isinstance(annotations, list):
        yield RefusedEntry(where, "it has no list 'annotations'; export as JSON, not as JSON-MIN")
        return
    for at, annotation in enumerate(annotations, 1):
        if not isinstance(annotation, dict) or annotation.get("was_cancelled") is True:
            yield RefusedEntry(f"{where}, annotation {at}", "it was cancelled")
            continue
        who = annotation.get("completed_by")
        name = (
            _text(who, "email") or _text(who, "id")
            if isinstance(who, dict)
            else _text(annotation, "completed_by")
        )
        ids = [_text(entry, "id"), _text(annotation, "unique_id") or _text(annotation, "id")]
        decision = _decision(
            f"{where}, annotation {at}", "label-studio", ids, name, about, _results(annotation)
        )
        if isinstance(decision, ImportedDecision):
            spent = annotation.get("lead_time")
            seconds = float(spent) if isinstance(spent, int | float) and 0 <= spent < 1e7 else None
            decision = replace(
                decision, seconds=seconds, client_time=_time(_text(annotation, "created_at"))
            )
        yield decision


def _results(annotation: Mapping[str, Any]) -> dict[str, str]:
    values = {}
    results = annotation.get("result")
    for result in results if isinstance(results, list) else ():
        value = _mapping(result, "value")
        content = value.get("choices", value.get("text"))
        first = content[0] if isinstance(content, list) and content else content
        if isinstance(first, str):
            values[_text(result, "from_name")] = first
    return values


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
    reason = _REASONS.get(values.get("reason", "")) if kind == "reject" else None
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


def _text(entry: Any, name: str) -> str:
    """A text or a whole number of this name, as text; empty where there is neither."""
    value = entry.get(name) if isinstance(entry, dict) else None
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) else ""


_REASONS: Mapping[str, Reason] = {
    words: name for name, title in REASON_TITLES.items() for words in (name, title)
}
TOOLS: Mapping[str, Callable[[int, Any], Iterator[ImportedDecision | RefusedEntry]]] = {
    "argilla": _argilla,
    "label-studio": _label_studio,
}
"""How one entry of each tool's list is read."""
