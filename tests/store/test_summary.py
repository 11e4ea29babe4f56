"""What Browse reads equals what the records say, whatever was written in whatever order, and after
a crash.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_rows import EXECUTOR, STUDENT, VERIFIER, loop_records, profile_file, put_in_force, task

from workbench.errors import StoreError
from workbench.records import Failure, Prediction, Trace, TraceEvent, Verdict, content_key
from workbench.store import Project, Selection
from workbench.store.reading import summary
from workbench.store.reading.outcome import Outcome, outcomes
from workbench.verify.answers import canonical
from workbench.verify.vote import vote

WORDS = ("dogs", "boat", "kettle", "zero", "3", "execute", "thus")


def shown(project: Project) -> list[Outcome]:
    """Every row of Browse, page by page."""
    rows: list[Outcome] = []
    after = None
    while True:
        page = project.browse(after=after, limit=3)
        rows += [outcome for _, outcome in page.rows]
        after = page.next
        if after is None:
            return rows


# --- the same, said in Python from the tables alone


def naive(project: Project) -> list[dict[str, Any]]:
    scope = project.scope()
    table = {
        name: project.database.rows(f"SELECT * FROM {name}")
        for name in ("task", "program", "trace", "verdict", "rationale", "prediction")
    }
    found = []
    for row in sorted(table["task"], key=lambda row: row["seq"]):
        mine = [
            r
            for r in table["program"]
            if r["task_id"] == row["id"] and r["sampler"] == scope.sampler
        ]
        mine = [
            r
            for r in mine
            if r["base_seed"] == scope.seed and r["index"] < scope.k and r["parent"] is None
        ]
        trace = {r["program_id"]: r for r in table["trace"] if r["executor"] == scope.executor}
        judged = {
            r["trace_id"]: r
            for r in table["verdict"]
            if r["verifier"] == scope.verifier and r["runs"] == scope.k
        }
        ran = [trace[r["id"]] for r in mine if r["id"] in trace]
        ok = [r for r in ran if r["failure_kind"] is None]
        said = [judged[r["id"]] for r in ran if r["id"] in judged]
        chosen = next((v["trace_id"] for v in said if v["chosen"]), None)
        waiting, labelled = len(said) < scope.k, bool(row["answers"])
        right = sum(v["correct"] for v in said)
        told = [
            r for r in table["rationale"] if r["trace_id"] == chosen and r["writer"] == scope.writer
        ]
        student = [
            r
            for r in table["prediction"]
            if r["task_id"] == row["id"] and r["model"] == scope.student
        ]
        student = [r for r in student if not r["rationale"]]
        score = student[0]["score"] if student and labelled else None
        known = project.tasks([row["id"]])[0]
        ordered = [trace.get(r["id"]) for r in sorted(mine, key=lambda r: r["index"])]
        forms = [
            canonical(r["answer"], known) if r and r["failure_kind"] is None else None
            for r in ordered
        ]
        place = vote(forms, [r["score"] for r in sorted(mine, key=lambda r: r["index"])])
        votes = Counter(form for form in forms if form is not None)
        kept = next((r["answer"] for r in ok if r["id"] == chosen), None)
        if waiting:
            status, match = "waiting", "waiting"
        else:
            status = ("kept" if labelled else "agreed") if chosen else "wrong" if ok else "failed"
            match = (
                "unlabelled"
                if not labelled
                else "none"
                if not right
                else "all"
                if right == len(said)
                else "some"
            )
        found.append(
            {
                "seq": row["seq"],
                "task_id": row["id"],
                "status": status,
                "match": match,
                "programs": len(mine),
                "traces": len(ran),
                "executed": len(ok),
                "judged": len(said),
                "correct": right,
                "chosen": chosen,
                "answer": kept,
                "labelled": labelled,
                "family": row["family"],
                "vote": None if place is None else sorted(r["index"] for r in mine)[place],
                "said": kept if kept is not None or place is None else ordered[place]["answer"],
                "faithful": all(not r["issues"] for r in told) if told else None,
                "seconds": pytest.approx(sum(r["seconds"] for r in mine + ran)) if ran else None,
                "steps": max((r["steps"] for r in ran), default=None),
                "tools": tuple(
                    sorted({name for r in ran for name in r["tools"].strip("|").split("|") if name})
                ),
                "kinds": tuple(sorted({r["failure_kind"] for r in ran if r["failure_kind"]})),
                "siblings": pytest.approx(1 - max(votes.values()) / len(ok), abs=1e-5)
                if ok
                else None,
                "student": "none"
                if not student
                else "unscored"
                if not labelled
                else "right"
                if score >= 0.5
                else "wrong",
                "student_answer": student[0]["answer"] if student else None,
                "student_score": score,
                "runs": [r["id"] for r in sorted(mine, key=lambda r: r["index"])],
            }
        )
    return found


def found_by(project: Project, word: str) -> list[str]:
    """Ids of the tasks in whose texts a word stands or, from three letters on, begins one; traces
    by decoding.
    """
    scope = project.scope()
    texts: dict[str, str] = {
        row["id"]: row["question"] for row in project.database.rows("SELECT * FROM task")
    }
    for row in project.database.rows("SELECT * FROM program WHERE sampler = ?", [scope.sampler]):
        texts[row["task_id"]] += " " + row["source"]
    for row in project.database.rows("SELECT * FROM rationale WHERE writer = ?", [scope.writer]):
        texts[row["task_id"]] += " " + row["text"]
    ids = [
        row["id"]
        for row in project.database.rows(
            "SELECT id FROM trace WHERE executor = ? AND failure_kind IS DISTINCT FROM 'infra'",
            [scope.executor],
        )
    ]
    for found, _, trace in project.traced(ids):
        printed = [str(event.payload["text"]) for event in trace.events if event.kind == "print"]
        said = [trace.answer or "", trace.failure.message if trace.failure else "", *printed]
        texts[found.id] += " " + " ".join(said)
    cut = {id: re.findall(r"[^\W_]+", text.lower()) for id, text in texts.items()}
    fits = str.startswith if len(word) >= 3 else str.__eq__
    return [
        found.id
        for found in project.tasks(list(texts))
        if any(fits(w, word) for w in cut[found.id])
    ]


class Store(RuleBasedStateMachine):
    """Writes of every kind in any order, repeated, replaced, under changing scopes."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vpd-test-"))
        self.project = Project.create(self.folder / "p", str(profile_file(self.folder)))
        put_in_force(self.project)
        self.steps = 0

    def teardown(self) -> None:
        self.check()
        self.project.close()
        shutil.rmtree(self.folder)

    tasks = st.integers(0, 2)

    def made(self, at: int, labelled: bool = True, flavour: str = "") -> Any:
        question = "How many dogs are there?" if at % 2 else "Which boat is left?"
        given = task(at, question, ("2",) if labelled else (), family=("count", "which")[at % 2])
        return loop_records(given, 4, flavour)

    @rule(at=tasks, labelled=st.booleans())
    def import_task(self, at: int, labelled: bool) -> None:
        self.project.add_tasks([self.made(at, labelled).task])

    @rule(
        at=tasks,
        k=st.integers(1, 4),
        seed=st.integers(0, 1),
        flavour=st.sampled_from(["", "kettle"]),
    )
    def sample(self, at: int, k: int, seed: int, flavour: str) -> None:
        if self.project.tasks([task(at).id]):
            self.project.add_programs(self.made(at, flavour=flavour).programs[:k], seed)

    @rule(at=tasks, edited=st.booleans())
    def edit(self, at: int, edited: bool) -> None:
        if self.project.tasks([task(at).id]):
            parent = self.made(at).programs[0]
            self.project.add_programs(
                [replace(parent, id=content_key(parent.id, "edit"), parent=parent.id)], 0
            )

    @rule(
        at=tasks,
        kinds=st.lists(st.sampled_from(["", "runtime", "infra"]), min_size=4, max_size=4),
        answers=st.lists(st.sampled_from(["2", "3", " Two"]), min_size=4, max_size=4),
        version=st.sampled_from("12"),
    )
    def execute(self, at: int, kinds: list[str], answers: list[str], version: str) -> None:
        held = self.project.database.rows(
            "SELECT id FROM program WHERE task_id = ? ORDER BY id", [task(at).id]
        )
        executor = replace(EXECUTOR, version=version)
        for row, kind, answer in zip(held, kinds, answers, strict=False):
            events = (
                TraceEvent(0, "tool", 2, 0, {"tool": "exists" if kind else "find"}),
                TraceEvent(
                    1,
                    "print",
                    2,
                    0,
                    {"text": f"kettle_{answer} boat" if kind == "infra" else f"saw {answer}"},
                ),
            )
            failure = Failure(kind, "division by zero") if kind else None  # type: ignore[arg-type]
            self.project.add_traces(
                [
                    Trace(
                        content_key(row["id"], version),
                        row["id"],
                        task(at).id,
                        None if kind else answer,
                        failure,
                        events,
                        3 + len(answer),
                        1,
                        0.25,
                        executor,
                    )
                ]
            )

    @rule(at=tasks, right=st.integers(-1, 3))
    def verify(self, at: int, right: int) -> None:
        scope = self.project.scope()
        held = self.project.database.rows(
            """
            SELECT trace.*, program.index FROM trace JOIN program ON program.id = program_id
            WHERE trace.task_id = ? AND executor = ? AND sampler = ? AND base_seed = ? AND index < ? AND parent IS NULL
            """,
            [task(at).id, scope.executor, scope.sampler, scope.seed, scope.k],
        )
        judged = self.project.database.rows(
            "SELECT 1 FROM verdict WHERE task_id = ? AND runs = ?", [task(at).id, scope.k]
        )
        if len(held) == scope.k and not judged:
            self.project.add_verdicts(
                [
                    [
                        Verdict(
                            content_key(row["id"], scope.k),
                            row["id"],
                            row["program_id"],
                            row["task_id"],
                            float(row["index"] == right),
                            row["index"] >= right >= 0 and row["answer"] is not None,
                            row["index"] == right and row["answer"] is not None,
                            "gold",
                            "-",
                            VERIFIER,
                        )
                        for row in held
                    ]
                ]
            )

    @rule(at=tasks, issues=st.sampled_from([(), ("not in the trace",)]))
    def rationalize(self, at: int, issues: tuple[str, ...]) -> None:
        for row in self.project.database.rows(
            "SELECT * FROM verdict WHERE task_id = ? AND chosen", [task(at).id]
        ):
            told = self.made(at).rationale
            key = content_key(row["trace_id"], issues)
            self.project.add_rationales(
                [replace(told, id=key, trace_id=row["trace_id"], issues=issues)]
            )

    @rule(at=tasks, score=st.sampled_from([0.0, 0.3, 1.0]))
    def predict(self, at: int, score: float) -> None:
        if self.project.tasks([task(at).id]):
            made = Prediction(
                content_key("prediction", at), task(at).id, "2", "", score, 0.1, STUDENT
            )
            self.project.add_predictions([made])

    @rule(k=st.integers(1, 4), seed=st.integers(0, 1), version=st.sampled_from("12"))
    def change_scope(self, k: int, seed: int, version: str) -> None:
        put_in_force(self.project, k, seed, executor=version)

    @invariant()
    def taken(self) -> None:
        """Mostly after each write; several writes are taken at once where this is left out."""
        if self.steps % 3:
            self.project.browse_total()
        self.steps += 1

    @rule()
    def crash(self) -> None:
        """Everything was written and the process ends."""
        self.project.close()
        self.project = Project.open(self.folder / "p")

    def check(self) -> None:
        rows = shown(self.project)
        expected = naive(self.project)
        assert [
            {**{n: getattr(o, n) for n in e if n != "runs"}, "runs": [r.program for r in o.runs]}
            for o, e in zip(rows, expected, strict=True)
        ] == expected
        assert rows == outcomes(self.project.database, self.project.scope(), Selection())
        for word in WORDS:
            assert self.project.browse_ids(word) == found_by(self.project, word), word

    @rule()
    def compare(self) -> None:
        self.check()


