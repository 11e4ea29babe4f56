"""The program is found in whatever a model says around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.sample.extract import extract_program, is_complete

PROGRAM = (
    "def execute_command(image):\n    patch = ImagePatch(image)\n    return formatting_answer(1)\n"
)


@pytest.mark.parametrize(
    "text",
    [
        PROGRAM,
        f"```python\n{PROGRAM}```",
        f"Sure! Here is the function:\n\n```py\n{PROGRAM}```\nIt counts the dogs.",
        f"Here it is:\n{PROGRAM}\nThis function counts.",
        f"~~~\n{PROGRAM}~~~",
        f"First idea:\n```\nx = 1\n```\nBetter:\n```python\n{PROGRAM}```",
        PROGRAM.replace("\n", "\r\n"),
        f"{PROGRAM}\n# Another question?\ndef execute_command(image):\n    return 2",
        f"To solve this, we define a function.\n\n{PROGRAM}",
    ],
)
def test_only_the_function_is_left(text):
    assert extract_program(text) == PROGRAM


def test_helpers_and_imports_before_the_function_are_kept():
    helped = f"import math\n\ndef area(p):\n    return p.width * p.height\n\n{PROGRAM}"
    assert extract_program(f"```python\n{helped}```") == helped


def test_blank_lines_and_closing_brackets_do_not_end_the_function():
    program = "def execute_command(image):\n    x = [\n        1,\n]\n\n    return formatting_answer(x[0])\n"
    assert extract_program(program.replace("\n]", "\n)")).count("return") == 1


def test_what_is_no_program_is_handed_on_as_it_is():
    assert extract_program("  I cannot see pictures. ") == "I cannot see pictures.\n"


@given(st.text(max_size=500))
def test_any_text_gives_text_ending_in_one_newline(text):
    source = extract_program(text)
    assert source.endswith("\n")
    assert not source.endswith("\n\n")


def test_extracting_twice_changes_nothing():
    once = extract_program(f"Well:\n```python\n{PROGRAM}```")
    assert extract_program(once) == once


def test_a_completion_has_ended_at_a_fence_or_at_the_margin():
    assert not is_complete("\n    patch = ImagePatch(image)\n    x = 1\n")
    assert is_complete("\n    return 1\n```")
    assert is_complete("\n    return 1\n\n# Next question")
