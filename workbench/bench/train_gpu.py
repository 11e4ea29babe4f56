"""`vpd bench train-gpu`: one script for a GPU, at most eight minutes, from a bare checkout.

    python -m workbench.bench.train_gpu          on one H100 or H200
    python -m workbench.bench.train_gpu --tiny   the same script with tiny models, on a processor

It measures our trainer as it is and with each gain switched on, transformers' Trainer and TRL's
SFTTrainer at their best settings on the same rows, all weights, programs (k = 5, what is shared
read once) against transformers' generate, and detections in batches against one at a time.

Each block's result is written as a line of JSON as soon as there is one: a block that fails is a
line with its reason, and the next one goes on; a block for which no time is left is a line that
says so.  The first line has the predictions below, which were written before any run on a GPU.  An
error of the GPU itself, after which nothing can be computed in a process, fails the rest in the
same words.

Nothing but PyTorch is needed to begin; docs/training.md lists the wheels of the blocks.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from workbench.errors import MissingPart
from workbench.records import JSON

BUDGET = 480.0
"""Seconds of a run."""
RESULTS = "train_gpu.jsonl"
PACKAGES = ("torch", "transformers", "peft", "accelerate", "trl", "datasets", "liger-kernel")
AS_IT_IS = {"workers": 0, "adapter_precision": "fp32"}
FED = {"workers": -2}

PREDICTIONS: Mapping[str, JSON] = {
    "card": "800 TFLOP/s of bfloat16 products on an H100",
    "qwen3_vl, lessons/s": {
        "ours as it is": 25,
        "trl": 70,
        "ours with workers": 80,
        "ours with adapters in 16 bits": 90,
        "ours with shared rows": 140,
        "ours with fast kernels": 155,
    },
    "smolvlm2, lessons/s": {"ours as it is": 4, "trl": 14, "ours with all": 27},
    "all weights": "35 to 45 % of the measured rate of products",
    "detector": "in batches 5 times as many of one size, 1.5 times of mixed sizes",
    "sampling": "at least 2 times generate",
}
"""Written before the first run on a GPU; of one H100, adapters of rank 8, 640x480 pixels."""

GOALS: Mapping[str, float] = {"times_trl": 1.1, "mfu": 0.4, "sampling_times_naive": 2.0}

DEFINITIONS: Mapping[str, JSON] = {
    "lesson": "a label or a rationale of a question, whose loss is the mean over its own targets",
    "mfu": "operations of forward and backward pass that this contender computes in a second, as "
    "torch's FlopCounterMode counts them in one of its steps (frozen weights have no gradient, so "
    "that adapters cost some 4 for each weight and token, not 6), by the measured rate of products "
    "of bfloat16 matrices of 8192 rows",
    "mfu_of_plain": "the same with the operations of ours as it is: what is saved counts as done",
    "loss": "mean over the lessons of four examples, before the first and after the last step",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One measurement."""

    name: str
    seconds: float
    """That it takes on an H100, about: without so many left it is not begun."""
    function: str
    """With its module: what a block needs, and a bare machine may lack, is imported when it begins.
    """
    arguments: Mapping[str, Any] = field(default_factory=dict)


def _student(family: str, name: str, seconds: float, **changes: Any) -> Block:
    return Block(f"{family}: {name}", seconds, "gpu_blocks:ours", {"family": family, **changes})


def _peer(family: str, name: str, seconds: float) -> Block:
    return Block(f"{family}: {name}", seconds, f"gpu_blocks:{name}", {"family": family})