class TestStore(Store.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=2, stateful_step_count=12, deadline=None)


@pytest.mark.slow
class TestStoreAtLength(Store.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=25, stateful_step_count=40, deadline=None)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p", str(profile_file(tmp_path))) as made:
        put_in_force(made)
        yield made


def test_every_kind_of_write_is_taken(project: Project) -> None:
    made = loop_records(task(0), 3)
    writes = [
        lambda: project.add_tasks([made.task]),
        lambda: project.add_programs(made.programs, 0),
        lambda: project.add_traces(made.traces),
        lambda: project.add_verdicts([made.verdicts]),
        lambda: project.add_rationales([made.rationale]),
        lambda: project.add_predictions([made.prediction]),
    ]
    before: list[Outcome] = []
    for write in writes:
        write()
        after = shown(project)
        assert after == outcomes(project.database, project.scope(), Selection())
        assert after != before
        before = after


def test_a_summary_that_fails_half_way_is_made_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop_records(task(0), 3).write(project)
    held = shown(project)
    loop_records(task(1), 3).write(project)
    monkeypatch.setattr(summary, "WORDS", "nonsense({})")
    with pytest.raises(StoreError, match="nonsense"):
        project.browse()
    assert project.database.rows("SELECT count(*) AS n FROM outcome") == [{"n": len(held)}], (
        "undone as a whole"
    )
    monkeypatch.undo()
    assert [outcome.task_id for outcome in shown(project)] == [task(0).id, task(1).id]
    assert project.browse_total("dogs") == 2


