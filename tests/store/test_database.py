"""The file under the project: locks, crashes, damage, full disks, folders that cannot be written."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sharing_processes import CHILD
from store_rows import empty_project, loop_records, profile_file, task

from workbench.errors import StoreError
from workbench.store import Project
from workbench.store.kernel.database import Database


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A child process of Python that knows the hand-made records."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return empty_project(tmp_path)


def test_a_process_may_open_it_twice(folder: Path) -> None:
    with Project.open(folder) as project, Project.open(folder, read_only=True) as reader:
        project.add_tasks([task(0)])
        assert reader.counts().tasks == 1
        project.close()
        assert reader.counts().tasks == 1, "the last to close lets go of the file"
        reader.close()
        with pytest.raises(StoreError, match="was closed; open it again"):
            reader.counts()


WRITE = """
import sys
from store_rows import loop_records, task
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
at = int(sys.argv[2])
while True:
    made = loop_records(task(at), k=3)
    made.write(project)
    print(at, flush=True)   # acknowledged: all six writes have returned
    at += 1
"""


def test_killed_in_the_middle_of_writing_nothing_acknowledged_is_lost(folder: Path) -> None:
    done = 0
    for moment in (
        0.0,
        0.013,
        0.041,
    ):  # seconds after an acknowledgement: in the middle of the next writes
        child = start(WRITE, folder, done)
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(3)]
        time.sleep(moment)
        child.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in child.stdout.read().split()]
        assert child.wait() == -signal.SIGKILL
        done = acknowledged[-1] + 1
        with Project.open(folder) as project:
            for at in (*acknowledged, acknowledged[-1] + 1):
                made = loop_records(task(at), k=3)
                new = made.write(project)
                if at in acknowledged:
                    assert sum(new) == 0, (
                        f"task {at} was acknowledged, and {new} of its rows are not there"
                    )
                # the one that was under way: each of its six writes is there as a whole or not at
                # all
                assert all(n in (0, full) for n, full in zip(new, (1, 3, 3, 3, 1, 1)))
            assert project.counts().tasks == done + 1
    assert done >= 9


def test_a_failed_batch_leaves_nothing(folder: Path) -> None:
    with Project.open(folder) as project:

        def half(cursor: object) -> None:
            cursor.execute("INSERT INTO bad_row VALUES ('s', 'f', 1, 'r', now()::TIMESTAMP)")  # type: ignore[attr-defined]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            project.database.transaction(half)
        assert project.counts().bad_rows == 0
        assert project.add_tasks([task(0)]) == (1, []), "and the next write works"


@pytest.mark.parametrize("inside", ["rows({})", "transaction(lambda cursor: cursor.execute({}))"])
def test_ctrl_c_while_the_store_works_is_ctrl_c(folder: Path, inside: str) -> None:
    long = '"SELECT count(*) FROM range(100000000000) WHERE range % 7 = 3"'
    code = f"""
import sys
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
print("open", flush=True)
try:
    project.database.{inside.format(long)}
except KeyboardInterrupt:
    project.add_bad_rows("s", [])
    print("KeyboardInterrupt", project.counts().tasks)
