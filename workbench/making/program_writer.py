"""Train the program-writing LoRA of the embedded profile on SmolLM2-135M-Instruct.

It reads the tool list and a question and writes a program.  Questions come in the train wordings of
the bundled generator and in paraphrases of our own; the programs are drawn from the reference
programs of the question's form that the tool list allows, and the tool list changes from row to
row, so that it has to be read.  One row is a tool list with several questions behind it
(`train.shared_prefix`), which halves the tokens.

    python -m workbench.making.program_writer --out data/models/program-writer
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from workbench.api import STANDARD, Api
from workbench.making.paraphrases import other_things, paraphrase
from workbench.making.programs import references, usable
from workbench.models.language import language_path, preferred_dtype, quiet
from workbench.sample.prompt import HEADER, compact_own
from workbench.tasks.collage.answerable import pick
from workbench.tasks.collage.knowledge import FACTS
from workbench.tasks.collage.questions import FAMILIES, ask
from workbench.tasks.collage.scene import make_scene
from workbench.train.loss import lesson_losses, weighted_loss
from workbench.train.optimizer import ScheduledAdamW, mean_step
from workbench.train.schedule import RateSchedule
from workbench.train.shared_prefix import TokenLesson, shared_rows

log = logging.getLogger(__name__)

BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
FIRST_SCENE = 200_000
"""Training scenes start here: far from the bundled pictures of the same split."""
USUAL = (
    "find", "exists", "visual_question_answering", "verify_property",
    "best_text_match", "image_caption", "llm_query",
)  # fmt: skip
"""Tools of the embedded profile, in its order."""

FAMILY_WEIGHTS = {"exists": 0.6, "compare": 1.4, "extreme": 1.5, "knowledge": 0.8}
"""How often a family is learnt from, 1 for all others: what is misread needs more of it."""
PARAPHRASED = 0.85
"""Share of questions that are put in words of our own."""

Pair = tuple[str, str]
"""A question, as the prompt has it, and the body of a program."""


@dataclass(frozen=True, slots=True)
class WriterRecipe:
    """Everything that the result depends on, besides the code."""

    rows: int = 300
    """Number of tool lists; each comes once."""
    questions: int = 8
    """Number of questions behind one tool list."""
    batch: int = 2
    """Rows per step."""
    rate: float = 8e-4
    """Highest learning rate."""
    rank: int = 16
    """Rank of the adapter."""
    start: str = ""
    """Folder of an adapter to go on from; empty for a fresh one."""
    warmup: int = 10
    """Steps in which the learning rate rises."""
    seed: int = 5
    """The rows and the adapter's first values follow from it."""
    threads: int = 1
    """Threads of torch."""


def tool_list(rng: np.random.Generator) -> list[str]:
    """Names of the tools of one row.

    They are mostly the usual ones; else some are missing, some are added, and the order is drawn.
    """
    if rng.random() < 0.6:
        return list(USUAL)
    names = list(USUAL)
    for name in (
        "find",
        "exists",
        "visual_question_answering",
        "llm_query",
        "verify_property",
        "best_text_match",
    ):
        if rng.random() < (0.1 if name == "find" else 0.2):
            names.remove(name)
    if rng.random() < 0.4:
        names.remove("image_caption")
    names += [
        name for name in ("compute_depth", "read_text", "best_image_match") if rng.random() < 0.3
    ]
    if "find" not in names and "visual_question_answering" not in names:
        names.append("visual_question_answering")
    return [names[int(i)] for i in rng.permutation(len(names))]


def api_text(tools: Sequence[str]) -> str:
    """The compact prompt of a tool list."""
    return Api(STANDARD[name] for name in tools).prompt("compact")


def example(split: str, index: int, rng: np.random.Generator, tools: Sequence[str]) -> Pair | None:
    """A question as the prompt has it, and the body of a program that answers it.

    Args:
        split: of the scene.
        index: number of the scene.
        rng: draws the question, its wording and the program.
        tools: names of the tools that the program may call.

    Returns:
        None where no program gets by with these tools, or the scene has no question.
    """
    family = pick(FAMILIES, rng, [FAMILY_WEIGHTS.get(name, 1.0) for name in FAMILIES])
    tasks = ask(make_scene(split, index), phrasing="train", rng=rng, families=[family])
    if not tasks:
        return None
    task = tasks[0]
    form, question = task.meta["form"], task.question
    inner = form["of"] if form["op"] == "choice" else form
    predicate = FACTS[inner["fact"]].train[0] if "fact" in inner else ""
    if rng.random() < PARAPHRASED:
        if rng.random() < 0.3:
            form = other_things(form, rng)
        question, predicate = paraphrase(form, rng)
    ways = usable(references(form, predicate, task.choices, rng), tools)
    if not ways:
        return None
    reference = pick(ways, rng, [way.weight for way in ways])
    return compact_own(question, task.choices), reference.source.removeprefix(HEADER).rstrip("\n")


def examples(split: str, number: int, recipe: WriterRecipe) -> tuple[list[str], list[Pair]]:
    """The tools of a row, and its questions with programs; the same number gives the same row.

    Args:
        split: `train` or `val`.
        number: number of the row.
        recipe: seed and number of questions.
    """
    rng = np.random.default_rng([recipe.seed, ("train", "val").index(split), number])
    tools = tool_list(rng)
    pairs: list[Pair] = []
    while len(pairs) < recipe.questions:
        index = FIRST_SCENE + number * 100 + int(rng.integers(100))
        pair = example(split, index, rng, tools)
        if pair:
            pairs.append(pair)
    return tools, pairs


