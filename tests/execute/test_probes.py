"""Small pieces of the language, each against CPython: equal value, print-outs and calls, or a named
refusal.
"""

from __future__ import annotations

import warnings

import pytest
from probes import BLOCKS, PROBES, STATEMENTS
from reference import in_new_words, run_in_python
from tools_for_tests import a_program, a_task

from workbench.events import summary
from workbench.execute import Executor
from workbench.records import Trace

IMPORTS = "import math\nimport re\nimport json\nfrom collections import Counter, defaultdict\n"

REFUSED = {
    "ascii('é')", "hash(p)", "getattr('a', 'upper')()", "int('１２')", "int('１')",
    "{1, 2} ^ {2, 3}", "{1, 2}.symmetric_difference([2, 3])",
}  # fmt: skip
"""Probes that are refused by name; any other refusal is a failure of the test."""


def _source(body: str) -> str:
    return (
        IMPORTS
        + "def execute_command(image):\n    p = ImagePatch(image)\n"
        + "".join(f"    {x}\n" for x in body.split("\n"))
    )


CASES = [(e, _source(f"value = {e}\nreturn str(value) + '.'")) for e in PROBES] + [
    (b, _source(b)) for b in STATEMENTS + BLOCKS
]


@pytest.fixture(scope="module")
def traces(executor: Executor) -> dict[str, Trace]:
    jobs = [(a_task(), a_program(source)) for _, source in CASES]
    return {source: trace for (_, source), trace in zip(CASES, executor.run(jobs))}


@pytest.mark.parametrize(("probe", "source"), CASES, ids=[str(i) for i in range(len(CASES))])
def test_means_what_python_means(traces: dict[str, Trace], probe: str, source: str) -> None:
    trace = traces[source]
    if trace.failure is not None and trace.failure.kind in ("unsupported", "source"):
        assert probe in REFUSED or "    def __" in probe, trace.failure
        assert trace.failure.line is not None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        expected = run_in_python(source)
    assert trace.answer == expected.answer, trace.failure
    if expected.error not in (None, "Unfit"):
        assert trace.failure is not None
        error = trace.failure.message.split(":")[0].split(".")[-1]
        assert error.replace("PatternError", "error") == expected.error
    events = [e.payload for e in trace.events if e.kind == "tool"]
    assert [(e["tool"], e["arguments"]) for e in events] == [
        (c.tool, {k: summary(v) for k, v in c.arguments.items() if k != "patch"})
        for c in expected.calls
    ]
    printed = "".join(e.payload["text"] + "\n" for e in trace.events if e.kind == "print")
    assert printed.strip("\n") == in_new_words(expected.printed).strip("\n")
