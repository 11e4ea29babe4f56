"""The program is found in whatever a model says around it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models.thinking import answer_of, unclosed
from workbench.sample.extract import extract_program, is_complete, read_completion, read_reply

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


def test_a_thought_ends_no_completion():
    assert not is_complete("\n<think>\nA dog?\n```python\n")
    assert not is_complete("\n<think>\nA dog?\n</think>\n    return 1\n")
    assert is_complete("\n<think>\nA dog?\n</think>\n    return 1\n```")


REPLIES = json.loads((Path(__file__).parent / "program_replies.json").read_text())


@pytest.mark.parametrize("reply", REPLIES, ids=[reply["name"] for reply in REPLIES])
def test_the_program_is_the_final_one_whatever_stands_around_it(reply):
    wanted = reply["the program that must be run holds"]
    source = read_reply(reply["reply"]).program
    if wanted is None:
        assert source == ""
        return
    names = {}
    exec(source, names)
    assert names["execute_command"](None) in ("final", "red", "a\tb")
    assert wanted.encode().decode("unicode_escape") in source
    assert source == extract_program(source)


@pytest.mark.parametrize(
    ("before", "thinking"),
    [
        ("<think>def execute_command(image): no</think>", None),
        ("so I count\n</think>", None),
        ("<Thinking>a</Thinking>\n<thinking>b</thinking>", None),
        ("[THINK]a[/THINK]", None),
        ("", None),
        ("Well.", ""),
    ],
)
@pytest.mark.parametrize("fence", ["", "```python\n"])
def test_thinking_is_kept_apart(before, thinking, fence):
    reply = read_reply(f"{before}\n\n{fence}{PROGRAM}{'```' if fence else ''}")
    assert (reply.program, reply.thinking) == (PROGRAM, before if thinking is None else thinking)


def test_what_the_server_gives_as_thinking_is_kept_too():
    assert read_reply(PROGRAM, "first I look").thinking == "first I look"


def test_a_thought_without_an_end_is_no_program():
    reply = read_reply(f"<think>\n{PROGRAM}")
    assert reply.program == ""
    assert PROGRAM.strip() in reply.thinking


def test_helpers_and_constants_are_kept_and_calls_of_the_function_are_not():
    helper = "def area(p):\n    return p.width"
    text = f"```python\nLIMIT = 3\n\n{PROGRAM}\n{helper}\n\nprint(execute_command(None))\n```"
    source = extract_program(text)
    assert "LIMIT = 3" in source
    assert helper in source
    assert "print" not in source


@pytest.mark.parametrize(
    "later",
    [
        "Call it so:\n```python\nexecute_command(image)\n```",
        "Or shorter:\n```\ndef execute_command(image): ...return\n```",
        "It prints:\n```\n3\n```",
    ],
)
def test_a_later_block_that_is_no_program_does_not_hide_it(later):
    assert extract_program(f"```python\n{PROGRAM}```\n{later}") == PROGRAM


@pytest.mark.parametrize(
    "piece", ["```\n", "<think>", "x = 1\n", "def a(b):\n", "'''\n", "(" * 50, "~~~a\n```", "é\n"]
)
def test_hostile_replies_are_read_to_their_end(piece):
    program = read_reply((piece * 20_000)[:20_000] + PROGRAM).program
    assert program == "" or program.endswith("\n")


FINAL = "def execute_command(image):\n    thing = ImagePatch(image).find('a')\n    return 'final'\n"
LINES = FINAL.rstrip().split("\n")


@pytest.mark.parametrize(
    "reply",
    [
        "Here:\n\n" + "\n".join(f"    {line}" for line in LINES) + "\n\nIt looks for a.",
        "\n".join(f"> {line}" for line in LINES),
        f">>> {LINES[0]}\n... {LINES[1]}\n... {LINES[2]}\n",
        f"`{FINAL.rstrip()}`",
        f"<pre>{FINAL.replace(chr(39), '&#39;')}</pre>",
        f"{FINAL.replace('final', 'first')}\nWait, that is wrong. Correct is:\n\n{FINAL}",
    ],
    ids=["indented", "quoted", "prompts", "backticks", "html", "corrected"],
)
def test_a_program_without_a_fence_is_taken_from_what_stands_around_it(reply):
    assert read_reply(reply).program == FINAL


def test_behind_a_completion_the_first_program_counts():
    header, body = FINAL.split("\n", 1)
    more = FINAL.replace("final", "another question")
    reply = read_completion(f"{header}\n", f"{body}\nThe next one asks for more.\n{more}")
    assert reply.program == FINAL


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<think>", "</think>"),
        ("<seed:think>", "</seed:think>"),
        ("[THINK]", "[/THINK]"),
        ("◁think▷", "◁/think▷"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("<|channel|>analysis", "<|end|>"),
    ],
)
def test_every_familys_thoughts_are_kept_apart(begin, end):
    thought = f"{begin}It may be yes.\n```python\n{FINAL.replace('final', 'no')}```\n{end}"
    reply = read_reply(f"{thought}\n{FINAL}")
    assert reply.program == FINAL
    assert "It may be yes." in reply.thinking
    assert answer_of(f"{thought} no") == "no"
    assert answer_of(f"{begin}It may be yes") == "", "a thought that was cut off is no answer"
    assert unclosed(f"assistant{begin}") == (begin, end), "what ends a thought has one spelling"
    assert unclosed(thought) == ("", "")
