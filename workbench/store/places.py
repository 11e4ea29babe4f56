"""Which folders may hold a store: file systems of this machine, whose locks and memory maps can be trusted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from workbench.errors import StoreError

REMOTE = frozenset({
    "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4",
    "orangefs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "webdav", "fuse.blobfuse2", "fuse.ceph",
    "fuse.curlftpfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.hdfs", "fuse.juicefs",
    "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs", "macfuse.sshfs", "osxfuse.sshfs", "sshfs",
})  # fmt: skip
"""Kinds of file system that reach over a network."""


def check_local(path: Path, mounts: str | None = None) -> None:
    """Raises StoreError when `path` lies on a network file system.

    Args:
        mounts: lines as in /proc/mounts; the system's when left out.
    """
    kind = file_system(path, _mounts() if mounts is None else mounts)
    if kind in REMOTE:
        raise StoreError(
            f"{path} lies on a network file system ({kind}), where locks cannot be trusted and two machines could "
            "write at once; keep the project on a disk of this machine and copy or back it up to the shared folder"
        )


def file_system(path: Path, mounts: str) -> str:
    """Kind of the file system that `path` lies on, '' where it is not known."""
    real = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        # Spaces and the like stand as octal numbers.
        point = Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1]))
        # Of two mounts on one point, the later hides the earlier.
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2].lower()
    return kind


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        if sys.platform != "darwin":
            return ""
    # "//ann@server/share on /Volumes/share (smbfs, nodev)"
    listed = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=10, check=False).stdout
    found = re.findall(r"^(.+?) on (.+) \((\w+)[,)]", listed, re.MULTILINE)
    return "\n".join(f"x {point.replace(' ', chr(92) + '040')} {kind}" for _, point, kind in found)
