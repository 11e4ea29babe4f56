"""Programs and boxes on a GPU: k programs of a question, and detections in batches.

The models have random weights, so that a program never ends before its last token and every way
writes as many tokens; what is measured is speed alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from workbench.api import STANDARD
from workbench.bench.gpu_blocks import GpuBench
from workbench.bench.train_contenders import clear, peak_gib, settle
from workbench.bench.train_models import make_detector, make_writer, texts_of
from workbench.boxes import Box
from workbench.images import ImageFolder
from workbench.models.chat_turn import chat_tokens
from workbench.models.language import load_language
from workbench.models.padding import pad_left
from workbench.records import JSON, Region, Task, ToolCall, ToolSpec
from workbench.sample.local import TransformersSampler
from workbench.sample.prompt import Prompts
from workbench.snapshot import Example
from workbench.tasks.bundled import Collages
from workbench.tools.hub_detect import HubDetection

TOOLS = ("find", "exists", "visual_question_answering")
"""What programs may call; their descriptions are the beginning that all questions share."""


SHOTS = 5
"""Examples in the prompt."""


def _specs() -> list[ToolSpec]:
    return [STANDARD[name] for name in TOOLS]


def _seconds(work: Callable[[], object]) -> float:
    settle()
    began = time.perf_counter()
    work()
    settle()
    return time.perf_counter() - began


def measure_sampling(model: str, tasks: Sequence[Task], k: int, tokens: int) -> dict[str, JSON]:
    """k programs a question: ours with what is shared read once, and transformers' generate.

    Args:
        model: folder of the program writer.
        tasks: the questions.
        k: programs for each.
        tokens: of a program.
    """
    clear()
    rows = len(tasks) * k
    sampler = TransformersSampler(
        _specs(), model, temperature=1.0, max_tokens=tokens, batch_size=rows, exact=False
    )
    sampler.warm()
    counts: list[int] = []
    ours = _seconds(
        lambda: counts.extend(program.tokens for program in sampler.sample(tasks, k, seed=0))
    )
    loaded = load_language(model)
    prompts = Prompts(_specs(), "full", SHOTS)
    texts = [prompts(task).text for task in tasks]
    naive = _seconds(lambda: _generate(loaded, texts, k, tokens))
    return {
        "programs": rows,
        "prompt_tokens": max(len(chat_tokens(loaded.tokenizer, text)) for text in texts),
        "tokens_of_a_program": tokens,
        "programs_per_s": rows / ours,
        "tokens_per_s": sum(counts) / ours,
        "naive_programs_per_s": rows / naive,
        "naive_tokens_per_s": rows * tokens / naive,
        "times_naive": (sum(counts) / ours) / (rows * tokens / naive),
        "peak_gib": peak_gib(),
    }


def _generate(loaded: Any, texts: Sequence[str], k: int, tokens: int) -> None:
    """transformers' own way: each of the k programs reads its whole prompt."""
    ids, mask, _ = pad_left(
        [chat_tokens(loaded.tokenizer, text) for text in texts],
        loaded.tokenizer.pad_token_id,
        loaded.device,
    )
    torch.manual_seed(0)
    with torch.inference_mode():
        loaded.model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            num_return_sequences=k,
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            pad_token_id=loaded.tokenizer.pad_token_id,
        )


def measure_detector(
    model: str, images: ImageFolder, examples: Sequence[Example], batch: int
) -> dict[str, JSON]:
    """Detections a second: crops one at a time and in batches, of one size and of several.

    Args:
        model: folder of the detector.
        images: the pictures.
        examples: one for each picture that is looked at.
        batch: crops of a forward pass.
    """
    clear()
    one, many = (HubDetection(model, batch_size=size) for size in (1, batch))
    equal = [_call(example, 1.0) for example in examples]
    mixed = [_call(example, 1.0 - 0.1 * (at % 4)) for at, example in enumerate(examples)]
    one(equal[:1], images)
    many(equal[:batch], images)
    figures: dict[str, JSON] = {"crops": len(examples), "batch": batch}
    for name, calls in (("equal", equal), ("mixed", mixed)):
        alone = _seconds(lambda calls=calls: [one([call], images) for call in calls])  # type: ignore[misc]
        together = _seconds(lambda calls=calls: many(calls, images))  # type: ignore[misc]
        figures[f"{name}_alone_per_s"] = len(calls) / alone
        figures[f"{name}_batched_per_s"] = len(calls) / together
        figures[f"{name}_times"] = alone / together
    return {**figures, "peak_gib": peak_gib()}


def _call(example: Example, share: float) -> ToolCall:
    width, height = example.width, example.height
    region = Region(example.image, width, height, Box(0, 0, width * share, height * share))
    return ToolCall("find", {"patch": region, "object_name": "dog"})


def sampling(bench: GpuBench) -> Mapping[str, JSON]:
    """k programs a question, ours and naive."""
    scale = bench.scale
    texts = [*texts_of(bench.snapshot), Prompts(_specs(), "full", SHOTS).shared]
    model = make_writer(bench.folder / "writer", texts, bench.tiny)
    tasks = list(Collages().tasks("val"))[: scale.questions]
    return measure_sampling(model, tasks, scale.k, scale.tokens)


def detector(bench: GpuBench) -> Mapping[str, JSON]:
    """Detections one at a time and in batches."""
    scale = bench.scale
    model = make_detector(bench.folder / "detector", bench.tiny)
    examples = bench.snapshot.examples("train")[: scale.crops]
    return measure_detector(model, bench.snapshot.images, examples, scale.crop_batch)
