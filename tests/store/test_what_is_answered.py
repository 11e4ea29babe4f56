"""What the pipeline answers is one thing for all who ask: verifier, evaluation, tables, Browse,
queue; old stores too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_answers import QUESTIONS
from sharing_processes import HOLD, Child, children
from small_parts import profile_text

from workbench.pipeline.loop import run
from workbench.records import Failure, Task
from workbench.settings import Choice
from workbench.store import Outcome, Project
from workbench.store.kernel.database import Database
from workbench.store.kernel.migrate import shipped_steps
from workbench.store.project import PROFILE
from workbench.store.reading import evaluations
from workbench.study.evaluate import evaluate_pipeline
from workbench.study.two_by_two import cell_of, compare, in_cell
from workbench.verify.answers import canonical
from workbench.verify.choose import AnswerVerifier
from workbench.verify.vote import vote

PARTS = Path(__file__).resolve().parent.parent / "scripted_answers.py"

WINNERS = {"most": 0, "tie": 3, "even": 0, "yes": 1, "letter": 0, "free": 2, "other": 1}
"""Index of the program whose answer stands for all."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("answered")
    profile = profile_text(
        k="5", sampler=f'{{ part = "{PARTS}:Dictated" }}', student=f'{{ part = "{PARTS}:Parrot" }}'
    )
    (root / "small.toml").write_text(profile)
    source = Choice(f"{PARTS}:Dictation", {"root": str(root / "drawn")})
    with Project.create(root / "p", str(root / "small.toml"), source) as made:
        run(made)
        yield made


@pytest.fixture(scope="module")
def outcomes(project: Project) -> dict[str, Outcome]:
    return {one.task_id: one for one in project.outcomes()}


def test_three_ways_of_writing_3_beat_two_times_2(
    project: Project, outcomes: dict[str, Outcome]
) -> None:
    """Once the evaluation called this vote right, the table beside it wrong, and two of five
    programs apart three.
    """
    assert cell_of(outcomes["most"], "vote") == "pipeline"
    assert compare([outcomes["most"]], "vote").all.pipeline == 1
    assert outcomes["most"].siblings == 0.4
    voted = next(row for row in evaluate_pipeline(project, 5, timed=0) if row.mode == "vote")
    assert evaluations.scores(project.database, voted.id)["most"] == 1.0


@pytest.mark.parametrize("name", QUESTIONS)
def test_all_who_ask_are_told_the_same_answer(
    project: Project, outcomes: dict[str, Outcome], name: str
) -> None:
    *_, label, answers, scores, student = QUESTIONS[name]
    task, outcome, place = project.tasks([name])[0], outcomes[name], WINNERS[name]
    forms = [None if answer is None else canonical(answer, task) for answer in answers]
    spoken = [form for form in forms if form is not None]

    assert vote(forms, scores) == place
    ((_, runs),) = project.runs([name], project.scope())
    verdicts = AnswerVerifier().judge(replace(task, answers=()), runs)
    assert [verdict.chosen for verdict in verdicts].index(True) == place
    assert [verdict.correct for verdict in verdicts] == [form == forms[place] for form in forms]

    voted = next(row for row in evaluate_pipeline(project, 5, timed=0) if row.mode == "vote")
    assert evaluations.evaluation_answers(project.database, voted.id)[name] == answers[place]

    assert outcome.vote == place
    assert outcome.siblings == pytest.approx(1 - spoken.count(forms[place]) / len(spoken))
    ((_, line),) = project.browse(f"id:{name}").rows
    assert (line.vote, line.siblings, line.said) == (outcome.vote, outcome.siblings, outcome.said)
    if label:
        right = forms[place] == canonical(label, task)
        cell = cell_of(outcome, "vote")
        assert cell in (("both", "pipeline") if right else ("student", "neither"))
        assert in_cell([outcome], cell, "vote") == [name]
    else:
        assert outcome.said == answers[place]
        assert outcome.apart == float(canonical(student, task) != forms[place])


def test_where_nothing_was_kept_the_vote_is_what_browse_shows(project: Project) -> None:
    """A label that no program gives: the column shows what most of them mean."""
    task = replace(project.tasks(["most"])[0], id="nobody", answers=("9",), question="nobody?")
    ((_, runs),) = project.runs(["most"], project.scope())
    programs = [
        replace(program, id=f"nobody{program.index}", task_id=task.id) for program, _ in runs
    ]
    traces = [
        replace(trace, id=f"run{program.id}", program_id=program.id, task_id=task.id)
        for program, (_, trace) in zip(programs, runs, strict=True)
    ]
    project.add_tasks([task])
    project.add_programs(programs, project.scope().seed)
    project.add_traces(traces)
    project.add_verdicts([AnswerVerifier().judge(task, list(zip(programs, traces, strict=True)))])
    ((_, line),) = project.browse("id:nobody").rows
    assert (line.chosen, line.said, line.vote, line.siblings) == (None, "3", 0, 0.4)


