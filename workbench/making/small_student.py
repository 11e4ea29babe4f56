"""The small student, for two processor cores: trained to perceive, past the point where it looks.

    vpd make-models small-student

It learns what the base student learns (`base_student`): to name, locate and list what is there, on
drawn scenes of the training split, and to tell it in the sentences of rationales (`telling`).  Two
linear classifiers are fitted first and stay as they are: what a region shows, and which things a
word of a question means; what is named is looked up by them (`Matching`).  Left to the language
model alone, looking up forms late and at once, after ten thousand examples and more.  So the
training ends with a gate: on new scenes the student has to say whether a thing is there, and to
point at what it is asked for.  A student that does not pass is written and called what it is: a
failure.

The scenes are drawn and seen once, into a folder of features from which a second run goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workbench.boxes import Box, iou
from workbench.boxes_in_text import boxes_in, without_box_lists
from workbench.errors import EngineError
from workbench.making.base_student import (
    FIRST_SCENE,
    NAMES,
    Pair,
    crop_of,
    crop_pairs,
    picture_pairs,
)
from workbench.making.small_classifiers import train_names, train_words
from workbench.making.small_words import known_words
from workbench.making.telling import told_pairs
from workbench.models.bundled import PointerShape, fresh_pointer_student
from workbench.models.language import quiet
from workbench.models.pointer_processor import PointerVlmProcessor
from workbench.models.pointer_words import pointed, word_tokenizer
from workbench.models.region_vlm import RegionView
from workbench.models.text_tower import text_tower
from workbench.models.vlm import Vlm
from workbench.prompts import LABEL_SUFFIX
from workbench.records import Lesson, Region
from workbench.settings import cache_dir, data_dir
from workbench.tasks.collage.perception import perceive
from workbench.tasks.collage.pictures import make_scene, render
from workbench.tasks.collage.scene import Scene
from workbench.train.examples import Adapter
from workbench.train.loss import lesson_losses, weighted_loss
from workbench.train.optimizer import ScheduledAdamW, mean_step
from workbench.train.schedule import RateSchedule

NEW_SCENE = 500_000
"""Scenes of the gate start here, in the test split: no training has seen them."""
CHUNK = 100
"""Scenes in one file of features."""
SHOWN = 25
"""Steps from one line of figures to the next."""
PERCEIVED = ("name", "locate", "locate", "locate", "at", "exists")
"""Families of questions about a picture: to point is what takes the most examples."""
NEED = {"exists": 0.9, "locate": 0.7}
"""Least share of right answers on new scenes."""


class _Views:
    """Views as `Vlm.generate` takes pictures."""

    def __init__(self, views: Sequence[RegionView]) -> None:
        self._views = views

    def open(self, digest: str) -> Any:
        return self._views[int(digest)]

    def crop(self, region: Region) -> Any:
        return self._views[int(region.image)]


def views_of(processor: PointerVlmProcessor, split: str, number: int) -> list[RegionView]:
    """The picture of a drawn scene and one crop out of it, as the detector sees them.

    Args:
        processor: sees them.
        split: of the scene.
        number: of the scene.
    """
    scene = make_scene(split, number)
    picture = render(scene)
    pictures = [picture, crop_of(scene, picture, _crop_dice(number))[1]]
    return processor.look(pictures)


def _crop_dice(number: int) -> np.random.Generator:
    return np.random.default_rng([13, number % FIRST_SCENE])


def seen_scenes(split: str, first: int, count: int, folder: Path) -> list[list[RegionView]]:
    """The views of some scenes, from the folder where they are there already.

    Args:
        split: of the scenes.
        first: number of the first scene.
        count: number of scenes.
        folder: of the features.
    """
    folder.mkdir(parents=True, exist_ok=True)
    processor = PointerVlmProcessor(word_tokenizer((), PointerShape().regions))
    out: list[list[RegionView]] = []
    for at in range(first, first + count, CHUNK):
        path = folder / f"{split}-{at:06d}.npz"
        if not path.is_file():
            views = [v for n in range(at, at + CHUNK) for v in views_of(processor, split, n)]
            processor.forget()
            part = path.with_name(f".{path.name}")  # ends in .npz, or NumPy would add it
            np.savez(
                part,
                vectors=np.stack([view.vectors for view in views]).astype(np.float16),
                stand_ins=np.array([view.stand_in for view in views]),
                sizes=np.array([(view.width, view.height) for view in views]),
            )
            part.replace(path)
        with np.load(path) as file:
            vectors, stand_ins, sizes = file["vectors"], file["stand_ins"], file["sizes"]
        rows = [
            RegionView(v.astype(np.float32), str(s), int(w), int(h))
            for v, s, (w, h) in zip(vectors, stand_ins, sizes, strict=True)
        ]
        out += [rows[at : at + 2] for at in range(0, len(rows), 2)]
    return out[:count]


def lessons_of(
    number: int, views: Sequence[RegionView], turn: int, reasoning: float
) -> list[tuple[RegionView, Lesson]]:
    """Lessons about a training scene and its crop.

    Where a thing is that the detector did not see is not taught: nobody could point at it.

    Args:
        number: of the scene.
        views: as `views_of` gives them.
        turn: other numbers give other questions.
        reasoning: expected number of composed questions.
    """
    scene = make_scene("train", number)
    rng = np.random.default_rng([17, number, turn])
    thing = scene.objects[_crop_dice(number).integers(len(scene.objects))]
    parts: list[tuple[RegionView, str, list[Pair]]] = [
        (views[0], "label", picture_pairs(scene, rng, reasoning, PERCEIVED)),
        (views[0], "rationale", told_pairs(scene, rng)),
        (views[1], "label", crop_pairs(thing, rng)),
    ]
    return [
        (view, Lesson(kind, *pair))
        for view, kind, pairs in parts
        for pair in pairs
        if _can_be_pointed_at(pair, view)
    ]


def _can_be_pointed_at(pair: Pair, view: RegionView) -> bool:
    return "<at_" not in pointed(pair[1], view.cells)


def right_exactly(truth: str, answer: str, scene: Scene) -> bool:
    """Whether an answer has every thing or box of the truth once, and no other.

    Args:
        truth: the right answer.
        answer: the student's.
        scene: what is there; its size tells pixels.
    """
    boxes, marks = (
        [box.pixels(scene.width, scene.height) for box in boxes_in(text)]
        for text in (truth, answer)
    )
    if not boxes:
        return sorted(truth.split(", ")) == sorted(answer.split(", "))
    hits = [{n for n, box in enumerate(marks) if iou(true, box) > 0.5} for true in boxes]
    return len(marks) == len(boxes) == len(set().union(*hits)) and all(hits)


def told_exactly(truth: str, text: str, scene: Scene) -> bool:
    """Whether a rationale says the same as the true one, with a box on each thing.

    Args:
        truth: the true one.
        text: the student's.
        scene: what is there; its size tells pixels.
    """
    alike = without_box_lists(truth) == without_box_lists(text)
    return alike and (not boxes_in(truth) or right_exactly(truth, text, scene))


def gate(vlm: Vlm, scenes: Sequence[Scene], views: Sequence[RegionView]) -> dict[str, list[int]]:
    """How many questions of perception about new scenes are answered exactly, and of how many.

    A thing is located exactly where every box of it is given, at an overlap (IoU) above .5, and no
    other.  `tell` counts rationales about one thing, about all, and about two.

    Args:
        vlm: the student.
        scenes: what is there.
        views: how the detector saw them.
    """
    figures = {}
    for family in ("exists", "locate", "at", "name"):
        rng = np.random.default_rng([19, len(scenes)])
        tasks = [
            perceive(s, rng=rng, families=[family] * 2)[turn] for s in scenes for turn in (0, 1)
        ]
        regions = [Region(str(n // 2), 1, 1, Box(0, 0, 1, 1)) for n in range(len(tasks))]
        prompts = [task.question + LABEL_SUFFIX for task in tasks]
        answers = vlm.generate(regions, prompts, _Views(views), 60)
        right = [
            right_exactly(task.answers[0], answer, scenes[n // 2])
            for n, (task, answer) in enumerate(zip(tasks, answers, strict=True))
        ]
        figures[family] = [sum(right), len(right)]
    rng = np.random.default_rng([19, len(scenes)])
    pairs = [(n, *pair) for n, scene in enumerate(scenes) for pair in told_pairs(scene, rng)]
    regions = [Region(str(n), 1, 1, Box(0, 0, 1, 1)) for n, _, _ in pairs]
    texts = vlm.generate(regions, [prompt for _, prompt, _ in pairs], _Views(views), 120)
    right = [
        told_exactly(truth, text, scenes[n])
        for (n, _, truth), text in zip(pairs, texts, strict=True)
    ]
    figures["tell"] = [sum(right), len(right)]
    return figures


def missed(figures: dict[str, list[int]]) -> str:
    """What a student lacks to pass the gate; empty where it passes."""
    return "; ".join(
        f"{family} is right for {figures[family][0]} of {figures[family][1]}, and has to be for "
        f"{share:.0%}"
        for family, share in NEED.items()
        if figures[family][0] < share * figures[family][1]
    )


class SmallTraining:
    """The training, with its state in plain attributes.

    Args:
        scenes: views of the training scenes, from `FIRST_SCENE` on.
        steps: number of steps.
        batch: lessons in each of them.
        rate: highest learning rate.
        seed: decides first weights and batches.
    """

    def __init__(
        self, scenes: Sequence[Sequence[RegionView]], steps: int, batch: int, rate: float, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.scenes, self.steps, self.batch = scenes, steps, batch
        self.model, self.processor = fresh_pointer_student(known_words(), NAMES)
        self.adapter = Adapter(self.processor)
        self.vlm = Vlm(self.model, self.processor, "in training", 64)
        self._dice = np.random.default_rng([23, seed])
        schedule = RateSchedule(steps, warm=max(steps // 50, 10), end=0.05)
        self.optimizer = ScheduledAdamW([(self.model.parameters(), rate)], schedule)

    def fit_classifiers(self) -> tuple[float, float]:
        """Fit the classifiers of regions and of words; the shares that are right on new ones."""
        scenes_there = [make_scene("train", FIRST_SCENE + at) for at in range(len(self.scenes))]
        regions = train_names(
            self.model, [(s, views[0]) for s, views in zip(scenes_there, self.scenes, strict=True)]
        )
        tower = text_tower(self.processor.reader, self.processor.reader_layers)
        return regions, train_words(self.model, tower)

    def _lessons(self, reasoning: float) -> Iterator[tuple[RegionView, Lesson]]:
        """Lessons without end, in a random order within every few scenes."""
        turn = 0
        while True:
            order = self._dice.permutation(len(self.scenes))
            for at in range(0, len(order), self.batch):
                lessons = [
                    lesson
                    for n in order[at : at + self.batch]
                    for lesson in lessons_of(FIRST_SCENE + n, self.scenes[n], turn, reasoning)
                ]
                self._dice.shuffle(lessons)
                yield from lessons
            turn += 1

    def train(self, reasoning: float) -> Iterator[dict[str, float]]:
        """Take all steps; yields figures now and then.

        Args:
            reasoning: expected number of composed questions about each picture.
        """
        lessons = self._lessons(reasoning)
        started, mean = time.process_time(), 0.0
        for step in range(self.steps):
            self.model.train()
            rows = [next(lessons) for _ in range(self.batch)]
            batch = self.adapter.encode(rows)
            loss = weighted_loss(
                lesson_losses(self.model, batch), batch, float(batch.weights.sum())
            )
            now, norm = mean_step(self.optimizer, step, [loss], 1)
            mean = now if step == 0 else 0.95 * mean + 0.05 * now
            if step % SHOWN == SHOWN - 1 or step == self.steps - 1:
                spent = time.process_time() - started
                yield {
                    "step": step + 1,
                    "loss": round(mean, 4),
                    "norm": round(norm, 2),
                    "examples_per_core_s": round((step + 1) * self.batch / spent, 1),
                }

    def save(self, out: Path) -> None:
        """Write the student as a checkpoint that the Auto classes load."""
        out.mkdir(parents=True, exist_ok=True)
        with quiet():
            self.model.save_pretrained(out)
            self.processor.save_pretrained(out)


def main(args: list[str] | None = None) -> None:
    """Train, measure and write the small student.

    Raises:
        EngineError: it does not pass its gate.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=data_dir() / "models" / "small-student")
    parser.add_argument("--features", type=Path, default=cache_dir() / "small-student-features")
    parser.add_argument("--scenes", type=int, default=2000, help="training scenes")
    parser.add_argument("--new-scenes", type=int, default=200, help="scenes of the gate")
    parser.add_argument("--steps", type=int, default=2800)
    parser.add_argument("--batch", type=int, default=32, help="lessons per step")
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--reasoning", type=float, default=0.4, help="composed questions per picture, on average"
    )
    parser.add_argument("--measure-every", type=int, default=500, help="steps between looks")
    options = parser.parse_args(args)
    torch.set_num_threads(options.threads)
    scenes = seen_scenes("train", FIRST_SCENE, options.scenes, options.features)
    new = seen_scenes("test", NEW_SCENE, options.new_scenes, options.features)
    scenes_there = [make_scene("test", NEW_SCENE + at) for at in range(len(new))]
    views = [pair[0] for pair in new]
    training = SmallTraining(scenes, options.steps, options.batch, options.rate, options.seed)
    regions, words = training.fit_classifiers()
    print(json.dumps({"regions named right": regions, "words": words}), flush=True)
    for figures in training.train(options.reasoning):
        print(json.dumps(figures), flush=True)
        if figures["step"] % options.measure_every < SHOWN and figures["step"] < options.steps:
            print(json.dumps(gate(training.vlm, scenes_there, views)), flush=True)
            training.save(options.out)
    shares = gate(training.vlm, scenes_there, views)
    print(json.dumps({"new scenes": shares}), flush=True)
    training.save(options.out)
    if reason := missed(shares):
        raise EngineError(
            f"the small student in {options.out} does not see well enough: {reason}; take more "
            "steps (--steps) or more scenes (--scenes)"
        )


if __name__ == "__main__":
    main()