def test_more_than_one_batch_is_taken_in_turn(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "BATCH", 2)
    project.add_tasks([task(at, question=f"where is the {at}th boat") for at in range(3)])
    project.add_tasks([task(at, question=f"where is the {at}th boat") for at in range(3, 7)])
    assert project.database.rows("SELECT count(*) AS n FROM touched") == [{"n": 0}], (
        "writers take their own batches"
    )
    assert project.browse_ids("4th boat") == [task(4).id]


def test_merged_words_find_the_same(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MERGE", 3)
    for at in range(6):
        project.add_tasks([task(at, question=f"which boat is number {at % 3}")])
        project.browse()
    assert project.browse_ids("boat number") == [task(at).id for at in range(6)]
    assert project.browse_ids("number 2") == [task(2).id, task(5).id]
    doubled = "SELECT word FROM posting GROUP BY word, part HAVING count(*) > 1"
    assert len(project.database.rows(doubled)) < len(
        project.database.rows("SELECT DISTINCT word FROM posting")
    )


def test_a_summary_out_of_date_is_not_read(project: Project) -> None:
    project.browse()
    project.database.transaction(
        lambda cursor: cursor.execute("UPDATE summary SET scope = 'of another'")
    )
    assert project.browse_total() == 0
    assert project.database.rows("SELECT scope FROM summary")[0]["scope"].startswith("{")


def test_a_trace_whose_events_are_damaged_does_not_stop_the_summary(project: Project) -> None:
    loop_records(task(0), 3).write(project)
    project.database.transaction(
        lambda cursor: cursor.execute("UPDATE trace SET tools = NULL, events = 'broken'::BLOB")
    )
    (outcome,) = shown(project)
    assert (outcome.status, outcome.tools) == ("kept", ())
