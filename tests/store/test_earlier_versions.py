"""Stores that earlier workbenches wrote: made from their own steps and rows, opened by this one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from store_rows import loop_records, task

from workbench.events import encode_events
from workbench.records import TraceEvent
from workbench.store import Project
from workbench.store.kernel.database import Database
from workbench.store.kernel.migrate import shipped_steps
from workbench.store.project import PROFILE
from workbench.store.records.rows import part_key

RELEASED = {1: "b21c5c391dee"}
"""Beginning of the digest of each step that a release has shipped: stores out there were made by
exactly this.
"""


EVENTS = (
    TraceEvent(
        0,
        "tool",
        2,
        0,
        {"call": 0, "tool": "find", "receiver": None, "arguments": {"object_name": "dog"}},
    ),
    TraceEvent(1, "print", 3, 0, {"text": "a kettle too"}),
    TraceEvent(2, "end", 0, 0, {"ok": True, "answer": "2"}),
)


def write_rows(database: Database, version: int) -> None:
    """One task with all that the loop makes of it, in the tables of a version."""
    made = loop_records(task(0, question="How many dogs are there?"), 3)
    program, trace, verdict = made.programs[1], made.traces[1], made.verdicts[1]
    told, guess = made.rationale, made.prediction
    day = "TIMESTAMP '2026-01-02'"
    keys = {
        ref.role: part_key(ref)
        for ref in (program.sampler, trace.executor, verdict.verifier, told.writer, guess.model)
    }

    def work(cursor: object) -> None:
        put = cursor.execute  # type: ignore[attr-defined]
        for role, key in keys.items():
            put(f"INSERT INTO part VALUES (?, ?, 'by-hand', '1', '{{}}', {day})", [key, role])
        put(
            "INSERT INTO task (id, seq, source, split, image, question, answers, answer_type, choices, family, meta, content, created_at)"
            f" VALUES (?, 0, 'made', 'train', ?, ?, ['2'], 'integer', [], 'count', '{{}}', 'x', {day})",
            [made.task.id, made.task.image, made.task.question],
        )
        put(
            "INSERT INTO program (id, task_id, sampler, base_seed, index, source, score, tokens, seed, seconds, created_at)"
            f" VALUES (?, ?, ?, 0, 0, ?, -0.1, 12, 7, 0.25, {day})",
            [program.id, made.task.id, keys["sampler"], program.source],
        )
        put(
            "INSERT INTO trace (id, program_id, task_id, executor, answer, steps, tool_calls, seconds, events, created_at)"
            f" VALUES (?, ?, ?, ?, '2', 4, 1, 0.5, ?, {day})",
            [trace.id, program.id, made.task.id, keys["executor"], encode_events(EVENTS)],
        )
        put(
            f"INSERT INTO verdict VALUES (?, ?, ?, ?, ?, 1, 1.0, true, true, 'gold', 'It fits.', {day})",
            [verdict.id, trace.id, program.id, made.task.id, keys["verifier"]],
        )
        put(
            "INSERT INTO rationale (id, trace_id, task_id, writer, text, answer, citations, issues, created_at)"
            f" VALUES (?, ?, ?, ?, ?, '2', '[]', [], {day})",
            [told.id, trace.id, made.task.id, keys["writer"], told.text],
        )
        put(
            "INSERT INTO prediction (id, task_id, model, answer, rationale, score, seconds, created_at)"
            f" VALUES (?, ?, ?, '3', '', 0.0, 0.125, {day})",
            [guess.id, made.task.id, keys["student"]],
        )
        put(
            f"INSERT INTO run VALUES (1, '0.1', 1, 0, NULL, NULL, 'predict', ?, ?, ?, ?, ?, 1, {day}, {day})",
            [keys[role] for role in ("sampler", "executor", "verifier", "writer", "student")],
        )

        if version >= 2:
            texts = [made.task.question, program.source, told.text]
            makers = ["", keys["sampler"], keys["writer"]]
            if version < 17:
                put(
                    "INSERT INTO touched VALUES ('1', ?, ?, ?)", [[made.task.id] * 3, makers, texts]
                )
            for maker, text in zip(makers, texts, strict=True) if version >= 17 else ():
                put("INSERT INTO touched VALUES (?, ?, ?)", [made.task.id, maker, text])

    database.transaction(work)


@pytest.mark.parametrize("version", range(1, len(shipped_steps())))
def test_a_store_of_every_earlier_version_shows_what_it_held(tmp_path: Path, version: int) -> None:
    store = Database(tmp_path / "vpd.duckdb", create=True, steps=shipped_steps()[:version])
    write_rows(store, version)
    store.close()
    (tmp_path / PROFILE).write_text("k = 1\n")
    with Project.open(tmp_path) as project:
        ((found, outcome),) = project.browse("dogs thus status:kept student:wrong").rows
        assert (outcome.status, outcome.answer, outcome.match, outcome.faithful) == (
            "kept",
            "2",
            "all",
            True,
        )
        assert project.outcomes() == [outcome]
        # what the answer rests on is derived from the old trace, and whether its rationale is bare
        assert (outcome.evidence, outcome.bare, outcome.unchecked) == ("none", True, False)
        # no tool of the old trace took its time, so that all of it counts as waiting
        assert (outcome.seconds, outcome.waiting) == (0.25, 0.5)
        assert project.task_view(found.id).chosen is not None
        for words in ("execute_command", "how many", "kettle", "tool:find"):
            assert project.browse_total(words) == 1, words
    (backup,) = (tmp_path / "backups").iterdir()
    assert f"-v{version:04d}-" in backup.name


def test_released_steps_never_change() -> None:
    digests = {
        step.number: hashlib.sha256(step.sql.encode()).hexdigest()[:12] for step in shipped_steps()
    }
    assert {number: digests[number] for number in RELEASED} == RELEASED
