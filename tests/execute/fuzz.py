"""Random programs against CPython: `make fuzz N=COUNT`.

Each number, from `--first` on, is the seed of one program; the generators take turns.  Where the
sandbox differs from CPython, the seed is printed, statements are taken out of the program for as
long as a difference stays, and what is left is written to `tests/execute/differences/`, where
test_fuzz.py runs it from then on.
"""

from __future__ import annotations

import argparse
import ast
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

from against_python import compare_traces
from generate import program
from generate_errors import failing_program
from generate_library import library_program
from generate_regular import regular_program
from generate_wide import wide_program
from test_sets import sets_program
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.execute import Executor, Limits

KEPT = Path(__file__).parent / "differences"
"""Small programs in which the sandbox once differed from CPython."""

GENERATORS: Sequence[Callable[[Random], str]] = (
    program, wide_program, failing_program, regular_program, library_program, sets_program,
)  # fmt: skip
"""What writes a program; the seed's remainder chooses among them."""

AT_ONCE = 240
"""Programs that one call of the executor gets."""


def random_program(seed: int) -> str:
    """The program of a seed."""
    return GENERATORS[seed % len(GENERATORS)](Random(seed))


def fuzz(executor: Executor, seeds: Iterator[int]) -> Iterator[tuple[int, str, str, str]]:
    """Of each seed: the seed, its program, how it ended, and the difference; "" where none is."""
    while numbers := list(islice(seeds, AT_ONCE)):
        sources = [random_program(seed) for seed in numbers]
        traces = executor.run((a_task(), a_program(source)) for source in sources)
        for seed, source, trace in zip(numbers, sources, traces):
            try:
                yield seed, source, compare_traces(trace, source, executor.limits), ""
            except AssertionError as error:
                yield seed, source, "DIFFERENT", str(error).splitlines()[0][:300]


def differs(executor: Executor, source: str) -> bool:
    """Whether a program differs from what CPython makes of it."""
    trace = next(executor.run([(a_task(), a_program(source))]))
    try:
        compare_traces(trace, source, executor.limits)
    except AssertionError:
        return True
    return False


def smaller(source: str, is_wanted: Callable[[str], bool]) -> str:
    """A program with as few statements as keep it wanted.

    Statements are taken out one by one, and compound ones give way to their bodies, until no such
    step leaves a wanted program.
    """
    while True:
        for candidate in _with_less(source):
            if is_wanted(candidate):
                source = candidate
                break
        else:
            return source


def _with_less(source: str) -> Iterator[str]:
    """The programs that one step makes of a program, the shortest steps last."""
    blocks = len(list(_blocks(ast.parse(source))))
    for number in range(blocks):
        for place in range(len(list(_blocks(ast.parse(source)))[number])):
            for keeps_body in (False, True):
                tree = ast.parse(source)
                body = list(_blocks(tree))[number]
                inner = getattr(body[place], "body", None) if keeps_body else []
                if not isinstance(inner, list) or _is_main(body[place]):
                    continue
                body[place : place + 1] = inner
                body[:] = body or [ast.Pass()]
                text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
                if len(text) < len(source):
                    yield text


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                yield block


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "execute_command"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the programs and print how they ended; 1 if one differs."""
    parser = argparse.ArgumentParser(description="Run random programs here and in CPython.")
    parser.add_argument("count", type=int, help="number of programs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args(arguments)
    began, ends = time.perf_counter(), Counter[str]()
    seeds = iter(range(options.first, options.first + options.count))
    with Executor(all_tools(), OnePicture(), Limits(seconds=10.0), hold=8) as executor:
        for seed, source, end, difference in fuzz(executor, seeds):
            ends[end] += 1
            if difference:
                small = smaller(source, lambda text: differs(executor, text))
                KEPT.mkdir(exist_ok=True)
                (KEPT / f"{seed}.py.txt").write_text(small)
                print(f"seed {seed} differs: {difference}\n{small}", flush=True)
    last = options.first + options.count - 1
    print(
        f"seeds {options.first} to {last} on Python {sys.version.split()[0]}, "
        f"{time.perf_counter() - began:.0f} s: {dict(ends.most_common())}"
    )
    return int(ends["DIFFERENT"] > 0)


if __name__ == "__main__":
    sys.exit(main())