said = st.lists(
    st.tuples(
        st.sampled_from(["3", "three", "3.0", "2", " Two", "no", "many", None]),
        st.sampled_from([-0.5, 0.0]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=4, deadline=None)
@given(drawn=st.lists(said, min_size=10, max_size=20), data=st.data())
def test_the_store_counts_as_the_vote_does(
    project: Project, drawn: list, data: st.DataObject
) -> None:
    ((_, runs),) = project.runs(["most"], project.scope())
    (program, trace), key = runs[0], data.draw(st.uuids()).hex
    tasks, programs, traces, expected = [], [], [], {}
    for number, answers in enumerate(drawn):
        task = Task(f"{key}/{number}", "drawn", "train", "", "How many?", (), "integer")
        tasks.append(task)
        for at, (answer, score) in enumerate(answers):
            one = replace(program, id=f"{task.id}/{at}", task_id=task.id, index=at, score=score)
            failure = Failure("runtime", "it broke") if answer is None else None
            programs.append(one)
            traces.append(
                replace(
                    trace,
                    id=f"t{one.id}",
                    program_id=one.id,
                    task_id=task.id,
                    answer=answer,
                    failure=failure,
                )
            )
        forms = [None if answer is None else canonical(answer, task) for answer, _ in answers]
        expected[task.id] = vote(forms, [score for _, score in answers])
    project.add_tasks(tasks)
    project.add_programs(programs, project.scope().seed)
    project.add_traces(traces)
    assert {
        one.task_id: one.vote for one in project.outcomes() if one.task_id in expected
    } == expected


# --- stores from before forms were kept


TABLES = (
    "part",
    "task",
    "program",
    "trace",
    "verdict",
    "rationale",
    "prediction",
    "run",
    "outcome",
)


def earlier_store(project: Project, folder: Path) -> None:
    """The same project as the version before forms left it: its summary up to date and wrong."""
    rows = {table: project.database.rows(f"SELECT * FROM {table}") for table in TABLES}
    rows["outcome"] = [
        {**row, "said": "of old", "siblings": 0.9, "apart": None} for row in rows["outcome"]
    ]

    def write(cursor: Any) -> None:
        for table, held in rows.items():
            described = cursor.execute(f"PRAGMA table_info('{table}')").fetchall()
            present = {name for _, name, *_ in described}
            for row in held:
                kept = {name: value for name, value in row.items() if name in present}
                columns = ", ".join(f'"{name}"' for name in kept)
                sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(kept))})"
                cursor.execute(sql, list(kept.values()))
        cursor.execute("UPDATE summary SET scope = ?", [json.dumps(asdict(project.scope()))])

    old = Database(folder / "vpd.duckdb", create=True, steps=shipped_steps()[:6])
    old.transaction(write)
    old.close()
    (folder / PROFILE).write_text((project.path / PROFILE).read_text())


def untimed(outcome: Outcome) -> Outcome:
    """An outcome without the times of its programs."""
    runs = tuple(replace(one, seconds=None, waiting=None) for one in outcome.runs)
    return replace(outcome, seconds=None, waiting=None, runs=runs)


@pytest.mark.parametrize("attached", [False, True], ids=["own", "attached"])
def test_a_store_from_before_forms_tells_the_same(
    project: Project, tmp_path: Path, attached: bool
) -> None:
    expected = [one for one in project.outcomes() if one.task_id in QUESTIONS]
    project.browse_total()
    earlier_store(project, tmp_path)
    with ExitStack() as stack:
        if attached:
            (holder,) = stack.enter_context(children(Child(HOLD, tmp_path)))
            holder.wait_lines(1)
        opened = stack.enter_context(Project.open(tmp_path))
        assert opened.database.owner is not attached
        # the records were made by hand, and nobody had looked whether their rationales are bare;
        # nor had anybody taken the time in which their programs worked
        found = [one for one in opened.outcomes() if one.task_id in QUESTIONS]
        assert list(map(untimed, found)) == [
            untimed(replace(one, bare=None if one.bare is None else True)) for one in expected
        ]
        lines = [line for _, line in opened.browse(limit=100).rows if line.task_id in QUESTIONS]
        assert [(line.vote, line.said, line.siblings, line.apart) for line in lines] == [
            (one.vote, one.said, one.siblings, one.apart) for one in expected
        ]
        assert opened.database.rows("SELECT id FROM trace WHERE form IS NULL") == []
        assert opened.database.rows("SELECT id FROM prediction WHERE form IS NULL") == []
