"""A project: a folder with a DuckDB file, pictures, models, jobs, snapshots and its profile.

profile.toml   which part plays which role
vpd.duckdb     every record of the loop
images/        pictures by digest, thumbnails
models/ jobs/ snapshots/ cache/ backups/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from workbench import trust
from workbench.errors import InputError
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
)
from workbench.settings import Choice, Profile, carried, find_profile, read_profile
from workbench.store.kernel.database import IDS, WAIT, Database, id_list, now
from workbench.store.people.curation import Curation
from workbench.store.reading import browse, evaluations, facets, lineage, outcome, summary, views
from workbench.store.reading.browse import Page
from workbench.store.reading.counts import Counts, counts, seconds
from workbench.store.reading.evaluations import Evaluation
from workbench.store.reading.facets import Facet
from workbench.store.reading.lineage import Lineage
from workbench.store.reading.outcome import Outcome
from workbench.store.reading.views import Run, TaskView
from workbench.store.records import broken, loop_runs, sources
from workbench.store.records import rows as shape
from workbench.store.records.scope import Scope, Selection
from workbench.store.records.tables import arrow_table
from workbench.verify.answers import AnswerKind

STORE = "vpd.duckdb"
PROFILE = "profile.toml"
FOLDERS = ("images", "models", "jobs", "snapshots", "cache")


class Project:
    """An open project, from `Project.create`, `Project.open` or `Project.find`.

    Close it, or use `with`.  All reads may come from any thread.  Each `add_*` call is one
    transaction and may be repeated: rows whose content key is there already are left alone, and
    the number of rows that were really added comes back.

    What is not asked here is a function of `workbench.store.reading`, which takes `database`.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.database = database
        self.images = ImageFolder(path / "images")
        self._parts: dict[str, PartRef] = {}
        self.curation = Curation(database, lambda: self.parts, self._write)
        """Decisions of people, the queue, ratings, guidelines and figures about them."""
        self._written: set[str] = set()
        """Keys of parts that this process has written."""
        self._waiting = 0
        """Rows that this process has written since it last brought the summary up to date."""

    @classmethod
    def create(cls, path: Path, profile: str = "embedded", source: Choice | None = None) -> Project:
        """Make a project in a new or empty folder.

        Args:
            path: the folder, which need not exist.
            profile: name of a shipped profile or path of a TOML file; copied into the project.
            source: where its tasks come from.

        Raises:
            InputError: the folder holds something already, or cannot be written.
            ProfileError: the profile cannot be read.
        """
        profile_path = find_profile(profile)
        code = trust.code_of_profile(read_profile(profile_path))
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            obstacle = "not empty:"
            if (path / STORE).exists():
                obstacle = "a project already; go on with: vpd run --project"
            raise InputError(
                f"{path} is {obstacle} {path}; a new project needs a new or empty folder"
            )
        try:
            for name in FOLDERS:
                (path / name).mkdir(parents=True, exist_ok=True)
            text = profile_path.read_text(encoding="utf-8")
            profile_text = carried(text, profile_path.parent, path)
            (path / PROFILE).write_text(profile_text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"no project can be made at {path}: {error.strerror}; choose a folder you can write"
            ) from error
        trust.trust(path, code)  # whoever makes a project names its code
        project = cls(path, Database(path / STORE, create=True))
        if source is not None:
            project.add_source(source)
        return project

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, wait: float = WAIT) -> Project:
        """Open a project's folder, whoever else has it open.

        This process owns the store, or attaches to the process that does.

        Args:
            path: the project's folder.
            read_only: refuse to write.
            wait: seconds to wait for a process that is opening or closing the store.

        Raises:
            InputError: there is no project at `path`.
            StoreError: the store is damaged or cannot be written, or a program has it open that
                does not share it (see `Database`).
        """
        if not (path / STORE).is_file():
            raise InputError(f"there is no project at {path}; make one with: vpd init {path}")
        return cls(path, Database(path / STORE, read_only=read_only, wait=wait))

    @classmethod
    def find(cls, start: Path, *, read_only: bool = False, wait: float = WAIT) -> Project:
        """Open the project that a folder lies in.

        Args:
            start: a project's folder, or one below it (see `locate`).
            read_only: as of `open`.
            wait: as of `open`.
        """
        return cls.open(locate(start), read_only=read_only, wait=wait)

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store; a process that is attached to it takes it over."""
        self.database.close()

    def profile(self) -> Profile:
        """The project's own profile, read from its file at each call."""
        return trust.checked_profile(self.path, read_profile(self.path / PROFILE))

    # --- sources and tasks

    def add_source(self, source: Choice) -> None:
        """Remember where tasks come from."""
        sources.add(self.database, trust.trusted_source(self.path, source))

    def sources(self) -> list[Choice]:
        """Where its tasks come from, in the order in which the sources were added."""
        return trust.checked_sources(self.path, sources.sources(self.database))

    def known_tasks(self, ids: Sequence[str]) -> set[str]:
        """Which of these ids name tasks of the project."""
        return set(self._present("task", ids))

    def count_tasks(self, split: str | None = None) -> int:
        """How many tasks a split has; without a split, how many there are."""
        sql = "SELECT count(*) AS n FROM task WHERE $split IS NULL OR split = $split"
        return int(self.database.rows(sql, {"split": split})[0]["n"])

    def imported(self, source: Choice, split: str | None) -> bool:
        """Whether a split of a source was read to its end; without a split, whether any was."""
        return sources.imported(self.database, source, split)

    def mark_imported(self, source: Choice, split: str | None, tasks: int) -> None:
        """Remember that a split of a source was read to its end.

        Args:
            source: where the tasks came from.
            split: None where the source has no splits.
            tasks: how many were read.
        """
        sources.mark_imported(self.database, source, split, tasks)

    def add_tasks(self, tasks: Sequence[Task]) -> tuple[int, list[str]]:
        """Add tasks whose `image` is a digest in this project.

        Returns:
            How many were new, and the ids that were there with another content (left as they were).
        """
        storable = [shape.clean_task(task) for task in tasks]
        with self.database.write_lock:
            added = self._add_tasks(storable)
        self._settle()
        return added

    def _add_tasks(self, tasks: Sequence[Task]) -> tuple[int, list[str]]:
        stored = self.database.rows(
            f"SELECT id, content FROM task WHERE id IN {IDS}",
            {"ids": id_list(task.id for task in tasks)},
        )
        contents = {row["id"]: row["content"] for row in stored}
        last = self.database.rows("SELECT coalesce(max(seq), -1) AS last FROM task")[0]["last"]
        rows = [shape.from_task(task, last + 1 + at) for at, task in enumerate(tasks)]
        pairs = [(row["id"], row["content"]) for row in rows]
        changed = [id for id, content in pairs if contents.get(id, content) != content]
        return self._write("task", rows, settle=False), changed

    def add_bad_rows(self, source: str, bad: Sequence[BadRow]) -> int:
        """Remember rows of a source that could not be imported, each with the reason."""
        rows = [{"source": source, "file": b.file, "line": b.line, "reason": b.reason} for b in bad]
        return self.database.insert({"bad_row": arrow_table("bad_row", rows, now())})["bad_row"]

    # --- records of the loop

    def _write(
        self,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        keys: shape.Keys | None = None,
        before: Callable[[Any], None] | None = None,
        settle: bool = True,
    ) -> int:
        """Write rows of one table with the parts that made them, in one transaction.

        Args:
            name: the table.
            rows: in the shape of `workbench.store.records.rows`; those in the store stay as is.
            keys: gives the parts that the rows name by key.
            before: is called with the cursor first, within the transaction.
            settle: whether the summary follows where much was written; not behind a lock.

        Returns:
            How many rows were new.
        """
        refs = keys.refs() if keys else {}
        makers = {key: ref for key, ref in refs.items() if key not in self._written}
        with self.database.write_lock:
            # What is there already is left out here, so that it is found by its own words alone.
            fresh = {row["id"]: row for row in reversed(rows)}
            for id in self._present(name, fresh):
                del fresh[id]
            new = [row for row in rows if fresh.get(row["id"]) is row]
            batch = {"part": [shape.from_part(ref) for ref in makers.values()], name: new}
            if new:
                batch["touched"] = shape.touches(name, new)
            stamp = now()
            tables = {of: arrow_table(of, lines, stamp) for of, lines in batch.items()}
            added = self.database.insert(tables, before)
        self._written.update(makers)
        self._waiting += len(new)
        if settle:
            self._settle()
        return added[name]

    def _settle(self) -> None:
        """Bring the summary up to date where much was written, so that readers wait for no more."""
        if self._waiting >= summary.BATCH:
            self._waiting = 0
            summary.bring_up_to_date(self.database)

    def _present(self, name: str, ids: Iterable[str]) -> list[str]:
        """Which of these records are in the store to stay; a trace that broke (`infra`) is not."""
        stays = "AND failure_kind IS DISTINCT FROM 'infra'" if name == "trace" else ""
        sql = f"SELECT id FROM {name} WHERE id IN {IDS} {stays}"
        return [row["id"] for row in self.database.rows(sql, {"ids": id_list(ids)})]

    def add_part(self, ref: PartRef) -> str:
        """Remember a part; returns its key."""
        return loop_runs.add_part(self.database, ref)

    def add_programs(self, programs: Sequence[Program], base_seed: int) -> int:
        """Add programs; a task keeps the first one at each index, so that a larger k only adds."""
        with self.database.write_lock:
            added = self._add_programs(programs, base_seed)
        self._settle()
        return added

    def _add_programs(self, programs: Sequence[Program], base_seed: int) -> int:
        stored = self.database.rows(
            f"""
            SELECT DISTINCT task_id, sampler, index FROM program
            WHERE task_id IN {IDS} AND base_seed = $seed AND parent IS NULL
            """,
            {"ids": id_list({program.task_id for program in programs}), "seed": base_seed},
        )
        place = itemgetter("task_id", "sampler", "index")
        places = set(map(place, stored))
        keys = shape.Keys()
        rows = [shape.from_program(program, keys, base_seed) for program in programs]
        fresh = [row for row in rows if row["parent"] or place(row) not in places]
        return self._write("program", fresh, keys, settle=False)

    def add_traces(self, traces: Sequence[Trace]) -> int:
        """Add traces; one that broke (`infra`) gives way to its repetition, with its verdicts."""
        keys = shape.Keys()
        kinds = self._kinds_of(traces)
        rows = [shape.from_trace(trace, keys, kinds.get(trace.task_id)) for trace in traces]
        return self._write("trace", rows, keys, broken.replaced_by(traces))

    def add_verdicts(self, judged: Sequence[Sequence[Verdict]]) -> int:
        """Add verdicts, one inner list per task: the runs that were judged together."""
        keys = shape.Keys()
        pairs = [(verdict, len(group)) for group in judged for verdict in group]
        rows = [shape.from_verdict(verdict, keys, size) for verdict, size in pairs]
        return self._write("verdict", rows, keys)

    def add_rationales(self, rationales: Sequence[Rationale]) -> int:
        """Add rationales."""
        keys = shape.Keys()
        rows = [shape.from_rationale(rationale, keys) for rationale in rationales]
        return self._write("rationale", rows, keys)

    def add_predictions(self, predictions: Sequence[Prediction]) -> int:
        """Add answers of students."""
        keys = shape.Keys()
        kinds = self._kinds_of(predictions)
        rows = [shape.from_prediction(one, keys, kinds.get(one.task_id)) for one in predictions]
        return self._write("prediction", rows, keys)

    def _kinds_of(self, records: Sequence[Trace] | Sequence[Prediction]) -> dict[str, AnswerKind]:
        """How the answers of the tasks that these records answer are written, by task id."""
        return views.answer_kinds(self.database, {record.task_id for record in records})

    # --- runs of the loop

    def start_run(self, scope: Scope, selection: Selection, upto: str) -> int:
        """Open a row for this run; returns its number.

        Args:
            scope: gives the number of programs of a task and the seed; `set_part` gives the parts.
            selection: the tasks that the run is about.
            upto: name of the last stage that it does.
        """
        return loop_runs.start(self.database, scope, selection, upto)

    def set_part(self, run: int, role: str, ref: PartRef) -> str:
        """Say which part plays a role in a run; returns the part's key.

        Args:
            run: number of the run.
            role: sampler, executor, verifier, writer or student.
            ref: the part.

        Raises:
            StoreError: a run has no such role.
        """
        return loop_runs.set_part(self.database, run, role, ref)

    def end_run(self, run: int, peak_rss: int) -> None:
        """Close the row of a run and bring the summary up to date; `peak_rss` is in bytes."""
        loop_runs.end(self.database, run, peak_rss)
        summary.bring_up_to_date(self.database)

    def add_timing(self, run: int, stage: str, part: str | None, rows: int, seconds: float) -> None:
        """Remember how long one written batch took.

        Args:
            run: number of the run.
            stage: name of the stage.
            part: key of the part that worked; None for a stage without one.
            rows: how many rows were written.
            seconds: wall time.
        """
        loop_runs.add_timing(self.database, run, stage, part, rows, seconds)

    # --- reading

    @property
    def parts(self) -> Mapping[str, PartRef]:
        """Every part that made a record, by key."""
        count = self.database.rows("SELECT count(*) AS n FROM part")[0]["n"]
        if count != len(self._parts):
            self._parts = {
                row["key"]: shape.to_part(row) for row in self.database.rows("SELECT * FROM part")
            }
        return self._parts

    def scope(self) -> Scope:
        """The parts in force: for each role the one of the latest run that got that far."""
        return summary.scope_in_force(self.database)

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
        return counts(self.database, scope or self.scope(), selection or Selection())

    def seconds(self, scope: Scope | None = None) -> dict[str, tuple[int, float]]:
        """Rows written and wall seconds by stage, for the parts in force (import: all)."""
        return seconds(self.database, scope or self.scope())

    def peak_rss(self) -> int | None:
        """Most memory that the latest finished run used, bytes; None before there is one."""
        return loop_runs.peak_rss(self.database)

    def outcomes(
        self, scope: Scope | None = None, selection: Selection | None = None
    ) -> list[Outcome]:
        """What came of each task, one row each, in order of import."""
        summary.complete(self.database)
        return outcome.outcomes(self.database, scope or self.scope(), selection or Selection())

    def task_view(self, task_id: str, scope: Scope | None = None) -> TaskView:
        """Everything about one task: programs, traces, verdicts, rationales, predictions.

        Raises InputError when there is no such task.
        """
        return views.task_view(self.database, self.parts, task_id, scope or self.scope())

    def run_view(self, some_id: str, scope: Scope | None = None) -> tuple[Task, Run]:
        """One program's run, by the id of its program or trace.

        Raises InputError when there is no such program or trace.
        """
        return views.run_view(self.database, self.parts, some_id, scope or self.scope())

    def browse(
        self,
        text: str = "",
        sort: str = "import",
        after: str | None = None,
        limit: int = 50,
        before: int = 0,
    ) -> Page:
        """One page of tasks with what came of each, of the parts in force.

        Args:
            text: what to search for, in the language of `workbench.store.reading.search`.
            sort: one of `SORTS`; a minus before it turns it round.
            after: the `next` of the page before.
            limit: how many tasks at most.
            before: how many tasks to pass over, from there on.

        Raises:
            InputError: the text or the order cannot be understood.
        """
        return browse.browse(self.database, text, sort, after, limit, before)

    def browse_total(self, text: str = "") -> int:
        """How many tasks a search finds."""
        return browse.total(self.database, text)

    def browse_ids(self, text: str = "", sort: str = "import") -> list[str]:
        """Ids of all tasks that a search finds, in order."""
        return browse.ids(self.database, text, sort)

    def browse_facets(self, text: str = "") -> tuple[Facet, ...]:
        """Values that can be added to a search, each with the number of tasks that have it."""
        return facets.facets(self.database, text)

    def lineage(self) -> Lineage:
        """Snapshots, jobs, models and evaluations, each naming what it was made from."""
        return lineage.lineage(self.database)

    def metrics(self, job: str) -> list[dict[str, Any]]:
        """The figures of a training job, step by step, as they were last read from its folder."""
        return lineage.metrics(self.database, job)

    def evaluations(self) -> list[Evaluation]:
        """How right each evaluated system is, the latest evaluation last."""
        return evaluations.evaluations(self.database)

    def evaluation_scores(self, evaluation: str) -> dict[str, float]:
        """The score of each question of an evaluation, 0 to 1."""
        return evaluations.scores(self.database, evaluation)


def locate(start: Path) -> Path:
    """The nearest folder, from `start` upwards, with a profile and a store.

    Raises InputError when there is no such folder.
    """
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / STORE).is_file() and (folder / PROFILE).is_file():
            return folder
    raise InputError(
        f"no project in {start} or above it; go to a project's folder, give --project PATH, "
        "or make one with: vpd init PATH"
    )
