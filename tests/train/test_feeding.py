"""Pictures are processed once, and workers encode what the run itself would have encoded."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from PIL import Image
from small_job import job_folder, picture
from tiny_vlms import FAMILIES, make

from workbench.errors import EngineError, SnapshotError
from workbench.images import ImageFolder
from workbench.records import Lesson
from workbench.snapshot import Snapshot
from workbench.train import feeding
from workbench.train.batch import Batch
from workbench.train.examples import Adapter
from workbench.train.feeding import Feed, MicroBatch, worker_count
from workbench.train.job import Job, read_job
from workbench.train.loss import StudentLoss
from workbench.train.run import execute
from workbench.train.status_files import LEFT_OUT, METRICS, STATUS, read_json, read_lines

HUB = [name for name in FAMILIES if name not in ("region", "pointer")]
LABEL, REASON = Lesson("label", "How many?", "2"), Lesson("rationale", "Why?", "There are two.")


def equal(one: Batch, other: Batch) -> bool:
    return (
        set(one.inputs) == set(other.inputs)
        and all(torch.equal(value, other.inputs[name]) for name, value in one.inputs.items())
        and torch.equal(one.targets, other.targets)
        and torch.equal(one.weights, other.weights)
        and (one.names, one.tokens) == (other.names, other.tokens)
    )


@pytest.mark.parametrize("family", HUB)
def test_a_picture_is_processed_once_and_gives_the_same_numbers(family: str) -> None:
    adapter, plain = Adapter(make(family)[1]), Adapter(make(family)[1])
    plain._processed._joins = False  # the family's own way
    wide, high = Image.new("RGB", (96, 48), "teal"), Image.new("RGB", (40, 80), "pink")
    rows = [(wide, LABEL), (wide, REASON), (high, LABEL), (high, REASON)]
    first = adapter.encode(rows)
    assert adapter._processed._joins is True, "the family joins pictures as the cache does"
    counted = adapter._processed.processed
    again = adapter.encode(rows)
    assert adapter._processed.processed == counted == 2
    assert equal(first, plain.encode(rows))
    assert equal(again, plain.encode(rows))
    assert equal(adapter.encode(rows[::-1]), plain.encode(rows[::-1]))
    assert type(adapter.processor.image_processor) is type(plain.processor.image_processor)


def test_the_cache_is_bounded() -> None:
    adapter = Adapter(make("llava")[1])
    adapter._processed._largest = 1
    pictures = [Image.new("RGB", (48, 48), (10 * at, 0, 0)) for at in range(4)]
    adapter.encode([(one, LABEL) for one in pictures])
    adapter.encode([(one, LABEL) for one in pictures])
    assert len(adapter._processed._kept) == 1


class Odd:
    """An image processor that joins pictures in a way of its own."""

    def __call__(
        self, images: Sequence[Sequence[Image.Image]], **_: object
    ) -> dict[str, torch.Tensor]:
        return {"pixel_values": torch.full((len(images), 1), float(len(images)))}


def test_a_family_that_joins_otherwise_keeps_its_own_way() -> None:
    adapter = Adapter(make("llava")[1])
    cache, own = adapter._processed, Odd()
    pictures = [[Image.new("RGB", (8, 8))], [Image.new("RGB", (9, 9))]]
    for _ in range(2):
        assert cache.features(own, pictures, {})["pixel_values"].tolist() == [[2.0], [2.0]]
    assert cache._joins is False


@pytest.fixture
def lessons(tmp_path: Path) -> tuple[StudentLoss, list[str]]:
    """A student's loss, and the digests of six pictures."""
    images = ImageFolder(tmp_path / "images")
    digests = [images.add(picture(tmp_path / "drawn", at)) for at in range(6)]
    return StudentLoss(Adapter(make("qwen2_vl")[1]), images, torch.device("cpu")), digests


def plan_of(digests: Sequence[str]) -> feeding.Plan:
    """Two micro-batches a step, each about two pictures; the last lesson is a filler."""

    def plan(step: int) -> list[MicroBatch]:
        of_step = [digests[(step + at) % len(digests)] for at in range(4)]
        return [
            MicroBatch([(one, lesson) for one in part for lesson in (LABEL, REASON)], at)
            for at, part in enumerate((of_step[:2], of_step[2:]))
        ]

    return plan


