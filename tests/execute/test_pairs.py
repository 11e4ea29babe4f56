"""Programs over several pictures: each patch knows its picture, and tools see the right one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from painted import BLUE, RED, SIZE, FindPainted, painted_pair, painted_task, run_painted

from workbench.boxes import Box
from workbench.execute import Executor
from workbench.execute.cache import ResultCache
from workbench.images import ImageFolder
from workbench.records import PartRef, Program, Task, Trace

Pair = tuple[ImageFolder, Task]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return painted_pair(tmp_path_factory.mktemp("pair"))


def mirrored(box: Box) -> list[float]:
    return [SIZE[0] - box.x1, box.y0, SIZE[0] - box.x0, box.y1]


def results(trace: Trace) -> list[Any]:
    return [e.payload["result"] for e in trace.events if e.kind == "tool_result"]


def test_each_picture_is_looked_at_by_itself(pair: Pair) -> None:
    body = """
signs = [patch.find("sign")[0] for patch in image_patches]
return signs[0].left > signs[1].left
"""
    trace = run_painted(*pair, body)[0][2]
    first, second = (one["items"][0] for one in results(trace))
    assert (first["box"], second["box"]) == ([*RED.as_tuple()], mirrored(RED))
    assert "picture" not in first
    assert (second["picture"], second["size"]) == (1, [*SIZE])
    assert trace.answer == "no", trace.failure


def test_a_call_names_the_picture_that_it_looks_at(pair: Pair) -> None:
    trace = run_painted(*pair, 'return str(len(image_patches[1].find("flag")))')[0][2]
    (call,) = (e.payload for e in trace.events if e.kind == "tool")
    assert (call["receiver"]["picture"], call["receiver"]["box"]) == (1, [0, 0, *SIZE])


def test_patches_of_two_pictures_are_not_the_same_and_not_compared(pair: Pair) -> None:
    body = "return image_patches[0] == image_patches[1]"
    assert run_painted(*pair, body)[0][2].answer == "no"
    failure = run_painted(*pair, "return image_patches[0].overlaps(image_patches[1])")[0][2].failure
    assert failure is not None
    assert "different pictures" in failure.message


def test_surroundings_and_new_pictures_stay_with_their_picture(pair: Pair) -> None:
    body = """
flag = image_patches[1].find("flag")[0]
near = flag.expand_patch_with_surrounding()
return str(len(near.zoom(2).find("flag")))
"""
    trace = run_painted(*pair, body)[0][2]
    assert trace.answer == "1", trace.failure
    again = results(trace)[-1]["items"][0]
    assert again["picture"] == 1
    assert again["box"] == pytest.approx(mirrored(BLUE), abs=1)


def test_the_cache_keeps_the_pictures_apart(pair: Pair, tmp_path: Path) -> None:
    images, task = pair
    source = """
def execute_command(images):
    return str([ImagePatch(image).find("sign")[0].left for image in images])
"""
    program = Program("p", task.id, 0, source, 0.0, 1, 0, PartRef("sampler", "test"))
    turned = replace(task, image=task.more_images[0], more_images=(task.image,))

    def run(asked: Task) -> tuple[Trace, list[bool]]:
        cache = ResultCache(tmp_path / "cache.db")
        with Executor([FindPainted()], images, cache=cache, jail=False) as executor:
            trace = next(executor.run([(asked, program)]))
        return trace, [e.payload["cached"] for e in trace.events if e.kind == "tool_result"]

    first, second = run(task), run(turned)
    assert (first[1], second[1]) == ([False, False], [True, True])
    assert (first[0].answer, second[0].answer) == ("[200, 340]", "[340, 200]")
    assert first[0].id != second[0].id


@pytest.mark.parametrize("name", ["images", "image_list", "pictures"])
def test_the_list_of_the_pictures_has_several_names(pair: Pair, name: str) -> None:
    images, task = pair
    source = f"def execute_command({name}):\n    return str(len({name}))\n"
    program = Program("p", task.id, 0, source, 0.0, 1, 0, PartRef("sampler", "test"))
    with Executor([], images, jail=False) as executor:
        assert next(executor.run([(task, program)])).answer == "2"


def test_a_program_for_one_picture_is_refused_in_words(pair: Pair) -> None:
    images, task = pair
    source = "def execute_command(image):\n    return str(ImagePatch(image).width)\n"
    program = Program("p", task.id, 0, source, 0.0, 1, 0, PartRef("sampler", "test"))
    one = painted_task(task.image)
    with Executor([], images, jail=False) as executor:
        several, single = executor.run([(task, program), (one, replace(program, task_id=one.id))])
    assert several.failure is not None
    assert several.failure.kind == "source"
    assert "takes one picture, and this question has 2; write execute_command(images)" in (
        several.failure.message
    )
    assert single.answer == "640"
