"""The language of the search box: what it reads, what it refuses, what it finds by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_rows import EXECUTOR

from workbench.errors import InputError
from workbench.records import Failure, Trace, TraceEvent
from workbench.store.reading.search import CLOSED, EMPTY, Comparison, Query, parse_query, token
from workbench.store.records.words import LONGEST, text_of, tools_of


def test_words_choices_and_numbers_are_told_apart() -> None:
    found = parse_query('dog tool:find status:wrong steps>6 seconds<=0.5 answer:"Two Dogs" left of')
    assert found.words == ("dog", "left", "of")
    assert found.picked == (("tool", "find"), ("status", "wrong"), ("answer", "two dogs"))
    assert found.compared == (Comparison("steps", ">", 6.0), Comparison("seconds", "<=", 0.5))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("STATUS:Wrong status:wrong", ("status:wrong",)),
        ("steps:6-10 steps:101- steps:7", ("steps:6-10", "steps:101-", "steps:7-7")),
        ("seconds:0.50-1.0", ("seconds:0.5-1",)),
        ('family:"two words"', ('family:"two words"',)),
        ("steps > 6", ()),
        ('"tool:find"', ()),
        ('family:""', ('family:""',)),
        ('family:"a ""b"" c"', ('family:"a ""b"" c"',)),
        ("x=3 a<b", ()),
        ("-status:Wrong -steps>6", ("-status:wrong", "-steps>6")),
        ('-dog -"two dogs" - cat', ('-"two dogs"', "-dog")),
        ('meta.Weather:Rain meta."a key":"b c"', ("meta.Weather:Rain", 'meta."a key":"b c"')),
        ('META.n>1234567 meta.n:""', ('meta.n:""', "meta.n>1234567")),
    ],
)
def test_tokens_have_one_spelling(text: str, tokens: tuple[str, ...]) -> None:
    assert parse_query(text).tokens == tokens


@pytest.mark.parametrize("name", EMPTY)
@given(value=st.text(max_size=12))
def test_a_facets_value_is_read_back_whatever_it_is(name: str, value: str) -> None:
    assert parse_query(f"dog {token(name, value)} steps>6").picked == ((name, value),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "status:good",
            "no status is called 'good'; there are: kept, agreed, wrong, failed, waiting",
        ),
        (
            "colour:red",
            r"nothing is called 'colour:'; there are status:, .* id:, flag:, rationale:, tag: and, compared with a number, steps",
        ),
        ("steps>many", "'steps>many' needs a number, as in steps>6"),
        ("steps:6-x", "'steps:6-x' needs a number"),
        ("seconds>nan", "'seconds>nan' needs a number"),
        ("family>3", "'family>3': family is not a number; write family:3"),
        ("tool:", "'tool:' lacks its value; write for example tool:NAME"),
        ("family:", "'family:' lacks its value; write for example family:NAME"),
        ('answer:""', "lacks its value; write for example answer:NAME"),
        ('status:""', "lacks its value; write for example status:kept"),
    ],
)
def test_what_cannot_be_read_names_what_can(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_query(text)


def test_a_token_is_added_and_taken_away() -> None:
    asked = parse_query("left dog status:wrong")
    more = asked.with_token("status:failed")
    assert parse_query(more).values("status") == ["failed", "wrong"]
    assert parse_query(more).words == ("left", "dog")
    assert parse_query(more).without_token("status:failed") == "status:wrong left dog"
    assert asked.without_token("tool:find") == str(asked)


def test_words_phrases_and_what_a_minus_refuses_are_told_apart() -> None:
    asked = parse_query('cup "two dogs" -cat -"a red" x"y z" -5')
    assert (asked.words, asked.phrases) == (("cup",), ("two dogs", "xy z"))
    assert asked.excluded == Query(words=("cat", "5"), phrases=("a red",))
    assert asked.without_token("-cat") == '-"a red" -5 "two dogs" "xy z" cup'
    assert asked.with_token("-tool:find").startswith('-tool:find -"a red" -cat -5')
    assert parse_query("-status:wrong").excluded_values("status") == ["wrong"]


values = st.text(min_size=1).map(lambda t: t.replace('"', "").strip()).filter(bool)
words = st.sampled_from(["cup", "x=3", "don't", "a-b", "5", "café", "z."])
picks = st.one_of(
    st.tuples(st.sampled_from(["source", "family", "tool", "reviewer", "id"]), values),
    st.tuples(values.map(lambda key: f"meta.{key}"), st.text()),
    st.sampled_from([(name, value) for name, known in CLOSED.items() for value in known]),
)
numbers = st.builds(
    Comparison,
    st.sampled_from(["steps", "seconds", "right", "meta.n", "meta.a b"]),
    st.sampled_from([">", "<", ">=", "<=", "="]),
    st.integers(-9999, 9999).map(lambda n: n / 4),
)


@given(
    st.lists(words, max_size=3),
    st.lists(values, max_size=3, unique=True),
    st.lists(picks, max_size=4, unique=True),
    st.lists(numbers, max_size=3, unique=True),
)
def test_what_is_written_is_read_back(
    words: list[str],
    phrases: list[str],
    picked: list[tuple[str, str]],
    compared: list[Comparison],
) -> None:
    asked = Query(tuple(words), tuple(picked), tuple(compared), tuple(phrases))
    assert parse_query(str(asked)) == asked
    for without in (asked, Query()):
        both = replace(without, excluded=asked if str(asked) else None)
        assert parse_query(str(both)) == both


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_query(text)
    except InputError:
        return
    assert parse_query(str(found)) == found


def traced(*events: tuple[str, dict[str, object]], failure: Failure | None = None) -> Trace:
    made = tuple(TraceEvent(at, kind, 1, 0, payload) for at, (kind, payload) in enumerate(events))  # type: ignore[arg-type]
    return Trace("t", "p", "task", None if failure else "yes", failure, made, 1, 1, 0.1, EXECUTOR)


def test_a_trace_is_found_by_what_it_printed_and_was_told() -> None:
    patch = {"type": "patch", "box": [0, 0, 1, 1], "label": "kettle", "score": 0.5}
    long = {"type": "str", "length": 2000, "text": "a long caption"}
    trace = traced(
        ("line", {"changed": {"x": "hidden"}}),
        ("print", {"text": "there are three"}),
        (
            "tool_result",
            {"tool": "find", "result": {"type": "list", "length": 1, "items": [patch]}},
        ),
        ("tool_result", {"tool": "llm_query", "result": long}),
        ("tool_result", {"tool": "exists", "result": True}),
    )
    assert text_of(trace).split("\n") == ["yes", "", "there are three", "kettle", "a long caption"]


def test_a_run_that_will_be_repeated_is_not_found() -> None:
    said = ("print", {"text": "half way"})
    assert text_of(traced(said, failure=Failure("infra", "the worker died"))) == ""
    assert "division by zero" in text_of(
        traced(said, failure=Failure("runtime", "division by zero"))
    )


def test_a_talkative_trace_is_cut() -> None:
    trace = traced(*(("print", {"text": f"line {at}"}) for at in range(LONGEST)))
    assert len(text_of(trace)) == LONGEST


def test_the_tools_of_a_trace_are_sorted_and_named_once() -> None:
    calls = [("tool", {"tool": name}) for name in ("find", "exists", "find")]
    assert tools_of(traced(*calls).events) == "|exists|find|"
    assert tools_of(()) == ""
