"""One owner, many attached: what each may do, and who is let in."""

from __future__ import annotations

import os
import re
import signal
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from sharing_processes import HOLD, READ, ROW, WRITE, Child, children
from store_rows import empty_project, loop_records, task

from workbench.errors import StoreError
from workbench.store import Project
from workbench.store.kernel import attached, owner
from workbench.store.kernel.locks import FileLock


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


def test_the_second_process_attaches_and_does_everything(folder: Path, holder: Child) -> None:
    made = loop_records(task(0, question='What\'s "this"?\n\0 é'), k=3)
    with Project.open(folder) as project:
        assert not project.database.owner
        assert made.write(project) == [1, 3, 3, 3, 1, 1]
        assert sum(made.write(project)) == 0, "and twice is once"
        view = project.task_view(task(0).id)
        assert view.task.question == 'What\'s "this"?\n\0 é'
        seen = repr(view)
    assert holder.end() == 0
    with Project.open(folder) as project:
        assert project.database.owner
        assert repr(project.task_view(task(0).id)) == seen, "the same records, read from the file"


def test_the_owner_reads_what_others_write(folder: Path) -> None:
    with Project.open(folder) as project:
        assert project.database.owner
        with children(Child(WRITE, folder, "a", 0, 5)) as (child,):
            assert child.end() == 0
            assert child.lines == ["open False", "0", "1", "2", "3", "4"], child.errors
        assert project.counts().bad_rows == 5


@pytest.mark.parametrize("how", ["close", "kill"])
def test_the_next_takes_over(folder: Path, holder: Child, how: str) -> None:
    with (
        Project.open(folder) as project,
        Project.open(folder) as same,
        children(Child(READ, folder)) as (reader,),
    ):
        reader.wait_lines(3)
        project.add_tasks([task(0)])
        if how == "kill":
            holder.kill()
        else:
            assert holder.end() == 0
        project.add_tasks([task(1)])
        assert same.count_tasks() == 2
        seen = len(reader.lines)
        reader.wait_lines(seen + 3)
        assert reader.process.poll() is None, "whoever did not become the owner attached to it"
    assert [outcome.seq for outcome in Project.open(folder).outcomes()] == [0, 1]


def test_an_error_inside_an_attached_write_leaves_nothing(folder: Path, holder: Child) -> None:
    with Project.open(folder) as project:

        def half(cursor: object) -> None:
            cursor.execute(ROW, ["a", 1])  # type: ignore[attr-defined]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            project.database.transaction(half)
        with pytest.raises(StoreError, match=r"the store refused a query .*nope"):
            project.database.transaction(
                lambda cursor: cursor.execute("INSERT INTO nope VALUES (1)")
            )
        assert project.counts().bad_rows == 0
        assert project.add_tasks([task(0)]) == (1, []), "and the next write works"


def test_the_write_lock_spans_processes(folder: Path, holder: Child) -> None:
    with Project.open(folder) as project, children() as started:
        with project.database.write_lock:
            before = project.counts().bad_rows
            started.append(Child(WRITE, folder, "a", 0, 1))
            started[0].wait_lines(1)
            time.sleep(0.3)
            assert project.counts().bad_rows == before, (
                "what was read stays true while the lock is held"
            )
        assert started[0].end() == 0
        assert project.counts().bad_rows == before + 1


def test_threads_share_an_attachment(folder: Path, holder: Child) -> None:
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


_SERVE = "FROM quack_serve('quack:127.0.0.1:0', token='longenoughforthis')"
_TEXT = _SERVE.replace("'", "''")
_HIDDEN = (
    f"SELECT * FROM json_execute_serialized_sql(json_serialize_sql('{_TEXT}'))",
    f"FROM json_execute_serialized_sql(json_serialize_sql('SELECT * {_TEXT}'))",
    f"EXPLAIN ANALYZE {_SERVE}",
    f"/* a */ EXPLAIN ANALYZE {_SERVE}",
    f"EXPLAIN (ANALYZE) {_SERVE}",
    f"EXPLAIN {_SERVE}",
    f"SUMMARIZE {_SERVE}",
    f"DESCRIBE {_SERVE}",
    f"WITH a AS ({_SERVE}) SELECT 1 FROM a",
    f"SELECT (SELECT count(*) {_SERVE})",
    f"SELECT 1 WHERE EXISTS ({_SERVE})",
    f"FROM query('{_TEXT}')",
    "FROM query_table(['task'])",
    "FROM pragma_database_list()",
    "FROM duckdb_secrets()",
    "FROM glob('*')",
    "FROM task, LATERAL (FROM quack_server_list())",
    "SELECT nextval('a')",
    "SELECT current_setting('temp_directory')",
    "SELECT write_log('a')",
    "FROM 'secret.csv'",
    "FROM system.information_schema.tables",
    "CALL json_execute_serialized_sql('{}')",
    "PRAGMA database_list",
    "EXECUTE statement(1)",
)
"""Ways to start a server, to run text as a query, or to learn more than the tables hold."""

