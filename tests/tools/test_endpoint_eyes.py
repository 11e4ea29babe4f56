"""One multimodal model behind an endpoint answers questions about patches and is the student."""

import base64
import io
import threading
from dataclasses import replace

import pytest
from chat_server import said, serving
from PIL import Image

from workbench.boxes import Box
from workbench.errors import EngineError, InputError, ToolFailure
from workbench.execute.scheduler import ask_tool
from workbench.images import ImageFolder
from workbench.models.endpoint_pictures import bounded
from workbench.models.endpoint_student import OpenAIStudent
from workbench.pipeline.predicting import predictions_of
from workbench.ports import ConcurrentTool
from workbench.records import Region, Task, ToolCall
from workbench.tools.endpoint_eyes import (
    EndpointCaption,
    EndpointProperty,
    EndpointQuestions,
    EndpointTextMatch,
)

FILTERED = (400, {"error": {"message": "flagged by the content filter"}}, {})


@pytest.fixture
def images(tmp_path):
    folder = ImageFolder(tmp_path / "images")
    picture = Image.new("RGB", (64, 48), "white")
    picture.paste((200, 30, 30), (8, 8, 40, 40))
    picture.save(tmp_path / "red.png")
    folder.digest = folder.add(tmp_path / "red.png")
    return folder


def patch(images, *box):
    return Region(images.digest, 64, 48, Box(*(box or (0, 0, 64, 48))))


def settings(server, **more):
    return {"base_url": server.url, "first_pause": 0.001, "retries": 1, **more}


def shown(payload):
    """The picture and the text of a request."""
    [turn] = payload["messages"]
    picture, words = turn["content"]
    head, _, data = picture["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data))), words["text"]


def test_a_question_goes_along_with_its_patch_and_the_model_does_not_think(images):
    with serving(lambda n, p: said(" Red.\nIt is red.")) as server:
        tool = EndpointQuestions("vlm", **settings(server))
        call = ToolCall(
            "visual_question_answering",
            {"patch": patch(images, 8, 8, 40, 40), "question": "Which colour?"},
        )
        assert tool([call], images) == ["red"]
        [sent] = server.asked
    picture, words = shown(sent)
    assert (picture.size, words) == ((32, 32), "Which colour? Answer briefly.")
    red, green, _ = picture.convert("RGB").getpixel((16, 16))
    assert red > 150 > green
    assert sent["chat_template_kwargs"] == {"enable_thinking": False}
    assert tool.ref.arguments["base_url"] == server.url
    assert tool.usage.requests == 1


def test_captions_properties_and_options(images):
    def answer(n, payload):
        _, words = shown(payload)
        if "exactly one of: yes, no" in words:
            return said("Yes" if "red" in words else "no")
        return said("a cup" if "cup" in words else "A red square.")

    whole = patch(images)
    with serving(answer) as server:
        near = settings(server)
        caption = EndpointCaption("vlm", prompt="Describe it.", **near)
        assert caption([ToolCall("image_caption", {"patch": whole})], images) == ["A red square."]
        calls = [
            ToolCall("verify_property", {"patch": whole, "object_name": "box", "attribute": a})
            for a in ("red", "blue")
        ]
        assert EndpointProperty("vlm", **near)(calls, images) == [True, False]
        match = ToolCall("best_text_match", {"patch": whole, "options": ["tea", "cup"]})
        assert EndpointTextMatch("vlm", **near)([match], images) == ["cup"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (FILTERED, "flagged by the content filter"),
        (said("a long st", finish_reason="length"), "cut at 32 tokens"),
        (said("<think>hm</think>"), "the model gave no answer"),
        (said("", finish_reason="length"), "within the model's thinking"),
        ((200, {"choices": [None]}, {}), "empty choice"),
    ],
)
def test_an_answer_that_is_none_fails_its_own_call(images, reply, reason):
    def answer(n, payload):
        return reply if "bad" in shown(payload)[1] else said("fine")

    with serving(answer) as server:
        tool = EndpointQuestions("vlm", **settings(server))
        calls = [
            ToolCall("visual_question_answering", {"patch": patch(images), "question": words})
            for words in ("good?", "bad?", "better?")
        ]
        for results in (
            tool(calls, images),
            [ask_tool(tool, [one], images)[0][0] for one in calls],
        ):
            assert (results[0], results[2]) == ("fine", "fine")
            assert isinstance(results[1], ToolFailure)
            assert reason in str(results[1])


def test_calls_are_requests_of_their_own_side_by_side():
    tool = EndpointQuestions("vlm", concurrency=64)
    assert isinstance(tool, ConcurrentTool)
    assert (tool.concurrency, tool.batch_size) == (64, 1)


def test_pictures_are_bounded():
    assert bounded(Image.new("RGB", (4000, 3000)), 1_000_000).size == (1154, 866)
    assert bounded(Image.new("RGB", (8, 4)), 1_000_000).size == (64, 32)
    assert bounded(Image.new("RGB", (1, 20_000)), 10_000).size[1] <= 20_000
    assert bounded(Image.new("RGB", (640, 480)), 1_000_000).size == (640, 480)
    with pytest.raises(InputError, match="max_pixels must be 1024 or more, found 100"):
        EndpointQuestions("vlm", max_pixels=100)


def questions(images, number):
    first = Task("t/0", "test", "test", images.digest, "Is 0 red?", ("yes",), "yesno")
    return [replace(first, id=f"t/{i}", question=f"Is {i} red?") for i in range(number)]


def test_the_student_answers_all_and_what_it_cannot_is_a_row(images):
    others = threading.Semaphore(0)

    def answer(n, payload):
        words = shown(payload)[1]
        if words.startswith("Is 0"):
            for _ in range(5):
                assert others.acquire(timeout=30)
            return said("Yes")
        others.release()
        if words.startswith("Is 4"):
            return said("no, it is", finish_reason="length")
        return FILTERED if words.startswith("Is 1") else said("no")

    tasks = questions(images, 7)
    tasks[2] = replace(tasks[2], image="f" * 64)
    with serving(answer) as server:
        student = OpenAIStudent("vlm", **settings(server, concurrency=3))
        rows = list(predictions_of(student, (tasks[:4], tasks[4:]), images))
    assert rows[0].task_id != "t/0", "a slow question holds up no other"
    by_id = {one.task_id: one for one in rows}
    assert sorted(by_id) == [task.id for task in tasks]
    assert (by_id["t/0"].answer, by_id["t/0"].score, by_id["t/3"].score) == ("Yes", 1.0, 0.0)
    assert "flagged by the content filter" in by_id["t/1"].problem
    assert "is not in" in by_id["t/2"].problem
    assert (by_id["t/4"].answer, by_id["t/4"].missing) == ("no, it is", False)
    assert by_id["t/4"].problem == "the answer was cut at 32 tokens; raise max_tokens"


def test_the_student_explains_in_order_and_a_dead_server_is_an_error(images):
    with serving(lambda n, p: said(shown(p)[1]) if n <= 2 else None) as server:
        student = OpenAIStudent("vlm", **settings(server, concurrency=1))
        rows = student.answer(questions(images, 2), images, explain=True)
        assert [one.rationale for one in rows] == [
            f"Is {i} red? Explain the rationale to answer the question." for i in range(2)
        ]
        assert [one.answer for one in rows] == ["", ""]
        with pytest.raises(EngineError, match="gave no answer for model 'vlm'"):
            student.answer(questions(images, 3), images)
