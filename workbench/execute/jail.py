"""A jail around each sandbox worker, where the system offers one; no root needed.

`write_launcher(folder)` writes a small executable that starts Monty through `launch.py`: with an
empty environment, without a message to the terminal, under resource limits and, on Linux, under
no-new-privileges, Landlock and a seccomp filter.  Monty needs none of these: the jail is a second
wall for a flaw in the first.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
import sysconfig
from pathlib import Path


def write_launcher(folder: Path) -> Path | None:
    """An executable in `folder` that starts Monty in the jail.

    It is None on Windows and where there is no binary of Monty.
    """
    binary = find_monty()
    if os.name != "posix" or binary is None:
        return None
    path = folder / "monty-in-jail"
    words = [sys.executable, "-IS", str(Path(__file__).resolve().parent / "launch.py"), str(binary)]
    path.write_text(
        f'#!/bin/sh\nexec {" ".join(map(shlex.quote, words))} "$@" 2>/dev/null\n', encoding="utf-8"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def find_monty() -> Path | None:
    """Monty's binary, beside Python or on the path; None where it is not installed."""
    beside = Path(sysconfig.get_path("scripts")) / "monty"
    binary = str(beside) if beside.is_file() else shutil.which("monty")
    return Path(binary).resolve() if binary else None
