"""Small files in every benchmark's official format, written by the tests that read them."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image


def picture(path: Path, shade: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (shade, 30, 30)).save(path)


def encoded(shade: int = 90) -> str:
    held = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, 30, 30)).save(held, "JPEG")
    return base64.b64encode(held.getvalue()).decode()


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_lines(path: Path, *rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def gqa_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "semantic": [{"operation": "select", "dependencies": [], "argument": "dog (12)"}],
        "entailed": ["07"],
        "equivalent": [f"0{number}"],
        "question": "Is there a dog?",
        "imageId": "n1",
        "isBalanced": True,
        "groups": {"global": None, "local": "x"},
        "answer": "yes",
        "semanticStr": "select: dog",
        "annotations": {"answer": {}, "question": {"3": "12"}, "fullAnswer": {}},
        "types": {"detailed": "existC", "semantic": "obj", "structural": "verify"},
        "fullAnswer": "Yes, there is a dog.",
        **changes,
    }


def gqa(root: Path) -> None:
    picture(root / "images" / "n1.jpg")
    write(
        root / "questions" / "testdev_balanced_questions.json",
        {f"0{n}": gqa_row(n) for n in (1, 2, 3)},
    )


def vqa_question(number: int, **changes: Any) -> dict[str, Any]:
    return {"image_id": 9, "question": "What colour is it?", "question_id": number, **changes}


def vqa_annotation(number: int, **changes: Any) -> dict[str, Any]:
    said = ["red"] * 7 + ["dark red"] * 3
    return {
        "question_type": "what color is",
        "multiple_choice_answer": "red",
        "image_id": 9,
        "answer_type": "other",
        "answers": [
            {"answer": a, "answer_confidence": "yes", "answer_id": i} for i, a in enumerate(said, 1)
        ],
        "question_id": number,
        **changes,
    }


def vqav2(root: Path, prefix: str = "v2_", numbers: tuple[int, ...] = (9000, 9001, 9002)) -> None:
    picture(root / "images" / "val2014" / "COCO_val2014_000000000009.jpg")
    head = {
        "info": {"year": 2017, "description": "a, [b] {c}"},
        "license": {"url": "x"},
        "data_type": "mscoco",
    }
    asked = [vqa_question(number) for number in numbers]
    votes = [vqa_annotation(number) for number in reversed(numbers)]
    write(
        root / f"{prefix}OpenEnded_mscoco_val2014_questions.json",
        {**head, "questions": asked, "data_subtype": "v"},
    )
    write(root / f"{prefix}mscoco_val2014_annotations.json", {**head, "annotations": votes})


def okvqa(root: Path) -> None:
    vqav2(root, "")


def aokvqa_row(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "split": "val",
        "image_id": 9,
        "question_id": number,
        "question": "What is it for?",
        "choices": ["rain", "sun", "wind", "snow"],
        "correct_choice_idx": 1,
        "direct_answers": ["sun"] * 6 + ["shade"] * 4,
        "difficult_direct_answer": False,
        "rationales": ["a", "b", "c"],
        **changes,
    }


def aokvqa(root: Path) -> None:
    picture(root / "val2017" / "000000000009.jpg")
    picture(root / "test2017" / "000000000009.jpg")
    write(
        root / "aokvqa_v1p0_val.json",
        [aokvqa_row("a"), aokvqa_row("b", difficult_direct_answer=True)],
    )
    hidden = aokvqa_row("c")
    del hidden["correct_choice_idx"], hidden["direct_answers"]
    write(root / "aokvqa_v1p0_test.json", [hidden])


def tallyqa_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "answer": 3,
        "data_source": "amt",
        "image": "VG_100K_2/1.jpg",
        "image_id": 1,
        "issimple": True,
        "question": "How many cups?",
        "question_id": number,
        **changes,
    }


def tallyqa(root: Path) -> None:
    picture(root / "images" / "VG_100K_2" / "1.jpg")
    unsaid = tallyqa_row(7)
    del unsaid["issimple"]
    write(root / "train.json", [unsaid])
    write(root / "test.json", [tallyqa_row(1), tallyqa_row(2, issimple=False, answer=0)])


def pope_row(number: int, **changes: Any) -> dict[str, Any]:
    asked = "Is there a cup in the image?"
    return {
        "question_id": number,
        "image": "COCO_val2014_000000000009.jpg",
        "text": asked,
        "label": "yes",
        **changes,
    }


def pope(root: Path) -> None:
    picture(root / "images" / "val2014" / "COCO_val2014_000000000009.jpg")
    for split in ("random", "popular", "adversarial"):
        write_lines(root / f"coco_pope_{split}.json", pope_row(1), pope_row(2, label="no"))


MMBENCH = (
    "index",
    "question",
    "hint",
    "A",
    "B",
    "C",
    "D",
    "answer",
    "category",
    "image",
    "l2-category",
    "split",
)


def mmbench_row(
    number: int, *options: str, answer: str = "A", image: str | None = None, **changes: Any
) -> list[str]:
    row = dict(zip("ABCD", [*options, "nan", "nan", "nan"]))
    row |= {
        "index": str(number),
        "question": "Which one\nis it?",
        "hint": "nan",
        "answer": answer,
        "category": "ocr",
        "image": encoded(number % 200) if image is None else image,
        "l2-category": "fine",
        "split": "dev",
        **changes,
    }
    return [row[name] for name in MMBENCH]


def write_table(path: Path, *rows: list[str], header: tuple[str, ...] = MMBENCH) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([header, *rows])


def mmbench(root: Path) -> None:
    write_table(
        root / "mmbench_dev_20230712.tsv",
        mmbench_row(5, "cat", "dog", answer="B"),
        mmbench_row(1_000_005, "dog", "cat", answer="A", image="5"),
        mmbench_row(6, "one", "two", "None", hint="look"),
    )


def hateful_row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "img": f"img/{number:05d}.png",
        "label": 1,
        "text": "words <b>here</b>",
        **changes,
    }


def hateful(root: Path) -> None:
    for number in (1, 2, 3):
        picture(root / "img" / f"{number:05d}.png", number)
    write_lines(root / "dev_seen.jsonl", hateful_row(1), hateful_row(2, label=0))
    hidden = hateful_row(3)
    del hidden["label"]
    write_lines(root / "test_seen.jsonl", hidden)


def nlvr2_row(identifier: str, **changes: Any) -> dict[str, Any]:
    return {
        "query": "acorns69",
        "uid": "0",
        "label": "True",
        "identifier": identifier,
        "sentence": "There are two dogs in all.",
        "left_url": "http://x/a.png",
        "right_url": "http://x/b.png",
        "writer": "147",
        "validation": {"58": "True"},
        "synset": "acorn",
        **changes,
    }


def nlvr2(root: Path) -> None:
    for pair in ("dev-850-0", "dev-850-1"):
        for number in (0, 1):
            picture(root / "images" / "dev" / f"{pair}-img{number}.png", 40 * number + 50)
    (root / "data").mkdir(exist_ok=True, parents=True)
    rows = [nlvr2_row("dev-850-0-0"), nlvr2_row("dev-850-1-0", label="False")]
    write_lines(root / "data" / "dev.json", *rows, nlvr2_row("dev-850-1-1"))


BENCHMARKS: dict[str, Callable[[Path], None]] = {
    "gqa": gqa, "vqav2": vqav2, "okvqa": okvqa, "aokvqa": aokvqa, "tallyqa": tallyqa, "pope": pope,
    "mmbench": mmbench, "hateful": hateful, "nlvr2": nlvr2,
}  # fmt: skip
"""What writes each benchmark's files, by the name of its source."""
