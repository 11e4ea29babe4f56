"""What a sampler's prompt holds, and what hostile questions cannot do to it."""

import ast
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api import STANDARD, Api
from workbench.records import Failure, PartRef, Program, Task, Trace, TraceEvent
from workbench.sample.again import (
    LONGEST_PROGRAM,
    STEPS,
    account,
    as_question,
    child_of,
)
from workbench.sample.examples import EXAMPLES, WorkedExample, callable_with, retrieve
from workbench.sample.prompt import (
    HEADER,
    LONGEST_QUESTION,
    SEVERAL,
    SEVERAL_HEADER,
    Prompts,
    compact_own,
    one_line,
    question_line,
    too_long,
)
from workbench.sample.seeds import again_seed

SPECS = tuple(
    STANDARD[name] for name in ("find", "exists", "visual_question_answering", "llm_query")
)


def a_task(question, choices=()):
    return Task("t/0", "test", "test", "0" * 64, question, choices=choices)


@given(st.text(max_size=3000))
def test_a_question_is_one_whole_line(text):
    line = one_line(text)
    assert line.replace(" ", "") == "".join(c for c in text if c.isprintable() and c != " ")
    assert len(line.splitlines()) <= 1
    assert all(character.isprintable() for character in line)


@given(st.text(max_size=300), st.lists(st.text(max_size=200), max_size=40))
def test_whatever_a_question_says_the_prompt_ends_in_a_comment_and_the_header(question, choices):
    own = compact_own(question, choices)
    lines = own.split("\n")
    assert len(lines) == 3
    assert lines[0] == ""
    assert lines[1].startswith("# ")
    assert lines[2] == HEADER
    ast.parse(own + "\n    pass")


def test_no_long_question_is_cut_and_one_that_is_too_long_is_told():
    question = "why " * 1000 + "END"
    assert question in compact_own(question)
    assert too_long(a_task(question)) == ""
    assert "8003 characters" in too_long(a_task("x" * LONGEST_QUESTION + "END"))
    options = tuple(f"{i}" + "o" * 200 for i in range(30))
    assert all(option in question_line("Which?", options) for option in options)
    assert too_long(a_task("Which?", options * 2))


def test_options_stand_behind_the_question():
    assert question_line("Which?", ("a dog", "a cat")) == "Which? Options: a dog, a cat."


def test_the_full_prompt_has_api_guidelines_examples_and_question_in_this_order():
    prompt = Prompts(SPECS, "full", shots=2)(a_task("How many chairs are wooden?"))
    places = [
        prompt.text.index(part)
        for part in ("class ImagePatch", "Write one Python function", "\n# How many chairs")
    ]
    assert places == sorted(places)
    assert prompt.text.endswith(f"# How many chairs are wooden?\n{HEADER}")
    assert prompt.own.count(HEADER) == 3


def test_the_full_prompt_names_the_published_functions_that_are_not_there():
    assert "no `best_image_match`" in Prompts(SPECS, "full").shared
    assert "no `compute_depth` and no" in Prompts(SPECS, "full").shared
    assert "There is no" not in Prompts(tuple(STANDARD.values()), "full").shared


def test_the_compact_prompt_is_the_api_and_the_question_alone():
    prompt = Prompts(SPECS, "compact")(a_task("Is there a dog?"))
    assert prompt.shared == Api(SPECS).prompt("compact")
    assert prompt.own == f"\n# Is there a dog?\n{HEADER}"


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="'compact' or 'full'"):
        Prompts(SPECS, "long")


def test_a_prompt_made_of_other_tools_or_examples_has_another_version():
    versions = {
        Prompts(SPECS, "full").version,
        Prompts(SPECS[:2], "full").version,
        Prompts(SPECS, "full", 1).version,
    }
    assert len(versions) == 3


def test_examples_of_missing_tools_are_not_shown():
    prompt = Prompts(SPECS[:1], "full", shots=len(EXAMPLES))(a_task("How many?"))
    assert "visual_question_answering(" not in prompt.own
    assert "llm_query(" not in prompt.own
    assert callable_with([WorkedExample("q", "x.finder()")], ["find"])


def test_the_example_closest_to_the_question_comes_last():
    assert (
        retrieve("Are there more dogs than cats?", 3)[-1].question
        == "Are there more boats than buoys?"
    )
    assert (
        retrieve("What is written on the wall?", 3)[-1].question == "What is written on the sign?"
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.question[:30])
def test_examples_use_the_api_alone(example):
    api = Api(STANDARD.values())
    tree = ast.parse(example.program)
    bound = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {argument.arg for argument in ast.walk(tree) if isinstance(argument, ast.arg)}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound
    assert read <= api.names | {"len", "min", "max", "print"}
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and hasattr(node.func, "attr")
    }
    assert called <= api.methods | {"lower", "expand_patch_with_surrounding"}


