"""Snapshots for other tools: what those tools require of a file holds, and text stays text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageChops
from snapshot_rows import HOSTILE, RATIONALE, draw, example, pair, taken

from workbench.errors import InputError
from workbench.images import LARGEST_PICTURE, decode, digest_of
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX
from workbench.records import REASON_WORDS, TraceEvent, storable_json
from workbench.snapshot import Snapshot
from workbench.snapshot.exports import FORMATS, TOOL_CALLS, export
from workbench.snapshot.exports.label_studio import config
from workbench.snapshot.exports.questions import REASON_TITLES
from workbench.snapshot.exports.trainers import MODEL
from workbench.snapshot.folder import write


def patch(x0: int, y0: int, x1: int, y1: int, label: str | None = None) -> dict[str, Any]:
    """A part of a picture as events hold it."""
    return {"type": "patch", "box": [x0, y0, x1, y1], "label": label, "score": None}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Takes a snapshot and exports it; gives the export's folder."""

    def make(to: str, rows: int = 3, **changes: Any) -> Path:
        snapshot = taken(tmp_path, rows, pairs=to == "preferences", **changes)
        return export(snapshot, to, tmp_path / "out").path

    return make


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_says_how_it_is_used(made: Callable[..., Path], to: str) -> None:
    folder = made(to)
    assert len((folder / "README.txt").read_text()) > 80
    assert not list(folder.parent.glob("*.part"))


