"""Browse: pages in every order, choices, words, counts, reviews, saved views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store_rows import empty_project, loop_records, put_in_force, task

from workbench.errors import InputError
from workbench.records import AnswerType, Decision, Failure, TraceEvent
from workbench.store import SORTS, Project, parse_query
from workbench.store.reading import browse, facets, figures
from workbench.store.reading.facets import own_facets
from workbench.store.reading.own_columns import own_columns
from workbench.store.reading.saved_views import delete_view, save_view, saved_views
from workbench.store.reading.where import BUCKETS
from workbench.verify.answers import canonical

K = 3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Seven tasks: 0 kept, 1 agreed, 2 wrong, 3 failed, 4 waiting, 5 kept by the student alone, 6
    bare.
    """
    folder = tmp_path_factory.mktemp("browse")
    with Project.open(empty_project(folder)) as made:
        put_in_force(made, K)
        for at in range(7):
            given = task(
                at,
                ("Where is the café?", "How many DOGS are there?")[at % 2],
                () if at == 1 else ("2", "two dogs"),
                split=("train", "test")[at // 4],
                family=("count", "which one")[at % 2],
                meta={"weather": ("rain", "sun")[at % 2], "n": at, "a key": [f"t{at}", "all"]},
            )
            one = loop_records(given, K)
            said = TraceEvent(0, "print", 2, 0, {"text": f"counting kettle_{at}"})
            traces = [
                replace(t, events=(said, *t.events[1:]), steps=4 + at, seconds=0.1 * at)
                for t in one.traces
            ]
            verdicts = one.verdicts
            if at == 2:
                verdicts = [replace(v, correct=False, chosen=False, score=0.0) for v in verdicts]
                enlarged = TraceEvent(3, "tool", 2, 0, {"call": 1, "tool": "zoom", "arguments": {}})
                traces = [replace(t, events=(*t.events, enlarged)) for t in traces]
            if at == 3:
                failure = Failure("tool_error", "the detector would not answer")
                traces = [replace(t, answer=None, failure=failure) for t in traces]
                verdicts = [replace(v, correct=False, chosen=False, score=0.0) for v in verdicts]
            made.add_tasks([given])
            if at < 6:
                made.add_programs(one.programs, 0)
                made.add_traces(traces)
                made.add_predictions(
                    [replace(one.prediction, answer="2", score=1.0) if at == 5 else one.prediction]
                )
            if at not in (4, 6):
                made.add_verdicts([verdicts])
        yield made


def numbers(project: Project, text: str, sort: str = "import") -> list[int]:
    ids = project.browse_ids(text, sort)
    assert project.browse_total(text) == len(ids)
    assert [task.id for task, _ in project.browse(text, sort).rows] == ids
    return [int(id[-1]) for id in ids]


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_hold_every_task_once_in_every_order(project: Project, sort: str) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = project.browse(sort=sort, after=after, limit=2)
        seen += [task.id for task, _ in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == project.browse_ids(sort=sort)
    assert sorted(seen) == [task(at).id for at in range(7)]


def test_what_has_no_value_comes_last(project: Project) -> None:
    assert numbers(project, "", "steps") == [5, 4, 3, 2, 1, 0, 6]
    assert numbers(project, "", "-steps") == [0, 1, 2, 3, 4, 5, 6]
    assert numbers(project, "", "student")[-2:] == [4, 6], (
        "not judged yet: nothing to hold the student against"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("status:kept", [0, 5]),
        ("status:wrong status:failed", [2, 3]),
        ("status:kept split:test", [5]),
        ("status:agreed match:unlabelled", [1]),
        ("match:none", [2, 3]),
        ("kind:tool_error", [3]),
        ("kind:tool", []),
        ("pictures:made", [2]),
        ("-pictures:made status:kept", [0, 5]),
        ('family:"which one" student:right', [5]),
        ("student:none", [6]),
        ("student:unscored", [1]),
        ("steps>7 steps<=9", [4, 5]),
        ("steps:0-5", [0, 1]),
        ("steps:0-5 steps:9-", [0, 1, 5]),
        ("right>=1", [0, 1, 5]),
        ("answer:2 split:train", [0, 1, 2]),
        ('gold:"Two Dogs" split:test', [4, 5, 6]),
        ("gold:dogs", []),
        ("id:made/00003", [3]),
        ("source:made type:integer programs<1", [6]),
        ("source:MADE", []),
        ("-status:kept", [1, 2, 3, 4, 6]),
        ("-status:kept -status:waiting", [1, 2, 3]),
        ("-status:kept status:kept", []),
        ("split:train -kind:tool_error", [0, 1, 2]),
        ("-evidence:search -steps>7", [0, 1, 2, 3, 6]),
        ("-id:made/00003", [0, 1, 2, 4, 5, 6]),
        ("meta.weather:sun", [1, 3, 5]),
        ("-meta.weather:sun meta.n>2", [4, 6]),
        ("meta.n:3 meta.n:5", [3, 5]),
        ('meta."a key":t2', [2]),
        ('meta."a key":all', [0, 1, 2, 3, 4, 5, 6]),
        ("meta.weather>2", []),
        ("meta.nothing:x", []),
        ("-meta.nothing:x split:test", [4, 5, 6]),
    ],
)
def test_choices_and_numbers(project: Project, text: str, found: list[int]) -> None:
    assert numbers(project, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dogs", [1, 3, 5]),
        ("CAFE", [0, 2, 4, 6]),
        ("café", [0, 2, 4, 6]),
        ("how there", [1, 3, 5]),
        ("there how", [1, 3, 5]),
        ("dog", [1, 3, 5]),
        ("do", []),
        ("dog how", []),
        ("kettle_4", [4]),
        ("counting kettle", [0, 1, 2, 3, 4, 5]),
        ("def execute_command", [0, 1, 2, 3, 4, 5]),
        ("detector answer status:failed", [3]),
        ('"where is"', [0, 2, 4, 6]),
        ('"is where"', []),
        ('"WHERE is the cafe"', [0, 2, 4, 6]),
        ('"dog"', []),
        ('dog "how many"', [1, 3, 5]),
        ('"counting kettle_2"', [2]),
        ('"kettle_2 counting"', []),
        ('"the detector would not"', [3]),
        ('"detector the"', []),
        ("-dogs", [0, 2, 4, 6]),
        ("-dog -kettle_0", [1, 2, 3, 4, 5, 6]),
        ('-"how many" split:train', [0, 2]),
        ('-"many how" split:train', [0, 1, 2, 3]),
        ("counting -detector", [0, 1, 2, 4, 5]),
        ("-?!", [0, 1, 2, 3, 4, 5, 6]),
        ('"?!"', []),
        ("nowhere dogs", []),
        ("?!", []),
        ("' OR 1=1 --", []),
    ],
)
def test_words_of_every_text(project: Project, text: str, found: list[int]) -> None:
    assert numbers(project, text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "status:wrong status:kept",
        "split:test steps>4",
        "dogs",
        "counting status:kept",
        "steps:0-5 review:pending",
        "-status:wrong -dogs",
        '"where is" rationale:faithful',
        "meta.weather:sun",
    ],
)
def test_each_count_is_what_choosing_it_would_show(project: Project, text: str) -> None:
    for facet in project.browse_facets(text):
        query = parse_query(text)
        without = query.excluded and replace(query.excluded, picked=())
        rest = str(
            replace(
                query,
                picked=tuple(pick for pick in query.picked if pick[0] != facet.name),
                excluded=query.excluded if facet.name != "status" else without,
            )
        )
        for value in facet.values:
            asked = parse_query(rest).with_token(value.token)
            assert project.browse_total(asked) == value.count, (facet.name, value)
            assert value.picked == (value.value in parse_query(text).values(facet.name))
        if facet.name in (
            "status",
            "source",
            "split",
            "family",
            "type",
            "match",
            "student",
            "review",
        ):
            assert sum(value.count for value in facet.values) == project.browse_total(rest), (
                facet.name
            )
    assert list(BUCKETS["steps"][:2]) == [
        v.value for f in project.browse_facets() if f.name == "steps" for v in f.values
    ]