"""
    child = start(code, folder)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    try:
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
    assert out == "KeyboardInterrupt 0\n", err


def test_many_threads_read_and_write(folder: Path) -> None:
    failures: list[BaseException] = []
    with Project.open(folder) as project:

        def work(first: int) -> None:
            try:
                for at in range(first, first + 2):
                    loop_records(task(at), k=2).write(project)
                    assert project.task_view(task(at).id).task.id == task(at).id
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(100 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert project.counts().tasks == 8
        seqs = [outcome.seq for outcome in project.outcomes()]
        assert len(set(seqs)) == 8, "every task has its own place"


def test_a_damaged_file_is_a_clear_error(folder: Path) -> None:
    with Project.open(folder) as project:
        for at in range(3):
            loop_records(task(at), k=3).write(project)
    store = folder / "vpd.duckdb"
    held = store.read_bytes()
    assert len(held) > 9000
    for spoilt in (b"hello, this is no database" * 1000, held[:9000], bytes(len(held))):
        store.write_bytes(spoilt)
        with (
            pytest.raises(StoreError, match=r"cannot be (opened|read)|refused a query"),
            Project.open(folder) as project,
        ):
            project.counts()
        assert store.read_bytes()[: len(spoilt)] == spoilt, "it is left as it was found"


def test_an_empty_file_is_not_taken_for_a_store(folder: Path) -> None:
    (folder / "vpd.duckdb").write_bytes(b"")
    with pytest.raises(StoreError, match=r"not a valid DuckDB database file.*put back a copy"):
        Project.open(folder)


def test_another_programs_database_is_refused(folder: Path) -> None:
    import duckdb

    (folder / "vpd.duckdb").unlink()
    with duckdb.connect(str(folder / "vpd.duckdb")) as other:
        other.execute("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(
        StoreError, match="is a DuckDB file but not a workbench store; give the folder of a project"
    ):
        Project.open(folder)


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"there is no store at .*x.duckdb; make a project with: vpd init"
    ):
        Database(tmp_path / "x.duckdb")


def test_creating_over_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("mine")
    with pytest.raises(StoreError, match="exists already; open it, or choose another folder"):
        Database(tmp_path / "x.duckdb", create=True)
    assert (tmp_path / "x.duckdb").read_text() == "mine"


def test_a_query_reads_the_store_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with Project.open(folder, read_only=True) as project:
        for query in (
            f"SELECT * FROM read_csv('{secret}')",
            f"COPY task TO '{tmp_path / 'out.csv'}'",
            "INSTALL httpfs",
            f"ATTACH '{tmp_path / 'b.duckdb'}'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(StoreError, match=r"the store refused a query|cannot be read"):
                project.database.table(query, 10)
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "b.duckdb").exists()


FULL = """
import resource, sys
from store_rows import loop_records, task
from workbench.errors import StoreError
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))   # as a full disk: writes fail
for at in range(100_000):
    try:
        loop_records(task(at, question="How many? " * 3000), k=3).write(project)
    except StoreError as error:
        print("StoreError", error, flush=True)
        break
    print(at, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_a_full_disk_is_a_clear_error_and_loses_nothing(folder: Path) -> None:
    child = start(FULL, folder)
    out, err = child.communicate(timeout=120)
    lines = out.splitlines()
    assert lines, err
    assert re.match(
        r"StoreError .* cannot be written .*nothing committed is lost: look for a full disk",
        lines[-1],
    ), err
    acknowledged = [int(line) for line in lines[:-1]]
    assert acknowledged
    with Project.open(folder) as project:
        for at in acknowledged:
            assert (
                sum(loop_records(task(at, question="How many? " * 3000), k=3).write(project)) == 0
            )


AS_NOBODY = """
import os, sys
from workbench.errors import WorkbenchError
from workbench.store import Project
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    project = Project.open(Path(sys.argv[1]), read_only=sys.argv[2] == "reader")
    print("open", project.counts().tasks)
    if sys.argv[2] == "maker":
        raise SystemExit
    project.close()
except WorkbenchError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A project that its reader may not write, even where the tests run as root (the reader is then
    nobody).
    """
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        project = Project.create(base / "p", str(profile_file(base)))
        project.add_tasks([task(0)])
        project.close()
        for path in (base / "p", *(base / "p").iterdir()):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield base / "p"
        for path in (base / "p", *(base / "p").iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("writer", "StoreReadOnly .*cannot be written .*is read-only here, and nothing is wrong"),
        ("reader", "open 1"),
    ],
)
def test_a_folder_that_cannot_be_written(read_only_folder: Path, mode: str, text: str) -> None:
    out, err = start(AS_NOBODY, read_only_folder, mode).communicate(timeout=60)
    assert re.match(text, out), out + err


def test_a_parent_that_cannot_be_written(read_only_folder: Path) -> None:
    code = AS_NOBODY.replace(
        'Project.open(Path(sys.argv[1]), read_only=sys.argv[2] == "reader")',
        "Project.create(Path(sys.argv[1]) / 'new')",
    )
    out, err = start(code, read_only_folder, "maker").communicate(timeout=60)
    assert re.match(
        r"InputError no project can be made at .*: Permission denied; choose a folder you can write",
        out,
    ), err
