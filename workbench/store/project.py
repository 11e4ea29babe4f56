"""A project: a folder with a DuckDB file, pictures by digest, models, jobs, snapshots and its
profile.

profile.toml   which part plays which role
vpd.duckdb     every record of the loop
images/        pictures by digest, thumbnails
models/ jobs/ snapshots/ cache/ backups/
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench import __version__
from workbench.errors import InputError, StoreError
from workbench.images import ImageFolder
from workbench.ports import BadRow
from workbench.records import (
    PartRef,
    Prediction,
    Program,
    Rationale,
    Task,
    Trace,
    Verdict,
    content_key,
)
from workbench.settings import Choice, Profile, find_profile, read_profile
from workbench.store.kernel.database import IDS, WAIT, Database, id_list, now
from workbench.store.listing import Listing
from workbench.store.people.curation import Curation
from workbench.store.reading import outcome, summary, views
from workbench.store.reading.outcome import Outcome
from workbench.store.reading.views import Counts, Run, TaskView
from workbench.store.records import rows as shape
from workbench.store.records.scope import LATEST, Scope, Selection, to_scope

STORE = "vpd.duckdb"
PROFILE = "profile.toml"
FOLDERS = ("images", "models", "jobs", "snapshots", "cache")


class Project(Listing):
    """An open project.  Use `Project.create`, `Project.open` or `Project.find`; close it, or use
    `with`.

    All reads may come from any thread.  Each `add_*` call is one transaction and idempotent: rows
    whose content key is there already are left alone, and the number of rows really added comes
    back.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.database = database
        self.images = ImageFolder(path / "images")
        self._parts: dict[str, PartRef] = {}
        self.curation = Curation(database, lambda: self.parts, self._write)
        """Deciding, the queue, ratings, guidelines and figures."""
        self._written: set[str] = set()
        """Keys of parts that are in the store for sure."""
        self._waiting = 0
        """Rows written here since the summary was brought up to date here."""

    @classmethod
    def create(cls, path: Path, profile: str = "embedded", source: Choice | None = None) -> Project:
        """Make a project in a new or empty folder.

        Args:
            profile: name of a shipped profile or path of a TOML file; copied into the project.
            source: where its tasks come from.

        Raises:
            InputError: the folder holds something already, or cannot be written.
            ProfileError: the profile cannot be read.
        """
        chosen = find_profile(profile)
        read_profile(chosen)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            held = (
                "a project already; go on with: vpd run --project"
                if (path / STORE).exists()
                else "not empty:"
            )
            raise InputError(f"{path} is {held} {path}; a new project needs a new or empty folder")
        try:
            for name in FOLDERS:
                (path / name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(chosen, path / PROFILE)
        except OSError as error:
            raise InputError(
                f"no project can be made at {path}: {error.strerror}; choose a folder you can write"
            ) from error
        project = cls(path, Database(path / STORE, create=True))
        if source is not None:
            project.add_source(source)
        return project

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, wait: float = WAIT) -> Project:
        """Open a project's folder, whoever else has it open: this process owns the store or
        attaches to its owner.

        Raises: InputError: there is no project at `path`. StoreError: held by a program that does
            not share it, damaged, unwritable (see `Database`).
        """
        if not (path / STORE).is_file():
            raise InputError(f"there is no project at {path}; make one with: vpd init {path}")
        return cls(path, Database(path / STORE, read_only=read_only, wait=wait))

    @classmethod
    def find(cls, start: Path, *, read_only: bool = False, wait: float = WAIT) -> Project:
        """Open the project that `start` lies in (see `locate`)."""
        return cls.open(locate(start), read_only=read_only, wait=wait)

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.database.close()

    def profile(self) -> Profile:
        """The project's own profile, read now."""
        return read_profile(self.path / PROFILE)

    # --- sources and tasks

    def add_source(self, source: Choice) -> None:
        """Remember where tasks come from."""
        arguments = json.dumps(dict(source.arguments), sort_keys=True)
        self.database.transaction(
            lambda cursor: cursor.execute(
                "INSERT INTO source VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [_source_key(source), source.part, arguments, now()],
            )
        )

    def sources(self) -> list[Choice]:
        found = self.database.rows("SELECT name, arguments FROM source ORDER BY created_at, key")
        return [Choice(row["name"], json.loads(row["arguments"])) for row in found]

    def known_tasks(self, ids: Sequence[str]) -> set[str]:
        """Which of these ids are here already."""
        return set(self._known("task", ids))

    def count_tasks(self, split: str | None = None) -> int:
        sql = "SELECT count(*) AS n FROM task WHERE $split IS NULL OR split = $split"
        return int(self.database.rows(sql, {"split": split})[0]["n"])

    def imported(self, source: Choice, split: str | None) -> bool:
        """Whether this split of the source was read to its end; without a split, whether any was."""
        sql = "SELECT 1 FROM imported WHERE source = $source AND ($split IS NULL OR split IN ('', $split))"
        return bool(self.database.rows(sql, {"source": _source_key(source), "split": split}))

    def mark_imported(self, source: Choice, split: str | None, tasks: int) -> None:
        self.database.transaction(
            lambda cursor: cursor.execute(
                "INSERT OR REPLACE INTO imported VALUES (?, ?, ?, ?)",
                [_source_key(source), split or "", tasks, now()],
            )
        )

    def add_tasks(self, tasks: Sequence[Task]) -> tuple[int, list[str]]:
        """Add tasks whose `image` is a digest in this project.

        Returns:
            How many were new, and the ids that were there with another content (left as they were).
        """
        cleaned = [shape.clean_task(task) for task in tasks]
        with self.database.write_lock:
            return self._add_tasks(cleaned)

    def _add_tasks(self, cleaned: Sequence[Task]) -> tuple[int, list[str]]:
        known = {
            row["id"]: row["content"]
            for row in self.database.rows(
                f"SELECT id, content FROM task WHERE id IN {IDS}",
                {"ids": id_list(task.id for task in cleaned)},
            )
        }
        last = self.database.rows("SELECT coalesce(max(seq), -1) AS last FROM task")[0]["last"]
        rows = [shape.from_task(task, last + 1 + at) for at, task in enumerate(cleaned)]
        changed = [
            row["id"] for row in rows if known.get(row["id"], row["content"]) != row["content"]
        ]
        return self._write("task", rows), changed

    def add_bad_rows(self, source: str, bad: Sequence[BadRow]) -> int:
        rows = [{"source": source, "file": b.file, "line": b.line, "reason": b.reason} for b in bad]
        return self.database.insert({"bad_row": shape.table("bad_row", rows, now())})["bad_row"]

    # --- records of the loop

    def _write(
        self,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        keys: shape.Keys | None = None,
        before: Callable[[Any], None] | None = None,
    ) -> int:
        makers = {
            key: ref
            for key, ref in (keys.refs() if keys else {}).items()
            if key not in self._written
        }
        with self.database.write_lock:
            # What is there already is left out here, so that it is found by its own words alone.
            fresh = {row["id"]: row for row in reversed(rows)}
            for known in self._known(name, fresh):
                del fresh[known]
            new = [row for row in rows if fresh.get(row["id"]) is row]
            batch = {"part": [shape.from_part(ref) for ref in makers.values()], name: new}
            if new:
                batch["touched"] = shape.touches(name, new)
            stamp = now()
            added = self.database.insert(
                {of: shape.table(of, held, stamp) for of, held in batch.items()}, before
            )
        self._written.update(makers)
        self._waiting += len(new)
        if self._waiting >= summary.BATCH:
            # Readers wait for no more than one batch, however much is written.
            self._waiting = 0
            summary.bring_up_to_date(self.database)
        return added[name]

    def _known(self, name: str, ids: Iterable[str]) -> list[str]:
        """Which of these records are there to stay."""
        stays = "AND failure_kind IS DISTINCT FROM 'infra'" if name == "trace" else ""
        found = self.database.rows(
            f"SELECT id FROM {name} WHERE id IN {IDS} {stays}", {"ids": id_list(ids)}
        )
        return [row["id"] for row in found]

    def add_part(self, ref: PartRef) -> str:
        """Remember a part; returns its key."""
        self.database.insert({"part": shape.table("part", [shape.from_part(ref)], now())})
        return shape.part_key(ref)

    def add_programs(self, programs: Sequence[Program], base_seed: int) -> int:
        """Add samples.  A task keeps the first that it got at each index: a larger k only adds to
        it.
        """
        with self.database.write_lock:
            return self._add_programs(programs, base_seed)

    def _add_programs(self, programs: Sequence[Program], base_seed: int) -> int:
        held = self.database.rows(
            f"""
            SELECT DISTINCT task_id, sampler, index FROM program
            WHERE task_id IN {IDS} AND base_seed = $seed AND parent IS NULL
            """,
            {"ids": id_list({program.task_id for program in programs}), "seed": base_seed},
        )
        known = {(row["task_id"], row["sampler"], row["index"]) for row in held}
        keys = shape.Keys()
        rows = [shape.from_program(program, keys, base_seed) for program in programs]
        rows = [
            row
            for row in rows
            if row["parent"] or (row["task_id"], row["sampler"], row["index"]) not in known
        ]
        return self._write("program", rows, keys)

    def add_traces(self, traces: Sequence[Trace]) -> int:
        """Add traces.  A run that broke (`infra`) gives way to its repetition, and so do its task's
        verdicts.
        """

        def make_room(cursor: Any) -> None:
            broken = cursor.execute(
                f"SELECT id, task_id, executor FROM trace WHERE failure_kind = 'infra' AND id IN {IDS}",
                {"ids": id_list(trace.id for trace in traces)},
            ).fetchall()
            for trace_id, task_id, executor in broken:
                cursor.execute(
                    "DELETE FROM verdict WHERE task_id = ? AND trace_id IN (SELECT id FROM trace WHERE executor = ?)",
                    [task_id, executor],
                )
                cursor.execute("DELETE FROM trace WHERE id = ?", [trace_id])

        keys = shape.Keys()
        tasks = self._tasks_of(traces)
        rows = [shape.from_trace(trace, keys, tasks.get(trace.task_id)) for trace in traces]
        return self._write("trace", rows, keys, make_room)

    def add_verdicts(self, judged: Sequence[Sequence[Verdict]]) -> int:
        """Add verdicts, one inner list per task: the runs that were judged together."""
        keys = shape.Keys()
        rows = [
            shape.from_verdict(verdict, keys, len(group)) for group in judged for verdict in group
        ]
        return self._write("verdict", rows, keys)

    def add_rationales(self, rationales: Sequence[Rationale]) -> int:
        keys = shape.Keys()
        rows = [shape.from_rationale(rationale, keys) for rationale in rationales]
        return self._write("rationale", rows, keys)

    def add_predictions(self, predictions: Sequence[Prediction]) -> int:
        keys = shape.Keys()
        tasks = self._tasks_of(predictions)
        rows = [
            shape.from_prediction(prediction, keys, tasks.get(prediction.task_id))
            for prediction in predictions
        ]
        return self._write("prediction", rows, keys)

    def _tasks_of(self, records: Sequence[Trace] | Sequence[Prediction]) -> dict[str, Task]:
        """The questions that these answer, by id."""
        return {task.id: task for task in self.tasks(list({record.task_id for record in records}))}

    # --- runs of the loop

    def start_run(self, scope: Scope, selection: Selection, upto: str) -> int:
        """Open a row for this run; returns its number."""

        def work(cursor: Any) -> int:
            number = int(cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM run").fetchone()[0])
            cursor.execute(
                "INSERT INTO run (id, version, k, seed, split, task_limit, upto, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    number,
                    __version__,
                    scope.k,
                    scope.seed,
                    selection.split,
                    selection.limit,
                    upto,
                    now(),
                ],
            )
            return number

        return self.database.transaction(work)

    def set_part(self, run: int, role: str, ref: PartRef) -> str:
        """Say which part plays `role` in this run; returns its key."""
        if role not in ("sampler", "executor", "verifier", "writer", "student"):
            raise StoreError(
                f"a run has no role '{role}'; expected sampler, executor, verifier, writer or student"
            )
        key = self.add_part(ref)
        self.database.transaction(
            lambda cursor: cursor.execute(f"UPDATE run SET {role} = ? WHERE id = ?", [key, run])
        )
        return key

    def end_run(self, run: int, peak_rss: int) -> None:
        """Close the row of a run, and bring up to date what Browse reads."""
        self.database.transaction(
            lambda cursor: cursor.execute(
                "UPDATE run SET ended_at = ?, peak_rss = ? WHERE id = ?", [now(), peak_rss, run]
            )
        )
        summary.bring_up_to_date(self.database)

    def add_timing(self, run: int, stage: str, part: str | None, rows: int, seconds: float) -> None:
        """Wall time of one written batch."""
        self.database.transaction(
            lambda cursor: cursor.execute(
                "INSERT INTO timing VALUES (?, ?, ?, ?, ?, ?)",
                [run, stage, part, rows, seconds, now()],
            )
        )

    # --- reading

    @property
    def parts(self) -> Mapping[str, PartRef]:
        """Every part that made a record, by key."""
        known = self.database.rows("SELECT count(*) AS n FROM part")[0]["n"]
        if known != len(self._parts):
            self._parts = {
                row["key"]: shape.to_part(row) for row in self.database.rows("SELECT * FROM part")
            }
        return self._parts

    def scope(self) -> Scope:
        """The parts in force: for each role the one of the latest run that got that far."""
        return to_scope(self.database.rows(LATEST)[0])

    def tasks(self, ids: Sequence[str]) -> list[Task]:
        """Tasks by id, in order of import."""
        return views.tasks(self.database, ids)

    def jobs(self, program_ids: Sequence[str]) -> list[tuple[Task, Program]]:
        """Programs with their tasks, in order of import and index."""
        return views.jobs(self.database, self.parts, program_ids)

    def runs(
        self, task_ids: Sequence[str], scope: Scope
    ) -> Iterator[tuple[Task, list[tuple[Program, Trace]]]]:
        """Each task with its programs and traces of this scope, by index."""
        return views.runs(self.database, self.parts, task_ids, scope)

    def traced(self, trace_ids: Sequence[str]) -> list[tuple[Task, Program, Trace]]:
        """Traces with their programs and tasks, in order of import."""
        return views.traced(self.database, self.parts, trace_ids)

    def counts(self, scope: Scope | None = None, selection: Selection | None = None) -> Counts:
        """How many rows each stage has."""
        return views.counts(self.database, scope or self.scope(), selection or Selection())

    def seconds(self, scope: Scope | None = None) -> dict[str, tuple[int, float]]:
        """Rows written and wall seconds by stage, for the parts in force (import: all)."""
        return views.seconds(self.database, scope or self.scope())

    def peak_rss(self) -> int | None:
        """Most memory that the latest finished run used, bytes."""
        found = self.database.rows("SELECT arg_max(peak_rss, id) AS peak FROM run")
        return found[0]["peak"] if found else None

    def outcomes(
        self, scope: Scope | None = None, selection: Selection | None = None
    ) -> list[Outcome]:
        """What came of each task, one row each, in order of import."""
        summary.complete(self.database)
        return outcome.outcomes(self.database, scope or self.scope(), selection or Selection())

    def task_view(self, task_id: str, scope: Scope | None = None) -> TaskView:
        """Everything about one task: programs, traces with events, verdicts, rationales,
        predictions.

        Raises InputError when there is no such task.
        """
        return views.task_view(self.database, self.parts, task_id, scope or self.scope())

    def run_view(self, some_id: str, scope: Scope | None = None) -> tuple[Task, Run]:
        """One program's run by the id of its program or trace.  Raises InputError when there is
        none.
        """
        return views.run_view(self.database, self.parts, some_id, scope or self.scope())


def locate(start: Path) -> Path:
    """The nearest folder from `start` upwards with a profile and a store.  Raises InputError when
    there is none.
    """
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / STORE).is_file() and (folder / PROFILE).is_file():
            return folder
    raise InputError(
        f"no project in {start} or above it; go to a project's folder, give --project PATH, "
        "or make one with: vpd init PATH"
    )


def _source_key(source: Choice) -> str:
    return content_key(source.part, dict(source.arguments))