def token_lessons(
    tokenizer: Any, tools: Sequence[str], pairs: Sequence[Pair], end: int
) -> list[TokenLesson]:
    """The questions behind one tool list, in tokens; every target token weighs the same.

    Args:
        tokenizer: of the language model.
        tools: names of the tools that the list shows.
        pairs: questions with the bodies of their programs.
        end: the token that ends a program.
    """

    def ids(text: str) -> list[int]:
        return list(
            tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        )

    listed = ids(api_text(tools))
    targets = [[*ids(body), end] for _, body in pairs]
    return [
        TokenLesson([*listed, *ids(question)], target, source="tools", weight=float(len(target)))
        for (question, _), target in zip(pairs, targets, strict=True)
    ]


class WriterTraining:
    """The run, with its state in plain attributes.

    Args:
        recipe: everything the result depends on.
        out: folder of the adapter.
    """

    def __init__(self, recipe: WriterRecipe, out: Path) -> None:
        torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.recipe, self.out = recipe, out
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = preferred_dtype(self.device)
        path = language_path("bundled")
        with quiet():
            self.tokenizer = AutoTokenizer.from_pretrained(path)
            model = AutoModelForCausalLM.from_pretrained(
                path, dtype=self.dtype, attn_implementation="sdpa"
            )
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=2 * recipe.rank,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        with quiet():
            if recipe.start:
                self.model = PeftModel.from_pretrained(
                    model, recipe.start, is_trainable=True, autocast_adapter_dtype=False
                )
            else:
                self.model = get_peft_model(model, config, autocast_adapter_dtype=False)
        self.model.to(device=self.device, dtype=self.dtype)
        self.end = self.tokenizer.convert_tokens_to_ids("<|im_end|>")
        self.steps = math.ceil(recipe.rows / recipe.batch)
        schedule = RateSchedule(self.steps, recipe.warmup, end=0.1)
        self.optimizer = ScheduledAdamW([(self.model.parameters(), recipe.rate)], schedule)
        self.history: list[dict[str, float]] = []

    def loss(self, split: str, number: int) -> torch.Tensor:
        """Mean loss per program token of one row, in nats.

        Args:
            split: "train" or "val".
            number: of the row.
        """
        tools, pairs = examples(split, number, self.recipe)
        lessons = token_lessons(self.tokenizer, tools, pairs, self.end)
        batch = shared_rows([lessons], {}).to(self.device)
        return weighted_loss(lesson_losses(self.model, batch), batch, float(batch.weights.sum()))

    def run(self, every: int = 20) -> None:
        """Train from start to end.

        Args:
            every: steps from one writing of the adapter to the next.
        """
        started, recent = time.monotonic(), list[float]()
        size = self.recipe.batch
        for step in range(self.steps):
            losses = (
                self.loss("train", number) for number in range(step * size, (step + 1) * size)
            )
            mean, _ = mean_step(self.optimizer, step, losses, size)
            recent.append(mean)
            if (step + 1) % every == 0 or step + 1 == self.steps:
                with torch.no_grad():
                    val = sum(float(self.loss("val", number)) for number in range(3)) / 3
                seconds = time.monotonic() - started
                loss = sum(recent) / len(recent)
                self.history.append(
                    {"step": step + 1, "loss": loss, "val_loss": val, "seconds": seconds}
                )
                recent = []
                log.info(
                    "step %d/%d loss %.3f val %.3f %.0f s", step + 1, self.steps, loss, val, seconds
                )
                self.save()

    def save(self) -> None:
        """Write the adapter in half precision, its configuration, and how it came about."""
        config = copy.copy(self.model.peft_config["default"])
        config.base_model_name_or_path, config.inference_mode = BASE, True
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the base's hub page is asked for, and is not needed
            weights = get_peft_model_state_dict(self.model)
        part = self.out / ".adapter_model.part"
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in weights.items()}, part
        )
        part.chmod(0o644)
        part.replace(self.out / "adapter_model.safetensors")
        config.save_pretrained(os.fspath(self.out))
        recipe = asdict(self.recipe) | {"start": Path(self.recipe.start).name}
        origin = {"base": BASE, "recipe": recipe, "history": self.history}
        (self.out / "training.json").write_text(
            json.dumps(origin, indent=1) + "\n", encoding="utf-8"
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Train and save; about half an hour on one processor thread, a minute or two on a GPU."""
    parser = argparse.ArgumentParser(
        prog="program-writer", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    defaults = WriterRecipe()
    parser.add_argument("--out", type=Path, required=True, help="folder of the adapter")
    for name in WriterRecipe.__slots__:
        value = getattr(defaults, name)
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"default {value}")
    parser.add_argument(
        "--every", type=int, default=20, help="steps from one writing to the next (default 20)"
    )
    options = vars(parser.parse_args(argv))
    out, every = options.pop("out"), options.pop("every")
    out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    training = WriterTraining(WriterRecipe(**options), out)
    training.run(every)


if __name__ == "__main__":
    main()
