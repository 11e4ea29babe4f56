"""Many requests under way: against real servers that are slow, refuse, lie and die."""

import signal
import threading

import pytest
from chat_server import said, serving

from workbench.api import STANDARD
from workbench.errors import EngineError, InputError
from workbench.models.connection import Connection
from workbench.models.endpoint import OpenAILanguage
from workbench.models.pool import as_completed
from workbench.models.servers import Servers
from workbench.pipeline.grouping import programs_of
from workbench.records import Failure, PartRef, Program, Task, Trace
from workbench.sample.endpoint import OpenAISampler

PROGRAM = "def execute_command(image):\n    return formatting_answer({})\n"
PATIENCE = 30
"""Seconds for which a server waits for what must come; only a fault lets them pass."""


def tasks(number):
    for i in range(number):
        yield Task(f"t/{i}", "test", "test", "0" * 64, f"How many things of kind {i}?")


def is_about(payload, number):
    return f"# How many things of kind {number}?" in payload["messages"][0]["content"]


def an_attempt(task):
    program = Program(f"p{task.id}", task.id, 1, "x", 0.0, 1, 0, PartRef("s", "s"))
    failure = Failure("runtime", "NameError: name 'x' is not defined", 1)
    executor = PartRef("executor", "e")
    return task, program, Trace("r", program.id, task.id, None, failure, (), 1, 0, 0.1, executor)


def sampler(*servers, **arguments):
    addresses = [one if isinstance(one, str) else one.url for one in servers]
    settings = {"first_pause": 0.001, "retries": 1, **arguments}
    return OpenAISampler([STANDARD["find"]], "tiny", base_urls=addresses, **settings)


def test_a_slow_question_holds_up_no_other_and_questions_are_taken_as_there_is_room():
    others, taken = threading.Semaphore(0), []

    def answer(n, payload):
        if is_about(payload, 0):
            for _ in range(39):
                assert others.acquire(timeout=PATIENCE)
        else:
            others.release()
        return said(PROGRAM.format(n))

    def lazily():
        for task in tasks(40):
            taken.append(task.id)
            yield task

    with serving(answer) as server:
        model = sampler(server, concurrency=4)
        groups = []
        for group in programs_of(model, ([task] for task in lazily()), 1, seed=0):
            groups.append(group[0].task_id)
            assert len(taken) <= len(groups) + 2 * 4
    assert groups.index("t/0") >= 39 - 4, "the others were done before it"
    assert sorted(groups) == sorted(task.id for task in tasks(40))


def test_as_many_requests_are_under_way_as_the_setting_says():
    everyone = threading.Barrier(128)

    def answer(n, payload):
        everyone.wait(PATIENCE)
        return said(PROGRAM.format(n))

    with serving(answer) as server:
        programs = list(sampler(server, concurrency=128).sample_all(tasks(128), 1, seed=0))
        assert server.most == 128
    assert len({program.task_id for program in programs}) == 128


def test_the_least_busy_server_is_asked():
    """One of two servers is stuck with the first request that it got: the other has the rest."""
    rest = threading.Event()

    def stuck(n, payload):
        assert n > 1 or rest.wait(PATIENCE)
        return said(PROGRAM.format(n))

    def quick(n, payload):
        if n == 9:
            rest.set()
        return said(PROGRAM.format(n))

    with serving(stuck) as first, serving(quick) as second:
        model = sampler(first, second, concurrency=2)
        assert len(list(model.sample_all(tasks(20), 1, seed=0))) == 20
        assert len(first.asked) + len(second.asked) == 20
        assert len(second.asked) >= 9
    assert model.ref.arguments["base_url"] == first.url


def test_a_server_that_went_away_rests_and_comes_back_by_one_request():
    now = [0.0]
    servers = Servers(["a", "b"], rest=1.0, clock=lambda: now[0])
    with servers.least_busy() as first, servers.least_busy() as second:
        assert [first.address, second.address] == ["a", "b"]
        assert servers.failed(first)
    with servers.least_busy() as one, servers.least_busy() as other:
        assert [one.address, other.address] == ["b", "b"]
    now[0] = 1.5
    with servers.least_busy() as probe, servers.least_busy() as other:
        assert [probe.address, other.address] == ["a", "b"]
        servers.answered(probe)
        with servers.least_busy() as third, servers.least_busy() as fourth:
            assert {third.address, fourth.address} == {"a", "b"}
    assert not servers.failed(first) or second.failures == 0
    assert servers.failed(second) is False, "both are away"


def test_a_dead_server_beside_a_living_one_costs_no_question():
    with serving(lambda n, p: said(PROGRAM.format(n))) as server:
        model = sampler("http://127.0.0.1:9/v1", server, retries=0, concurrency=3)
        programs = list(model.sample_all(tasks(12), 1, seed=0))
        assert (len(programs), len(server.asked)) == (12, 12)
    assert not any(program.problem for program in programs)