def test_times_are_work_and_what_was_waited_stands_apart(tmp_path: Path) -> None:
    with Project.open(empty_project(tmp_path)) as project:
        put_in_force(project, K)
        one = loop_records(task(0), K)
        event = TraceEvent(0, "tool_result", 2, 0, {"call": 0, "ok": True, "duration_ms": 250.0})
        derived = replace(one.traces[0], events=(event, *one.traces[0].events[1:]), seconds=2.0)
        timed = [replace(trace, work=0.5, seconds=1.5) for trace in one.traces[1:]]
        project.add_tasks([one.task])
        project.add_programs([replace(program, seconds=0.1) for program in one.programs], 0)
        project.add_traces([derived, *timed])
        ((_, outcome),) = project.browse().rows
        assert [run.seconds for run in outcome.runs] == [0.25, 0.5, 0.5]
        assert [run.waiting for run in outcome.runs] == [1.75, 1.0, 1.0]
        assert outcome.seconds == pytest.approx(1.55)
        assert outcome.waiting == pytest.approx(3.75)
        assert project.browse_total("seconds>1.5 seconds<1.6") == 1


def test_columns_of_ones_own_are_named_and_counted(project: Project) -> None:
    columns = own_columns(project.database)
    assert [(one.key, one.questions) for one in columns] == [("a key", 7), ("n", 7), ("weather", 7)]
    assert columns[0].example == '["t0","all"]'
    text = "split:train -meta.weather:sun"
    (tags, weather) = own_facets(project.database, text, ["a key"])
    assert [(one.value, one.count) for one in tags.values] == [("all", 2), ("t0", 1), ("t2", 1)]
    assert [(one.value, one.count, one.excluded) for one in weather.values] == [
        ("rain", 2, False),
        ("sun", 2, True),
    ]
    for one in tags.values:
        assert project.browse_total(f"{text} {one.token}") == one.count


