"""The endpoint against a real HTTP server on this machine."""

import inspect
import math
import threading
import time
from dataclasses import fields, replace

import pytest
from chat_server import Server, said

from workbench import registry
from workbench.api import STANDARD
from workbench.errors import EngineError, InputError, RefusedRequest, ToolFailure
from workbench.execute.scheduler import ask_tool
from workbench.models.connection import Connection
from workbench.models.endpoint import OpenAILanguage
from workbench.records import Failure, PartRef, Program, Task, ToolCall, Trace
from workbench.sample.endpoint import OpenAISampler
from workbench.tools.knowledge import LanguageKnowledge

PROGRAM = "def execute_command(image):\n    return formatting_answer({})\n"


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        server = Server(answer)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def tasks(number):
    return [
        Task(f"t/{i}", "test", "test", "0" * 64, f"How many things of kind {i}?")
        for i in range(number)
    ]


def sampler(server, **arguments):
    specs = [STANDARD["find"], STANDARD["visual_question_answering"]]
    return OpenAISampler(specs, "tiny", base_url=server.url, first_pause=0.01, **arguments)


def test_a_busy_server_is_asked_again_until_it_answers(serve):
    server = serve(
        lambda n, _: (503, {"error": {"message": "loading"}}, {}) if n < 3 else said("hello")
    )
    model = OpenAILanguage("tiny", base_url=server.url, first_pause=0.01)
    assert model.complete(["hi"], 5) == ["hello"]
    assert (model.endpoint.usage.requests, model.endpoint.usage.retries) == (1, 2)


def test_a_server_that_asks_for_a_pause_gets_it(serve):
    server = serve(lambda n, _: (429, {}, {"retry-after": "0.4"}) if n == 1 else said("hello"))
    started = time.monotonic()
    OpenAILanguage("tiny", base_url=server.url, first_pause=0.001).complete(["hi"], 5)
    assert time.monotonic() - started >= 0.4


def test_a_refused_key_is_not_tried_again_and_the_message_says_what_to_check(serve, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server = serve(lambda n, _: (401, {"error": {"message": "invalid key"}}, {}))
    with pytest.raises(EngineError, match=r"HTTP 401: invalid key.*OPENAI_API_KEY") as caught:
        OpenAILanguage("tiny", base_url=server.url).complete(["hi"], 5)
    assert len(server.asked) == 1
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"choices": []}', b"null"])
def test_an_answer_that_is_none_ends_in_an_engine_error(serve, body):
    server = serve(lambda n, _: (200, body, {}))
    with pytest.raises(EngineError, match="gave no answer"):
        OpenAILanguage("tiny", base_url=server.url, retries=1, first_pause=0.01).complete(["hi"], 5)


def test_a_server_that_is_not_there_is_an_engine_error():
    with pytest.raises(EngineError, match="ConnectError"):
        OpenAILanguage("tiny", base_url="http://127.0.0.1:9", retries=1, first_pause=0.01).complete(
            ["hi"], 5
        )


def test_an_address_that_is_none_is_an_input_error():
    with pytest.raises(InputError, match="base_url"):
        Connection(base_url="localhost:8000")


def test_prompts_run_side_by_side_and_answers_keep_their_order(serve):
    def answer(n, payload):
        time.sleep(0.05)
        return said(payload["messages"][0]["content"].upper())

    server = serve(answer)
    model = OpenAILanguage("tiny", base_url=server.url, concurrency=4)
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
    found = OpenAILanguage("tiny", base_url=server.url).choose(["Can birds fly?"], [["yes", "no"]])
    assert found[0] == pytest.approx([0.75, 0.25])


def test_without_logprobs_the_option_that_is_named_counts(serve):
    server = serve(lambda n, _: said("I think it is the red car."))
    model = OpenAILanguage("tiny", base_url=server.url)
    assert model.choose(["Which?"], [["blue car", "red car", "red"]]) == [[0.0, 1.0, 0.0]]


@pytest.mark.parametrize(
    ("reply", "options", "shares"),
    [
        ("I do not know, but yes", ["yes", "no"], [1.0, 0.0]),
        ("Nobody's eyes: no.", ["yes", "no"], [0.0, 1.0]),
        ("It is C++", ["C", "C++"], [0.0, 1.0]),
        ("-1", ["1", "-1"], [0.0, 1.0]),
        ("10", ["1", "10"], [0.0, 1.0]),
        ("I do not know", ["yes", "no"], None),
        ("...", ["yes", "no"], None),
    ],
)
def test_a_reply_names_an_option_as_a_word_or_is_refused(serve, reply, options, shares):
    server = serve(lambda n, _: said(reply))
    model = OpenAILanguage("tiny", base_url=server.url)
    if shares:
        assert model.choose(["Which?"], [options]) == [shares]
        return
    with pytest.raises(EngineError, match=r"was to answer with one of yes, no, and answered"):
        model.choose(["Which?"], [options])


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


