"""Every benchmark's official files: what each row becomes."""

from __future__ import annotations

from pathlib import Path

import official_files as made
import pytest

from workbench import registry
from workbench.errors import DatasetError, ImageError, ProfileError
from workbench.ports import HoldsPictures, Measured, TaskSource
from workbench.records import Task


def tasks(name: str, root: Path, split: str | None = None, **arguments: str) -> list[Task]:
    made.BENCHMARKS[name](root)
    source = registry.build("source", name, root=str(root), **arguments)
    found = list(source.tasks(split))
    assert list(source.bad) == []
    return found


@pytest.mark.parametrize("name", made.BENCHMARKS)
def test_every_importer_is_a_measured_source_with_pictures(name: str, tmp_path: Path) -> None:
    made.BENCHMARKS[name](tmp_path)
    source = registry.build("source", name, root=str(tmp_path))
    assert isinstance(source, TaskSource)
    assert isinstance(source, Measured)
    found = list(source.tasks())
    assert found
    assert {task.source for task in found} == {name}
    assert len({task.id for task in found}) == len(found)
    read, total = source.progress()
    assert read == total > 0
    for task in found:
        if isinstance(source, HoldsPictures):
            assert source.image_bytes(task).startswith(b"\xff\xd8")
        else:
            assert source.image_path(task).is_file()


@pytest.mark.parametrize("name", made.BENCHMARKS)
def test_reading_again_gives_the_same(name: str, tmp_path: Path) -> None:
    made.BENCHMARKS[name](tmp_path)
    source = registry.build("source", name, root=str(tmp_path))
    assert list(source.tasks()) == list(source.tasks())


@pytest.mark.parametrize("name", made.BENCHMARKS)
def test_a_folder_without_the_files_says_which_are_expected(name: str, tmp_path: Path) -> None:
    source = registry.build("source", name, root=str(tmp_path))
    with pytest.raises(DatasetError, match=rf"has no question file of {name}; expected \w+: "):
        list(source.tasks())
    assert list(source.tasks("no-such-split")) == []


def test_gqa(tmp_path: Path) -> None:
    first, *_ = tasks("gqa", tmp_path, "testdev")
    assert first == Task(
        "gqa/testdev/01",
        "gqa",
        "testdev",
        "images/n1.jpg",
        "Is there a dog?",
        ("yes",),
        "yesno",
        (),
        "verify",
        {
            "question_id": "01",
            "balanced": True,
            "structural": "verify",
            "semantic": "obj",
            "detailed": "existC",
            "entailed": ["07"],
            "equivalent": ["01"],
            "full_answer": "Yes, there is a dog.",
        },
    )


def test_gqa_reads_all_chunks_of_the_training_set(tmp_path: Path) -> None:
    made.gqa(tmp_path)
    folder = tmp_path / "questions" / "train_all_questions"
    for chunk in (1, 0):
        made.write(
            folder / f"train_all_questions_{chunk}.json",
            {f"{chunk}7": made.gqa_row(isBalanced=False)},
        )
    source = registry.build("source", "gqa", root=str(tmp_path), subset="all")
    assert [(task.id, task.meta["balanced"]) for task in source.tasks()] == [
        ("gqa/train/07", False),
        ("gqa/train/17", False),
    ]


@pytest.mark.parametrize("name", ["vqav2", "okvqa"])
def test_vqa_joins_questions_with_annotations_in_any_order(name: str, tmp_path: Path) -> None:
    first, *others = tasks(name, tmp_path, "val")
    assert first == Task(
        f"{name}/val/9000",
        name,
        "val",
        "images/val2014/COCO_val2014_000000000009.jpg",
        "What colour is it?",
        ("red",) * 7 + ("dark red",) * 3,
        "open",
        (),
        "other" if name == "vqav2" else "what color is",
        {"question_id": 9000, "answer_type": "other", "question_type": "what color is"},
    )
    assert [task.meta["question_id"] for task in others] == [9001, 9002]