def test_an_id_in_full_means_itself_alone(tmp_path: Path) -> None:
    with Project.open(empty_project(tmp_path)) as project:
        project.add_tasks([replace(task(0), id=name) for name in ("a/1", "a/10", "a/11")])
        assert project.browse_ids("id:a/1") == ["a/1"]
        assert project.browse_ids("id:a/") == ["a/1", "a/10", "a/11"]
        assert project.browse_ids("-id:a/1") == ["a/10", "a/11"]


def test_a_page_is_reached_by_its_number(project: Project) -> None:
    pages = [project.browse(sort="-steps", limit=3, before=3 * at) for at in range(4)]
    ids = [task.id for page in pages for task, _ in page.rows]
    assert ids == project.browse_ids(sort="-steps")
    assert [page.next is None for page in pages] == [False, False, True, True]
    after = project.browse(sort="-steps", limit=2, after=pages[0].next, before=1)
    assert [task.id for task, _ in after.rows] == ids[4:6]


def test_wrong_orders_and_places_are_refused(project: Project) -> None:
    with pytest.raises(InputError, match="no order is called 'best'; there are: import, newest"):
        project.browse(sort="best")
    for place in ("", "xx", "WzFd", "eyJhIjogMX0="):
        with pytest.raises(InputError, match="this is no place in a list"):
            project.browse(after=place)


def test_a_review_is_seen_at_once(tmp_path: Path) -> None:
    with Project.open(empty_project(tmp_path)) as project:
        put_in_force(project, K)
        made = [loop_records(task(at), K) for at in range(3)]
        for one in made:
            one.write(project)
        assert project.browse_total("review:pending reviewer:none") == 3
        kept = made[1].traces[1]
        project.curation.decide(
            [
                Decision(
                    "test-00000001",
                    "accept",
                    "ann",
                    "curator",
                    task_id=kept.task_id,
                    trace_id=kept.id,
                )
            ]
        )
        assert (
            project.browse_ids("review:accepted")
            == project.browse_ids("reviewer:ann")
            == [kept.task_id]
        )
        assert project.browse_total("review:pending") == project.browse_total("reviewer:none") == 2
        ((_, outcome),) = project.browse("reviewer:ann").rows
        assert (outcome.review, outcome.reviewers) == ("accepted", ("ann",))
        counts = {f.name: {v.value: v.count for v in f.values} for f in project.browse_facets()}
        assert counts["review"] == {"pending": 2, "accepted": 1}
        assert counts["reviewer"] == {"ann": 1}
        assert {step.name: step.tasks for step in figures.funnel(project.database)}["accepted"] == 1


def test_a_list_never_reads_events(project: Project) -> None:
    """Events are most of a store; a page that touched them would be slow in proportion to the runs'
    length.
    """
    asked: list[str] = []

    class Watched:
        path, read_only = project.database.path, project.database.read_only

        def rows(self, sql: str, parameters: object = None) -> object:
            asked.append(sql)
            return project.database.rows(sql, parameters)  # type: ignore[arg-type]

    browse.browse(Watched(), "dogs status:kept", "steps", None, 5)  # type: ignore[arg-type]
    facets.facets(Watched(), "dogs")  # type: ignore[arg-type]
    assert asked
    assert not any("events" in sql or "FROM program" in sql for sql in asked)


