"""Processes that share a store, for the tests: what they run, and how their lines are read."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.store import Project

HERE = Path(__file__).resolve().parent.parent
CHILD = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(HERE)!r})

class WithoutPandas:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            raise ModuleNotFoundError("left out", name=name)

sys.meta_path.insert(0, WithoutPandas())
"""
"""How a process begins.  DuckDB and Arrow would load pandas to look at a value, and wait longer for it
than the process works.
"""
ROW = "INSERT INTO bad_row VALUES (?, 'f', ?, 'r', now()::TIMESTAMP)"
"""Not idempotent on purpose: a write that was done twice is refused as a doubled key."""

WRITE = f"""
from workbench.store import Project
who, first, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with Project.open(Path(sys.argv[1])) as project:
    print("open", project.database.owner, flush=True)
    for at in range(first, first + count):
        project.database.transaction(lambda cursor: cursor.execute({ROW!r}, [who, at]))
        print(at, flush=True)
"""

READ = """
import time
from workbench.store import Project
with Project.open(Path(sys.argv[1]), read_only=True) as project:
    print("open", project.database.owner, flush=True)
    last = 0
    while True:
        found = project.database.rows("SELECT count(*) AS n, count(DISTINCT (source, line)) AS different FROM bad_row")[0]
        assert found["n"] == found["different"], "a row was doubled"
        assert found["n"] >= last, "a row that was seen is gone"
        last = found["n"]
        print(last, flush=True)
        time.sleep(0.02)
"""

HOLD = """
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
print("open", project.database.owner, flush=True)
sys.stdin.read()
project.close()
"""


class Child:
    """A process whose lines are read as they come."""

    def __init__(self, code: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD + code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._follow, args=pipe, daemon=True)
            for pipe in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _follow(pipe: object, into: list[str]) -> None:
        for line in pipe:  # type: ignore[attr-defined]
            into.append(line.strip())

    def wait_lines(self, number: int, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while len(self.lines) < number:
            assert time.monotonic() < deadline, f"{self.lines[-3:]} {self.errors[-3:]}"
            assert self.process.poll() is None or len(self.lines) >= number, self.errors[-5:]
            time.sleep(0.005)

    @property
    def numbers(self) -> list[int]:
        return [int(line) for line in self.lines[1:]]

    def end(self, seconds: float = 60) -> int:
        """Let it end by itself."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            code = self.process.wait(seconds)
        finally:
            self.kill()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()


@contextmanager
def children(*started: Child) -> Iterator[list[Child]]:
    held = list(started)
    try:
        yield held
    finally:
        for child in held:
            child.kill()


def held(folder: Path) -> list[tuple[str, int]]:
    with Project.open(folder) as project:
        found = project.database.rows("SELECT source, line FROM bad_row ORDER BY ALL")
    return [(row["source"], row["line"]) for row in found]
