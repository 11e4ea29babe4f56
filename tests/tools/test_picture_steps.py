"""Steps whose result is a picture: what they show, where it lies, and what bounds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from painted import RED, STEPS, FindPainted, painted, painted_task, run_painted

from workbench.boxes import Box
from workbench.execute import Executor
from workbench.execute.cache import ResultCache
from workbench.execute.values import Border, Unfit
from workbench.images import ImageFolder
from workbench.limits import Limits
from workbench.made_pictures import MAX_MADE, MadeRegion
from workbench.records import PartRef, Program, Region, Task, ToolCall, Trace
from workbench.tools.picture_steps import MOST_PIXELS, Zoom


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageFolder, Task]:
    images, digest = painted(tmp_path_factory.mktemp("painted"))
    return images, painted_task(digest)


def results(trace: Trace) -> list[Any]:
    """What each call gave: the patch, or the first of a list of them; the error of a failed one."""
    given = [e.payload for e in trace.events if e.kind == "tool_result"]
    values = [one.get("result") or one.get("error") for one in given]
    return [v["items"][0] if isinstance(v, dict) and "items" in v else v for v in values]


def one_run(world: tuple[ImageFolder, Task], body: str) -> Trace:
    return run_painted(*world, body)[0][2]


WHERE = {
    "enlarged": ('image_patch.find("sign")[0].zoom(3).find("letter")', 0),
    "beside its surroundings": (
        'image_patch.find("sign")[0].expand_patch_with_surrounding().zoom(2.5).find("sign")',
        1,
    ),
    "turned by a quarter": ('image_patch.rotate(90).find("sign")', 0),
    "turned twice": ('image_patch.rotate(90).rotate(-90).find("sign")', 0),
    "enhanced": ('image_patch.enhance("sharpness", 1.2).find("sign")', 1),
    "cut out of a new picture": (
        'image_patch.zoom(1.2).crop(0, 200, 700, 576).zoom(2).find("sign")',
        2,
    ),
    "on the right of two": (
        'side_by_side([image_patch.find("flag")[0], image_patch.find("sign")[0]]).find("sign")',
        3,
    ),
}


@pytest.mark.parametrize("name", WHERE)
def test_what_is_found_in_a_new_picture_has_its_place_in_the_first(world, name: str) -> None:
    call, tolerance = WHERE[name]
    trace = one_run(world, f"return str(len({call}))")
    assert trace.answer == "1", trace.failure
    patch = results(trace)[-1]
    assert np.abs(np.array(patch["box"]) - np.array(RED.as_tuple())).max() <= tolerance
    assert "made" in patch


def test_a_turned_thing_lies_inside_what_was_turned(world) -> None:
    trace = one_run(world, 'p = image_patch.find("sign")[0].rotate(30)\nreturn str(p.width)')
    patch = results(trace)[-1]
    assert patch["box"] == list(RED.as_tuple())  # not the grey corners around it
    assert int(trace.answer or 0) > RED.width


def test_new_pictures_show_what_was_drawn(world) -> None:
    images, _ = world
    body = """