_PLAIN = (
    "SELECT split, count(*) AS n FROM task GROUP BY ALL ORDER BY n DESC",
    "WITH a AS (SELECT id FROM task) SELECT count(*), max(length(id)) FROM a",
    "SELECT t.id, row_number() OVER (ORDER BY t.id) FROM task t LEFT JOIN trace r ON r.task_id = t.id",
    "SELECT json_extract(meta, '$.scene'), meta->>'$.a', [x + 1 for x in [1, 2]] FROM task",
    "FROM unnest([1, 2]) m(x) WHERE x IN (SELECT range FROM range(3))",
    "EXPLAIN SELECT * FROM task",
    "DESCRIBE task",
    "SUMMARIZE task",
    "SHOW TABLES",
    "VALUES (1)",
    "SELECT table_name FROM information_schema.tables",
    "SELECT CASE WHEN id LIKE 'a%' THEN 1 ELSE coalesce(NULL, 2) END, regexp_matches(id, 'a') FROM task",
)


@pytest.mark.parametrize("query", _PLAIN)
def test_queries_that_read_are_run(folder: Path, query: str) -> None:
    with Project.open(folder, read_only=True) as project:
        assert project.database.table(query, 10)[0]


def test_a_query_through_the_owner_reads_the_store_and_nothing_else(
    folder: Path, holder: Child, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    hostile = [
        f"SELECT * FROM read_csv('{secret}')",
        f"COPY task TO '{tmp_path / 'out.csv'}'",
        "INSTALL fts",
        f"ATTACH '{tmp_path / 'b.duckdb'}'",
        "SET enable_external_access = true",
        "DROP TABLE task",
        "SELECT 1; DROP TABLE task",
        "COMMIT",
        "CALL quack_stop('x')",
        "FROM quack_serve('quack:0.0.0.0:0', token='longenough', allow_other_hostname=true)",
        "FROM query('FROM quack_serve(''quack:127.0.0.1:9'', token=''longenough'')')",
        "SET quack_authentication_function = 'x'",
        "EXPLAIN ANALYZE FROM quack_server_list()",
        "FROM quack_server_list()",
        "SELECT * FROM read_text('http://127.0.0.1:1/')",
        *_HIDDEN,
    ]
    for project in (Project.open(folder, read_only=True),):
        for query in hostile:
            with pytest.raises(StoreError, match=r"the store refused a query|cannot be read"):
                project.database.table(query, 10)
        assert project.database.table("SELECT 'QUACK_STOP' AS a", 10) == (["a"], [("QUACK_STOP",)])
        assert project.database.table("SHOW TABLES", 10_000)[1]
        project.close()
    assert holder.end() == 0
    with Project.open(folder, read_only=True) as project:
        for query in hostile:
            with pytest.raises(StoreError, match=r"the store refused a query|cannot be read"):
                project.database.table(query, 10)
        served = project.database.rows("SELECT listen_uri FROM quack_server_list()")
        assert len(served) == 1, "no query starts a server"
    assert not (tmp_path / "out.csv").exists()


def test_only_the_user_may_read_the_token_and_only_this_machine_may_connect(folder: Path) -> None:
    with Project.open(folder) as project:
        address = owner.read_address(folder / "vpd.duckdb")
        assert address is not None
        assert re.fullmatch(r"quack:127\.0\.0\.1:\d+", str(address.uri))
        assert len(address.token) >= 32
        mode = owner.beside(folder / "vpd.duckdb", "owner").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        served = project.database.rows("SELECT host FROM quack_server_list()")
        assert served == [{"host": "127.0.0.1"}]
    assert owner.read_address(folder / "vpd.duckdb") is None, (
        "whoever hands over takes its address away"
    )


def test_a_wrong_token_is_refused(folder: Path, holder: Child) -> None:
    store = folder / "vpd.duckdb"
    right = owner.read_address(store)
    assert right is not None
    owner.write_address(
        store, owner.Address(right.pid, right.name, right.uri, "x" * 40, right.version)
    )
    with pytest.raises(
        StoreError,
        match=rf"in use by process {right.pid} .*does not answer: .*Authentication failed",
    ):
        Project.open(folder, wait=0.3)
    owner.write_address(store, right)
    Project.open(folder).close()


def test_an_owner_that_hangs_is_named(
    folder: Path, holder: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attached, "ANSWER", 0.5)
    holder.process.send_signal(signal.SIGSTOP)
    with pytest.raises(
        StoreError,
        match=rf"in use by process {holder.process.pid} .*does not answer: no answer within",
    ):
        Project.open(folder, wait=0.1)


@pytest.mark.parametrize("pid", [1, 2**22 - 3])
def test_an_address_of_an_owner_that_is_gone_is_no_hindrance(folder: Path, pid: int) -> None:
    """Whether the number belongs to nobody or to another program now: what counts is the lock."""
    owner.write_address(
        folder / "vpd.duckdb", owner.Address(pid, "vpd", "quack:127.0.0.1:1", "x" * 40, "0")
    )
    with Project.open(folder) as project:
        assert project.database.owner


def test_two_owners_can_never_be(folder: Path, holder: Child) -> None:
    """Neither our lock nor DuckDB's own lets a second process in."""
    assert not FileLock(owner.beside(folder / "vpd.duckdb", "lock")).acquire()
    with pytest.raises(duckdb.IOException, match="Conflicting lock"):
        duckdb.connect(str(folder / "vpd.duckdb"))


PLAIN = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


def test_a_program_that_does_not_share_the_file_is_named(folder: Path) -> None:
    with children(Child(PLAIN, folder / "vpd.duckdb")) as (child,):
        child.wait_lines(1)
        with pytest.raises(
            StoreError,
            match=rf"is in use by process {child.process.pid} \(python.*stop it, then try",
        ):
            Project.open(folder, wait=0.1)
        assert child.end() == 0
    Project.open(folder).close()


def test_a_plain_client_opens_the_file_when_nobody_owns_it(folder: Path) -> None:
    with Project.open(folder) as project:
        project.add_tasks([task(0)])
    assert not (folder / "vpd.duckdb.wal").exists(), "closing folds the log in"
    with children(
        Child(
            "import duckdb; print(duckdb.connect(sys.argv[1]).execute('FROM task').fetchone()[0])",
            folder / "vpd.duckdb",
        )
    ) as (child,):
        assert child.end() == 0, child.errors
        assert child.lines == [task(0).id]


def test_without_the_wheels_the_holder_is_named_and_what_to_install(
    folder: Path, holder: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "binaries", lambda: ())
    with pytest.raises(StoreError) as caught:
        Project.open(folder, wait=0.1)
    text = str(caught.value)
    assert f"in use by process {holder.process.pid} (python" in text
    assert "pip install duckdb-extension-httpfs==1.5.5 duckdb-extension-quack==1.5.5" in text
    assert holder.end() == 0
    with Project.open(folder) as project:
        assert project.add_tasks([task(0)]) == (1, []), "alone it works as ever"


CTRL_C = """
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
print("open", flush=True)
try:
    project.database.{}
except KeyboardInterrupt:
    project.add_bad_rows("s", [])
    project.database.transaction(lambda cursor: cursor.execute("UPDATE bad_row SET reason = 'x'"))
    print("KeyboardInterrupt", project.counts().tasks, project.database.owner, flush=True)
"""
LONG = '"SELECT count(*) FROM range(100000000000) WHERE range % 7 = 3"'


@pytest.mark.parametrize(
    "inside", [f"rows({LONG})", f"transaction(lambda cursor: cursor.execute({LONG}))"]
)
def test_ctrl_c_while_the_owner_works_is_ctrl_c(folder: Path, holder: Child, inside: str) -> None:
    with children(Child(CTRL_C.format(inside), folder)) as (child,):
        child.wait_lines(1)
        time.sleep(0.5)
        child.process.send_signal(signal.SIGINT)
        child.wait_lines(2)
        assert child.lines[1] == "KeyboardInterrupt 0 False"
        assert child.end() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX")
def test_a_forked_process_is_told_to_open_again(folder: Path) -> None:
    code = """
import os
from workbench.errors import StoreError
from workbench.store import Project
project = Project.open(Path(sys.argv[1]))
if os.fork() == 0:
    try:
        project.counts()
    except StoreError as error:
        print(error, flush=True)
    with Project.open(Path(sys.argv[1])) as again:
        print(again.counts().tasks, again.database.owner, flush=True)
    os._exit(0)
os.wait()
print(project.add_bad_rows("s", []), project.database.owner, flush=True)
"""
    with children(Child(code, folder)) as (child,):
        assert child.end() == 0, child.errors
        assert "was opened before this process was forked; open it again here" in child.lines[0]
        assert child.lines[1:] == ["0 False", "0 True"]