def an_attempt(source, failure=None, answer=None, events=()):
    program = Program("p", "t/0", 2, source, 0.0, 1, 7, PartRef("sampler", "s"))
    executor = PartRef("executor", "e")
    trace = Trace("r", "p", "t/0", answer, failure, tuple(events), 1, 0, 0.1, executor)
    return a_task("How many dogs?"), program, trace


@pytest.mark.parametrize("style", ["compact", "full"])
def test_a_program_is_written_again_after_its_question_its_steps_its_line_and_its_error(style):
    source = "def execute_command(image):\n    dogs = []\n    return dogs[0]\n"
    events = (TraceEvent(0, "line", 2, 0, {"changed": {"dogs": {"type": "list", "items": []}}}),)
    failure = Failure("runtime", "IndexError: list index out of range", 3)
    attempt = an_attempt(source, failure, events=events)
    prompts = Prompts(SPECS, style)
    prompt = prompts.again(attempt)
    assert prompt.shared == prompts.shared
    assert prompts(attempt[0]).own.removesuffix(f"# How many dogs?\n{HEADER}") in prompt.own
    expected = (
        f"# How many dogs?\n{source}# When this program ran:\n# line 2: dogs = []\n"
        "# It failed in line 3, runtime: IndexError: list index out of range\n"
        "# Line 3 is: return dogs[0]\n"
        "# The same question again, with a function that answers it:\n"
        f"# How many dogs?\n{HEADER}"
    )
    assert prompt.own.endswith(expected)
    ast.parse(prompt.own + "\n    pass")


@given(st.text(max_size=400), st.text(max_size=400))
def test_whatever_a_failure_says_it_stays_comments(message, answer):
    source = "def execute_command(image):\n    return 1\n"
    for attempt in (
        an_attempt(source, Failure("runtime", message, 2)),
        an_attempt(source, answer=answer),
    ):
        lines = account(*attempt[1:]).splitlines()
        assert all(line.startswith("# ") for line in lines)
        assert as_question(attempt).question.startswith("How many dogs? (An earlier program")


def test_a_long_trace_is_told_by_its_end_and_a_long_program_is_cut_where_it_says_so():
    events = [TraceEvent(i, "print", i + 1, 0, {"text": f"step {i}"}) for i in range(40)]
    attempt = an_attempt("x = 1\n" * 4000, Failure("steps", "too many", 9999), events=events)
    told = account(*attempt[1:])
    assert f"({40 - STEPS} earlier steps are left out)" in told
    assert "'step 39'" in told
    assert "'step 0'" not in told
    own = Prompts(SPECS, "compact").again(attempt).own
    assert "# (the rest of the program is left out)\n" in own
    assert len(own) < LONGEST_PROGRAM + 4000


def test_a_program_that_is_the_same_again_has_an_id_of_its_own():
    _, parent, _ = an_attempt("def execute_command(image):\n    return 1\n")
    child = child_of(parent, parent)
    assert (child.parent, child.index, child.source) == (parent.id, 2, parent.source)
    assert child.id != parent.id
    assert again_seed(parent, 0) != again_seed(child, 0) != again_seed(child, 1)


PAIR = replace(a_task("Are both red?"), more_images=("1" * 64,))


@pytest.mark.parametrize("style", ["compact", "full"])
def test_several_pictures_are_told_of_where_there_are_several(style):
    prompts = Prompts(SPECS, style)
    own = prompts(PAIR).own
    assert own.endswith(f"# Are both red?\n{SEVERAL.format(number=2)}{SEVERAL_HEADER}")
    assert (SEVERAL_HEADER in own.removesuffix(SEVERAL_HEADER)) == (style == "full")
    assert "images" not in prompts(replace(PAIR, more_images=())).text


def test_a_program_about_several_pictures_is_asked_for_again_as_one():
    failure = Failure("runtime", "ZeroDivisionError: division by zero", 2)
    _, *run = an_attempt("def execute_command(images):\n    1 / 0\n", failure)
    prompt = Prompts(SPECS).again((PAIR, *run))
    end = f"# Are both red?\n{SEVERAL.format(number=2)}{SEVERAL_HEADER}"
    assert prompt.own.endswith(f"with a function that answers it:\n{end}")
    assert prompt.header == SEVERAL_HEADER