sign = image_patch.find("sign")[0]
flag = image_patch.find("flag")[0]
image_patch.draw_box(flag, "green")
image_patch.draw_point(flag, "green")
image_patch.draw_line(sign, flag, "green")
image_patch.mark([sign, flag])
image_patch.draw_box(flag, "green").draw_box(sign, "green")
return "done"
"""
    green = []
    for patch in results(one_run(world, body))[2:]:
        pixels = np.asarray(images.open(patch["made"]["image"])).astype(int)
        green.append(int(((pixels[..., 1] > 100) & (pixels[..., 0] < 50)).sum()))
    assert all(green[:3])
    assert green[3] > 0  # the second number's colour
    assert green[5] > green[0]  # drawn on top of what was drawn before


BAD = {
    "image_patch.zoom(0)": "factor is 0; above 0, at most 16 is taken",
    "image_patch.zoom(1e9)": "at most 16 is taken",
    "image_patch.rotate(720)": "degrees is 720; -360 to 360 are taken",
    'image_patch.enhance("magic")': "one of contrast, brightness, sharpness, grey is taken",
    'image_patch.draw_box(image_patch, "pink")': "one of red, green, blue",
    "image_patch.mark([])": "things has 0 items, 1 to 32 are taken",
    "side_by_side([image_patch])": "takes 2 to 4 patches, found 1",
    'image_patch.find("flag")[0].draw_box(image_patch.find("sign")[0])': "lies outside the patch",
}


@pytest.mark.parametrize("call", BAD)
def test_a_step_that_cannot_be_made_says_why(world, call: str) -> None:
    trace = one_run(world, f"{call}\nreturn 'x'")
    assert trace.failure is not None
    assert trace.failure.kind == "tool_error"
    assert BAD[call] in trace.failure.message


def test_coordinates_of_two_pictures_are_not_compared(world) -> None:
    trace = one_run(world, "return str(distance(image_patch, image_patch.zoom(1.1)))")
    assert trace.failure is not None
    assert "different pictures" in trace.failure.message


def test_number_and_size_of_new_pictures_are_bounded(world) -> None:
    body = "for i in range(40):\n    image_patch.rotate(i)\nreturn 'x'"
    trace = one_run(world, body)
    assert trace.failure is not None
    assert f"a run makes at most {MAX_MADE} pictures" in trace.failure.message
    assert sum(isinstance(one, dict) for one in results(trace)) == MAX_MADE
    width, height = results(one_run(world, "image_patch.zoom(16)\nreturn 'x'"))[0]["made"]["size"]
    assert width * height <= MOST_PIXELS


def test_a_new_picture_comes_from_the_cache_while_it_is_there(tmp_path: Path) -> None:
    images, digest = painted(tmp_path)
    task, cache = painted_task(digest), tmp_path / "cache.db"
    source = "def execute_command(image):\n    return str(ImagePatch(image).zoom(1.2).width)"
    program = Program("p", task.id, 0, source, 0.0, 1, 0, PartRef("sampler", "test"))

    def again() -> Any:
        tools = [FindPainted(), *(step() for step in STEPS)]
        with Executor(tools, images, cache=ResultCache(cache), jail=False) as executor:
            trace = next(executor.run([(task, program)]))
        return next(e.payload for e in trace.events if e.kind == "tool_result")

    first, second = again(), again()
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["result"] == second["result"]
    images.drop(first["result"]["made"]["image"])
    third = again()
    assert (third["cached"], third["result"]) == (False, first["result"])
    assert images.path(first["result"]["made"]["image"]) is not None


def test_equal_pictures_of_different_places_are_two(world) -> None:
    body = """
a = image_patch.crop(0, 0, 100, 100).zoom(2)
b = image_patch.crop(100, 0, 200, 100).zoom(2)
return str(a == b)
"""
    trace = one_run(world, body)
    a, b = results(trace)
    assert a["made"]["image"] == b["made"]["image"]
    assert (a["box"], b["box"], trace.answer) == ([0, 380, 100, 480], [100, 380, 200, 480], "False")


def test_a_program_cannot_reach_another_runs_picture() -> None:
    whole = Region("a" * 64, 100, 80, Box(0, 0, 100, 80))
    border = Border((whole,), Limits())
    with pytest.raises(Unfit, match="unknown picture"):
        border.read(("p", (0, 0, 10, 10), None, None, 1))
    foreign = Region("b" * 64, 100, 80, Box(0, 0, 100, 80))
    with pytest.raises(Unfit, match="another picture"):
        border.result(MadeRegion("c" * 64, 9, 9, Box(0, 0, 9, 9)), Zoom.spec)
    with pytest.raises(Unfit, match="another picture"):
        border.result(foreign, Zoom.spec, ToolCall("zoom", {"patch": whole}))