def test_aokvqa_as_multiple_choice(tmp_path: Path) -> None:
    first, second, hidden = tasks("aokvqa", tmp_path)
    assert (first.id, first.answers, first.choices) == (
        "aokvqa/val/a",
        ("sun",),
        ("rain", "sun", "wind", "snow"),
    )
    assert (first.answer_type, first.family, second.family) == ("choice", "", "difficult")
    assert first.meta == {
        "question_id": "a",
        "correct_choice": "sun",
        "difficult": False,
        "direct_answers": ["sun"] * 6 + ["shade"] * 4,
    }
    assert (hidden.split, hidden.answers, hidden.meta["correct_choice"]) == ("test", (), None)


def test_aokvqa_with_direct_answers(tmp_path: Path) -> None:
    first, _, hidden = tasks("aokvqa", tmp_path, setting="open")
    assert (first.id, first.answers, first.choices) == (
        "aokvqa/val/a/open",
        ("sun",) * 6 + ("shade",) * 4,
        (),
    )
    assert first.meta == {
        "question_id": "a",
        "correct_choice": "sun",
        "difficult": False,
        "choices": ["rain", "sun", "wind", "snow"],
    }
    assert not hidden.labelled


def test_tallyqa(tmp_path: Path) -> None:
    unsaid, simple, complicated = tasks("tallyqa", tmp_path)
    assert (unsaid.split, unsaid.family) == ("train", "complex"), "amt wrote it"
    assert (simple.family, simple.answers, simple.answer_type) == ("simple", ("3",), "integer")
    assert (complicated.family, complicated.answers) == ("complex", ("0",))
    assert simple.meta == {"question_id": 1, "data_source": "amt"}


def test_pope_keeps_the_splits_apart(tmp_path: Path) -> None:
    found = tasks("pope", tmp_path)
    assert [task.id for task in found[:3]] == ["pope/random/1", "pope/random/2", "pope/popular/1"]
    assert [task.answers for task in found[:2]] == [("yes",), ("no",)]
    assert (found[0].family, found[0].meta) == ("random", {"question_id": 1})


def test_mmbench_copies_share_the_picture_of_their_base_row(tmp_path: Path) -> None:
    base, copy, other = tasks("mmbench", tmp_path)
    assert (base.answers, base.choices, base.question) == (
        ("dog",),
        ("cat", "dog"),
        "Which one\nis it?\nA. cat\nB. dog",
    )
    assert base.meta == {
        "question_id": 5,
        "index": 5,
        "base": 5,
        "letters": "AB",
        "answer": "B",
        "l2_category": "fine",
        "hint": "",
        "question": "Which one\nis it?",
    }
    assert (copy.meta["index"], copy.meta["base"], copy.answers) == (1_000_005, 5, ("dog",))
    assert copy.image == base.image != other.image
    assert (other.choices, other.meta["hint"]) == (("one", "two", "None"), "look")
    assert other.question == "Hint: look\nWhich one\nis it?\nA. one\nB. two\nC. None"


def test_mmbench_with_several_tables_asks_which(tmp_path: Path) -> None:
    made.mmbench(tmp_path)
    made.write_table(tmp_path / "MMBench_DEV_CN.tsv", made.mmbench_row(9, "x", "y"))
    with pytest.raises(
        DatasetError,
        match=r"several tables of one split: MMBench_DEV_CN\.tsv, mmbench_dev_2.*file=",
    ):
        list(registry.build("source", "mmbench", root=str(tmp_path)).tasks())
    chosen = registry.build("source", "mmbench", root=str(tmp_path), file="MMBench_DEV_CN.tsv")
    assert [task.id for task in chosen.tasks()] == ["mmbench/dev/9"]
    for wrong in ("all.tsv", "/dev.tsv"):
        with pytest.raises(
            DatasetError, match=f"the file '{wrong}' is not a name with dev or test in it"
        ):
            registry.build("source", "mmbench", root=str(tmp_path), file=wrong)