def refused(message, status=400):
    return status, {"error": {"message": message}}, {}


FILTERED = "The response was filtered due to our content management policy"


def test_a_filtered_question_is_rows_with_the_reason_and_others_go_on(serve):
    def answer(n, payload):
        text = payload["messages"][0]["content"]
        return (
            refused(FILTERED) if "kind 1?" in text else said(PROGRAM.format(n), PROGRAM.format(n))
        )

    server = serve(answer)
    programs = list(sampler(server).sample(tasks(3), 2, seed=0))
    assert [p.task_id for p in programs] == [f"t/{i}" for i in range(3) for _ in range(2)]
    bad = [program for program in programs if program.problem]
    assert [(p.task_id, p.index) for p in bad] == [("t/1", 0), ("t/1", 1)]
    assert FILTERED in bad[0].problem
    assert bad[0].source.startswith("# no program: the endpoint")


def test_an_unclear_refusal_is_a_row_once_other_questions_were_answered(serve):
    def answer(n, payload):
        first = "kind 0?" in payload["messages"][0]["content"]
        return refused("bad request") if first else said(PROGRAM.format(1))

    programs = list(sampler(serve(answer), concurrency=1).sample(tasks(3), 1, seed=0))
    assert sorted(p.task_id for p in programs) == ["t/0", "t/1", "t/2"]
    assert [p.task_id for p in programs if p.problem] == ["t/0"]


def test_a_server_that_refuses_everything_is_no_fault_of_the_questions(serve):
    server = serve(lambda n, p: refused("this model is not for chat"))
    with pytest.raises(EngineError, match="this model is not for chat"):
        list(sampler(server).sample(tasks(3), 1, seed=0))


def test_what_was_paid_for_before_a_breakdown_is_kept(serve):
    def answer(n, payload):
        broken = "kind 1?" in payload["messages"][0]["content"]
        return (
            (404, {"error": {"message": "no such model"}}, {})
            if broken
            else said(PROGRAM.format(1))
        )

    server = serve(answer)
    programs, stream = [], sampler(server, concurrency=3).sample(tasks(3), 1, seed=0)
    with pytest.raises(EngineError, match="no such model"):
        programs.extend(stream)
    paid = sum(answer(0, one)[0] == 200 for one in server.asked)
    assert len(programs) == paid >= 1


def test_samples_that_came_are_kept_when_a_later_request_fails(serve):
    server = serve(lambda n, p: said(PROGRAM.format(1)) if n == 1 else refused("Invalid seed", 404))
    programs = list(sampler(server, retries=0).sample(tasks(1), 3, seed=0))
    assert [bool(p.problem) for p in programs] == [False, True, True]
    assert "Invalid seed" in programs[2].problem


@pytest.mark.parametrize(
    ("message", "field", "instead"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "max_completion_tokens",
        ),
        ("Unsupported value: 'n' does not support 4 with this model. Only 1.", "n", None),
        ("Unknown field `seed` in request", "seed", None),
        ("logprobs is not supported by this server", "logprobs", None),
        ("Unrecognized request argument: chat_template_kwargs", "chat_template_kwargs", None),
    ],
)
def test_a_field_that_the_server_does_not_take_is_left_out(serve, message, field, instead):
    def answer(n, payload):
        return refused(message) if field in payload else said(PROGRAM.format(1))

    server = serve(answer)
    model = sampler(server, concurrency=1, thinking=False)
    programs = list(model.sample(tasks(2), 4, seed=0))
    assert len(programs) == 8
    assert not any(program.problem for program in programs)
    assert sum(field in payload for payload in server.asked) == 1
    assert instead is None or server.asked[-1][instead] == 400


