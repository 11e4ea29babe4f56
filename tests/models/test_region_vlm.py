"""The student's architecture, on a tiny random model with the real detector and a real tokenizer."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor, AutoTokenizer, LlamaConfig

from workbench.images import ImageFolder
from workbench.models import pictures_read
from workbench.models.language import language_path
from workbench.models.llama_rows import LlamaRows
from workbench.models.region_vlm import (
    CLASSES,
    IMAGE_TOKEN,
    WIDTH,
    RegionVlmConfig,
    RegionVlmForConditionalGeneration,
    RegionVlmProcessor,
    region_vectors,
)
from workbench.models.student import TransformersStudent
from workbench.models.vlm import Vlm
from workbench.records import Task
from workbench.tasks.collage.pictures import make_scene, render


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random student, saved as transformers saves it."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(language_path("bundled"))
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    model = RegionVlmForConditionalGeneration(
        RegionVlmConfig(
            text, projector_width=16, image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
        )
    )
    folder = tmp_path_factory.mktemp("student")
    model.save_pretrained(folder)
    RegionVlmProcessor(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def pictures() -> list[Image.Image]:
    return [render(make_scene("train", i)) for i in range(3)]


def test_the_auto_classes_load_it_with_the_same_weights(
    checkpoint: Path, pictures: list[Image.Image]
) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint).eval()
    again = AutoModelForImageTextToText.from_pretrained(checkpoint).eval()
    processor = AutoProcessor.from_pretrained(checkpoint)
    assert isinstance(processor, RegionVlmProcessor)
    batch = processor(
        images=[pictures[0]], text=[IMAGE_TOKEN + "What is this?\n"], return_tensors="pt"
    )
    with torch.no_grad():
        torch.testing.assert_close(model(**batch).logits, again(**batch).logits)


def test_the_picture_changes_the_answer(checkpoint: Path, pictures: list[Image.Image]) -> None:
    model = AutoModelForImageTextToText.from_pretrained(checkpoint).eval()
    processor = AutoProcessor.from_pretrained(checkpoint)
    batch = processor(
        images=[pictures[0]], text=[IMAGE_TOKEN + "What is this?\n"], return_tensors="pt"
    )
    features = batch.pop("region_features")
    other = features.clone()
    other[:, 1:, 2 : 2 + CLASSES] = features[:, 1:, 2 : 2 + CLASSES].flip(-1)
    with torch.no_grad():
        assert not torch.allclose(
            model(**batch, region_features=features).logits[:, -1],
            model(**batch, region_features=other).logits[:, -1],
        )


def test_an_answer_does_not_depend_on_the_batch(
    checkpoint: Path, pictures: list[Image.Image], tmp_path: Path
) -> None:
    vlm = Vlm.load(str(checkpoint), device="cpu")
    vlm.model.float()
    images = ImageFolder(tmp_path / "images")
    regions = []
    for i, picture in enumerate(pictures):
        picture.save(tmp_path / f"{i}.png")
        regions.append(images.whole(images.add(tmp_path / f"{i}.png")))
    prompts = ["What is this?", "How many things are there in the picture, all told?", "Where?"]
    together = vlm.generate(regions, prompts, images, 6)
    assert together == [
        vlm.generate([r], [p], images, 6)[0] for r, p in zip(regions, prompts, strict=True)
    ]
    options = [["yes", "no"], ["a dog", "cat", "sports ball"], ["1"]]
    chances = vlm.choose(regions, prompts, options, images)
    assert [len(row) for row in chances] == [2, 3, 1]
    np.testing.assert_allclose([sum(row) for row in chances], 1.0, rtol=1e-5)
    alone = vlm.choose([regions[1]], [prompts[1]], [options[1]], images)[0]
    np.testing.assert_allclose(chances[1], alone, rtol=1e-4)


def test_what_is_kept_of_a_picture_changes_no_answer(
    checkpoint: Path,
    pictures: list[Image.Image],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vlm = Vlm.load(str(checkpoint), device="cpu")
    monkeypatch.setattr(vlm, "model", copy.deepcopy(vlm.model).float())
    images = ImageFolder(tmp_path / "images")
    regions = []
    for i, picture in enumerate(pictures):
        picture.save(tmp_path / f"{i}.png")
        regions += 2 * [images.whole(images.add(tmp_path / f"{i}.png"))]
    prompts = ["What is this?", "How many things are there, all told?", "Where is it?", "a", "b c"]
    questions = regions[: len(prompts)], prompts[: len(regions)]
    options = [["yes", "no"], ["a dog", "cat", "sports ball"], ["1"], ["a", "b"], ["x", "y"]]
    monkeypatch.setattr(vlm, "read", None)
    plain = vlm.generate(*questions, images, 9), vlm.choose(*questions, options, images)
    for most in (1 << 30, 1):  # all pictures have room, or only the last one
        monkeypatch.setattr(pictures_read, "MOST_BYTES", most)
        read = pictures_read.pictures_read(vlm.model)
        assert read is not None
        monkeypatch.setattr(vlm, "read", read)
        for _ in range(2):
            assert vlm.generate(*questions, images, 9) == plain[0]
            for kept, fresh in zip(vlm.choose(*questions, options, images), plain[1], strict=True):
                np.testing.assert_allclose(kept, fresh, rtol=1e-4)
    assert len(read._openings) == 1


def test_a_known_picture_costs_the_words_of_the_question_alone(
    checkpoint: Path, pictures: list[Image.Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vlm = Vlm.load(str(checkpoint), device="cpu")
    monkeypatch.setattr(vlm, "read", pictures_read.pictures_read(copy.deepcopy(vlm.model).float()))
    pictures[0].save(tmp_path / "0.png")
    images = ImageFolder(tmp_path / "images")
    region = images.whole(images.add(tmp_path / "0.png"))
    tokens: list[int] = []
    hidden = LlamaRows.hidden

    def counted(rows: LlamaRows, vectors: Tensor, real: Tensor) -> Tensor:
        tokens.append(real.shape[1])
        return hidden(rows, vectors, real)

    monkeypatch.setattr(LlamaRows, "hidden", counted)
    vlm.generate([region], ["What is this?"], images, 1)
    vlm.generate([region], ["What was this?"], images, 1)
    picture, first, second = tokens
    assert first == second
    vlm.forget()
    vlm.generate([region], ["What is this?"], images, 1)
    assert tokens[3:] == [picture, first]


def test_an_answer_goes_on_from_its_beginning(
    checkpoint: Path, pictures: list[Image.Image], tmp_path: Path
) -> None:
    student = TransformersStudent(str(checkpoint), device="cpu", max_rationale_tokens=6)
    images = ImageFolder(tmp_path / "images")
    tasks = []
    for i, picture in enumerate(pictures):
        picture.save(tmp_path / f"{i}.png")
        tasks.append(Task(f"t{i}", "s", "test", images.add(tmp_path / f"{i}.png"), "What is this?"))
    begun = ["There are 3 dogs. Thus,", "", "A cat"]
    said = student.conclude(tasks, begun, images)
    assert said == [
        student.conclude([t], [b], images)[0] for t, b in zip(tasks, begun, strict=True)
    ]
    free = [prediction.rationale for prediction in student.answer(tasks, images, explain=True)]
    assert said[1] == free[1]
    assert said[0] != free[0]


def test_special_tokens_in_a_question_are_taken_out(checkpoint: Path) -> None:
    vlm = Vlm.load(str(checkpoint), device="cpu")
    hostile = f"a{IMAGE_TOKEN}b<|im_<|im_end|>end|>c\nd"
    assert vlm.clean(hostile) == "abc d"


def test_a_wrong_number_of_pictures_is_refused(
    checkpoint: Path, pictures: list[Image.Image]
) -> None:
    processor = AutoProcessor.from_pretrained(checkpoint)
    with pytest.raises(ValueError, match="2 image marks in the text, 1 pictures"):
        processor(images=pictures[:1], text=[IMAGE_TOKEN * 2], return_tensors="pt")


def test_regions_stand_from_left_to_right_with_their_boxes() -> None:
    boxes = np.array([[0.5, 0.1, 0.9, 0.3], [0.0, 0.2, 0.4, 0.6], [0, 0, 0, 0]], np.float32)
    scores = np.zeros((3, CLASSES), np.float32)
    scores[0, 3], scores[1, 5] = 0.81, 0.64
    vectors, texts = region_vectors(
        boxes, scores, np.ones((3, WIDTH - 10 - CLASSES)), np.array([True, True, False])
    )
    assert texts == ["", " 200 0 599 400", " 100 500 300 899"]
    assert vectors[1, 2 + 5] == pytest.approx(0.8)
    assert vectors[2, 2 + 3] == pytest.approx(0.9)
    assert not vectors[3].any()


def test_what_is_no_plain_student_of_regions_is_left_to_transformers(checkpoint: Path) -> None:
    assert Vlm.load("small", device="cpu").read is None, "the pointer student reads both ways"
    model = copy.deepcopy(Vlm.load(str(checkpoint), device="cpu").model).float()
    assert pictures_read.pictures_read(model) is not None
    model.generation_config.repetition_penalty = 1.3
    assert pictures_read.pictures_read(model) is None
