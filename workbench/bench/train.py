"""`vpd bench train`: lessons a second of our trainer beside others, on one machine in one run.

Ours, transformers' Trainer and, where it is installed, TRL's SFTTrainer teach the same lessons of
the bundled collages with adapters: the student that ships, and a tiny Qwen3-VL with random weights,
whose step costs little but the work around it.  TRL teaches the second alone: its collator knows
no processor that looks at pictures by a detector.  The losses before and after say whether they
taught alike.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from workbench.bench.figure import Figure, bench_parser, print_figures
from workbench.bench.train_contenders import (
    Course,
    measure_ours,
    measure_transformers,
    measure_trl,
)
from workbench.bench.train_models import make_snapshot, make_student, texts_of
from workbench.records import JSON

Measured = dict[str, JSON]

STUDENTS = ("bundled student", "tiny Qwen3-VL")
PICTURES = 48
"""Of the course; steps beyond them begin anew."""
BATCH = 4
"""Examples of a step, each with a label and a rationale."""


def _figures(student: str, course: Course, with_trl: bool) -> Iterator[Figure]:
    ways: dict[str, Callable[[], Measured]] = {
        "ours": lambda: measure_ours(course, precision="fp32"),
        "transformers' Trainer": lambda: measure_transformers(course),
    }
    if with_trl:
        ways["TRL's SFTTrainer"] = lambda: measure_trl(course)
    ours = math.nan
    for name, way in ways.items():
        with contextlib.redirect_stdout(sys.stderr):  # trainers print; the figures stand alone
            row = way()
        speed = float(str(row["lessons_per_s"]))
        if name == "ours":
            ours = speed
        ratio = "" if name == "ours" else f"ours is {ours / speed:.2f} times as quick, "
        note = (
            f"{ratio}{row['steps']} steps, loss {float(str(row['loss_before'])):.4f} to "
            f"{float(str(row['loss_after'])):.4f}"
        )
        yield Figure(f"{student}: {name}", speed, "lessons/s", note=note)


def bench_train(steps: int, folder: Path, students: Sequence[str] = STUDENTS) -> Iterator[Figure]:
    """Measure the trainers.

    Args:
        steps: of each; two more warm it up.
        folder: for what they write.
        students: of `STUDENTS`.
    """
    snapshot = make_snapshot(folder / "snapshots", PICTURES)
    has_trl = all(importlib.util.find_spec(name) for name in ("trl", "datasets"))
    for name in students:
        is_ours = name == STUDENTS[0]
        texts = texts_of(snapshot)
        path = "bundled" if is_ours else make_student("qwen3_vl", folder / "tiny", texts, tiny=True)
        course = Course(snapshot, path, folder / "jobs", BATCH, 2, steps, math.inf)
        yield from _figures(name, course, has_trl and not is_ours)
        if not (is_ours or has_trl):
            note = "left out: pip install 'trl>=1.16' datasets"
            yield Figure(f"{name}: TRL's SFTTrainer", math.nan, "lessons/s", note=note)


def main(args: list[str]) -> None:
    """Print the figures of `bench_train`."""
    parser = bench_parser("train", "Measure our trainer beside transformers' and TRL's.")
    parser.add_argument("--steps", type=int, default=6, help="measured steps of each trainer")
    parser.add_argument("--student", choices=STUDENTS, help="one student alone")
    options = parser.parse_args(args)
    if options.steps < 1:
        parser.error("--steps must be at least 1")
    with tempfile.TemporaryDirectory(prefix="vpd-bench-train-") as folder:
        students = [options.student] if options.student else STUDENTS
        print_figures(bench_train(options.steps, Path(folder), students), options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
