"""The endpoint against a real HTTP server on this machine."""

import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workbench.api import STANDARD
from workbench.errors import EngineError, InputError
from workbench.models.endpoint import Endpoint, OpenAILanguage
from workbench.records import Task
from workbench.sample.endpoint import OpenAISampler

PROGRAM = "def execute_command(image):\n    return formatting_answer({})\n"


class Server(ThreadingHTTPServer):
    """A chat endpoint that does what its `answer` function says and keeps what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked, self.headers, self.busy, self.most = answer, [], [], 0, 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        payload = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with server.lock:
            server.asked.append(payload)
            server.headers.append(dict(self.headers))
            number = len(server.asked)
            server.busy += 1
            server.most = max(server.most, server.busy)
        status, body, headers = server.answer(number, payload)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with server.lock:
            server.busy -= 1
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        server = Server(answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def said(*texts, logprobs=None):
    choices = [
        {"message": {"content": text}, "logprobs": {"content": logprobs} if logprobs else None}
        for text in texts
    ]
    return (
        200,
        {"choices": choices, "usage": {"prompt_tokens": 100, "completion_tokens": 10 * len(texts)}},
        {},
    )


def tasks(number):
    return [
        Task(f"t/{i}", "test", "test", "0" * 64, f"How many things of kind {i}?")
        for i in range(number)
    ]


def sampler(server, **arguments):
    specs = [STANDARD["find"], STANDARD["visual_question_answering"]]
    return OpenAISampler(specs, "tiny", server.url, first_pause=0.01, **arguments)


def test_a_busy_server_is_asked_again_until_it_answers(serve):
    server = serve(
        lambda n, _: (503, {"error": {"message": "loading"}}, {}) if n < 3 else said("hello")
    )
    model = OpenAILanguage("tiny", server.url, first_pause=0.01)
    assert model.complete(["hi"], 5) == ["hello"]
    assert (model.endpoint.usage.requests, model.endpoint.usage.retries) == (1, 2)


def test_a_server_that_asks_for_a_pause_gets_it(serve):
    server = serve(lambda n, _: (429, {}, {"retry-after": "0.4"}) if n == 1 else said("hello"))
    started = time.monotonic()
    OpenAILanguage("tiny", server.url, first_pause=0.001).complete(["hi"], 5)
    assert time.monotonic() - started >= 0.4


def test_a_refused_key_is_not_tried_again_and_the_message_says_what_to_check(serve, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = serve(lambda n, _: (401, {"error": {"message": "invalid key"}}, {}))
    with pytest.raises(EngineError, match=r"HTTP 401: invalid key.*OPENAI_API_KEY") as caught:
        OpenAILanguage("tiny", server.url).complete(["hi"], 5)
    assert len(server.asked) == 1
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"choices": []}', b"null"])
def test_an_answer_that_is_none_ends_in_an_engine_error(serve, body):
    server = serve(lambda n, _: (200, body, {}))
    with pytest.raises(EngineError, match="gave no answer"):
        OpenAILanguage("tiny", server.url, retries=1, first_pause=0.01).complete(["hi"], 5)


def test_a_server_that_is_not_there_is_an_engine_error():
    with pytest.raises(EngineError, match="ConnectError"):
        OpenAILanguage("tiny", "http://127.0.0.1:9", retries=1, first_pause=0.01).complete(
            ["hi"], 5
        )


def test_an_address_that_is_none_is_an_input_error():
    with pytest.raises(InputError, match="base_url"):
        Endpoint("tiny", "localhost:8000")


def test_prompts_run_side_by_side_and_answers_keep_their_order(serve):
    def answer(n, payload):
        time.sleep(0.05)
        return said(payload["messages"][0]["content"].upper())

    server = serve(answer)
    model = OpenAILanguage("tiny", server.url, concurrency=4)
    assert model.complete([f"p{i}" for i in range(12)], 5) == [f"P{i}" for i in range(12)]
    assert 2 <= server.most <= 4


def test_options_are_weighed_by_the_first_tokens_alternatives(serve):
    top = [
        {"token": "Yes", "logprob": math.log(0.6)},
        {"token": " no", "logprob": math.log(0.2)},
        {"token": "Well", "logprob": math.log(0.2)},
    ]
    server = serve(
        lambda n, _: said("Yes", logprobs=[{"token": "Yes", "logprob": -0.5, "top_logprobs": top}])
    )
    found = OpenAILanguage("tiny", server.url).choose(["Can birds fly?"], [["yes", "no"]])
    assert found[0] == pytest.approx([0.75, 0.25])


def test_without_logprobs_the_option_that_is_named_counts(serve):
    server = serve(lambda n, _: said("I think it is the red car."))
    model = OpenAILanguage("tiny", server.url)
    assert model.choose(["Which?"], [["blue car", "red car", "red"]]) == [[0.0, 1.0, 0.0]]
    assert model.choose(["Which?"], [["bus", "boat"]]) == [[0.5, 0.5]]


def test_a_question_is_one_request_for_k_programs(serve):
    tokens = [{"token": "x", "logprob": -0.5}, {"token": "y", "logprob": -1.5}]
    server = serve(
        lambda n, p: said(
            *[f"```python\n{PROGRAM.format(i)}```" for i in range(p["n"])], logprobs=tokens
        )
    )
    part = sampler(server, prices=(1.0, 10.0))
    programs = list(part.sample(tasks(3), 4, seed=0))
    assert [(p.task_id, p.index) for p in programs] == [
        (f"t/{i}", j) for i in range(3) for j in range(4)
    ]
    assert [p.source for p in programs[:4]] == [PROGRAM.format(i) for i in range(4)]
    assert {(p.score, p.tokens) for p in programs} == {(-1.0, 2)}
    assert len({p.id for p in programs}) == 12
    assert part.usage.requests == 3
    assert part.usage.cost == pytest.approx((3 * 100 * 1.0 + 3 * 40 * 10.0) / 1e6)


def test_a_server_that_ignores_n_is_asked_until_there_are_k(serve):
    server = serve(lambda n, p: said(PROGRAM.format(n)))
    programs = list(sampler(server, concurrency=1).sample(tasks(1), 3, seed=0))
    assert [p.source for p in programs] == [PROGRAM.format(i) for i in (1, 2, 3)]
    assert len({payload["seed"] for payload in server.asked}) == 3


def test_the_prompt_holds_api_question_and_header(serve):
    server = serve(lambda n, p: said(PROGRAM.format(0)))
    list(sampler(server).sample(tasks(1), 1, seed=0))
    text = server.asked[0]["messages"][0]["content"]
    assert "class ImagePatch" in text
    assert "# How many things of kind 0?" in text
    assert text.endswith("def execute_command(image):")


def test_the_same_task_and_seed_ask_for_the_same(serve):
    server = serve(lambda n, p: said(PROGRAM.format(0)))
    part = sampler(server, concurrency=1)
    list(part.sample(tasks(2), 1, seed=0))
    list(part.sample(tasks(2)[1:], 1, seed=0))
    list(part.sample(tasks(2)[1:], 1, seed=1))
    seeds = [payload["seed"] for payload in server.asked]
    assert seeds[1] == seeds[2]
    assert seeds[3] != seeds[2]


def test_chatter_without_a_program_is_handed_on_as_a_program_that_will_fail(serve):
    server = serve(lambda n, p: said("I cannot see the picture."))
    assert (
        next(iter(sampler(server).sample(tasks(1), 1, seed=0))).source
        == "I cannot see the picture.\n"
    )
