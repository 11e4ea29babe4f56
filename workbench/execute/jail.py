"""A jail around each sandbox worker, where the system offers one; no root needed.

`launcher(folder)` writes a small executable that starts Monty with an empty environment, without a message to
the terminal, under resource limits and, on Linux, under no-new-privileges, Landlock (no file can be opened
but the interpreter's own libraries) and a seccomp filter (no sockets, no new programs, no tracing).  Monty
needs none of these: the jail is a second wall for a flaw in the first.

Run as a script it is the launcher itself: `jail.py BINARY ARGUMENT...`.  It imports the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shlex
import shutil
import stat
import struct
import sys
import sysconfig
from pathlib import Path

HEAP = 4 * 2**30
"""Bytes of address space of a worker; its own memory limit is far lower."""

_DENIED = {
    "x86_64": (41, 42, 43, 49, 50, 53, 56 + 1000, 57, 58, 62 + 1000, 101, 165, 166, 169, 175, 176, 246, 272, 288, 298, 304,
               308, 310, 311, 313, 321, 323, 425, 428, 429, 430, 431, 432, 434, 435 + 1000),
    "aarch64": (198, 199, 200, 201, 202, 203, 117, 39, 40, 41, 97, 104, 105, 106, 142, 241, 242, 265, 268, 270, 271, 273,
                280, 282, 425, 428, 429, 430, 431, 432, 434),
}  # fmt: skip
"""System calls that fail with EPERM: sockets, fork, ptrace, mounts, kernel modules, namespaces, bpf, io_uring, other
processes' memory.  Numbers above 1000 stand for calls that stay allowed (threads, signals to itself)."""

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_READ_ONLY = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/nix/store")


def launcher(folder: Path) -> Path | None:
    """An executable in `folder` that starts Monty in the jail; None where none can be made (Windows, no binary)."""
    binary = find_monty()
    if os.name != "posix" or binary is None:
        return None
    path = folder / "monty-in-jail"
    words = [sys.executable, "-IS", str(Path(__file__).resolve()), str(binary)]
    path.write_text(f'#!/bin/sh\nexec {" ".join(map(shlex.quote, words))} "$@" 2>/dev/null\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def find_monty() -> Path | None:
    """The interpreter's binary: beside Python, or on the path."""
    beside = Path(sysconfig.get_path("scripts")) / "monty"
    found = str(beside) if beside.is_file() else shutil.which("monty")
    return Path(found).resolve() if found else None


def main(arguments: list[str]) -> None:
    """Enter the jail and become the program; what the system does not offer is left out."""
    binary = arguments[0]
    limit_resources()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: no other process of the user reads its memory
        with contextlib.suppress(OSError):
            restrict_files(libc, binary)
        with contextlib.suppress(OSError):
            restrict_calls(libc)
    os.execve(binary, arguments, {})  # noqa: S606  # the environment stays empty


def limit_resources() -> None:
    """No core dumps, no files written, few descriptors, bounded address space."""
    import resource  # absent on Windows, where this is not reached

    for name, value in (("CORE", 0), ("FSIZE", 0), ("NOFILE", 64), ("AS", HEAP)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def restrict_files(libc: ctypes.CDLL, binary: str) -> None:
    """Landlock: nothing but the binary and the system's libraries can be read, nothing can be written.

    Raises OSError where the kernel has no Landlock.
    """
    version = libc.syscall(444, None, 0, 1)
    if version < 1:
        raise OSError("this kernel has no Landlock")
    handled = (1 << (13 if version == 1 else 14 if version == 2 else 15)) - 1
    ruleset = libc.syscall(444, ctypes.byref(ctypes.c_uint64(handled)), 8, 0)
    if ruleset < 0:
        raise OSError("Landlock refused the rules")
    allowed = (1 << 0) | (1 << 2) | (1 << 3)  # execute, read a file, read a folder
    for path in (binary, *_READ_ONLY):
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rights = allowed if Path(path).is_dir() else allowed & ~(1 << 3)
        libc.syscall(445, ruleset, 1, struct.pack("<Qi", rights, handle), 0)
        os.close(handle)
    if libc.syscall(446, ruleset, 0) != 0:
        raise OSError("Landlock cannot be switched on")
    os.close(ruleset)


def restrict_calls(libc: ctypes.CDLL) -> None:
    """seccomp: the calls of `_DENIED` fail with EPERM.  Raises OSError where it cannot be installed."""
    machine = platform.machine()
    if machine not in _DENIED:
        raise OSError(f"no filter for {machine}")
    denied = [number for number in _DENIED[machine] if number < 1000]
    load, jump, back = 0x20, 0x15, 0x06
    program = [(load, 0, 0, 4), (jump, 1, 0, _ARCHITECTURE[machine]), (back, 0, 0, 0x80000000), (load, 0, 0, 0)]
    for i, number in enumerate(denied):
        program.append((jump, len(denied) - i, 0, number))
    program += [(back, 0, 0, 0x7FFF0000), (back, 0, 0, 0x00050001)]  # allow; EPERM
    code = b"".join(struct.pack("<HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(buffer))
    if libc.prctl(22, 2, header, 0, 0) != 0:  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError("seccomp refused the filter")


if __name__ == "__main__":
    main(sys.argv[1:])
