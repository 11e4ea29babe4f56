"""The pointer student: tiny, untrained or over-fitted, with the real detector."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from workbench.boxes_in_text import boxes_in
from workbench.errors import InputError
from workbench.images import ImageFolder
from workbench.models.bundled import PointerShape, fresh_pointer_student
from workbench.models.conversation import Conversation
from workbench.models.pointer_processor import PointerVlmProcessor
from workbench.models.pointer_vlm import Matching
from workbench.models.region_vlm import IMAGE_TOKEN, WIDTH, RegionView
from workbench.models.student import TransformersStudent
from workbench.models.vlm import Vlm
from workbench.models.weights import small_folder
from workbench.prompts import LABEL_SUFFIX, RATIONALE_SUFFIX
from workbench.records import Lesson, Region, Task
from workbench.tasks.collage.pictures import make_scene, render
from workbench.train.examples import Adapter
from workbench.train.load import trainable_parameters
from workbench.train.loss import lesson_losses

SCENE = render(make_scene("train", 3))
BLANK = Image.new("RGB", (96, 64), "white")
SHAPE = PointerShape(hidden=32, layers=2, heads=2, reader_layers=1)
WORDS = ["The", "dog", "is", "at", "Thus", "the", "answer", "yes", "no", ",", "."]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("pointer")
    for part in fresh_pointer_student(WORDS, ["dog", "sports ball", "nothing"], SHAPE):
        part.save_pretrained(folder)
    return folder


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "images")


def whole(images: ImageFolder, picture: Image.Image) -> Region:
    path = images.root.parent / "picture.png"
    picture.save(path)
    return images.whole(images.add(path))


def test_the_auto_classes_load_it_with_the_same_weights(checkpoint: Path) -> None:
    first, second = (AutoModelForImageTextToText.from_pretrained(checkpoint) for _ in range(2))
    processor = AutoProcessor.from_pretrained(checkpoint)
    assert isinstance(processor, PointerVlmProcessor)
    assert (processor.reader, processor.reader_layers, processor.region_count) == ("bundled", 1, 12)
    text = Conversation(processor).prompt("Is there a dog?" + LABEL_SUFFIX)
    batch = processor(images=[SCENE], text=[text])
    with torch.no_grad():
        assert torch.equal(first(**batch).logits, second(**batch).logits)


def test_regions_and_question_see_each_other_and_an_answer_what_is_before_it(
    checkpoint: Path,
) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    adapter = Adapter(AutoProcessor.from_pretrained(checkpoint))
    batch = adapter.encode([(SCENE, Lesson("label", "Is there a dog?" + LABEL_SUFFIX, "yes no"))])
    ids = batch.inputs["input_ids"]
    seen = model.visible(ids, batch.inputs["attention_mask"])[0, 0]
    before = int((batch.targets[0] >= 0).nonzero()[0]) - 1
    assert seen[:before, :before].all()
    assert not seen[:before, before:].any()
    assert torch.equal(seen[before:], torch.ones_like(seen).tril()[before:])


def test_the_classifier_of_regions_is_never_trained(checkpoint: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint).requires_grad_(True)
    names = trainable_parameters(model)
    assert "region_reader.name_weight" in model.state_dict()
    assert not any("name_weight" in name or "name_bias" in name for name in names)


def test_an_explanation_is_learnt_with_its_box_and_streamed(
    checkpoint: Path, images: ImageFolder
) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    processor = AutoProcessor.from_pretrained(checkpoint)
    adapter = Adapter(processor)
    cells = processor.look([SCENE])[0].cells[1]
    said = f"The dog is at {' '.join(map(str, cells))}. Thus, the answer is yes."
    question = "Is there a dog?"
    rows = [
        (SCENE, Lesson("label", question + LABEL_SUFFIX, "yes")),
        (SCENE, Lesson("rationale", question + RATIONALE_SUFFIX, said)),
        (BLANK, Lesson("label", question + LABEL_SUFFIX, "no")),
        (BLANK, Lesson("label", "What is it?" + LABEL_SUFFIX, "a quokka")),
    ]
    batch = adapter.encode(rows)
    assert int((batch.targets[1] >= 0).sum()) < 20  # the box is one token
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(300):
        losses = lesson_losses(model, batch)
        if float(losses.detach().max()) < 0.01:
            break
        adam.zero_grad()
        losses.sum().backward()
        adam.step()
    vlm = Vlm(model, processor, "pointer")
    prompts = [lesson.prompt for _, lesson in rows]
    scene, blank = whole(images, SCENE), whole(images, BLANK)
    assert vlm.generate([scene, scene, blank, blank], prompts, images, 60) == [
        lesson.target for _, lesson in rows
    ]
    heard: list[str] = []
    assert vlm.stream(scene, prompts[1], images, 60, heard.append) == said
    assert "".join(heard).strip() == said
    assert [box.cells for box in boxes_in(said)] == [cells]
    begun = vlm.generate([scene], [prompts[1]], images, 60, ["The dog is at"])
    assert f"The dog is at {begun[0]}" == said
    yes, no = vlm.choose([scene], [prompts[0]], [["yes", "no"]], images)[0]
    assert yes > 0.9 > 0.1 > no


def test_a_box_in_a_question_is_a_pointer_behind_its_words(checkpoint: Path) -> None:
    processor = AutoProcessor.from_pretrained(checkpoint)
    talk = Conversation(processor)
    cells = " ".join(map(str, processor.look([SCENE])[0].cells[2]))
    row = processor(images=[SCENE], text=[talk.prompt(f"What is at {cells}?" + LABEL_SUFFIX)])
    last = processor.tokenizer.convert_ids_to_tokens(row["input_ids"][0])[-2:]
    assert last == ["<region_2>", "<brief>"]


def test_a_picture_with_no_region_leaves_the_question(
    checkpoint: Path, images: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = TransformersStudent(str(checkpoint), device="cpu", max_tokens=4)
    student.forget()
    nothing = RegionView(np.zeros((13, WIDTH), np.float32), IMAGE_TOKEN, 96, 64)
    monkeypatch.setattr(PointerVlmProcessor, "_detect", lambda self, pictures: [nothing])
    region = whole(images, BLANK)
    task = Task("t", "s", "test", region.image, "Is there a dog?")
    assert isinstance(student.answer([task], images)[0].answer, str)
    processor = AutoProcessor.from_pretrained(checkpoint)
    batch = processor(images=[BLANK], text=[IMAGE_TOKEN + "Is there a dog?<answer>"])
    mark = processor.tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
    assert mark not in batch["input_ids"]
    assert processor.pointed("at 1 2 30 40", BLANK) == "at <at_0><at_0><at_3><at_4>"


def test_hostile_words_are_no_pointers(checkpoint: Path) -> None:
    vlm = Vlm.load(str(checkpoint), device="cpu")
    assert vlm.clean("a <region_1> at <at_3><brief>b") == "a  at b"


def test_two_pictures_with_one_question_are_refused(checkpoint: Path) -> None:
    processor = AutoProcessor.from_pretrained(checkpoint)
    with pytest.raises(ValueError, match="2 image marks in 1 texts, 2 pictures"):
        processor(images=[SCENE, SCENE], text=[IMAGE_TOKEN * 2])


def test_a_checkpoint_of_another_layout_is_refused_in_words(
    checkpoint: Path, tmp_path: Path
) -> None:
    for path in checkpoint.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "layout": 1}))
    with pytest.raises(InputError, match=r"has layout 1, and this version .* reads layout 2"):
        Vlm.load(str(tmp_path), device="cpu")


def test_a_reader_that_is_gone_is_named(tmp_path: Path) -> None:
    tokenizer = fresh_pointer_student(WORDS, ["dog"], SHAPE)[1].tokenizer
    processor = PointerVlmProcessor(tokenizer, reader=str(tmp_path))
    with pytest.raises(InputError, match=r"questions are read by the model .* cannot be loaded"):
        processor(images=[BLANK], text=[IMAGE_TOKEN + "Why?<answer>"])


def test_a_small_student_that_was_not_made_says_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VPD_DATA", str(tmp_path))
    with pytest.raises(InputError, match="run `vpd make-models small-student`"):
        small_folder()


def test_what_is_named_is_matched_counted_and_marked() -> None:
    matching = Matching(names=2, reader_width=4, hidden=2, regions=3)
    with torch.no_grad():
        # the first half of a state says "dog", the second half "cat"; the middle of both, nothing
        matching.name_weight.copy_(torch.tensor([[9.0, 9, -9, -9], [-9, -9, 9, 9]]))
        matching.name_bias.fill_(-1.0)
        for part in (matching.region_of_word, matching.word_of_region):
            part.weight.copy_(torch.eye(2))
        matching.named.weight.copy_(torch.tensor([[0.0], [100.0]]))
        matching.number.weight.copy_(torch.arange(8.0).reshape(2, 4))
    states = torch.tensor([[[1.0, 1, -1, -1], [1, -1, 1, -1]]])
    shares = matching.word_shares(states)
    assert torch.allclose(shares[0, 0], torch.tensor([1.0, 0.0]), atol=1e-3)
    assert float(shares[0, 1].max()) < 0.3
    meant = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    are = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    words = torch.tensor([[[5.0, 7.0], [11.0, 13.0]]])
    regions = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]]])
    more_words, more_regions = matching(words, meant, regions, are)
    # two dogs: their regions add up, and the column of the number two is taken
    assert more_words.tolist() == [[[1.0 + 2.0, 1.0 + 6.0], [0.0, 0.0]]]
    assert more_regions.tolist() == [[[5.0, 107.0], [5.0, 107.0], [0.0, 0.0]]]


def test_no_pointer_leaves_the_picture(checkpoint: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    processor = AutoProcessor.from_pretrained(checkpoint)
    text = Conversation(processor).prompt("Where is the dog?" + LABEL_SUFFIX)
    batch = processor(images=[SCENE], text=[text])
    with torch.no_grad():
        logits = model(**batch).logits[0, -1]
    there = len(processor.look([SCENE])[0].cells)
    first = model.config.pointer_token_id
    assert 0 < there < processor.region_count
    assert torch.isfinite(logits[first : first + there]).all()
    assert (logits[first + there : first + processor.region_count] < -1e30).all()


def test_a_pointer_brings_its_region_along(checkpoint: Path) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint)
    processor = AutoProcessor.from_pretrained(checkpoint)
    regions = processor(
        images=[SCENE], text=[Conversation(processor).prompt("Where?" + LABEL_SUFFIX)]
    )["region_features"]
    pointer = torch.tensor([[model.config.pointer_token_id]])
    with torch.no_grad():
        other = regions.clone()
        other[:, 0] = regions[:, 1]
        here, there = (
            model._placed(pointer, model.read(one, None).behind()) for one in (regions, other)
        )
    assert not torch.allclose(here, there)