BLOCKS = (
    Block("build qwen3_vl", 25, "gpu_blocks:build", {"family": "qwen3_vl"}),
    _student("qwen3_vl", "ours as it is", 35, **AS_IT_IS),
    _peer("qwen3_vl", "trl", 35),
    _student("qwen3_vl", "ours with adapters in 16 bits", 25, **FED),
    _student("qwen3_vl", "ours with workers", 25, **{**AS_IT_IS, **FED}),
    Block("sampling", 45, "gpu_tools:sampling"),
    Block("detector", 40, "gpu_tools:detector"),
    Block("build smolvlm2", 25, "gpu_blocks:build", {"family": "smolvlm2"}),
    _student("smolvlm2", "ours with adapters in 16 bits", 35, **FED),
    _peer("smolvlm2", "trl", 40),
    _student("qwen3_vl", "all weights", 40, method="full", **FED),
    _peer("qwen3_vl", "transformers", 35),
    _student("smolvlm2", "ours as it is", 45, **AS_IT_IS),
    _peer("smolvlm2", "transformers", 40),
    _student("qwen3_vl", "ours with fast kernels", 30, fast=True, **FED),
    _student("smolvlm2", "ours with fast kernels", 40, fast=True, **FED),
)
"""In the order of their worth, since the last ones may find no time.  Fast kernels come last: they
stay in the classes of transformers, and would make what follows fast as well.
"""


class ResultLines:
    """The lines of a run, in a file and on the screen.

    Args:
        path: the file; lines of earlier runs stay in it.
        screen: gets the same lines.
    """

    def __init__(self, path: Path, screen: TextIO) -> None:
        self._path, self._screen = path, screen
        self.lines: list[dict[str, JSON]] = []

    def add(self, line: Mapping[str, JSON]) -> None:
        """Write a line at once."""
        self.lines.append(dict(line))
        text = json.dumps(line, ensure_ascii=False)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        print(text, file=self._screen, flush=True)

    def figure(self, block: str, name: str) -> float | None:
        """A figure of a block; None where there is none."""
        values = (line.get(name) for line in self.lines if line.get("block") == block)
        return next((float(value) for value in values if isinstance(value, int | float)), None)

    def best(self, beginning: str, name: str) -> float | None:
        """The highest figure of the blocks whose names begin so."""
        blocks = [str(line.get("block")) for line in self.lines]
        values = [self.figure(block, name) for block in blocks if block.startswith(beginning)]
        return max((value for value in values if value is not None), default=None)


def card(tiny: bool) -> dict[str, JSON]:
    """The device, versions, and the rate at which it multiplies matrices.

    Args:
        tiny: whether the matrices are small.
    """
    import torch  # a machine without it gets a line that says so

    cuda = torch.cuda.is_available()
    place = torch.device("cuda" if cuda else "cpu")
    side, times = (512, 3) if tiny else (8192, 20)
    square = torch.randn(side, side, device=place, dtype=torch.bfloat16)
    square @ square
    best = float("inf")
    for _ in range(3):
        _wait(torch)
        began = time.perf_counter()
        for _ in range(times):
            square @ square
        _wait(torch)
        best = min(best, (time.perf_counter() - began) / times)
    return {
        "device": torch.cuda.get_device_name() if cuda else "processor",
        "memory_gib": torch.cuda.get_device_properties(0).total_memory / 2**30 if cuda else None,
        "versions": {name: _version(name) for name in PACKAGES},
        "operations_per_s": 2.0 * side**3 / best,
    }


def _wait(torch: Any) -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _run_block(block: Block, bench: Any) -> dict[str, JSON]:
    """A block's line without its seconds; what goes wrong is its reason."""
    try:
        with redirect_stdout(sys.stderr):  # trainers print; the results stand alone
            module, _, name = block.function.partition(":")
            function = getattr(importlib.import_module(f"workbench.bench.{module}"), name)
            figures = function(bench, **block.arguments)
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed: pip install {error.name}"
        return {"block": block.name, "state": "left out", "reason": reason}
    except MissingPart as error:
        return {"block": block.name, "state": "left out", "reason": str(error)}
    except Exception as error:  # whatever it is, the next block may still tell something
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:600]}"
        return {"block": block.name, "state": "failed", "reason": reason}
    return {"block": block.name, "state": "done", **figures}


