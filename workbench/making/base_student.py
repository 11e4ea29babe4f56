"""The base student: trained to perceive, left weak at reasoning over what it perceives.

What PaLI-X was to the paper, a small one is to the embedded profile: it answers the programs'
visual questions, and it is the model that gets distilled.  So it learns to name, locate and list
what is there, on drawn scenes of the training split, and sees only a pinch of composed questions,
enough to know the form of an answer.

    vpd make-models base-student

Two stages, the detector frozen throughout.  First the projector alone, without the language model:
each region is drawn towards the embedding of its category's name, regions that show no thing
towards "nothing".  Then a LoRA on the language model and the projector together (bfloat16 with fp32
masters), on questions.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import save_file

from workbench.boxes import Box, from_grid, iou
from workbench.english import a as with_article
from workbench.models.bundled import fresh_student
from workbench.models.region_vlm import IMAGE_TOKEN, RegionVlmProcessor
from workbench.prompts import LABEL_SUFFIX, question_text
from workbench.settings import data_dir
from workbench.tasks.collage.catalogue import CATEGORIES
from workbench.tasks.collage.perception import perceive
from workbench.tasks.collage.pictures import make_scene, render
from workbench.tasks.collage.questions import ask
from workbench.tasks.collage.scene import Scene, SceneObject
from workbench.train.loss import lesson_losses, weighted_loss
from workbench.train.optimizer import ScheduledAdamW, mean_step
from workbench.train.schedule import RateSchedule
from workbench.train.shared_prefix import TokenLesson, shared_rows

FIRST_SCENE = 100_000
"""Training scenes start here: far from the bundled pictures of the same split."""

NAMES = [*CATEGORIES, "nothing"]

CROP_WORDINGS = (
    "What is this?",
    "What object is this?",
    "What kind of object is shown?",
    "What is in the picture?",
)

Pair = tuple[str, str]
"""A prompt and its answer."""


def pairs_of(index: int, reasoning: float) -> list[tuple[Image.Image, list[Pair]]]:
    """One training picture and one crop out of it, each with pairs of prompt and answer.

    Args:
        index: number of the training scene; the same number always gives the same pairs.
        reasoning: expected number of composed questions about the picture.
    """
    rng = np.random.default_rng([7, index])
    scene = make_scene("train", FIRST_SCENE + index)
    picture = render(scene)
    pairs = picture_pairs(scene, rng, reasoning)
    thing, crop = crop_of(scene, picture, rng)
    return [(picture, pairs), (crop, crop_pairs(thing, rng))]


PERCEIVED = ("name", "locate", "locate", "at", "at", "exists", "exists")
"""Families of the questions that teach to perceive; a list is asked for now and then."""


def picture_pairs(
    scene: Scene,
    rng: np.random.Generator,
    reasoning: float,
    perceived: Sequence[str] = PERCEIVED,
) -> list[Pair]:
    """Pairs of prompt and answer about a whole picture.

    Args:
        scene: what is there.
        rng: decides which are asked.
        reasoning: expected number of composed questions.
        perceived: families of the questions that teach to perceive.
    """
    families = [*perceived, *["list"] * (rng.random() < 0.4)]
    pairs = [
        (task.question + LABEL_SUFFIX, task.answers[0])
        for task in perceive(scene, rng=rng, families=families)
    ]
    composed = ask(scene, phrasing="train", rng=rng)
    for i in rng.permutation(len(composed))[: rng.poisson(reasoning)]:
        pairs.append((question_text(composed[i]) + LABEL_SUFFIX, composed[i].answers[0]))
    return pairs


def crop_of(
    scene: Scene, picture: Image.Image, rng: np.random.Generator
) -> tuple[SceneObject, Image.Image]:
    """One of a picture's things, and the part of the picture that shows it.

    Args:
        scene: what is there.
        picture: of the scene.
        rng: decides which thing, and how much stands around it.
    """
    thing = scene.objects[rng.integers(len(scene.objects))]
    margin = rng.uniform(0.0, 0.15) * max(thing.box.width, thing.box.height)
    b = thing.box
    crop = picture.crop(
        (int(b.x0 - margin), int(b.y0 - margin), round(b.x1 + margin), round(b.y1 + margin))
    )
    return thing, crop


def crop_pairs(thing: SceneObject, rng: np.random.Generator) -> list[Pair]:
    """Pairs of prompt and answer about a crop that shows a thing."""
    other = thing.category if rng.random() < 0.5 else str(rng.choice(sorted(CATEGORIES)))
    return [
        (str(rng.choice(CROP_WORDINGS)) + LABEL_SUFFIX, thing.category),
        (
            f"Is this {with_article(other)}?" + LABEL_SUFFIX,
            "yes" if other == thing.category else "no",
        ),
    ]


def category_of(scene: Scene, box: Box) -> int:
    """Position in `NAMES` of what a region shows: a thing with an IoU above .5, or "nothing"."""
    best = max(scene.objects, key=lambda thing: iou(thing.box, box))
    return NAMES.index(best.category) if iou(best.box, box) > 0.5 else len(NAMES) - 1


def labelled_regions(
    processor: RegionVlmProcessor, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Regions of drawn pictures, and what each shows.

    Args:
        processor: of the student.
        count: number of pictures.

    Returns:
        The regions, `(regions, WIDTH)`, and positions in `NAMES`, `(regions,)`.
    """
    vectors, labels = [], []
    for index in range(count):
        scene = make_scene("train", 2 * FIRST_SCENE + index)
        features, texts = processor.features([render(scene)])
        for row, text in enumerate(texts[0].split(IMAGE_TOKEN)[2:], start=1):
            box = from_grid([int(cell) for cell in text.split()], scene.width, scene.height)
            vectors.append(features[0, row])
            labels.append(category_of(scene, box))
    return torch.from_numpy(np.stack(vectors)), torch.tensor(labels)


