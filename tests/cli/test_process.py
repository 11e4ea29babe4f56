"""The command `vpd` as a real process: speed of help, Ctrl-C, kill, pipes, a full disk."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from small_parts import profile_text

from workbench.pipeline.loop import run
from workbench.settings import Choice
from workbench.store import Project

HERE = Path(__file__).resolve().parent.parent
VPD = [sys.executable, "-c", "from workbench.cli import main; main()"]
TASKS, K = 16, 4
HELPERS = ("annotated_doc", "attr", "markdown_it", "mdurl", "pygments", "shellingham")
"""Packages that typer and rich import."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Sixteen tasks, and a sampler that takes its time."""
    slow = f'{{ part = "{HERE / "small_parts.py"}:Scribe", pause = 0.3 }}'
    (tmp_path / "small.toml").write_text(profile_text(sampler=slow))
    source = Choice(
        f"{HERE / 'small_parts.py'}:Squares",
        {"root": str(tmp_path / "drawn"), "pictures": TASKS // 2},
    )
    Project.create(tmp_path / "p", str(tmp_path / "small.toml"), source).close()
    return tmp_path / "p"


def vpd(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*VPD, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


def programs(project: Path) -> int:
    with Project.open(project, read_only=True) as opened:
        return opened.counts().programs


def run_here(project: Path, **options: int) -> int:
    """Run the loop in this process, where it is not what is looked at; how many rows it made."""
    with Project.open(project) as opened:
        return sum(done.rows for done in run(opened, **options).done.values())


def test_help_needs_neither_store_nor_models() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from workbench.cli import app\n"
        "assert 'rationalize' in CliRunner().invoke(app, ['run', '--help']).output\n"
        "print([name for name in ('duckdb', 'pyarrow', 'torch', 'numpy', 'PIL', 'pydantic_monty') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_help_imports_only_what_prints_it() -> None:
    """What costs processor time before the first line of help is what is imported for it."""
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from workbench.cli import main\n"
        "sys.argv = ['vpd', '--help']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    modules = done.stderr.split()
    ours = {name for name in modules if name.partition(".")[0] == "workbench"}
    rooms = {".".join(name.split(".")[:2]) for name in ours}
    assert rooms == {"workbench", "workbench.cli", "workbench.errors"}
    others = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    assert others <= {"workbench", "typer", "click", "rich", "typing_extensions", *HELPERS}
    assert len(modules) < 400, "of the standard library, too, little is needed"


def test_version() -> None:
    assert vpd("--version").stdout.startswith("vpd 0.")


def sampling(project: Path) -> subprocess.Popen[str]:
    """A run whose first programs are stored; sampling the rest takes it seconds."""
    child = subprocess.Popen(
        [*VPD, "run", "-p", str(project)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    while f"import: {TASKS} of {TASKS}" not in child.stderr.readline():
        assert child.poll() is None
    while programs(project) == 0:
        assert child.poll() is None
    return child


def stopped(project: Path, number: signal.Signals) -> int:
    """Stop a run by a signal, and look at what it says; how many programs it left."""
    child = sampling(project)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, out + err
    assert "stopped; what was finished is kept, and the same command goes on from there" in err
    assert "Traceback" not in err
    before = programs(project)
    assert 0 < before < TASKS * K
    assert before % K == 0
    return before


def test_a_run_that_is_stopped_goes_on_by_the_same_command(project: Path) -> None:
    before = stopped(project, signal.SIGINT)
    done = vpd("run", "-p", project)
    assert f"sample {TASKS * K - before} in" in done.stdout
    assert run_here(project) == 0, "nothing was left to do"


def test_a_run_that_a_service_stops_goes_on(project: Path) -> None:
    stopped(project, signal.SIGTERM)
    run_here(project)
    assert programs(project) == TASKS * K


def test_killed_in_the_middle_the_next_run_goes_on(project: Path) -> None:
    child = sampling(project)
    child.kill()
    child.communicate()
    before = programs(project)
    assert 0 < before < TASKS * K, "killed while it sampled"
    run_here(project)
    with Project.open(project) as opened:
        found = opened.counts()
    assert (found.programs, found.traces) == (TASKS * K, TASKS * K)
    assert (found.judged, found.predictions) == (TASKS, TASKS)


def test_commands_work_while_another_process_has_the_store(project: Path) -> None:
    with Project.open(project) as opened:
        done = vpd("run", "-p", project, "--limit", 2)
        assert done.returncode == 0, done.stderr
        assert opened.counts().programs == 2 * K, "what the command wrote is seen here"
        assert opened.database.owner
        assert (
            json.loads(vpd("status", "-p", project, "--json").stdout)["counts"]["programs"] == 2 * K
        )
        assert (
            "2" in vpd("sql", "SELECT count(DISTINCT task_id) FROM program", "-p", project).stdout
        )


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    with Project.open(project) as opened:
        run(opened, upto="import")
    command = " ".join(f"'{part}'" for part in [*VPD, "show", "-p", str(project)])
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1"], capture_output=True, text=True, timeout=60
    )
    assert "How many red squares" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "mark"), [("app", "data-steps"), ("interface", "Program pipeline")]
)
def test_pages_are_served_until_ctrl_c(project: Path, command: str, mark: str) -> None:
    child = subprocess.Popen(
        [*VPD, command, "-p", str(project), "--port", "0", "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        url = child.stdout.readline().split()[0]
        with urllib.request.urlopen(url, timeout=30) as page:
            assert mark in page.read().decode()
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 0, err
    assert ("what was decided is stored" in err) == (command == "app")
    assert "Traceback" not in err
    Project.open(project, wait=0).close()


def test_an_interface_at_a_port_that_is_none_is_refused(project: Path) -> None:
    done = vpd("interface", "-p", project, "--port", 70_000)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: port must be 0 to 65535 (0 takes a free one), found 70000"
    ]


def test_a_full_disk_is_one_line_of_error(project: Path) -> None:
    run_here(project, limit=4)
    limit = 60_000  # less than the log of this run
    code = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"  # as a full disk: files cannot grow
        "from workbench.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "-p", str(project)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert "nothing committed is lost: look for a full disk" in last
    assert run_here(project) > 0, "with room again, the run goes on"
    assert run_here(project) == 0