def test_mmbench_without_answers_is_the_test_split(tmp_path: Path) -> None:
    made.write_table(tmp_path / "mmbench_test.tsv", made.mmbench_row(5, "cat", "dog", answer="nan"))
    [task] = registry.build("source", "mmbench", root=str(tmp_path)).tasks()
    assert (task.split, task.answers, task.meta["answer"]) == ("test", (), None)


def test_a_picture_that_is_not_base64_is_an_error_that_names_its_row(tmp_path: Path) -> None:
    made.write_table(tmp_path / "mmbench_dev.tsv", made.mmbench_row(5, "cat", "dog", image="<svg>"))
    source = registry.build("source", "mmbench", root=str(tmp_path))
    [task] = source.tasks()
    with pytest.raises(
        ImageError, match=r"the picture of index 5 in .*mmbench_dev\.tsv cannot be decoded"
    ):
        source.image_bytes(task)


def test_hateful_memes(tmp_path: Path) -> None:
    first, second, hidden = tasks("hateful", tmp_path)
    assert (first.id, first.image, first.choices) == (
        "hateful/dev_seen/1",
        "img/00001.png",
        ("yes", "no"),
    )
    assert first.question == "Is this meme hateful? It says: words <b>here</b>"
    assert (first.answers, second.answers, hidden.answers) == (("yes",), ("no",), ())
    assert first.meta == {"question_id": 1, "label": 1, "text": "words <b>here</b>"}


def test_pictures_may_lie_in_another_folder(tmp_path: Path) -> None:
    made.picture(tmp_path / "far" / "val2014" / "COCO_val2014_000000000009.jpg")
    (tmp_path / "near").mkdir()
    made.write_lines(tmp_path / "near" / "coco_pope_random.json", made.pope_row(1))
    source = registry.build(
        "source", "pope", root=str(tmp_path / "near"), images=str(tmp_path / "far")
    )
    [task] = source.tasks()
    assert source.image_path(task) == tmp_path / "far" / "val2014" / "COCO_val2014_000000000009.jpg"