LIES = {
    "a page": (200, b"<html>please log in</html>", {}),
    "no choices": (200, {"error": "none"}, {}),
    "a fault": (500, {"error": {"message": "CUDA error"}}, {}),
    "silence": None,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_question_that_is_never_answered_is_a_row_where_the_server_answers_others(lie):
    def answer(n, payload):
        return LIES[lie] if is_about(payload, 1) else said(PROGRAM.format(n))

    with serving(answer) as server:
        model = sampler(server, concurrency=2)
        programs = list(model.sample_all(tasks(5), 1, seed=0))
        assert sum(is_about(payload, 1) for payload in server.asked) == 3, "and once more at last"
    bad = [program for program in programs if program.problem]
    assert len(programs) == 5
    assert [program.task_id for program in bad] == ["t/1"]
    assert "gave no answer to this request, 3 times" in bad[0].problem


def test_many_questions_without_an_answer_are_the_fault_of_the_server():
    def answer(n, payload):
        lies = any(is_about(payload, number) for number in range(2, 20))
        return (502, b"<html>bad gateway</html>", {}) if lies else said(PROGRAM.format(n))

    with serving(answer) as server:
        model, came = sampler(server, concurrency=1, retries=0), []
        programs = (came.append(bool(one.problem)) for one in model.sample_all(tasks(30), 1, 0))
        with pytest.raises(EngineError, match="HTTP 502: <html>bad gateway"):
            list(programs)
    assert came == [False] * 2 + [True] * 5


def test_a_server_that_dies_ends_the_work_and_what_was_answered_comes_before():
    def answer(n, payload):
        return said(PROGRAM.format(n)) if n <= 3 else None

    with serving(answer) as server:
        model, came = sampler(server, concurrency=1), []
        programs = (came.append(one.task_id) for one in model.sample_all(tasks(50), 1, seed=0))
        with pytest.raises(EngineError, match="gave no answer for model 'tiny'"):
            list(programs)
        assert len(server.asked) == 3 + 2 + 1, "two attempts, and one to see whether it lives"
    assert came == ["t/0", "t/1", "t/2"]
    assert model.usage.requests == 3


def test_what_was_written_again_before_an_error_comes_before_it():
    def answer(n, payload):
        text = payload["messages"][0]["content"]
        # the last is the request by which a living server is told from a dead one
        dies = is_about(payload, 1) or text == "Say yes."
        assert dies or everyone.wait(PATIENCE) >= 0
        if is_about(payload, 1):
            everyone.wait(PATIENCE)
        return None if dies else said(PROGRAM.format(n))

    everyone = threading.Barrier(3)
    given = [an_attempt(task) for task in tasks(3)]
    with serving(answer) as server:
        programs, came = sampler(server, retries=0, concurrency=3).write_again(given, 0), []
        ids = (came.append(one.task_id) for one in programs)
        with pytest.raises(EngineError, match="gave no answer for model"):
            list(ids)
    assert sorted(came) == ["t/0", "t/2"]


def test_a_busy_server_that_answers_others_is_waited_for_beyond_the_retries():
    arrivals, turns = threading.Semaphore(0), threading.Semaphore(0)
    refusals = []

    def answer(n, payload):
        if not is_about(payload, 0):
            arrivals.release()
            assert turns.acquire(timeout=PATIENCE)
        elif len(refusals) < 4:
            # another one waits here, is answered, and the next comes when its answer was read
            assert refusals or arrivals.acquire(timeout=PATIENCE)
            turns.release()
            assert arrivals.acquire(timeout=PATIENCE)
            refusals.append(n)
            return 429, {}, {}
        else:
            turns.release(12)
        return said(PROGRAM.format(n))

    with serving(answer) as server:
        programs = list(sampler(server, concurrency=2, retries=0).sample_all(tasks(12), 1, seed=0))
    assert (len(programs), len(refusals)) == (12, 4)
    assert not any(program.problem for program in programs)


@pytest.mark.parametrize("wait", ["Wed, 21 Oct 2015 07:28:00 GMT", "soon", "-3", ""])
def test_a_pause_that_is_over_or_no_pause_is_none(wait):
    with serving(lambda n, p: (429, {}, {"retry-after": wait}) if n == 1 else said("a")) as server:
        model = OpenAILanguage("tiny", base_url=server.url, first_pause=0.001)
        assert model.complete(["hi"], 5) == ["a"]


def test_a_program_that_the_bound_cuts_is_a_row_with_the_reason():
    cut = PROGRAM.format("'a'").rsplit("\n", 2)[0] + "\n    count = len(image_patch.fi"
    whole = f"```python\n{PROGRAM.format(2)}```\nThis program"

    def answer(n, payload):
        return said(cut if is_about(payload, 0) else whole, finish_reason="length")

    with serving(answer) as server:
        first, second = sampler(server).sample(list(tasks(2)), 1, seed=0)
    assert "cut within the program at max_tokens = 400" in first.problem
    assert (second.problem, second.source) == ("", PROGRAM.format(2))


@pytest.fixture
def ctrl_c():
    """Ctrl-C as a command gets it; an earlier test of the process may have left a handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_work_hands_out_what_is_under_way_and_begins_no_more():
    begun, finish = [], threading.Event()

    def work(item):
        begun.append(item)
        if item == 1:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert finish.wait(PATIENCE)
        return item

    came = []
    results = (came.append(item) for item, _ in as_completed(work, range(100), 2, finish.set))
    with pytest.raises(KeyboardInterrupt):
        list(results)
    assert set(came) >= {0, 1}
    assert len(begun) <= 4


def test_addresses_are_a_list_of_addresses():
    assert Connection(base_urls=["http://a/v1/", "http://a/v1"]).addresses == ("http://a/v1",)
    with pytest.raises(InputError, match="base_urls must be a list"):
        Connection(base_urls="http://a/v1")
    with pytest.raises(InputError, match="found 'a:8000'"):
        Connection(base_urls=["http://a/v1", "a:8000"])
