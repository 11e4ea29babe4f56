"""How well a program writer reads questions: figures for the log, with tools that are always right.

    python -m workbench.making.measure_writer --split val --questions 40

The questions are bundled ones, taken evenly from all families.  Programs run with exact tools, so
that the figures are the writer's own; a run that exact tools leave undecided counts as wrong.
`whole` is the share of programs that hand the whole question to a model, `fails` that of programs
that end in an error of their own, `first` is pass@1 of the first program of each question alone,
which is a plain draw or, with --greedy-first, the likeliest token by token, `likeliest` that of the
program with the highest mean log-probability, and pass@1 the mean over all k programs, those drawn
again included.  `distinct` counts programs whose outlines differ, and
`processor seconds` are those of sampling, a question.
"""

from __future__ import annotations

import argparse
import ast
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from workbench.api import STANDARD
from workbench.evaluate.wrong_reasons.exact_tools import right, run_exactly, scene_of, undecided
from workbench.making.program_writer import USUAL
from workbench.parsing import parse
from workbench.records import Program, Task, Trace
from workbench.sample.local import TransformersSampler
from workbench.sample.outline import outline
from workbench.tasks.bundled import Collages

_MODELS = {"visual_question_answering", "best_text_match", "image_caption", "llm_query"}
_LOOPS = (ast.For, ast.While, ast.comprehension)


@dataclass(frozen=True, slots=True)
class Tried:
    """One program of a question, and how it went."""

    right: bool
    whole: bool
    """Whether it hands the whole question to a model."""
    fails: bool
    """Whether it ends in an error that is its own."""
    outline: str
    draws: int
    score: float
    """Mean log-probability per token."""


def evenly(tasks: Iterable[Task], number: int) -> list[Task]:
    """At most so many tasks, spread over families and, in each, from its first to its last."""
    rows = sorted(tasks, key=lambda task: (task.family, task.id))
    step = max(len(rows) / number, 1.0)
    return [rows[int(place * step)] for place in range(min(number, len(rows)))]


def figures(questions: Sequence[Sequence[Tried]]) -> dict[str, float]:
    """Shares and means over some questions, each with its programs.

    Args:
        questions: at least one, with k programs each.
    """
    count, k = len(questions), len(questions[0])
    programs = [one for tried in questions for one in tried]
    outlines = [len({one.outline for one in tried}) for tried in questions]
    return {
        "questions": count,
        "first": sum(tried[0].right for tried in questions) / count,
        "likeliest": sum(_likeliest(tried).right for tried in questions) / count,
        "pass@1": _mean(programs, "right"),
        f"pass@{k}": sum(any(one.right for one in tried) for tried in questions) / count,
        "whole": _mean(programs, "whole"),
        "fails": _mean(programs, "fails"),
        "all whole": sum(all(one.whole for one in tried) for tried in questions) / count,
        "distinct": sum(outlines) / count,
        "all equal": sum(number == 1 for number in outlines) / count,
        "draws": sum(one.draws for one in programs) / count,
    }


def _mean(programs: Sequence[Tried], name: str) -> float:
    return float(sum(getattr(one, name) for one in programs) / len(programs))


def _likeliest(tried: Sequence[Tried]) -> Tried:
    return max(tried, key=lambda one: one.score)


def hands_over(source: str) -> bool:
    """Whether a program asks a model, looks for nothing, and goes through nothing one by one."""
    try:
        nodes = list(ast.walk(parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    calls = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in nodes
        if isinstance(node, ast.Call)
    }
    loops = any(isinstance(node, _LOOPS) for node in nodes)
    return bool(calls & _MODELS) and not calls & {"find", "exists"} and not loops


def measure(
    programs: Iterable[Program], tasks: Sequence[Task], k: int
) -> Iterator[tuple[Task, list[Tried]]]:
    """Each question with its k programs, tried with exact tools.

    Args:
        programs: of the questions, in their order.
        tasks: bundled questions, with their scenes as pictures.
        k: programs for each question.
    """
    scenes = {task.image: scene for task in tasks if (scene := scene_of(task)) is not None}
    rest = iter(programs)
    for task in tasks:
        rows = [(task, program) for program in islice(rest, k)]
        yield task, [_tried(row, trace) for row, trace in zip(rows, run_exactly(rows, scenes))]


def _tried(row: tuple[Task, Program], trace: Trace) -> Tried:
    task, program = row
    return Tried(
        right(task, trace) and not undecided(trace),
        hands_over(program.source),
        trace.failure is not None and not undecided(trace),
        outline(program.source),
        program.draws,
        program.score,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures as JSON, and those of each family."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="val", choices=("train", "val", "test"))
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--k", type=int, default=5)
    parser.add_argument("--adapter", default="bundled", help="`bundled` or a folder")
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--redraws", type=int, default=0)
    parser.add_argument("--greedy-first", action="store_true", help="do not draw the first one")
    parser.add_argument("--int8", action="store_true", help="multiply in whole numbers")
    options = parser.parse_args(arguments)
    sampler = TransformersSampler(
        [STANDARD[name] for name in USUAL],
        adapter=options.adapter,
        temperature=options.temperature,
        top_p=options.top_p,
        redraws=options.redraws,
        greedy_first=options.greedy_first,
        int8=options.int8,
    )
    tasks = [
        replace(task, image=task.meta["scene"])
        for task in evenly(Collages().tasks(options.split), options.questions)
    ]
    sampler.warm()
    start = time.process_time()
    programs = list(sampler.sample(tasks, options.k, seed=0))
    seconds = (time.process_time() - start) / len(tasks)
    families: dict[str, list[list[Tried]]] = defaultdict(list)
    for task, tries in measure(programs, tasks, options.k):
        families[task.family].append(tries)
    every = [tries for group in families.values() for tries in group]
    lookable = [
        tries for family, group in families.items() if family != "knowledge" for tries in group
    ]
    table = {"all": every, "all but knowledge": lookable, **families}
    by_family = {
        name: {key: round(value, 3) for key, value in figures(group).items()}
        for name, group in table.items()
        if group
    }
    print(json.dumps({"processor seconds": round(seconds, 3), **by_family}, indent=1))


if __name__ == "__main__":
    main()
