"""Regular expressions: as Python has them, or refused with the line."""

from __future__ import annotations

import re
from random import Random

import pytest
from generate_regular import regular_program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_differential import compare
from test_same_as_python import printed, run

from workbench.execute import Executor
from workbench.execute.language.regular import Unreadable, answer, expression, template

pytestmark = pytest.mark.filterwarnings("ignore:Possible:FutureWarning")

VALUES = [
    r"re.sub(r'([a-z])([A-Z])', r'\1_\2', 'redCube leftOfBall')",
    r"re.sub(r'(\d+)', r'\1px', 'box 12 by 30')",
    r"re.sub(r'(\w)', r'\1é', 'ab')",
    r"re.sub(r'(a)', r'[\1]x\1y', 'banana')",
    r"re.sub(r'(?P<n>\d)', r'\g<n>0', 'a1b2')",
    r"re.sub(r', *', r'\n', 'cat, dog,cow'), re.sub(r' ', r'\t', 'a b')",
    r"re.sub(r'a', r'\\', 'cat'), re.sub(r'a', r'\a', 'cat'), re.sub(r'a', r'\0', 'cat')",
    r"re.sub(r'(a)(b)?', r'\1-\2', 'a ab'), re.sub(r'a', '$1 ${1} $$', 'cat')",
    r"re.search(r'(a)|(b)', 'b').groups('none'), re.search(r'(?P<x>a)|(b)', 'b').groupdict('none')",
    r"re.findall(r'[a&&b]', 'a&b'), re.findall(r'[[a]', '[a'), re.findall(r'a{,2}b', 'aab b')",
    r"re.search(r'a$', 'a\n').span(), re.findall('(?m)^b?a$', 'a\nba'), re.search(r'a\Z', 'a\n'), re.fullmatch(r'\w+', 'x²')",
    r"re.findall(r'\bcafe\b', 'cafe\u0301 cafe'), re.split(r'\s', 'a\x1cb\u2028c')",
    r"re.subn(r'(\w)o', lambda m: m[1].upper(), 'go to', count=1), re.escape('a.b [c] d-e é_')",
    r"re.compile(r'(\d+) (cats|dogs)', re.I).search('3 Cats').groups()",
    r"re.compile(r'a', re.I | re.M), dict(re.compile('a(?P<n>b)').groupindex), re.compile('(a)(b)').groups",
    r"[m.group() for m in re.compile(r'\d').finditer('a1b22')], next(re.finditer('a', 'ba')).start()",
    r"re.split(re.compile(', ?'), 'a, b,c', maxsplit=1), re.compile('a').sub('b', 'aa', 1)",
    r"sorted(['b10', 'a9'], key=lambda s: int(re.search(r'\d+', s).group()))",
    r"list(map(re.escape, ['a.b'])), max(['a1', 'b'], key=lambda s: len(re.findall('[a-z]', s)))",
    r"re.search(f'{len([1, 2])}|{re.escape(str(0.5))}', '0.5').group()",
]  # fmt: skip


@pytest.mark.parametrize("expression", VALUES)
def test_values_are_pythons(executor: Executor, expression: str) -> None:
    value = eval(expression, {"re": re})
    assert printed(run(executor, f"print(repr(({expression})))")) == f"{value!r}\n"


ERRORS = [
    (r"re.sub(r'a', r'\1', 'cat')", "invalid group reference 1 at position 1"),
    (r"re.sub(r'(a)', r'\10', 'cat')", "invalid group reference 10 at position 1"),
    (r"re.sub(r'a', r'\d', 'xyz')", r"bad escape \d at position 0"),
    (r"re.findall(r'a{2}{3}', 'aaaaaa')", "multiple repeat at position 4"),
    (r"re.findall(r'(a)?*', 'aa')", "multiple repeat at position 4"),
    (r"re.search(r'[0-9]+{2,}', '12')", "multiple repeat at position 6"),
    (r"re.search(r'(?<n>a)', 'a')", "unknown extension ?<n at position 1"),
    (r"re.search('(', 'a')", "missing ), unterminated subpattern at position 0"),
    (r"re.search(r'(?<=a+)b', 'ab')", "look-behind requires fixed-width pattern"),
    (r"re.search(r'\z', 'ab')", r"bad escape \z at position 0"),
    (r"re.sub('a', r'\g<x>', 'cat')", "unknown group name 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "text"), ERRORS)
def test_what_python_refuses_is_its_error(executor: Executor, expression: str, text: str) -> None:
    body = f"try:\n    print({expression})\nexcept (re.error, IndexError) as e:\n    print(e)"
    assert printed(run(executor, body)) == text + "\n"


def test_the_functions_may_be_imported_by_name(executor: Executor) -> None:
    body = "from re import sub as put, findall, IGNORECASE\nprint(put('(a)', r'<\\1>', 'bab'), findall('A', 'a', IGNORECASE))"
    assert printed(run(executor, body)) == "b<a>b ['a']\n"


def test_a_replacement_may_call_a_tool(executor: Executor) -> None:
    trace = run(
        executor,
        "print(re.compile('(a)').sub(lambda m: 'x' if p.exists(m.group(1)) else 'y', 'bab'))",
    )
    assert printed(trace) in ("bxb\n", "byb\n")
    assert [event.payload["tool"] for event in trace.events if event.kind == "tool"] == ["exists"]


@settings(
    max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.15, 0.5]))
def test_random_calls_mean_what_python_means(executor: Executor, seed: int, odd: float) -> None:
    compare(executor, regular_program(Random(seed), odd))


@pytest.mark.slow
def test_many_random_calls(executor: Executor) -> None:
    ended = [compare(executor, regular_program(Random(seed))) for seed in range(10_000)]
    assert ended.count("refused") < 0.15 * len(ended)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.text(alphabet="\\g<>0123479naxé ", max_size=9))
def test_a_replacement_is_read_as_python_reads_it(text: str) -> None:
    pattern = re.compile("(?P<n>a)(b)?")
    try:
        expected: object = pattern.sub(text, "-ab-a-")
    except (re.error, IndexError) as error:
        expected = type(error)
    try:
        parts = template(text, pattern.groups, dict(pattern.groupindex))
        mine: object = pattern.sub(
            lambda m: "".join(p if isinstance(p, str) else m[p] or "" for p in parts), "-ab-a-"
        )
    except (re.error, IndexError) as error:
        mine = type(error)
    assert mine == expected


@pytest.mark.parametrize(
    "pattern", ["(" * 500 + ")" * 500, "a" * 3000, "(" * 1900, "a{5000}", "\ud800", "[" * 900]
)
def test_a_hostile_pattern_is_read_or_refused(pattern: str) -> None:
    try:
        assert expression(pattern, 0).plain
    except (re.error, Unreadable):
        assert answer((pattern, 0, None))[0] in ("error", "refused")


@pytest.mark.parametrize("question", [None, ("a",), (1, 0, None), ("a", "b", None), ("a", 0, 3)])
def test_a_question_of_another_form_is_refused(question: object) -> None:
    assert answer(question)[0] == "refused"
