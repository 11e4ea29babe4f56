"""Tasks of each benchmark as its importer makes them, and answers to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench.evaluate.benchmarks.scorers import scorer
from workbench.evaluate.benchmarks.scores import Scores, SystemAnswer
from workbench.records import AnswerType, Task


def task(
    source: str,
    number: int | str,
    gold: Sequence[str] = (),
    choices: tuple[str, ...] = (),
    family: str = "",
    split: str = "val",
    image: str = "",
    answer_type: AnswerType = "open",
    **meta: Any,
) -> Task:
    name = f"{source}/{split}/{number}"
    held = {"question_id": number, **meta}
    return Task(
        name, source, split, image or name, "?", tuple(gold), answer_type, choices, family, held
    )


def scored(tasks: Sequence[Task], said: Sequence[str | None], **options: Any) -> Scores:
    answers = {
        asked.id: SystemAnswer(text)
        for asked, text in zip(tasks, said, strict=True)
        if text is not None
    }
    return scorer(tasks[0].source, **options).score(tasks, answers)


def values(scores: Scores) -> Mapping[str, float | None]:
    return {name: metric.value for name, metric in scores.metrics.items()}


def gqa_task(
    number: str, gold: str = "yes", structural: str = "verify", balanced: bool = True, **meta: Any
) -> Task:
    return task(
        "gqa", number, [gold], balanced=balanced, structural=structural, semantic="obj", **meta
    )


def votes(number: int, right: int, answer: str = "red", kind: str = "other") -> Task:
    gold = [answer] * right + [f"other {i}" for i in range(10 - right)]
    asked = task("vqav2", number, gold, family=kind)
    return replace(asked, meta={**asked.meta, "answer_type": kind, "question_type": "what color"})


def pope_tasks(split: str, gold: str, first: int = 1) -> list[Task]:
    return [
        task(
            "pope",
            first + i,
            ["yes" if letter == "y" else "no"],
            split=split,
            image=f"picture {i // 2}",
        )
        for i, letter in enumerate(gold)
    ]


def mm_task(
    index: int, right: str = "B", options: tuple[str, ...] = ("cat", "dog", "red cup"), **more: Any
) -> Task:
    meta = {
        "index": index,
        "base": index % 1_000_000,
        "letters": "ABCD"[: len(options)],
        "answer": right,
        **more,
    }
    gold = [options["ABCD".index(right)]] if right else []
    return task("mmbench", index, gold, options, family="object", **meta)


def memes(gold: str, chances: Sequence[float | None]) -> tuple[list[Task], dict[str, SystemAnswer]]:
    tasks = [
        task("hateful", i, ["yes" if letter == "y" else "no"]) for i, letter in enumerate(gold)
    ]
    return tasks, {
        asked.id: SystemAnswer("no", chance) for asked, chance in zip(tasks, chances, strict=True)
    }


def nlvr2_tasks(gold: str, sentence: int = 0) -> list[Task]:
    """A sentence asked about the pairs of one set, with y and n as labels."""
    return [
        task("nlvr2", f"dev-8-{pair}-{sentence}", ["yes" if letter == "y" else "no"], set="dev-8")
        for pair, letter in enumerate(gold)
    ]


def labelled(source: str) -> list[Task]:
    made = {
        "gqa": [gqa_task("1"), gqa_task("2")],
        "vqav2": [votes(1, 10), votes(2, 3)],
        "okvqa": [task("okvqa", i, ["red"] * 10) for i in (1, 2)],
        "aokvqa": [task("aokvqa", i, ["red"] * 10, difficult=False) for i in "ab"],
        "tallyqa": [task("tallyqa", i, ["3"], family="simple") for i in (1, 2)],
        "pope": pope_tasks("random", "yn"),
        "mmbench": [mm_task(1), mm_task(2)],
        "nlvr2": nlvr2_tasks("yn"),
        "hateful": [task("hateful", 1, ["yes"]), task("hateful", 2, ["no"])],
    }
    return made[source]
