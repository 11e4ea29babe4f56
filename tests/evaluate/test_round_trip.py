"""Official files of each benchmark, imported, scored and written for submission."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import official_files
import pytest
from PIL import Image

from workbench.evaluate.benchmarks.scorers import scorer
from workbench.evaluate.benchmarks.scores import SystemAnswer
from workbench.evaluate.benchmarks.submission import write
from workbench.records import Task
from workbench.tasks.aokvqa import aokvqa
from workbench.tasks.gqa import gqa
from workbench.tasks.hateful import hateful
from workbench.tasks.mmbench import MMBench
from workbench.tasks.nlvr2 import nlvr2
from workbench.tasks.pope import pope
from workbench.tasks.tallyqa import tallyqa
from workbench.tasks.vqa import okvqa, vqav2


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def _lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _picture(root: Path, name: str) -> None:
    path = root / "images" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "white").save(path)


def _gqa(root: Path) -> Any:
    def question(answer: str, balanced: bool, entailed: list[str]) -> dict[str, Any]:
        types = {"structural": "verify", "semantic": "attr", "detailed": "verifyColor"}
        held = {
            "imageId": "2370799",
            "question": "Is it red?",
            "answer": answer,
            "fullAnswer": "Yes, it is.",
        }
        return {
            **held,
            "isBalanced": balanced,
            "types": types,
            "entailed": entailed,
            "equivalent": [],
        }

    _picture(root, "2370799.jpg")
    rows = {
        "05451384": question("yes", True, ["05451384", "0545"]),
        "0545": question("no", False, []),
    }
    _write(root / "questions" / "testdev_all_questions.json", rows)
    return gqa(root, subset="all")


def _votes(prefix: str, part: Callable[..., Any]) -> Callable[[Path], Any]:
    def made(root: Path) -> Any:
        _picture(root, "val2014/COCO_val2014_000000262148.jpg")
        questions = [{"image_id": 262148, "question": "Where?", "question_id": 262148000}]
        answers = [
            {"answer": "down", "answer_confidence": "yes", "answer_id": i} for i in range(1, 11)
        ]
        types = {"question_type": "where", "answer_type": "other", "multiple_choice_answer": "down"}
        votes = [{**types, "image_id": 262148, "question_id": 262148000, "answers": answers}]
        _write(root / f"{prefix}OpenEnded_mscoco_val2014_questions.json", {"questions": questions})
        _write(root / f"{prefix}mscoco_val2014_annotations.json", {"annotations": votes})
        return part(root)

    return made


def _aokvqa(setting: str) -> Callable[[Path], Any]:
    def made(root: Path) -> Any:
        _picture(root, "val2017/000000299207.jpg")
        row = {
            "image_id": 299207,
            "question_id": "22MexNkBPpdZGX6sxbxVBH",
            "question": "Who?",
            "correct_choice_idx": 3,
            "choices": ["man", "boy", "girl", "cab"],
            "direct_answers": ["cab"] * 10,
            "rationales": ["a", "b", "c"],
            "difficult_direct_answer": False,
        }
        _write(root / "aokvqa_v1p0_val.json", [row])
        return aokvqa(root, setting=setting)

    return made


def _tallyqa(root: Path) -> Any:
    _picture(root, "VG_100K_2/2410408.jpg")
    row = {
        "answer": 4,
        "data_source": "imported_genome",
        "image": "VG_100K_2/2410408.jpg",
        "image_id": 92410408,
    }
    _write(
        root / "test.json",
        [{**row, "issimple": False, "question": "How many?", "question_id": 30095774}],
    )
    return tallyqa(root)


def _pope(root: Path) -> Any:
    _picture(root, "COCO_val2014_000000310196.jpg")
    for split in ("random", "popular", "adversarial"):
        row = {"image": "COCO_val2014_000000310196.jpg", "text": "Is there a car in the image?"}
        rows = [{"question_id": i, **row, "label": label} for i, label in ((1, "yes"), (2, "no"))]
        _write(root / f"coco_pope_{split}.json", _lines(*rows))
    return pope(root)


def _mmbench(root: Path) -> Any:
    _picture(root, "x.jpg")
    cell = base64.b64encode((root / "images" / "x.jpg").read_bytes()).decode()
    header = [
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
    ]
    more = ["object", cell, "fine", "dev"]
    rows = [
        header,
        ["5", "What?", "", "cat", "dog", "", "", "B", *more],
        ["1000005", "What?", "", "dog", "cat", "", "", "A", "object", "5", *more[2:]],
    ]
    _write(root / "mmbench_dev.tsv", "".join("\t".join(row) + "\n" for row in rows))
    return MMBench(root)


def _hateful(root: Path) -> Any:
    rows = [
        {"id": i, "img": f"img/{i}.png", "label": i % 2, "text": "look"} for i in (42953, 23058)
    ]
    for row in rows:
        _picture(root, row["img"])
    _write(root / "dev_seen.jsonl", _lines(*rows))
    return hateful(root)


def _nlvr2(root: Path) -> Any:
    official_files.nlvr2(root)
    return nlvr2(root)


MAKERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gqa": (_gqa, "05451384"),
    "vqav2": (_votes("v2_", vqav2), "262148000"),
    "okvqa": (_votes("", okvqa), "262148000"),
    "aokvqa": (_aokvqa("choice"), "22MexNkBPpdZGX6sxbxVBH"),
    "aokvqa open": (_aokvqa("open"), "22MexNkBPpdZGX6sxbxVBH"),
    "tallyqa": (_tallyqa, "30095774"),
    "pope": (_pope, "car in the image"),
    "mmbench": (_mmbench, "1000005"),
    "hateful": (_hateful, "42953,1.0,1"),
    "nlvr2": (_nlvr2, "dev-850-0-0,True\ndev-850-1-0,False\n"),
}


def _right(task: Task) -> SystemAnswer:
    return SystemAnswer(task.answers[0], float(task.answers[0] == "yes"))


@pytest.mark.parametrize("name", [*MAKERS])
def test_right_answers_to_official_files_score_1_and_go_out_in_the_official_form(
    name: str, tmp_path: Path
) -> None:
    make, shown = MAKERS[name]
    part = make(tmp_path / "in")
    tasks = list(part.tasks())
    assert list(part.bad) == []
    answers = {task.id: _right(task) for task in tasks}
    chosen = scorer(tasks[0].source)
    scores = chosen.score(tasks, answers)
    assert (scores.value, scores.unanswered) == (1.0, 0)
    assert set(scores.per_task) <= set(answers)
    assert all(
        0 <= (metric.value or 0) <= 1 and not metric.note for metric in scores.metrics.values()
    )
    files = write(tasks[0].source, tasks, answers, tmp_path / "out")
    assert sum(file.rows for file in files) == len(tasks)
    assert shown in files[0].path.read_text()