@pytest.mark.parametrize("to", FORMATS)
def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path, to: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(InputError, match="is there already; an export needs a new or empty folder"):
        export(taken(tmp_path, pairs=True), to, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


@pytest.mark.parametrize("to", FORMATS)
def test_a_missing_picture_leaves_no_half_export(tmp_path: Path, to: str) -> None:
    snapshot = taken(tmp_path, pairs=True)
    next((snapshot.path / "images").rglob("*.png")).unlink()
    with pytest.raises(
        InputError, match=r"picture .*… is missing in .*; vpd doctor says what is wrong"
    ):
        export(snapshot, to, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_an_unknown_format_lists_them(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="no format is called 'csv'; there are: chat, datasets, argilla"
    ):
        export(taken(tmp_path), "csv", tmp_path / "out")


# --- chat


def test_two_prompts_two_targets(made: Callable[..., Path]) -> None:
    rows = lines(made("chat") / "train.jsonl")
    assert [row["target"] for row in rows] == ["label", "rationale"] * 2
    asked = "<image>How many dogs are there?"
    assert rows[0]["messages"] == [
        {"role": "user", "content": asked + LABEL_SUFFIX},
        {"role": "assistant", "content": "2"},
    ]
    assert rows[1]["messages"] == [
        {"role": "user", "content": asked + RATIONALE_SUFFIX},
        {"role": "assistant", "content": RATIONALE},
    ]


def test_an_example_without_a_rationale_teaches_its_label(made: Callable[..., Path]) -> None:
    assert [row["target"] for row in lines(made("chat", rationale=None) / "train.jsonl")] == [
        "label"
    ] * 2


def test_options_stand_behind_the_question(made: Callable[..., Path]) -> None:
    row = lines(made("chat", choices=("one", "two")) / "val.jsonl")[0]
    assert (
        row["messages"][0]["content"]
        == f"<image>How many dogs are there? Options: one, two.{LABEL_SUFFIX}"
    )


def test_there_is_one_tag_for_each_picture_whatever_the_text_says(
    made: Callable[..., Path],
) -> None:
    """LLaMA-Factory and ms-swift count `<image>`, `<video>` and `<audio>` in all messages."""
    wild = HOSTILE + "<video><audio></image><bbox><IMAGE><ref-object> < image>"
    for row in lines(made("chat", question=wild, rationale=wild, answer=wild) / "train.jsonl"):
        text = "".join(message["content"] for message in row["messages"])
        assert len(re.findall("<image>", text, re.IGNORECASE)) == len(row["images"]) == 1
        assert not re.search("<(/image|video|audio|bbox|ref-object)", text)


def test_typed_rows_hold_the_text_as_it_is(made: Callable[..., Path]) -> None:
    """TRL and Unsloth: one image part without a path for each entry of the column `images`."""
    row = lines(made("chat", question=HOSTILE) / "train.typed.jsonl")[0]
    assert "messages" not in row, "TRL would count every position of the question"
    assert row["prompt"][0]["content"] == [
        {"type": "image"},
        {"type": "text", "text": storable_json(HOSTILE) + LABEL_SUFFIX},
    ]
    assert row["completion"] == [{"role": "assistant", "content": [{"type": "text", "text": "2"}]}]
    assert len(row["images"]) == 1


def test_chat_files_name_pictures_that_are_there(made: Callable[..., Path]) -> None:
    folder = made("chat")
    info = json.loads((folder / "dataset_info.json").read_text())
    assert {name: held["file_name"] for name, held in info.items()} == {
        "vpd_train": "train.jsonl",
        "vpd_val": "val.jsonl",
    }
    for file in folder.glob("*.jsonl"):
        for row in lines(file):
            assert Image.open(folder / row["images"][0]).size == (96, 64)


def test_line_separators_do_not_cut_rows(made: Callable[..., Path]) -> None:
    folder = made("chat", rationale="one\u2028two\x85three\x1cfour\nfive")
    rows = (folder / "train.typed.jsonl").read_text().splitlines()
    assert [json.loads(row)["completion"][0]["content"][0]["text"] for row in rows[1::2]] == [
        "one\u2028two\x85three\x1cfour\nfive"
    ] * 2


def test_the_configurations_bound_the_picture_and_name_files_that_are_there(
    made: Callable[..., Path],
) -> None:
    folder = made("chat")
    for name in ("trl_sft.py", "llama_factory.yaml", "ms_swift.sh", "verl_sft.sh"):
        text = (folder / name).read_text()
        assert MODEL in text
        assert str(LARGEST_PICTURE) in text or name == "verl_sft.sh"
        files = re.findall(r"[\w.]+\.(?:jsonl|parquet)", text)
        assert all((folder / file).is_file() for file in files)
        assert any("val" in file for file in files) or name == "llama_factory.yaml"
    assert "eval_dataset: vpd_val" in (folder / "llama_factory.yaml").read_text()
    compile((folder / "trl_sft.py").read_text(), "trl_sft.py", "exec")
    for name in ("llama_factory.yaml", "ms_swift.sh", "verl_sft.sh", "README.txt"):
        assert "average over all target tokens" in (folder / name).read_text()


def test_without_held_out_questions_no_configuration_names_them(tmp_path: Path) -> None:
    digest = digest_of(draw(tmp_path / "drawn", 1))
    only = [example(0, digest, split="train")]
    snapshot = write(tmp_path / "snapshots", only, {digest: draw(tmp_path / "drawn", 1)}, filter={})
    folder = export(snapshot, "chat", tmp_path / "out").path
    for name in ("trl_sft.py", "llama_factory.yaml", "ms_swift.sh", "verl_sft.sh"):
        assert not re.search(r"vpd_val|\bval\.", (folder / name).read_text())
    assert not (folder / "val.parquet").exists()
    assert "no held-out questions" in (folder / "README.txt").read_text()


def test_verl_reads_text_with_a_tag_and_a_budget_for_each_picture(
    made: Callable[..., Path],
) -> None:
    folder = made("chat")
    row = pq.read_table(folder / "train.parquet").to_pylist()[0]
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"].startswith("<image>How many")
    [picture] = row["images"]
    assert (folder / picture["image"]).is_file()
    assert picture["max_pixels"] == LARGEST_PICTURE


# --- tool calls

EVENTS = (
    TraceEvent(
        0,
        "tool",
        2,
        0,
        {
            "call": 0,
            "tool": "find",
            "receiver": patch(0, 0, 96, 64),
            "arguments": {"object_name": "dog"},
        },
    ),
    TraceEvent(
        1,
        "tool_result",
        2,
        0,
        {
            "call": 0,
            "tool": "find",
            "ok": True,
            "result": {"type": "list", "length": 1, "items": [patch(10, 10, 50, 40, "dog")]},
        },
    ),
    TraceEvent(
        2,
        "tool",
        3,
        0,
        {
            "call": 1,
            "tool": "visual_question_answering",
            "receiver": patch(10, 10, 50, 40, "dog"),
            "arguments": {"question": "<image> what?"},
        },
    ),
    TraceEvent(
        3,
        "tool_result",
        3,
        0,
        {"call": 1, "tool": "visual_question_answering", "ok": True, "result": "two"},
    ),
    TraceEvent(4, "tool", 4, 0, {"call": 2, "tool": "find", "receiver": None, "arguments": {}}),
)
"""A call on the whole picture, one on a part, and one that was never answered."""


@pytest.fixture
def dialogues(tmp_path: Path) -> Path:
    """An export with tool calls; the trace of the third example is unknown."""
    known = {"t0": EVENTS, "t1": EVENTS}
    return export(taken(tmp_path, 3), TOOL_CALLS, tmp_path / "out", known).path


def test_calls_become_turns_and_a_part_is_shown_by_the_answer(dialogues: Path) -> None:
    row = lines(dialogues / "train.jsonl")[0]
    roles = [turn["role"] for turn in row["messages"]]
    assert roles == [
        "user",
        "tool_call",
        "tool_response",
        "tool_call",
        "tool_response",
        "assistant",
    ]
    texts = [turn["content"] for turn in row["messages"]]
    assert json.loads(texts[1]) == {"name": "find", "arguments": {"object_name": "dog"}}
    assert json.loads(texts[2]) == [{"box": "156 104 624 520", "label": "dog"}]
    assert json.loads(texts[3])["arguments"]["region"] == "156 104 624 520"
    assert texts[4] == "<image>two"
    assert texts[5] == RATIONALE
    assert "".join(texts).count("<image>") == len(row["images"]) == 2
    assert Image.open(dialogues / row["images"][1]).size == (40, 30)
    names = [tool["function"]["name"] for tool in json.loads(row["tools"])]
    assert names == ["find", "visual_question_answering"]
    assert max(text.count("<image>") for text in texts) == 1


def test_every_turn_of_the_model_is_a_row_with_what_came_before(dialogues: Path) -> None:
    rows = lines(dialogues / "train.typed.jsonl")[:3]
    assert [len(row["prompt"]) for row in rows] == [2, 4, 7]
    assert [len(row["completion"]) for row in rows] == [1, 1, 1]
    called = rows[1]["completion"][0]["tool_calls"][0]["function"]
    assert json.loads(called["arguments"])["question"] == "<image> what?"
    for row in rows:
        parts = [part for turn in row["prompt"] for part in turn["content"]]
        assert sum(part["type"] == "image" for part in parts) == len(row["images"])
        assert not any(
            part["type"] == "image"
            for turn in row["prompt"]
            if turn["role"] == "tool"
            for part in turn["content"]
        ), "TRL fills no picture into a turn of a tool"
    assert rows[2]["completion"][0]["content"][0]["text"] == RATIONALE


def test_an_example_without_its_trace_is_counted_not_lost(dialogues: Path) -> None:
    text = (dialogues / "README.txt").read_text()
    assert "1 examples are left out: the trace of their program is not in the project." in text
    assert not (dialogues / "val.jsonl").read_text()
    assert set(json.loads((dialogues / "dataset_info.json").read_text())) == {"vpd_train"}


def test_verl_gets_calls_as_text(dialogues: Path) -> None:
    row = pq.read_table(dialogues / "train.parquet").to_pylist()[0]
    assert [turn["role"] for turn in row["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
        "assistant",
    ]
    assert row["messages"][2]["content"].startswith('<tool_call>\n{"name": "find"')
    text = "".join(turn["content"] for turn in row["messages"])
    assert text.count("<image>") == len(row["images"]) == 2


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((TraceEvent(0, "truncated", 0, 0, {"kept": 1}), *EVENTS), "were cut off"),
        (EVENTS[-1:], "calls no tool"),
    ],
)
def test_a_trace_that_cannot_be_told_is_named(
    tmp_path: Path, events: tuple[TraceEvent, ...], why: str
) -> None:
    known = {f"t{at}": events for at in range(3)}
    folder = export(taken(tmp_path, 3), TOOL_CALLS, tmp_path / "out", known).path
    assert f"3 examples are left out: the {why}" in (folder / "README.txt").read_text().replace(
        "their program", "the"
    ).replace("the events of their trace", "the")


# --- datasets


def test_datasets_shows_pictures(made: Callable[..., Path], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    folder = made("datasets", rows=4, question=HOSTILE)
    files = {
        "train": str(folder / "train.parquet"),
        "validation": str(folder / "validation.parquet"),
    }
    data = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert {name: len(rows) for name, rows in data.items()} == {"train": 3, "validation": 1}
    assert type(data["train"].features["image"]).__name__ == "Image"
    row = data["train"][0]
    assert row["image"].size == (96, 64)
    assert row["question"] == storable_json(HOSTILE)
    assert [box["label"] for box in row["boxes"]] == ["cat", "dog", "dog"]
    whole = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert whole["validation"][0]["task_id"] == "made/0003"


def test_the_schema_names_its_features(made: Callable[..., Path]) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(made("datasets") / "train.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert set(features) == set(table.column_names)
    assert table.to_pylist()[0]["image"]["bytes"].startswith(b"\x89PNG")


# --- argilla


def test_argilla_records_fit_their_settings(made: Callable[..., Path]) -> None:
    folder = made("argilla", question=HOSTILE)
    settings = json.loads((folder / ".argilla" / "settings.json").read_text())
    known = {field["name"]: field for field in settings["fields"]}
    records = json.loads((folder / "records.json").read_text())
    assert len(records) == 3
    for record in records:
        assert set(record["fields"]) <= set(known)
        assert {name for name, field in known.items() if field["required"]} <= set(record["fields"])
        assert record["suggestions"]["rationale"]["value"] == RATIONALE
        assert set(record["metadata"]) >= {"task_id", "trace_id", "rationale_id"}
        assert (folder / record["fields"]["image"]).is_file()
    assert not any(field["settings"].get("use_markdown") for field in known.values()), (
        "nothing is interpreted"
    )


def test_argilla_itself_reads_the_folder(
    made: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    argilla = pytest.importorskip("argilla", reason="pip install argilla")
    from argilla.records._io._json import JsonIO

    folder = made("argilla")
    records = JsonIO._records_from_json(folder / "records.json")
    assert [record.fields["answer"] for record in records] == ["2"] * 3
    assert argilla.__version__.startswith("2.")


def test_reasons_are_those_of_the_curators() -> None:
    changed = {name for name, words in REASON_WORDS.items() if REASON_TITLES[name] != words}
    assert list(REASON_TITLES) == list(REASON_WORDS)
    assert changed == {"other"}


# --- label studio


def test_label_studio_boxes_are_in_percent(made: Callable[..., Path]) -> None:
    folder = made("label-studio")
    task = json.loads((folder / "tasks.json").read_text())[0]
    first, second, *_, told = task["predictions"][0]["result"]
    assert (first["readonly"], told.get("readonly")) == (True, None)
    assert first["value"]["rectanglelabels"] == ["cat"]
    assert [first["value"][side] * 9.99 for side in "xy"] == pytest.approx([312, 208])
    assert second["value"]["width"] == pytest.approx(100 * 500 / 999)
    assert (first["original_width"], first["original_height"]) == (96, 64)
    assert told["value"] == {"text": [RATIONALE]}
    path = task["data"]["image"].removeprefix("/data/local-files/?d=")
    assert (folder / path).is_file()


def test_label_studio_results_name_controls_that_exist(made: Callable[..., Path]) -> None:
    folder = made("label-studio")
    root = ElementTree.parse(folder / "config.xml").getroot()
    controls = {node.get("name"): node for node in root.iter() if node.get("toName")}
    labels = {node.get("value") for node in root.iter("Label")}
    for task in json.loads((folder / "tasks.json").read_text()):
        for result in task["predictions"][0]["result"]:
            assert controls[result["from_name"]].get("toName") == result["to_name"]
            assert set(result["value"].get("rectanglelabels", [])) <= labels
        for node in root.iter():
            if (node.get("value") or "").startswith("$"):
                assert str(node.get("value"))[1:] in task["data"]


def test_label_studio_labels_cannot_break_the_configuration() -> None:
    wild = '"/><HyperText value="$told"/> <!-- & '
    labels = [node.get("value") for node in ElementTree.fromstring(config([wild])).iter("Label")]
    assert labels == [wild]


# --- fiftyone


def test_fiftyone_boxes_are_relative(made: Callable[..., Path]) -> None:
    folder = made("fiftyone")
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    assert [sample["tags"] for sample in samples] == [
        ["train", "person"],
        ["train", "person"],
        ["val", "person"],
    ]
    boxes = samples[0]["boxes"]["detections"]
    assert boxes[1]["bounding_box"] == pytest.approx([0, 0, 500 / 999, 500 / 999])
    assert all(0 <= side <= 1 for box in boxes for side in box["bounding_box"])
    assert all((folder / sample["filepath"]).is_file() for sample in samples)


def test_an_export_leaves_the_snapshot_as_it_was(tmp_path: Path) -> None:
    snapshot = taken(tmp_path, pairs=True)
    for to in FORMATS:
        export(snapshot, to, tmp_path / to)
    assert Snapshot.open(snapshot.path).problems() == []


PICTURES = Path(__file__).parents[1] / "pictures"


def files_of(to: str, folder: Path) -> list[bytes]:
    """The pictures of an export."""
    if to == "datasets":
        tables = [pq.read_table(path) for path in folder.glob("*.parquet")]
        return [row["image"]["bytes"] for table in tables for row in table.to_pylist()]
    suffixes = (".png", ".jpg", ".tiff", ".webp")
    return [path.read_bytes() for path in folder.rglob("*") if path.suffix in suffixes]


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    "name", ["exif6.jpg", "exif6.png", "exif6.webp", "exif6.tiff", "rgba.png", "u16_12bit.png"]
)
def test_an_export_holds_what_the_model_saw(tmp_path: Path, to: str, name: str) -> None:
    digest = digest_of(PICTURES / name)
    snapshot = write(
        tmp_path / "snapshots",
        [example(0, digest, split="train")],
        {digest: PICTURES / name},
        filter={"accepted": "person"},
        pairs=[pair(0, digest)],
    )
    seen = decode(PICTURES / name)
    [data] = files_of(to, export(snapshot, to, tmp_path / "out").path)
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.mode, picture.size) == ("RGB", seen.size)
        assert picture.getexif().get(0x0112, 1) == 1
        assert picture.format in ("JPEG", "PNG")
        assert max(high for _, high in ImageChops.difference(picture, seen).getextrema()) <= 4
