"""People who log in and decide at once over HTTP, as pages do, and what the store has of it."""

from __future__ import annotations

import base64
import http.client
import json
import math
import secrets
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from workbench.errors import InputError, WorkbenchError
from workbench.store import Project

LOGINS = 8
"""People who log in at once: the server refuses a larger crowd, and a browser tries again."""
PASSWORD = "curate-quickly"  # noqa: S105  (of a made project that lives as long as the measurement)


class Curator:
    """A person who decides over HTTP as the page does: takes questions and rules on each.

    Args:
        address: of the server.
        name: of the person, whose password is `PASSWORD`.
    """

    def __init__(self, address: str, name: str) -> None:
        self.page = secrets.token_hex(16)
        self.decisions: list[str] = []
        """Ids of the decisions that the server took."""
        self.seconds: list[float] = []
        """Seconds until the server took each of them."""
        self.waits: list[float] = []
        """Seconds until the server gave the next questions, for each time."""
        packed = base64.b64encode(f"{name}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {packed}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request to the server; returns its answer.

        Raises:
            WorkbenchError: the server refused it.
        """
        try:
            reply = self._send(path, body)
        except ConnectionError:
            # The server ends connections that were idle for seconds; a browser asks again too.
            self._connection.close()
            reply = self._send(path, body)
        answer: dict[str, Any] = json.loads(reply.read())
        if reply.status != 200:
            raise WorkbenchError(f"{path} answered {reply.status}: {answer.get('error')}")
        return answer

    def _send(self, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
        self._connection.request("POST", path, json.dumps(body), self._headers)
        return self._connection.getresponse()

    def log_in(self) -> None:
        """Let the server look the password up, which it does once."""
        self.post("/do/curate/next", {"page": self.page, "count": 1})

    def next(self, count: int) -> list[dict[str, Any]]:
        """The next questions, as a page asks for them."""
        began = time.perf_counter()
        items: list[dict[str, Any]] = self.post(
            "/do/curate/next", {"page": self.page, "count": count}
        )["items"]
        self.waits.append(time.perf_counter() - began)
        return items

    def decide(self, count: int, pause: float = 0.0) -> None:
        """Make `count` decisions; every tenth twice, as a page does that missed the answer.

        Args:
            count: number of decisions.
            pause: seconds of thought before each.
        """
        ahead: list[dict[str, Any]] = []
        while len(self.decisions) < count:
            if not ahead:
                ahead = self.next(3)
                if not ahead:
                    raise InputError(
                        f"the queue is empty after {len(self.decisions)} decisions; "
                        "make a larger store"
                    )
            item = ahead.pop(0)
            one = item["candidates"][item["at"]]
            some_id = secrets.token_hex(16)
            body = {
                "id": some_id,
                "task": item["task"],
                "kind": "accept",
                "trace": one["trace"],
                "seconds": 1.5,
            }
            if len(self.decisions) % 5 == 4:
                body |= {"kind": "reject", "reason": "wrong_program"}
            else:
                body["rationale"] = one["rationale"]
            time.sleep(pause)
            began = time.perf_counter()
            self.post("/do/curate/decide", body)
            self.seconds.append(time.perf_counter() - began)
            if len(self.decisions) % 10 == 9:
                self.post("/do/curate/decide", body)
            self.decisions.append(some_id)


@dataclass(frozen=True, slots=True)
class Crowd:
    """People who logged in and decided at once."""

    people: list[Curator]
    logins: float
    """Seconds that all logins took."""
    seconds: float
    """Seconds that all decisions took."""
    processor: float
    """Processor seconds of the server meanwhile; NaN where its process is not looked at."""


def curate_at_once(
    address: str,
    names: Sequence[str],
    decisions: int,
    pause: float = 0.0,
    process: psutil.Process | None = None,
) -> Crowd:
    """Let several people log in and decide at once.

    Args:
        address: of the server.
        names: of the people.
        decisions: number of decisions of all of them together.
        pause: seconds of thought before each decision.
        process: of the server, whose processor time is measured.
    """
    people = [Curator(address, name) for name in names]
    shares = [decisions // len(names) + (at < decisions % len(names)) for at in range(len(names))]
    began = time.perf_counter()
    with ThreadPoolExecutor(min(len(people), LOGINS)) as pool:
        list(pool.map(Curator.log_in, people))
    logged_in, before = time.perf_counter(), _processor(process)
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(Curator.decide, people, shares, [pause] * len(people)))
    seconds = time.perf_counter() - logged_in
    return Crowd(people, logged_in - began, seconds, _processor(process) - before)


def _processor(process: psutil.Process | None) -> float:
    """Processor seconds of a process so far; NaN without one."""
    if process is None:
        return math.nan
    times = process.cpu_times()
    return float(times.user + times.system)


def check(project: Path, people: Sequence[Curator]) -> tuple[int, int, int]:
    """Numbers of decisions lost, of decisions stored twice, and of questions that two got."""
    with Project.open(project) as opened:
        events = opened.curation.events(limit=sys.maxsize)
    rows = [event for event in events if event.kind in ("accept", "reject")]
    stored = [event.id for event in rows]
    sent = {some_id for person in people for some_id in person.decisions}
    tasks = [event.task_id for event in rows if event.id in sent]
    return len(sent - set(stored)), len(stored) - len(set(stored)), len(tasks) - len(set(tasks))