def test_settings_say_what_is_sent(serve):
    server = serve(lambda n, p: said(PROGRAM.format(1)))
    model = sampler(
        server,
        reply_limit="max_completion_tokens",
        thinking_tokens=1000,
        omit=["n", "temperature"],
        extra={"reasoning_effort": "low"},
        logprobs=False,
        thinking=False,
    )
    list(model.sample(tasks(1), 1, seed=0))
    [sent] = server.asked
    assert sent["chat_template_kwargs"] == {"enable_thinking": False}
    assert sent["max_completion_tokens"] == 1400
    assert sent["reasoning_effort"] == "low"
    assert not {"max_tokens", "n", "temperature", "logprobs"} & set(sent)
    assert model.ref.arguments["omit"] == ["n", "temperature"]
    assert model.ref.arguments["thinking"] is False
    assert not {"reply_limit", "thinking"} & set(sampler(server).ref.arguments)


def test_the_settings_of_an_endpoint_are_arguments_of_each_part_that_asks_one():
    for role in ("sampler", "language"):
        part = registry.load(role, "openai")
        arguments = inspect.signature(part).parameters
        assert {field.name for field in fields(Connection)} < set(arguments)
        assert arguments["timeout"].default == Connection().timeout
    with pytest.raises(
        InputError, match=r"does not take: base_ulr; .* takes base_url, key_variable"
    ):
        OpenAILanguage("tiny", base_ulr="http://localhost:8000/v1")


def test_wrong_settings_are_told():
    with pytest.raises(InputError, match="reply_limit must be one of max_tokens"):
        OpenAILanguage("tiny", reply_limit="length")
    with pytest.raises(InputError, match="omit must be a list"):
        OpenAILanguage("tiny", omit="n")