@pytest.mark.parametrize(
    ("name", "wrong"), [("gqa", {"subset": "some"}), ("aokvqa", {"setting": "some"})]
)
def test_an_unknown_choice_names_the_known_ones(
    name: str, wrong: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(ProfileError, match=rf"{name} has no \w+ 'some'; choose \w+ or \w+"):
        registry.build("source", name, root=str(tmp_path), **wrong)


# --- datasets as they are


def read(name: str, root: Path, split: str | None = None) -> tuple[list[Task], list[str]]:
    source = registry.build("source", name, root=str(root))
    found = list(source.tasks(split))
    return found, [row.reason for row in source.bad]


def test_hateful_memes_of_the_first_phase_with_ids_as_text(tmp_path: Path) -> None:
    made.picture(tmp_path / "img" / "08291.png")
    rows = [made.hateful_row(8291, id="08291", label=label) for label in (1, "0")]
    made.write_lines(tmp_path / "dev.jsonl", rows[0])
    made.write_lines(tmp_path / "test.jsonl", rows[1])
    (first, second), bad = read("hateful", tmp_path)
    assert bad == []
    assert (first.id, first.answers, second.id, second.answers) == (
        *("hateful/dev/08291", ("yes",)),
        *("hateful/test/08291", ("no",)),
    )
    assert first.meta["question_id"] == "08291"


def test_aokvqa_with_equal_and_empty_choices_and_an_empty_answer(tmp_path: Path) -> None:
    made.picture(tmp_path / "val2017" / "000000000009.jpg")
    rows = [
        made.aokvqa_row("a", choices=["air", "water", "road", "road"], correct_choice_idx=2),
        made.aokvqa_row("b", choices=["air", "", "road", "sand"]),
        made.aokvqa_row("c", direct_answers=["road", "", *["street"] * 8]),
    ]
    made.write(tmp_path / "aokvqa_v1p0_val.json", rows)
    found, bad = read("aokvqa", tmp_path)
    assert bad == []
    assert [task.answers for task in found] == [("road",), ("",), ("sun",)]
    assert len(found[2].meta["direct_answers"]) == 10


@pytest.mark.parametrize("start", ["[", "\n [\n", "\ufeff["])
def test_pope_as_a_json_array(tmp_path: Path, start: str) -> None:
    made.pope(tmp_path)
    path = tmp_path / "coco_pope_random.json"
    lines = path.read_text().splitlines()
    path.write_text(start + ",\n".join(lines) + "]", encoding="utf-8")
    found, bad = read("pope", tmp_path, "random")
    assert bad == []
    assert [task.id for task in found] == ["pope/random/1", "pope/random/2"]


def test_tallyqa_that_does_not_say_is_told_by_its_origin(tmp_path: Path) -> None:
    made.tallyqa(tmp_path)
    rows = [made.tallyqa_row(n, data_source=of) for n, of in enumerate(("amt", "imported_vqa"))]
    for row in rows:
        del row["issimple"]
    made.write(tmp_path / "train.json", rows)
    found, _ = read("tallyqa", tmp_path, "train")
    assert [task.family for task in found] == ["complex", "simple"]


@pytest.mark.parametrize("split", ["test-dev", "test"])
def test_vqav2_of_which_only_the_server_knows_the_answers(tmp_path: Path, split: str) -> None:
    made.picture(tmp_path / "test2015" / "COCO_test2015_000000000009.jpg")
    name = f"v2_OpenEnded_mscoco_{split}2015_questions.json"
    made.write(tmp_path / name, {"questions": [made.vqa_question(7)]})
    (task,), bad = read("vqav2", tmp_path, split)
    assert bad == []
    assert (task.id, task.answers, task.meta) == (f"vqav2/{split}/7", (), {"question_id": 7})


@pytest.mark.parametrize("split", ["test", "challenge"])
def test_gqa_of_which_only_the_server_knows_the_answers(tmp_path: Path, split: str) -> None:
    made.gqa(tmp_path)
    picture = made.gqa_row()["imageId"]
    row = {"imageId": picture, "question": "Is it red?", "isBalanced": True}
    made.write(tmp_path / f"{split}_balanced_questions.json", {"12": row})
    (task,), bad = read("gqa", tmp_path, split)
    assert bad == []
    assert (task.id, task.answers, task.question) == (f"gqa/{split}/12", (), "Is it red?")


@pytest.mark.parametrize("name", ["vqav2", "okvqa"])
@pytest.mark.parametrize("number", [2**63, 2**64, -(2**70), 10**400, True])
def test_a_question_id_that_no_table_can_hold_is_a_bad_row(
    tmp_path: Path, name: str, number: int
) -> None:
    made.BENCHMARKS[name](tmp_path)
    prefix = "v2_" if name == "vqav2" else ""
    questions = [made.vqa_question(number), made.vqa_question(9000), made.vqa_question(1)]
    votes = [made.vqa_annotation(n) for n in (9000, 1)]
    made.write(
        tmp_path / f"{prefix}OpenEnded_mscoco_val2014_questions.json", {"questions": questions}
    )
    made.write(tmp_path / f"{prefix}mscoco_val2014_annotations.json", {"annotations": votes})
    found, bad = read(name, tmp_path)
    assert [task.meta["question_id"] for task in found] == [9000, 1]
    assert len(bad) == 1
    assert len(bad[0]) < 400


@pytest.mark.parametrize("there", ["caf\u00e9.png", "cafe\u0301.png"])
def test_pictures_of_benchmarks_may_be_links_with_other_spellings(
    tmp_path: Path, there: str
) -> None:
    made.picture(tmp_path / "cache" / "0a1b.png")
    (tmp_path / "files" / "img").mkdir(parents=True)
    (tmp_path / "files" / "img" / there).symlink_to(tmp_path / "cache" / "0a1b.png")
    row = made.hateful_row(1, img="img\\caf\u00e9.png")
    made.write_lines(tmp_path / "files" / "dev_seen.jsonl", row)
    (task,), bad = read("hateful", tmp_path / "files")
    assert bad == []
    assert (tmp_path / "files" / task.image).is_file()
