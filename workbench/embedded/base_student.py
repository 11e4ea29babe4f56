"""The base student: trained to perceive, left weak at reasoning over what it perceives.

What PaLI-X was to the paper, a small one is to the embedded profile: it answers the programs' visual questions, and it
is the model that gets distilled.  So it learns to name, locate and list what is there, on drawn scenes of the training
split, and sees only a pinch of composed questions, enough to know the form of an answer.

    vpd make-models base-student

Two stages, the detector frozen throughout.  First the projector alone, without the language model: each region is
drawn towards the embedding of its category's name, regions that show no thing towards "nothing".  Then a LoRA on the
language model and the projector together (bfloat16 with fp32 masters), on questions.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import save_file

from workbench.boxes import Box, from_grid, iou
from workbench.embedded.optim import MasterAdamW
from workbench.embedded.packing import pack, packed_loss
from workbench.english import a as with_article
from workbench.models.bundled import fresh_student
from workbench.models.region_vlm import IMAGE_TOKEN, RegionVlmProcessor
from workbench.prompts import LABEL_SUFFIX, question_text
from workbench.settings import data_dir
from workbench.tasks.catalogue import CATEGORIES
from workbench.tasks.collages import make_scene, render
from workbench.tasks.perception import perceive
from workbench.tasks.questions import ask
from workbench.tasks.scene import Scene

FIRST_SCENE = 100_000
"""Training scenes start here: far from the bundled pictures of the same split."""

NAMES = [*CATEGORIES, "nothing"]

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


def category_of(scene: Scene, box: Box) -> int:
    """Number of the category that a region shows (IoU > .5 with a thing), or that of "nothing"."""
    best = max(scene.objects, key=lambda thing: iou(thing.box, box))
    return NAMES.index(best.category) if iou(best.box, box) > 0.5 else len(NAMES) - 1


def labelled_regions(processor: RegionVlmProcessor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Regions of `count` drawn pictures, `(regions, WIDTH)`, and their categories, `(regions,)`."""
    vectors, labels = [], []
    for index in range(count):
        scene = make_scene("train", 2 * FIRST_SCENE + index)
        features, texts = processor.features([render(scene)])
        for row, text in enumerate(texts[0].split(IMAGE_TOKEN)[2:], start=1):
            box = from_grid([int(cell) for cell in text.split()], scene.width, scene.height)
            vectors.append(features[0, row])
            labels.append(category_of(scene, box))
    return torch.from_numpy(np.stack(vectors)), torch.tensor(labels)


