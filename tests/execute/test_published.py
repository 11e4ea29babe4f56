"""Programs of the published style run, and give what CPython gives: the answer, the print-outs, the
calls.
"""

from __future__ import annotations

import pytest
from programs import PROGRAMS
from reference import run_in_python
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.execute import Executor
from workbench.records import Trace


def printed(trace: Trace) -> str:
    return "".join(e.payload["text"] + "\n" for e in trace.events if e.kind == "print")


def calls_of(trace: Trace) -> list[tuple[object, ...]]:
    return [
        (e.payload["tool"], e.payload["receiver"], e.payload["arguments"])
        for e in trace.events
        if e.kind == "tool"
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_published_style(executor: Executor, name: str) -> None:
    from workbench.events import summary

    source = PROGRAMS[name]
    reference = source
    if "def execute_command" not in source:
        reference = "def execute_command(image):\n" + "".join(
            f"    {line}\n" for line in source.splitlines()
        )
    reference = "\n".join(
        line
        for line in reference.splitlines()
        if not line.startswith("from image_patch") and "PIL" not in line
    )
    expected = run_in_python(reference)
    trace = next(executor.run([(a_task(), a_program(source))]))
    assert trace.failure is None, trace.failure
    assert expected.error is None
    assert trace.answer == expected.answer
    assert printed(trace) == expected.printed
    assert calls_of(trace) == [
        (
            c.tool,
            summary(c.arguments["patch"]) if "patch" in c.arguments else None,
            {k: summary(v) for k, v in c.arguments.items() if k != "patch"},
        )
        for c in expected.calls
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ImagePatch(image).compute_depth()", "has no attribute 'compute_depth'"),
        ("best_image_match([ImagePatch(image)], ['a'])", "name 'best_image_match' is not defined"),
    ],
)
def test_a_published_function_that_a_profile_lacks_is_named(line: str, message: str) -> None:
    """The prompt says so as well (tests/sample/test_prompt.py)."""
    absent = ("compute_depth", "best_image_match")
    tools = [tool for tool in all_tools() if tool.spec.name not in absent]
    source = f"def execute_command(image):\n    return {line}\n"
    with Executor(tools, OnePicture()) as executor:
        (trace,) = executor.run([(a_task(), a_program(source))])
    assert trace.failure is not None
    assert (trace.failure.kind, trace.failure.line) == ("runtime", 2)
    assert message in trace.failure.message