@pytest.mark.slow  # forks, which dies on some systems
def test_workers_give_what_the_run_itself_encodes_wherever_it_begins(
    lessons: tuple[StudentLoss, list[str]],
) -> None:
    loss, digests = lessons
    plain = Feed(loss, plan_of(digests), 6)
    fed = Feed(loss, plan_of(digests), 6, workers=2)
    for step in (2, 3, 4, 0, 5, 9):  # a resumed run, one that jumps, and beyond the end
        batches = list(fed.step(step))
        expected = list(plain.step(step))
        assert len(batches) == len(expected) == 2
        assert all(equal(one, other) for one, other in zip(batches, expected, strict=True))
    assert fed.replaced == 0
    fed.close()


def kill(feed: Feed) -> None:
    assert feed._pool is not None
    for process in list((feed._pool._processes or {}).values()):
        os.kill(process.pid, signal.SIGKILL)
        process.join()


@pytest.mark.slow  # forks, which dies on some systems
def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(
    lessons: tuple[StudentLoss, list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    loss, digests = lessons
    plain = Feed(loss, plan_of(digests), 4)
    fed = Feed(loss, plan_of(digests), 4, workers=1)
    for step in range(4):
        batches = list(fed.step(step))
        assert all(map(equal, batches, plain.step(step)))
        if step == 1:
            kill(fed)
    assert fed.replaced == 1
    assert "died at step" in capfd.readouterr().out
    fed.close()


@pytest.mark.slow  # forks, which dies on some systems
def test_workers_that_die_again_and_again_end_the_run_with_the_reason(
    lessons: tuple[StudentLoss, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, digests = lessons
    monkeypatch.setattr(feeding, "_arrays", lambda batch: os.kill(os.getpid(), signal.SIGKILL))
    fed = Feed(loss, plan_of(digests), 4, workers=2)
    with pytest.raises(EngineError, match=r"died 3 times, last at step \d .* set workers = 1"):
        list(fed.step(0))


def losses(folder: Path) -> list[tuple[float, float]]:
    rows = read_lines(folder / METRICS)
    return [(row["loss"], row["norm"]) for row in rows if "loss" in row]


@pytest.mark.slow  # forks, which dies on some systems
@pytest.mark.parametrize("family", ["llava", "smolvlm"])
def test_loss_and_gradient_with_workers_are_those_without(tmp_path: Path, family: str) -> None:
    folders = [
        job_folder(tmp_path, family, name=f"job{workers}", workers=workers, max_val=1)
        for workers in (0, 2)
    ]
    assert [execute(folder) for folder in folders] == [0, 0]
    assert losses(folders[0]) == losses(folders[1])
    assert len(losses(folders[0])) == 4


def broken(folder: Path) -> None:
    """Overwrite the last picture of the training side with something else."""
    snapshot = Snapshot.open(Path(read_job(folder / "job.toml").snapshot))
    path = snapshot.images.path(snapshot.examples("train")[-1].image)
    assert path is not None
    path.unlink()  # its hard link elsewhere stays whole
    path.write_bytes(b"\x89PNG\r\n\x1a\n cut off")


@pytest.mark.slow  # forks, which dies on some systems
@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_picture_is_named_and_skipped_only_when_asked(
    tmp_path: Path, workers: int
) -> None:
    folder = job_folder(tmp_path, workers=workers, max_val=1)
    broken(folder)
    assert execute(folder) == 2
    failure = read_json(folder / STATUS)["failure"]
    assert "of made/0004 cannot be read" in failure["text"]
    assert "skip_broken = true" in failure["text"]
    folder = job_folder(tmp_path, name="skips", workers=workers, max_val=1, skip_broken=True)
    broken(folder)
    assert execute(folder) == 0
    assert [row["task_id"] for row in read_lines(folder / LEFT_OUT)] == ["made/0004"]


def test_the_loss_names_the_broken_picture(lessons: tuple[StudentLoss, list[str]]) -> None:
    loss, digests = lessons
    path = loss.images.path(digests[0])
    assert path is not None
    path.write_bytes(b"nothing")
    loss.tasks = {digests[0]: "made/0000"}
    with pytest.raises(SnapshotError, match="of made/0000 cannot be read"):
        loss.encode([(digests[0], LABEL)], 0)


@pytest.mark.parametrize(
    ("wish", "family", "count"), [(3, "llava", 3), (-1, "llava", 0), (4, "region", 0)]
)
def test_workers_are_where_they_help(wish: int, family: str, count: int) -> None:
    adapter = Adapter(make(family)[1])
    assert worker_count(Job("s", workers=wish), adapter) == count