class Trainer:
    """The two stages, with their state in plain attributes."""

    def __init__(self, rank: int, steps: int, pictures: int, threads: int, seed: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        self.model, self.processor = fresh_student()
        self.model.requires_grad_(False)
        self.model.projector.requires_grad_(True)
        self.pictures, self.steps, self.rank = pictures, steps, rank
        self._end = [self.model.config.eos_token_id]

    def align(self, count: int, epochs: int = 30) -> dict[str, float]:
        """Stage one: draw regions towards the names of what they show; returns figures on a tenth held out."""
        vectors, labels = labelled_regions(self.processor, count)
        tokenizer = self.processor.tokenizer
        table: torch.Tensor = self.model.get_input_embeddings().weight  # type: ignore[assignment]
        tokens = [tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in NAMES]
        names = torch.nn.functional.normalize(torch.stack([table[t].mean(0) for t in tokens]), dim=-1)
        held = len(labels) // 10
        adam = torch.optim.AdamW(self.model.projector.parameters(), lr=1e-3, weight_decay=0.05)
        batches = epochs * (len(labels) - held) // 128
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, batches)
        for _ in range(batches):
            chosen = torch.randint(held, len(labels), (128,))
            noisy = vectors[chosen] * (1 + 0.1 * torch.randn(vectors.shape[1]))
            out = torch.nn.functional.normalize(self.model.projector(noisy), dim=-1)
            near = out @ names.T
            loss = torch.nn.functional.cross_entropy(near / 0.05, labels[chosen])
            loss = loss + (1 - near.gather(1, labels[chosen, None])).mean()
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            schedule.step()
        with torch.no_grad():
            near = torch.nn.functional.normalize(self.model.projector(vectors[:held]), dim=-1) @ names.T
        right = (near.argmax(1) == labels[:held]).float().mean()
        return {
            "regions": len(labels),
            "named right": round(float(right), 3),
            "cosine": round(float(near.max(1)[0].mean()), 3),
        }

    def begin_questions(self) -> None:
        """Stage two's set-up: bfloat16, LoRA on every linear layer of the language model."""
        self.model.to(torch.bfloat16)
        lora = LoraConfig(r=self.rank, lora_alpha=2 * self.rank, target_modules="all-linear", task_type="CAUSAL_LM")
        self.model.language_model = get_peft_model(self.model.language_model, lora, autocast_adapter_dtype=False)
        adapters = [p for n, p in self.model.language_model.named_parameters() if "lora_" in n]
        groups = [(adapters, 8e-4), (self.model.projector.parameters(), 1e-4)]
        self.optimizer = MasterAdamW(groups, self.steps, warmup=max(self.steps // 50, 10))

    def loss(self, index: int, reasoning: float) -> tuple[torch.Tensor, int]:
        """Loss of one training picture with its crop, and its length in tokens."""
        tokenizer = self.processor.tokenizer
        shown = pairs_of(index, reasoning)
        features, texts = self.processor.features([picture for picture, _ in shown])
        groups: list[Row] = [
            (
                tokenizer(text)["input_ids"],
                [(tokenizer(f"{p}\n")["input_ids"], tokenizer(a)["input_ids"] + self._end) for p, a in pairs],
            )
            for text, (_, pairs) in zip(texts, shown, strict=True)
        ]
        batch = pack(groups, torch.bfloat16, power=0.5)
        embeds = self.model.embed(batch.input_ids, torch.from_numpy(features))
        language = self.model.language_model.base_model.model
        hidden = language.model(
            inputs_embeds=embeds, attention_mask=batch.attention_mask, position_ids=batch.position_ids, use_cache=False
        ).last_hidden_state
        return packed_loss(hidden, language.lm_head, batch), batch.input_ids.numel()

    def train(self, reasoning: float, save_every: int, out: Path) -> Iterator[dict[str, float]]:
        """Run all steps; yields figures now and then, and writes the adapter."""
        started, tokens, mean = time.perf_counter(), 0, 0.0
        for step in range(self.steps):
            now = 0.0
            for picture in range(self.pictures):  # one at a time: attention over a long pack costs more than it saves
                loss, count = self.loss(step * self.pictures + picture, reasoning)
                (loss / self.pictures).backward()  # type: ignore[no-untyped-call]
                tokens += count
                now += loss.item() / self.pictures
            norm = self.optimizer.step()
            mean = now if step == 0 else 0.9 * mean + 0.1 * now
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
        names = {category.name: list(category.kinds) for category in CATEGORIES.values()}
        (out / "names.json").write_text(json.dumps(names, indent=0) + "\n")


def main(args: list[str] | None = None) -> None:
    """Train and write the base student."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=data_dir() / "models" / "base-student")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=3, help="pictures per step")
    parser.add_argument("--align", type=int, default=2000, help="pictures whose regions teach the projector")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reasoning", type=float, default=0.4, help="composed questions per picture, on average")
    parser.add_argument("--save-every", type=int, default=100)
    given = parser.parse_args(args)
    given.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(given.rank, given.steps, given.pictures, given.threads, given.seed)
    print(json.dumps(trainer.align(given.align)), flush=True)
    trainer.begin_questions()
    for figures in trainer.train(given.reasoning, given.save_every, given.out):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
