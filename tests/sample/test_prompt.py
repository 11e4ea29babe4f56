"""What a sampler's prompt holds, and what hostile questions cannot do to it."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.api import STANDARD, Api
from workbench.records import Task
from workbench.sample.examples import EXAMPLES, WorkedExample, callable_with, retrieve
from workbench.sample.prompt import (
    HEADER,
    LONGEST_QUESTION,
    Prompts,
    compact_own,
    one_line,
    question_line,
    too_long,
)

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
