"""`vpd bench sample`: what writing programs costs, beside transformers' own `generate` in one run.

Each way writes k programs for the same bundled questions with the bundled writer, at the same
temperature and most tokens; models are loaded and warm.  Ours is handed as many questions as the
loop hands over, the peer a quarter of them: it is slower with all at once, for it copies what every
row has written at each token.  The limit is a
model that does nothing else than multiply: two operations for each weight and token, at the speed
at which this processor multiplies large matrices in float32 (`limit`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

import torch

from workbench.api import STANDARD
from workbench.bench.figure import Figure, bench_parser, print_figures
from workbench.making.measure_writer import evenly
from workbench.making.program_writer import USUAL
from workbench.models.language import load_language
from workbench.models.padding import pad_left
from workbench.records import Task
from workbench.sample.local import TransformersSampler
from workbench.sample.prompt import Prompts
from workbench.tasks.bundled import Collages

TEMPERATURE = 0.5
MOST_TOKENS = 160
PEER = 4
"""The peer gets one of so many questions."""
_SIDE = 1024
"""Rows and columns of the matrices by which the limit is measured."""


def _sampler(count: int, int8: bool) -> TransformersSampler:
    return TransformersSampler(
        [STANDARD[name] for name in USUAL],
        temperature=TEMPERATURE,
        max_tokens=MOST_TOKENS,
        batch_size=count,
        int8=int8,
    )


def _ours(tasks: Sequence[Task], k: int, int8: bool) -> tuple[float, int]:
    """Seconds and tokens of all programs."""
    sampler = _sampler(len(tasks) * k, int8)
    sampler.warm()
    return _timed(lambda: sum(program.tokens for program in sampler.sample(tasks, k, seed=0)))


def _generate(tasks: Sequence[Task], k: int) -> tuple[float, int]:
    """Seconds and tokens of transformers' own way."""
    loaded = load_language("bundled", "bundled", exact=True)
    prompts = Prompts([STANDARD[name] for name in USUAL], "compact")
    texts = [prompts(task).text for task in tasks]
    rows = [loaded.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    ids, mask, _ = pad_left(rows, loaded.tokenizer.pad_token_id, loaded.device)
    torch.manual_seed(0)

    def write() -> int:
        with torch.inference_mode():
            tokens = loaded.model.generate(
                input_ids=ids,
                attention_mask=mask,
                do_sample=True,
                temperature=TEMPERATURE,
                top_k=0,
                num_return_sequences=k,
                max_new_tokens=MOST_TOKENS,
                pad_token_id=loaded.tokenizer.pad_token_id,
                eos_token_id=list(loaded.stops),
            )[:, ids.shape[1] :]
        stops = torch.tensor(loaded.stops)
        ended = torch.isin(tokens, stops).long().cumsum(1)
        return int((ended == 0).sum()) + int((ended.amax(1) > 0).sum())

    return _timed(write)


def _timed(work: Callable[[], int]) -> tuple[float, int]:
    started = time.perf_counter()
    tokens = work()
    return time.perf_counter() - started, tokens


def _limit(tokens: int) -> float:
    """Seconds that the products of so many tokens take at full speed."""
    model = load_language("bundled", "bundled", exact=True).model
    weights = int(model.num_parameters())
    square = torch.randn(_SIDE, _SIDE)
    torch.mm(square, square)
    seconds = min(_timed(lambda: len(torch.mm(square, square)))[0] for _ in range(5))
    return 2 * weights * tokens * seconds / (2 * _SIDE**3)


def bench_sample(questions: int, k: int) -> list[Figure]:
    """Measure each way of writing.

    Args:
        questions: Number of bundled questions of the val split, at least one.
        k: Programs for each.
    """
    tasks = evenly(Collages().tasks("val"), questions)
    few = tasks[::PEER]
    ways = {
        "as shipped, float32": (_ours(tasks, k, int8=False), len(tasks)),
        "whole numbers (int8)": (_ours(tasks, k, int8=True), len(tasks)),
        "transformers' generate, float32": (_generate(few, k), len(few)),
    }
    (peer, _), _ = ways["transformers' generate, float32"]
    figures = []
    for name, ((seconds, tokens), count) in ways.items():
        ratio = peer / len(few) / (seconds / count)
        note = f"{tokens / seconds:.0f} tokens/s, {ratio:.1f} times as quick as generate"
        figures.append(Figure(f"{name}: a question", seconds / count, "s", note=note))
    (_, tokens), _ = ways["as shipped, float32"]
    seconds = _limit(tokens) / len(tasks)
    note = f"the products alone, a row for each of {k} programs"
    return [*figures, Figure("limit, float32: a question", seconds, "s", note=note)]


def main(args: list[str]) -> None:
    """Print the figures of `bench_sample`."""
    parser = bench_parser("sample", "Measure what writing programs costs.")
    parser.add_argument("--questions", type=int, default=64, help="bundled questions")
    parser.add_argument("--k", type=int, default=5, help="programs for each question")
    options = parser.parse_args(args)
    if min(options.questions, options.k) < 1:
        parser.error("--questions and --k must be at least 1")
    print_figures(bench_sample(options.questions, options.k), options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