ODD = [
    ({"choices": [None]}, "empty choice"),
    ({"choices": [{}]}, "empty choice"),
    ({"choices": [{"message": None, "finish_reason": "stop"}]}, "without text"),
    ({"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}, "within the model's thinking"),
    ({"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]}, "content filter"),
    ({"choices": [{"message": {"refusal": "I cannot."}}]}, "refused: I cannot."),
    ({"choices": [{"message": {"content": "<think>on and on"}}]}, "a thought and no program"),
    ({"choices": "none"}, None),
    ({"choices": {"0": 1}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), ODD)
def test_odd_choices_are_rows_or_a_broken_server(serve, body, reason):
    model = sampler(serve(lambda n, p: (200, body, {})), retries=0)
    if reason is None:
        with pytest.raises(EngineError, match="gave no answer"):
            list(model.sample(tasks(1), 1, seed=0))
        return
    [program] = model.sample(tasks(1), 1, seed=0)
    assert reason in program.problem


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, 0), ([], 0), ("many", 0), ({"completion_tokens": None}, 0), ({"completion_tokens": "7"}, 7),
        ({"completion_tokens": 7.0, "prompt_tokens": -3}, 7), ({"completion_tokens": "x"}, 0),
        ({"completion_tokens": [1]}, 0), ({"completion_tokens": 1e300}, 0),
    ],
)  # fmt: skip
def test_an_odd_usage_costs_no_program(serve, usage, tokens):
    body = {
        "choices": [{"message": {"content": PROGRAM.format(1)}, "logprobs": []}],
        "usage": usage,
    }
    model = sampler(serve(lambda n, p: (200, body, {})))
    [program] = model.sample(tasks(1), 1, seed=0)
    assert (program.problem, program.tokens) == ("", tokens)
    assert (model.usage.requests, model.usage.completion_tokens) == (1, tokens)


def test_thinking_is_kept_beside_the_program(serve):
    text = f"<think>draft: def execute_command(image): return 0</think>\n{PROGRAM.format(3)}"
    choice = {"message": {"content": text, "reasoning_content": "let me see"}}
    [program] = sampler(serve(lambda n, p: (200, {"choices": [choice]}, {}))).sample(
        tasks(1), 1, seed=0
    )
    assert program.source == PROGRAM.format(3)
    assert program.thinking.startswith("let me see\n<think>draft")


def test_an_answer_is_paid_for_once_though_another_of_its_batch_is_refused(serve):
    def answer(n, payload):
        text = payload["messages"][0]["content"]
        return refused(FILTERED) if text == "bad" else said(f"<think>hm</think> {text}!")

    server = serve(answer)
    model = OpenAILanguage("tiny", base_url=server.url, first_pause=0.01)
    with pytest.raises(RefusedRequest, match="content management"):
        model.complete(["a", "bad", "b"], 5)
    assert model.complete(["a"], 5) == ["a!"]
    assert model.complete(["b"], 5) == ["b!"]
    with pytest.raises(RefusedRequest, match="content management"):
        model.complete(["bad"], 5)
    assert len(server.asked) == 3, "a refusal is paid for once too"


def test_an_unclear_refusal_is_asked_again(serve):
    server = serve(lambda n, p: refused("bad request") if n == 1 else said("fine"))
    model = OpenAILanguage("tiny", base_url=server.url, first_pause=0.01)
    with pytest.raises(RefusedRequest):
        model.complete(["a"], 5)
    assert model.complete(["a"], 5) == ["fine"]


@pytest.mark.parametrize("question", ["What is it for?", "Can it fly?"])
def test_a_tools_question_that_is_refused_is_asked_once_and_costs_its_own_call(serve, question):
    def answer(n, payload):
        return refused(FILTERED) if "bad" in payload["messages"][0]["content"] else said("yes")

    server = serve(answer)
    arguments = {"base_url": server.url, "first_pause": 0.01}
    tool = LanguageKnowledge("tiny", "openai", arguments=arguments)
    questions = [f"{question} {i}" for i in range(7)]
    questions[2] += " bad?"
    calls = [ToolCall("llm_query", {"question": text}) for text in questions]
    results, _ = ask_tool(tool, calls, None)
    assert [i for i, one in enumerate(results) if isinstance(one, ToolFailure)] == [2]
    assert len(server.asked) == 7
    assert tool.usage.requests == 6


def test_a_server_that_goes_away_keeps_what_it_answered_and_breaks_no_program(serve):
    def answer(n, payload):
        text = payload["messages"][0]["content"]
        return refused("down", 503) if "later" in text else said("a spoon")

    server = serve(answer)
    arguments = {"base_url": server.url, "first_pause": 0.001, "retries": 1, "concurrency": 1}
    tool = LanguageKnowledge("tiny", "openai", arguments=arguments)
    calls = [ToolCall("llm_query", {"question": f"What {w}?"}) for w in ("a", "b", "later", "c")]
    results, _ = ask_tool(tool, calls, None)
    assert [type(one) for one in results] == [str, str, EngineError, EngineError]
    assert len(server.asked) == 4, "two answers, two attempts, and no wait for each part"


def test_a_question_that_is_too_long_is_never_sent_and_never_cut(serve):
    server = serve(lambda n, p: said(PROGRAM.format(1)))
    long = replace(tasks(1)[0], question="why " * 5000)
    [program] = sampler(server).sample([long], 1, seed=0)
    assert "at most 8000" in program.problem
    assert server.asked == []


def an_attempt(task):
    program = Program(f"p{task.id}", task.id, 1, PROGRAM.format(0), 0.0, 1, 0, PartRef("s", "s"))
    failure = Failure("runtime", "NameError: name 'dog' is not defined", 2)
    executor = PartRef("executor", "e")
    trace = Trace("r", program.id, task.id, None, failure, (), 1, 0, 0.1, executor)
    return task, program, trace


def test_a_program_that_failed_is_sent_back_with_its_error(serve):
    server = serve(lambda n, p: said(PROGRAM.format(7)))
    given = [an_attempt(task) for task in tasks(2)]
    programs = sorted(sampler(server).write_again(given, seed=0), key=lambda one: one.task_id)
    assert [(p.task_id, p.parent, p.index) for p in programs] == [
        ("t/0", "pt/0", 1),
        ("t/1", "pt/1", 1),
    ]
    assert {p.source for p in programs} == {PROGRAM.format(7)}
    text = server.asked[0]["messages"][0]["content"]
    assert PROGRAM.format(0) in text
    assert "# It failed in line 2, runtime: NameError: name 'dog' is not defined" in text
    assert "# Line 2 is: return formatting_answer(0)" in text
    assert text.endswith("def execute_command(image):")
    assert server.asked[0]["n"] == 1


def test_a_refused_rewriting_is_a_row_with_the_reason_once_others_were_answered(serve):
    server = serve(
        lambda n, p: (
            refused(FILTERED) if "kind 1?" in str(p["messages"]) else said(PROGRAM.format(7))
        )
    )
    given = [an_attempt(task) for task in tasks(3)]
    programs = list(sampler(server, concurrency=1).write_again(given, seed=0))
    assert [bool(p.problem) for p in programs] == [False, True, False]
    assert [p.parent for p in programs] == ["pt/0", "pt/1", "pt/2"]
    server = serve(lambda n, p: refused("unknown field"))
    with pytest.raises(EngineError, match="unknown field"):
        list(sampler(server).write_again(given, seed=0))