class StudentTraining:
    """The two stages, with their state in plain attributes.

    Args:
        rank: rank of the adapters of stage two.
        steps: number of steps of stage two.
        pictures: number of pictures in each of them.
        threads: threads that torch may use.
        seed: decides adapters and batches.
    """

    def __init__(self, rank: int, steps: int, pictures: int, threads: int, seed: int) -> None:
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        self.model, self.processor = fresh_student()
        self.model.requires_grad_(False)
        self.model.projector.requires_grad_(True)
        self.pictures, self.steps, self.rank = pictures, steps, rank
        self._end = [self.model.config.eos_token_id]

    def align(self, count: int, epochs: int = 30) -> dict[str, float]:
        """Stage one: draw regions towards the names of what they show.

        Args:
            count: number of pictures whose regions are taken.
            epochs: times that every region is taken.

        Returns:
            Figures on a tenth of the regions, which is held out.
        """
        vectors, labels = labelled_regions(self.processor, count)
        tokenizer = self.processor.tokenizer
        table: torch.Tensor = self.model.get_input_embeddings().weight  # type: ignore[assignment]
        tokens = [tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in NAMES]
        names = torch.nn.functional.normalize(
            torch.stack([table[t].mean(0) for t in tokens]), dim=-1
        )
        tenth = len(labels) // 10
        batches = epochs * (len(labels) - tenth) // 128
        optimizer = ScheduledAdamW(
            [(self.model.projector.parameters(), 1e-3)],
            RateSchedule(batches),
            betas=(0.9, 0.999),
            weight_decay=0.05,
        )
        for batch in range(batches):
            chosen = torch.randint(tenth, len(labels), (128,))
            noisy = vectors[chosen] * (1 + 0.1 * torch.randn(vectors.shape[1]))
            out = torch.nn.functional.normalize(self.model.projector(noisy), dim=-1)
            near = out @ names.T
            loss = torch.nn.functional.cross_entropy(near / 0.05, labels[chosen])
            loss = loss + (1 - near.gather(1, labels[chosen, None])).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step(batch)
        with torch.no_grad():
            near = (
                torch.nn.functional.normalize(self.model.projector(vectors[:tenth]), dim=-1)
                @ names.T
            )
        right = (near.argmax(1) == labels[:tenth]).float().mean()
        return {
            "regions": len(labels),
            "named right": round(float(right), 3),
            "cosine": round(float(near.max(1)[0].mean()), 3),
        }

    def begin_questions(self) -> None:
        """Set stage two up: bfloat16, LoRA on every linear layer of the language model."""
        self.model.to(torch.bfloat16)
        lora = LoraConfig(
            r=self.rank,
            lora_alpha=2 * self.rank,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        self.model.language_model = get_peft_model(
            self.model.language_model, lora, autocast_adapter_dtype=False
        )
        adapters = [p for n, p in self.model.language_model.named_parameters() if "lora_" in n]
        groups = [(adapters, 8e-4), (self.model.projector.parameters(), 1e-4)]
        schedule = RateSchedule(self.steps, warm=max(self.steps // 50, 10), end=0.1)
        self.optimizer = ScheduledAdamW(groups, schedule)

    def loss(self, index: int, reasoning: float) -> tuple[torch.Tensor, int]:
        """Loss of one training picture with its crop, and their length in tokens.

        Args:
            index: number of the training scene.
            reasoning: expected number of composed questions about the picture.
        """
        views = pairs_of(index, reasoning)
        features, texts = self.processor.features([picture for picture, _ in views])
        lessons = [
            self._lesson(text, pair, number)
            for number, (text, (_, pairs)) in enumerate(zip(texts, views, strict=True))
            for pair in pairs
        ]
        batch = shared_rows([lessons], {"region_features": torch.from_numpy(features)})
        loss = weighted_loss(lesson_losses(self.model, batch), batch, float(batch.weights.sum()))
        return loss, batch.tokens

    def _lesson(self, regions: str, pair: Pair, picture: int) -> TokenLesson:
        """A pair in tokens; the square root of its target's length is its weight."""
        tokenizer = self.processor.tokenizer
        prompt, answer = pair
        target = tokenizer(answer)["input_ids"] + self._end
        # Each piece is made into tokens by itself, so that every pair begins with the same ones.
        begin = tokenizer(regions)["input_ids"] + tokenizer(f"{prompt}\n")["input_ids"]
        return TokenLesson(begin, target, picture, weight=len(target) ** 0.5)

    def train(self, reasoning: float, save_every: int, out: Path) -> Iterator[dict[str, float]]:
        """Take all steps of stage two; yields figures now and then, and writes the adapter.

        Args:
            reasoning: expected number of composed questions about each picture.
            save_every: steps from one writing to the next.
            out: folder of the adapter.
        """
        started, tokens, mean = time.perf_counter(), 0, 0.0

        def losses(step: int) -> Iterator[torch.Tensor]:
            # One picture at a time: attention over a long row costs more than it saves.
            nonlocal tokens
            for picture in range(self.pictures):
                loss, length = self.loss(step * self.pictures + picture, reasoning)
                tokens += length
                yield loss

        for step in range(self.steps):
            now, norm = mean_step(self.optimizer, step, losses(step), self.pictures)
            mean = now if step == 0 else 0.9 * mean + 0.1 * now
            last = step == self.steps - 1
            if step % 10 == 9 or last:
                speed = round(tokens / (time.perf_counter() - started))
                figures = {"loss": round(mean, 4), "norm": round(norm, 2), "tokens_per_s": speed}
                yield {"step": step + 1, **figures}
            if step % save_every == save_every - 1 or last:
                self.save(out)

    def save(self, out: Path) -> None:
        """Write adapter and projector as half-precision safetensors."""
        self.model.language_model.save_pretrained(out)
        config = json.loads((out / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = "SmolLM2-135M-Instruct"
        (out / "adapter_config.json").write_text(
            json.dumps(config, indent=1, sort_keys=True) + "\n"
        )
        weights = {
            k: v.detach().to(torch.bfloat16).contiguous()
            for k, v in self.model.projector.state_dict().items()
        }
        save_file(weights, out / "projector.safetensors")
        names = {category.name: list(category.kinds) for category in CATEGORIES.values()}
        (out / "names.json").write_text(json.dumps(names, indent=0) + "\n")


def main(args: list[str] | None = None) -> None:
    """Train and write the base student."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=data_dir() / "models" / "base-student")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--pictures", type=int, default=3, help="pictures per step")
    parser.add_argument(
        "--align", type=int, default=2000, help="pictures whose regions teach the projector"
    )
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--reasoning", type=float, default=0.4, help="composed questions per picture, on average"
    )
    parser.add_argument("--save-every", type=int, default=100)
    options = parser.parse_args(args)
    options.out.mkdir(parents=True, exist_ok=True)
    training = StudentTraining(
        options.rank, options.steps, options.pictures, options.threads, options.seed
    )
    print(json.dumps(training.align(options.align)), flush=True)
    training.begin_questions()
    for figures in training.train(options.reasoning, options.save_every, options.out):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