def test_views_are_saved_replaced_and_forgotten(tmp_path: Path) -> None:
    with Project.open(empty_project(tmp_path)) as project:
        save_view(project.database, "b dogs", "dog   status:wrong", "-steps", "ann")
        save_view(project.database, "A first", "", "import", "ann")
        save_view(project.database, "b dogs", "cat", "newest", "bob")
        assert [(v.name, v.text, v.sort, v.author) for v in saved_views(project.database)] == [
            ("A first", "", "import", "ann"),
            ("b dogs", "cat", "newest", "bob"),
        ]
        for name, text, sort in (
            ("", "dog", "import"),
            ("x", "status:no", "import"),
            ("x", "dog", "best"),
        ):
            with pytest.raises(InputError):
                save_view(project.database, name, text, sort, "ann")
        delete_view(project.database, "A first")
        delete_view(project.database, "A first")
        assert [v.name for v in saved_views(project.database)] == ["b dogs"]


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Questions of every type, each answered in its own spelling."""
    folder = tmp_path_factory.mktemp("answers")
    questions: list[tuple[AnswerType, tuple[str, ...], str]] = [
        ("integer", (), "three dogs"),
        ("integer", (), "3.0"),
        ("yesno", (), "True"),
        ("choice", ("A red dog", "Three"), "B"),
        ("choice", ("Three", "A red dog"), "It is a red dog."),
        ("phrase", (), "The  red dog!"),
        ("open", (), "Three"),
    ]
    with Project.open(empty_project(folder)) as project:
        put_in_force(project, 2)
        for at, (answer_type, choices, answer) in enumerate(questions):
            question = replace(
                task(at, "What is it?", ("9",)), answer_type=answer_type, choices=choices
            )
            records = loop_records(question, 2)
            project.add_tasks([question])
            project.add_programs(records.programs, 0)
            failed, trace = records.traces
            project.add_traces([failed, replace(trace, answer=answer)])
            project.add_verdicts([records.verdicts])
        yield project


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("answer:3", [0, 1, 3, 6]),
        ("answer:three", [0, 1, 3, 6]),
        ('answer:"3 dogs"', [0, 1, 3]),
        ("answer:yes", [2]),
        ("answer:TRUE", [2]),
        ("answer:B", [3, 4]),
        ("answer:a", []),
        ('answer:"(b)" answer:yes', [2, 3, 4]),
        ('answer:"a red dog"', [4, 5]),
        ('answer:"the red dog"', [4, 5]),
        ('answer:"is it a red dog"', [4]),
        ('answer:"three or a red dog"', [0, 1]),
        ("answer:dog", []),
        ("answer:3 What", [0, 1, 3, 6]),
        ("answer:no", []),
    ],
)
def test_an_answer_is_found_by_what_it_means(
    answered: Project, text: str, places: list[int]
) -> None:
    assert numbers(answered, text) == places
    types = next(facet for facet in answered.browse_facets(text) if facet.name == "source")
    assert sum(value.count for value in types.values) == len(places)
    for at in places:
        question = answered.task_view(task(at).id).task
        run = answered.task_view(question.id).chosen
        assert run is not None
        assert run.trace is not None
        assert run.trace.answer is not None
        spellings = [value for name, value in parse_query(text).picked if name == "answer"]
        forms = {canonical(spelling, question) for spelling in spellings}
        assert canonical(run.trace.answer, question) in forms


def test_evidence_and_rationales_can_be_searched(project: Project) -> None:
    # these programs return a number without looking, and have no rationale
    assert numbers(project, "evidence:none") == [0, 1, 5]
    assert numbers(project, "evidence:count") == []
    assert numbers(project, "rationale:none") == [0, 1, 5]
    assert numbers(project, "rationale:bare") == []
    (facet,) = [one for one in project.browse_facets() if one.name == "evidence"]
    assert [(value.value, value.count) for value in facet.values] == [("none", 3)]
    with pytest.raises(InputError, match="no evidence is called 'proof'; there are: comparison"):
        parse_query("evidence:proof")
