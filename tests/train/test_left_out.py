"""A picture that a student cannot take costs its own examples; its size counts in what a job costs."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_job import example, job_folder, picture
from tiny_vlms import make, save

from workbench.images import ImageFolder, digest_of
from workbench.models import checkpoint
from workbench.models.vlm import MAX_PIXELS, Vlm
from workbench.records import Lesson
from workbench.snapshot import write
from workbench.train import load
from workbench.train.estimate import dry_run
from workbench.train.examples import Adapter
from workbench.train.job import LARGEST_PICTURE, Job, Lora, read_job, write_job
from workbench.train.load import load_student
from workbench.train.loss import StudentLoss
from workbench.train.run import train
from workbench.train.status_files import LEFT_OUT, Board, read_lines


def job_with(folder: Path, odd: Image.Image, family: str = "qwen25_vl", at: int = 2) -> Path:
    """A job of six examples, one of which is about an odd picture."""
    odd.save(folder / "odd.png")
    paths = [picture(folder / "drawn", number) for number in range(6)]
    paths[at] = folder / "odd.png"
    pictures = {digest_of(path): path for path in paths}
    examples = []
    for number, (digest, path) in enumerate(pictures.items()):
        with Image.open(path) as opened:
            width, height = opened.size
        split = "val" if number >= 4 else "train"
        examples.append(example(number, digest, split=split, width=width, height=height))
    snapshot = write(folder / "snapshots", examples, pictures, filter={"accepted": "automatic"})
    save(family, folder / "student")
    target = folder / "job"
    target.mkdir()
    job = Job(
        snapshot=str(snapshot.path),
        student=str(folder / "student"),
        batch=2,
        micro_batch=1,
        steps=2,
        eval_every=2,
        precision="fp32",
        max_tokens=2,
        lora=Lora(r=2, alpha=4),
    )
    write_job(job, target)
    return target


@pytest.fixture(autouse=True)
def _pictures_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family's own processor needs torchvision for films, so that the Auto class loads none."""

    def load_processor(student: str) -> Any:
        is_qwen = "qwen2_5_vl" in (Path(student) / "config.json").read_text()
        return make("qwen25_vl")[1] if is_qwen else checkpoint.load_processor(student)

    monkeypatch.setattr(load, "load_processor", load_processor)


@pytest.mark.parametrize("at", [2, 5])
def test_a_banner_that_the_processor_refuses_is_a_row_and_the_job_goes_on(
    tmp_path: Path, at: int
) -> None:
    folder = job_with(tmp_path, Image.new("RGB", (900, 4), "teal"), at=at)
    with Board(folder) as board:
        assert train(read_job(folder / "job.toml"), folder, board) == "done"
    [row] = read_lines(folder / LEFT_OUT)
    assert row["task_id"] == f"made/{at:04d}"
    assert "aspect ratio" in row["reason"]


def test_a_refused_picture_weighs_nothing_and_the_others_as_ever(tmp_path: Path) -> None:
    model, processor = make("qwen25_vl")
    images = ImageFolder(tmp_path / "images")
    digests = []
    for number, size in enumerate([(64, 64), (900, 4)]):
        Image.new("RGB", size, "teal").save(tmp_path / f"{number}.png")
        digests.append(images.add(tmp_path / f"{number}.png"))
    loss = StudentLoss(Adapter(processor), images, model.device)
    lesson = Lesson("label", "How many?", "2")
    alone = loss(model, [(digests[0], lesson)], 2)
    both = loss(model, [(digests[0], lesson), (digests[1], lesson)], 2)
    assert float(both.share.detach()) == pytest.approx(float(alone.share.detach()), rel=1e-4)
    assert both.weights.tolist() == [1.0, 0.0]
    assert list(loss.refused) == [digests[1]]


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen3_vl", "smolvlm", "llava"])
def test_a_larger_picture_is_never_shorter_in_tokens(family: str) -> None:
    adapter = Adapter(make(family)[1])
    lengths = [adapter.picture_length(side, side) for side in (32, 64, 128, 256)]
    assert lengths == sorted(lengths)
    assert lengths[0] > 0


def test_the_estimate_takes_the_step_of_the_largest_picture(tmp_path: Path) -> None:
    folder = job_with(tmp_path, Image.new("RGB", (64, 64), "teal"))
    job = replace(read_job(folder / "job.toml"), steps=4)
    estimate = dry_run(job, folder)
    assert "pictures included" in estimate.basis
    assert 0 < estimate.seconds <= estimate.most_seconds * 1.001


def test_a_picture_is_scaled_to_the_bound_in_training_and_when_the_student_is_asked(
    tmp_path: Path,
) -> None:
    job = replace(read_job(job_folder(tmp_path) / "job.toml"), max_pixels=1000)
    loaded = load_student(job)
    large = Image.new("RGB", (400, 100))
    for talk in (loaded.adapter, Vlm(loaded.model, loaded.adapter.processor, "x").conversation):
        scaled = talk.picture(large)
        assert scaled.width * scaled.height <= 1000
        assert scaled.width / scaled.height == pytest.approx(4, rel=0.1)
        assert talk.picture(Image.new("RGB", (20, 20))).size == (20, 20)
    assert getattr(loaded.model.config, MAX_PIXELS) == 1000


def test_the_bound_changes_no_key_of_a_job_from_before_it() -> None:
    job = Job(snapshot="s")
    assert job.max_pixels == LARGEST_PICTURE
    assert replace(job, max_pixels=5).key != job.key
    assert "max_pixels" in asdict(job)
