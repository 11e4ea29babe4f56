"""A process is killed while it writes; the project is looked at, and then opened for writing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from store_rows import loop_records, profile_file, put_in_force, task

from workbench.store import Project
from workbench.store.reading import summary

TASKS = 12


def write_and_die(folder: Path) -> None:
    project = Project.open(folder)
    put_in_force(project)
    for number in range(TASKS):
        loop_records(task(number), k=3).write(project)
    summary.bring_up_to_date(project.database)
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_row_is_found_by_what_it_is_looked_up_by(tmp_path: Path) -> None:
    Project.create(tmp_path / "p", str(profile_file(tmp_path))).close()
    code = "import sys; sys.path[:] = eval(sys.argv[1]); import pathlib, test_killed_then_looked_at as it; it.write_and_die(pathlib.Path(sys.argv[2]))"
    paths = repr([str(Path(__file__).parent), *sys.path])
    done = subprocess.run([sys.executable, "-c", code, paths, str(tmp_path / "p")], timeout=120)
    assert done.returncode == -9
    with Project.open(tmp_path / "p", read_only=True) as looked_at:
        assert looked_at.counts().programs == 3 * TASKS
    with Project.open(tmp_path / "p") as project:
        rows = project.database.rows
        for table, column in (
            ("task", "seq"),
            ("outcome", "seq"),
            ("posting", "word"),
            ("trace", "id"),
        ):
            values = [row["value"] for row in rows(f"SELECT {column} AS value FROM {table}")]
            assert values
            for value in values:
                sql = f"SELECT count(*) AS n FROM {table} WHERE {column} = ?"
                assert rows(sql, [value])[0]["n"] > 0, (table, column, value)
