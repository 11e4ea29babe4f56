"""Several processes at once, and processes killed at any moment: nothing acknowledged is lost,
nothing is doubled.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sharing_processes import HOLD, READ, ROW, WRITE, Child, children, held
from store_rows import empty_project, loop_records, task

from workbench.errors import StoreError
from workbench.store import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return empty_project(tmp_path)


@pytest.fixture
def holder(folder: Path) -> Iterator[Child]:
    """Another process that owns the store."""
    with children(Child(HOLD, folder)) as (child,):
        child.wait_lines(1)
        assert child.lines == ["open True"]
        yield child


def at_once(folder: Path, rows: int, writing: int, reading: int) -> None:
    """Writers and readers; the store has exactly what the writers acknowledged.

    Args:
        folder: the project.
        rows: of all writers together.
        writing: processes that write.
        reading: processes that read.
    """
    share = rows // writing
    writers = [Child(WRITE, folder, f"w{n}", 0, share) for n in range(writing)]
    readers = [Child(READ, folder) for _ in range(reading)]
    with children(*writers, *readers):
        for writer in writers:
            assert writer.end(600) == 0, writer.errors[-2:]
            assert writer.numbers == list(range(share))
        for reader in readers:
            assert len(reader.lines) > 1
            assert reader.process.poll() is None, reader.errors
    assert held(folder) == sorted((f"w{n}", at) for n in range(writing) for at in range(share))


def test_several_processes_at_once(folder: Path) -> None:
    at_once(folder, 40, 3, 1)


@pytest.mark.slow
def test_five_thousand_rows_by_eight_processes_at_once(folder: Path) -> None:
    at_once(folder, 5_000, 6, 2)


def kill_at_random(folder: Path, rounds: int, seed: int, writing: int = 4) -> float:
    """Kill one of several writers and a reader, again and again; returns the longest hand-over in
    seconds.

    Args:
        folder: the project.
        rounds: how many are killed.
        seed: of the choice of whom, and when.
        writing: processes that write.
    """
    chance = random.Random(seed)
    longest = 0.0
    acknowledged: set[tuple[str, int]] = set()
    started = 0

    def writer() -> Child:
        nonlocal started
        started += 1
        return Child(WRITE, folder, f"w{started:03d}", 0, 1_000_000)

    names: dict[Child, str] = {}
    with children() as alive:
        for _ in range(writing):
            alive.append(writer())
            names[alive[-1]] = f"w{started:03d}"
        alive.append(Child(READ, folder))
        for child in alive:
            child.wait_lines(2)
        for turn in range(rounds):
            time.sleep(chance.uniform(0.0, 0.3))
            owned = [child for child in alive if child.lines[0] == "open True"]
            victim = owned[0] if owned and turn % 2 == 0 else chance.choice(alive)
            victim.kill()
            moment = time.monotonic()
            alive.remove(victim)
            seen = [len(child.lines) for child in alive]
            for child, lines in zip(alive, seen):
                child.wait_lines(lines + 2)
            longest = max(longest, time.monotonic() - moment)
            if victim in names:
                acknowledged |= {(names[victim], at) for at in victim.numbers}
                alive.append(writer())
                names[alive[-1]] = f"w{started:03d}"
            else:
                alive.append(Child(READ, folder))
            alive[-1].wait_lines(2)
        for child in list(alive):
            child.kill()
            assert child.errors == [], child.errors
            if child in names:
                acknowledged |= {(names[child], at) for at in child.numbers}
    found = held(folder)
    assert len(found) == len(set(found))
    assert acknowledged <= set(found), "an acknowledged write is gone"
    # of each writer at most the one write that was under way when it was killed
    assert len(found) - len(acknowledged) <= started
    for name in {name for name, _ in found}:
        mine = [at for who, at in found if who == name]
        assert mine == list(range(len(mine)))
    return longest


def test_killed_at_random_moments(folder: Path) -> None:
    kill_at_random(folder, 2, seed=1, writing=2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_random_moments_sixty_times(folder: Path) -> None:
    print("longest hand-over", kill_at_random(folder, 60, seed=2))


DIE_INSIDE = """
import os, signal
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
assert not project.database.owner
def work(cursor):
    cursor.execute("UPDATE bad_row SET reason = 'half done'")
    print("inside", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
project.database.transaction(work)
"""


def test_a_write_that_died_half_way_is_undone_and_holds_nobody_up(
    folder: Path, holder: Child
) -> None:
    with Project.open(folder) as project:
        project.database.transaction(lambda cursor: cursor.execute(ROW, ["a", 1]))
        with children(Child(DIE_INSIDE, folder)) as (child,):
            assert child.process.wait(60) == -signal.SIGKILL, child.errors
        assert child.lines == ["inside"]
        project.database.transaction(
            lambda cursor: cursor.execute("UPDATE bad_row SET reason = reason || '!'")
        )
        assert project.database.rows("SELECT reason FROM bad_row") == [{"reason": "r!"}]
        assert not project.database.owner


def test_a_write_whose_answer_was_lost_is_not_done_twice(folder: Path, holder: Child) -> None:
    with Project.open(folder) as project:
        runs = []

        def work(cursor: object) -> int:
            cursor.execute(ROW, ["a", 1])  # type: ignore[attr-defined]
            runs.append(1)
            return 7

        seat_run = type(project.database._link._way._idle[0]).run  # type: ignore[union-attr]

        def lose_the_answer(seat: object, sql: str, limit: int | None) -> object:
            found = seat_run(seat, sql, limit)  # type: ignore[arg-type]
            if sql == "COMMIT" and holder.process.poll() is None:
                holder.kill()
                from workbench.store.kernel.attached import OwnerLost

                seat.whole = False  # type: ignore[attr-defined]
                raise OwnerLost("the owner was killed after COMMIT, before it answered")
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(project.database._link._way._idle[0]), "run", lose_the_answer)  # type: ignore[union-attr]
            assert project.database.transaction(work) == 7
        assert runs == [1]
        assert project.database.rows("SELECT count(*) AS n FROM bad_row") == [{"n": 1}]


def test_a_write_that_the_owner_never_committed_is_done_again(folder: Path, holder: Child) -> None:
    with Project.open(folder) as project:
        runs = []

        def work(cursor: object) -> None:
            cursor.execute(ROW, ["a", 1])  # type: ignore[attr-defined]
            runs.append(1)
            if len(runs) == 1:
                holder.kill()

        project.database.transaction(work)
        assert runs == [1, 1]
        assert project.database.rows("SELECT count(*) AS n FROM bad_row") == [{"n": 1}]


FULL = """
import resource
from store_rows import loop_records, task
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
print("open", project.database.owner, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))   # as a full disk: the owner's writes fail
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_a_full_disk_at_the_owner_is_a_clear_error_here(folder: Path) -> None:
    acknowledged = []
    with children(Child(FULL, folder)) as (child,):
        child.wait_lines(1)
        with Project.open(folder) as project:

            def fill() -> None:
                for at in range(1000):
                    loop_records(task(at, question="How many? " * 3000), k=3).write(project)
                    acknowledged.append(at)

            with pytest.raises(
                StoreError,
                match=r"cannot be written .*nothing committed is lost: look for a full disk",
            ):
                fill()
            child.kill()
            assert acknowledged
            for at in acknowledged:
                assert (
                    sum(loop_records(task(at, question="How many? " * 3000), k=3).write(project))
                    == 0
                )
