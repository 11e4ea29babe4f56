"""Becomes Monty inside a jail: `python -IS launch.py BINARY ARGUMENT...`.

It runs before each sandbox worker starts and imports next to nothing, which keeps it at about 25
ms.  Landlock lets no file be opened but the interpreter's own libraries; the seccomp filter denies
sockets, tracing and the like.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

HEAP = 4 * 2**30
"""Bytes of address space of a worker; its own memory limit is far lower."""

_NEW = (425, 428, 429, 430, 431, 432, 434)
"""Calls that have one number on all machines: io_uring, the new mount calls, pidfd_open."""

_DENIED = {
    "x86_64": (
        # socket, connect, accept, bind, listen, socketpair, accept4
        41, 42, 43, 49, 50, 53, 288,
        # fork, vfork, ptrace, process_vm_readv, process_vm_writev, perf_event_open, userfaultfd
        57, 58, 101, 310, 311, 298, 323,
        # mount, umount2, unshare, setns, open_by_handle_at
        165, 166, 272, 308, 304,
        # reboot, init_module, delete_module, kexec_load, finit_module, bpf
        169, 175, 176, 246, 313, 321,
        *_NEW,
    ),
    "aarch64": (
        198, 199, 200, 201, 202, 203, 242,
        117, 270, 271, 241, 282,
        39, 40, 41, 97, 268, 265,
        142, 104, 105, 106, 273, 280,
        *_NEW,
    ),
}  # fmt: skip
"""System calls that fail with EPERM.  `clone` stays: Monty has threads."""

_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_READ_ONLY = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/nix/store")


def main(arguments: list[str]) -> None:
    """Enter the jail and become the program; walls that the system does not offer are left out."""
    binary = arguments[0]
    limit_resources()
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: no other process of the user reads its memory
        for wall in (restrict_files, restrict_calls):
            try:
                wall(libc, binary)
            except OSError:
                continue  # this kernel does not offer it
    os.execve(binary, arguments, {})  # noqa: S606  # the environment stays empty


def limit_resources() -> None:
    """Allow no core dumps, no written files, few descriptors and a bounded address space."""
    import resource  # absent on Windows, where this is not reached

    for name, value in (("CORE", 0), ("FSIZE", 0), ("NOFILE", 64), ("AS", HEAP)):
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
        except (OSError, ValueError):
            continue  # a lower limit is set already


def restrict_files(libc: ctypes.CDLL, binary: str) -> None:
    """Let Landlock deny all files but the binary and the system's libraries, and all writing.

    Raises:
        OSError: the kernel has no Landlock.
    """
    version = libc.syscall(444, None, 0, 1)
    if version < 1:
        raise OSError("this kernel has no Landlock")
    rights_of_version = {1: 13, 2: 14}.get(version, 15)  # number of rights that can be denied
    denied = (1 << rights_of_version) - 1
    ruleset = libc.syscall(444, ctypes.byref(ctypes.c_uint64(denied)), 8, 0)
    if ruleset < 0:
        raise OSError("Landlock refused the rules")
    allowed = (1 << 0) | (1 << 2) | (1 << 3)  # execute, read a file, read a folder
    for path in (binary, *_READ_ONLY):
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        rights = allowed if os.path.isdir(path) else allowed & ~(1 << 3)  # noqa: PTH112
        libc.syscall(445, ruleset, 1, struct.pack("<Qi", rights, handle), 0)
        os.close(handle)
    if libc.syscall(446, ruleset, 0) != 0:
        raise OSError("Landlock cannot be switched on")
    os.close(ruleset)


def restrict_calls(libc: ctypes.CDLL, binary: str) -> None:
    """Let the calls of `_DENIED` fail with EPERM, in `binary` and what it starts, by seccomp.

    Raises:
        OSError: the filter cannot be installed.
    """
    machine = os.uname().machine
    if machine not in _DENIED:
        raise OSError(f"no filter for {machine}")
    denied = _DENIED[machine]
    load, jump, back = 0x20, 0x15, 0x06
    program = [
        (load, 0, 0, 4),
        (jump, 1, 0, _ARCHITECTURE[machine]),
        (back, 0, 0, 0x80000000),
        (load, 0, 0, 0),
    ]
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
