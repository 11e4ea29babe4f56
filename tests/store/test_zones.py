"""The store keeps UTC, wherever the machine stands: what is compared, what is shown, what is today."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from store_rows import loop_records, profile_file, put_in_force, task

from workbench.store import Project
from workbench.store.kernel.local import day_begin
from workbench.store.reading import figures

ROOT = Path(__file__).resolve().parents[2]
ZONES = ("Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago")
"""Fourteen hours before UTC, UTC, and eleven hours behind it."""

LOOK = """
import json, sys
from datetime import timedelta
from pathlib import Path
from workbench.cli.text import local_time
from workbench.store import Project, Selection
from workbench.store.kernel.database import now
from workbench.store.reading.figures import current_run

with Project.create(Path(sys.argv[1]), "embedded") as project:
    run = project.start_run(project.scope(), Selection(), "predict")
    project.add_timing(run, "sample", None, 2, 0.5)
    fresh = current_run(project.database, 60) is not None
    project.database.transaction(
        lambda cursor: cursor.execute("UPDATE timing SET created_at = ?", [now() - timedelta(minutes=2)])
    )
    stale = current_run(project.database, 60) is not None
    (row,) = project.database.rows(
        "SELECT abs(epoch(created_at) - epoch(now()::TIMESTAMP)) AS apart FROM timing"
    )
    print(json.dumps([fresh, stale, row["apart"] < 600, local_time(now()), str(now())]))
"""


@pytest.mark.parametrize("zone", ZONES)
def test_a_run_is_alive_by_its_age_in_every_zone(tmp_path: Path, zone: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(tmp_path / "p")],
        env={**os.environ, "TZ": zone, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    fresh, stale, near, local, moment = json.loads(done.stdout)
    assert (fresh, stale, near) == (True, False, True)
    there = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert abs(datetime.fromisoformat(local) - there.replace(tzinfo=None)) < timedelta(minutes=2)


def test_figures_by_day_are_of_the_day_where_one_sits(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p", str(profile_file(tmp_path))) as project:
        put_in_force(project)
        for at in range(2):
            loop_records(task(at), 3).write(project)
        for at, moment in enumerate(("2026-03-28 23:30", "2026-03-29 22:30")):  # summer time begins
            project.database.transaction(
                lambda cursor, at=at, moment=moment: cursor.execute(
                    "UPDATE trace SET created_at = ? WHERE task_id = ?", [moment, task(at).id]
                )
            )
        days = {
            zone: [(str(one.day), one.runs) for one in figures.errors(project.database, True, zone)]
            for zone in map(ZoneInfo, ("UTC", "Europe/Berlin", "Asia/Kathmandu"))
        }
    assert list(days.values()) == [
        [("2026-03-28", 1), ("2026-03-29", 1)],
        [("2026-03-29", 1), ("2026-03-30", 1)],
        [("2026-03-29", 1), ("2026-03-30", 1)],
    ]


@pytest.mark.parametrize("name", ZONES)
def test_a_day_begins_where_one_sits(name: str) -> None:
    zone = ZoneInfo(name)
    begin = day_begin(zone).replace(tzinfo=UTC).astimezone(zone)
    assert (begin.hour, begin.minute, begin.second, begin.microsecond) == (0, 0, 0, 0)
    assert timedelta(0) <= datetime.now(zone) - begin < timedelta(hours=25)
