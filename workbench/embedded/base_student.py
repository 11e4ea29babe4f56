"""The base student: trained to perceive, left weak at reasoning over what it perceives.

What PaLI-X was to the paper, a small one is to the embedded profile: it answers the programs' visual questions, and it
is the model that gets distilled.  So it learns to name, locate and list what is there, on drawn scenes of the training
split, and sees only a pinch of composed questions, enough to know the form of an answer.

    vpd make-models base-student

Only the projector and a LoRA on the language model are trained (bfloat16 with fp32 masters); the detector is frozen.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

from workbench.embedded.optim import MasterAdamW
from workbench.embedded.packing import pack, packed_loss
from workbench.english import a as with_article
from workbench.models.bundled import fresh_student
from workbench.models.student import LABEL_SUFFIX, question_text
from workbench.settings import data_dir
from workbench.tasks.catalogue import CATEGORIES
from workbench.tasks.collages import make_scene, render
from workbench.tasks.perception import perceive
from workbench.tasks.questions import ask

FIRST_SCENE = 100_000
"""Training scenes start here: far from the bundled pictures of the same split."""

CROP_WORDINGS = ("What is this?", "What object is this?", "What kind of object is shown?", "What is in the picture?")

Pair = tuple[str, str]
Row = tuple[list[int], list[tuple[list[int], list[int]]]]


def pairs_of(index: int, reasoning: float) -> list[tuple[Image.Image, list[Pair]]]:
    """One training picture and one crop out of it, each with (prompt, answer) pairs; an index always gives the same.

    `reasoning`: expected number of composed questions per picture.
    """
    rng = np.random.default_rng([7, index])
    scene = make_scene("train", FIRST_SCENE + index)
    picture = render(scene)
    families = ["name", "locate", "locate", "at", "at", "exists", "exists"] + ["list"] * (rng.random() < 0.4)
    pairs = [(task.question + LABEL_SUFFIX, task.answers[0]) for task in perceive(scene, rng=rng, families=families)]
    composed = ask(scene, phrasing="train", rng=rng)
    for i in rng.permutation(len(composed))[: rng.poisson(reasoning)]:
        pairs.append((question_text(composed[i]) + LABEL_SUFFIX, composed[i].answers[0]))
    thing = scene.objects[rng.integers(len(scene.objects))]
    margin = rng.uniform(0.0, 0.15) * max(thing.box.width, thing.box.height)
    b = thing.box
    crop = picture.crop((int(b.x0 - margin), int(b.y0 - margin), round(b.x1 + margin), round(b.y1 + margin)))
    other = thing.category if rng.random() < 0.5 else str(rng.choice(sorted(CATEGORIES)))
    crop_pairs = [
        (str(rng.choice(CROP_WORDINGS)) + LABEL_SUFFIX, thing.category),
        (f"Is this {with_article(other)}?" + LABEL_SUFFIX, "yes" if other == thing.category else "no"),
    ]
    return [(picture, pairs), (crop, crop_pairs)]


class Trainer:
    """The loop, with its state in plain attributes."""

    def __init__(self, rank: int, steps: int, pictures: int, threads: int, seed: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        self.model, self.processor = fresh_student(torch.bfloat16)
        self.model.requires_grad_(False)
        lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
        self.model.language_model = get_peft_model(self.model.language_model, lora, autocast_adapter_dtype=False)
        self.model.projector.requires_grad_(True)
        self.lora = [p for n, p in self.model.language_model.named_parameters() if "lora_" in n]
        groups = [(self.lora, 6e-4), (self.model.projector.parameters(), 1e-3)]
        self.optimizer = MasterAdamW(groups, steps, warmup=max(steps // 50, 10))
        self.pictures, self.steps, self.rank = pictures, steps, rank
        self._end = [self.model.config.eos_token_id]

    def rows(self, start: int, reasoning: float) -> tuple[torch.Tensor, list[Row]]:
        """Features `(pictures, positions, width)` and token rows of one batch."""
        tokenizer = self.processor.tokenizer
        image = [self.model.config.image_token_id] * (1 + self.processor.region_count)
        pictures, rows = [], []
        for index in range(start, start + self.pictures):
            for picture, pairs in pairs_of(index, reasoning):
                pictures.append(picture)
                tokens = [(tokenizer(f"{p}\n")["input_ids"], tokenizer(a)["input_ids"] + self._end) for p, a in pairs]
                rows.append((image, tokens))
        return torch.from_numpy(self.processor.features(pictures)), rows

    def loss(self, start: int, reasoning: float) -> tuple[torch.Tensor, int]:
        features, rows = self.rows(start, reasoning)
        batch = pack(rows, torch.bfloat16, power=0.5)
        embeds = self.model.embed(batch.input_ids, features)
        language = self.model.language_model.base_model.model
        hidden = language.model(
            inputs_embeds=embeds, attention_mask=batch.attention_mask, position_ids=batch.position_ids, use_cache=False
        ).last_hidden_state
        return packed_loss(hidden, language.lm_head, batch), batch.input_ids.numel()

    def train(self, reasoning: float, save_every: int, out: Path) -> Iterator[dict[str, float]]:
        """Run all steps; yields figures now and then, and writes the adapter."""
        started, tokens, mean = time.perf_counter(), 0, 0.0
        for step in range(self.steps):
            loss, count = self.loss(step * self.pictures, reasoning)
            loss.backward()
            norm = self.optimizer.step()
            tokens += count
            mean = loss.item() if step == 0 else 0.95 * mean + 0.05 * loss.item()
            if step % 10 == 9 or step == self.steps - 1:
                rate = tokens / (time.perf_counter() - started)
                yield {"step": step + 1, "loss": round(mean, 4), "norm": round(norm, 2), "tokens_per_s": round(rate)}
            if step % save_every == save_every - 1 or step == self.steps - 1:
                self.save(out)

    def save(self, out: Path) -> None:
        """Adapter and projector as half-precision safetensors."""
        self.model.language_model.save_pretrained(out)
        config = json.loads((out / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = "SmolLM2-135M-Instruct"
        (out / "adapter_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
        weights = {k: v.detach().to(torch.bfloat16).contiguous() for k, v in self.model.projector.state_dict().items()}
        save_file(weights, out / "projector.safetensors")


def main(args: list[str] | None = None) -> None:
    """Train and write the base student."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=data_dir() / "models" / "base-student")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--pictures", type=int, default=4, help="pictures per step")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reasoning", type=float, default=0.4, help="composed questions per picture, on average")
    parser.add_argument("--save-every", type=int, default=100)
    given = parser.parse_args(args)
    given.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(given.rank, given.steps, given.pictures, given.threads, given.seed)
    for figures in trainer.train(given.reasoning, given.save_every, given.out):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
