"""The second wall: what a process inside the jail can still do, tried with Python in Monty's place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools_for_tests import OnePicture, a_program, a_task, all_tools

from workbench.execute import Executor, launch
from workbench.execute.jail import find_monty, write_launcher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")

ATTEMPTS = {
    "read": "open(CANARY).read()",
    "write": "open(CANARY, 'w')",
    "create": "open(CANARY + '.new', 'w')",
    "list": "os.listdir('/tmp')",
    "socket": "socket.socket()",
    "run": "os.execv(CANARY + '.program', ['echo'])",
    "many descriptors": "[os.dup(0) for _ in range(100)]",
    "trace": "ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 or deny()",
}


def inside(tmp_path: Path, code: str) -> str:
    """Runs Python code in the jail; Python's own folders are readable to it."""
    start = (
        "import sys; sys.path[:0] = [{root!r}]; import workbench.execute.launch as l; l._READ_ONLY += {readable!r}; "
        "l.main([{python!r}, '-IS', '-c', {code!r}])"
    )
    python = os.path.realpath(sys.executable)
    readable = (sys.base_prefix,)
    text = start.format(
        root=str(Path(launch.__file__).parents[2]), readable=readable, python=python, code=code
    )
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        env={"VPD_CANARY": "secret"},
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_denied(tmp_path: Path, attempt: str) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("secret")
    program = shutil.copy(
        "/bin/echo", f"{canary}.program"
    )  # lies where nothing may be read; Python's folders may be
    code = f"""
import os, socket, ctypes
CANARY = {str(canary)!r}
def deny():
    raise OSError('denied')
try:
    {ATTEMPTS[attempt]}
    print('allowed')
except OSError as error:
    print('denied')
"""
    assert inside(tmp_path, code).strip() == "denied"
    assert canary.read_text() == "secret"
    assert {*tmp_path.iterdir()} == {canary, Path(program)}


def test_the_environment_is_empty(tmp_path: Path) -> None:
    assert "secret" not in inside(tmp_path, "import os; print(dict(os.environ))")


def test_the_launcher_names_monty_and_quotes_paths(tmp_path: Path) -> None:
    folder = tmp_path / "a folder's name"
    folder.mkdir()
    path = write_launcher(folder)
    assert path is not None
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "monty" in done.stdout.lower()
    assert find_monty() is not None


def test_workers_run_in_the_jail_by_default(tmp_path: Path) -> None:
    with Executor(all_tools(), OnePicture(), hold=1) as executor:
        assert executor.jailed
        assert next(
            executor.run([(a_task(), a_program("def execute_command(image):\n    return 'ok'\n"))])
        ).ok
        with executor._sandbox.checkout() as session:
            status = Path(f"/proc/{session.worker_pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