def _with_shares(line: dict[str, JSON], results: ResultLines) -> dict[str, JSON]:
    """A trainer's line with its shares of the measured rate of products."""
    own, rate = line.get("operations_per_s"), results.figure("card", "operations_per_s")
    if not isinstance(own, float) or not rate:
        return line
    family = str(line["block"]).partition(":")[0]
    plain = results.figure(f"{family}: ours as it is", "operations_of_a_step")
    shares: dict[str, JSON] = {"mfu": own / rate}
    if plain is not None and "all weights" not in str(line["block"]):
        shares["mfu_of_plain"] = plain / float(str(line["step_s"])) / rate
    return {**line, **shares}


def summary(
    results: ResultLines, families: Iterable[str] = ("qwen3_vl", "smolvlm2")
) -> dict[str, JSON]:
    """What the figures say together, and which goals are met; None where nothing was measured.

    Args:
        results: of all blocks.
        families: of the students.
    """
    out: dict[str, JSON] = {"block": "summary"}
    for family in families:
        ours = results.best(f"{family}: ours", "lessons_per_s")
        for peer in ("trl", "transformers"):
            theirs = results.figure(f"{family}: {peer}", "lessons_per_s")
            out[f"{family}_times_{peer}"] = ours / theirs if ours and theirs else None
        out[f"{family}_mfu"] = results.best(f"{family}: ours", "mfu")
    out["sampling_times_naive"] = results.figure("sampling", "times_naive")
    out["goals"] = {
        name: {"goal": goal, "met": _met(out, name, goal)} for name, goal in GOALS.items()
    }
    return out


def _met(figures: Mapping[str, JSON], name: str, goal: float) -> bool | None:
    values = [value for key, value in figures.items() if key.endswith(name)]
    numbers = [value for value in values if isinstance(value, float)]
    return min(numbers) >= goal if numbers else None


def measure(results: ResultLines, tiny: bool, budget: float, only: Sequence[str]) -> None:
    """Run the blocks, one after the other, as long as there is time.

    Args:
        results: gets a line for each.
        tiny: whether models are tiny.
        budget: seconds of the whole run.
        only: beginnings of the names of blocks; all where empty.
    """
    began = time.monotonic()
    results.add(
        {
            "block": "begin",
            "predictions": dict(PREDICTIONS),
            "definitions": dict(DEFINITIONS),
            "goals": dict(GOALS),
            "tiny": tiny,
            "budget_s": budget,
        }
    )
    folder = Path(tempfile.mkdtemp(prefix="vpd-train-gpu-"))
    try:
        results.add({"block": "card", "state": "done", **card(tiny)})
        bench = importlib.import_module("workbench.bench.gpu_blocks").GpuBench(folder, tiny)
        for block in BLOCKS:
            if only and not block.name.startswith(tuple(only)):
                continue
            left = budget - (time.monotonic() - began)
            if left < block.seconds:
                reason = f"it takes some {block.seconds:.0f} s, and {max(left, 0):.0f} s are left"
                results.add({"block": block.name, "state": "skipped", "reason": reason})
                continue
            start = time.monotonic()
            line = _with_shares(_run_block(block, bench), results)
            results.add({**line, "block_s": round(time.monotonic() - start, 1)})
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed: pip install {error.name}"
        results.add({"block": "all", "state": "left out", "reason": reason})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    results.add({**summary(results), "run_s": round(time.monotonic() - began, 1)})


def main(args: list[str]) -> None:
    """Run the blocks that the arguments name."""
    parser = argparse.ArgumentParser(
        prog="vpd bench train-gpu",
        description="Measure our trainer against others on one GPU, in at most eight minutes.",
    )
    parser.add_argument("--tiny", action="store_true", help="tiny models, for a processor")
    parser.add_argument("--out", type=Path, default=Path(RESULTS), help="file of the results")
    parser.add_argument("--seconds", type=float, default=BUDGET, help="time for all blocks")
    parser.add_argument(
        "--only", action="append", default=[], help="blocks whose names begin so; again for more"
    )
    options = parser.parse_args(args)
    measure(ResultLines(options.out, sys.stdout), options.tiny, options.seconds, options.only)


if __name__ == "__main__":
    main(sys.argv[1:])
