"""Which folders may hold a store: those on a disk of this machine.

Locks and memory maps of network file systems cannot be trusted.
"""

from __future__ import annotations

from pathlib import Path

import psutil

from workbench.errors import StoreError
from workbench.local_files import real_path

REMOTE = frozenset({
    "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs3", "nfs4", "orangefs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "webdav",
    "fuse.blobfuse2", "fuse.ceph", "fuse.curlftpfs", "fuse.davfs2", "fuse.gcsfuse",
    "fuse.glusterfs", "fuse.goofys", "fuse.hdfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs",
    "fuse.smbnetfs", "fuse.sshfs", "macfuse.sshfs", "osxfuse.sshfs", "sshfs",
})  # fmt: skip
"""Kinds of file system that reach over a network."""


def check_local(path: Path) -> None:
    """Raises StoreError when `path` lies on a network file system."""
    kind = file_system(path)
    if kind in REMOTE:
        raise StoreError(
            f"{path} lies on a network file system ({kind}), where locks cannot be trusted and two "
            "machines could write at once; keep the project on a disk of this machine and copy or "
            "back it up to the shared folder"
        )


def file_system(path: Path) -> str:
    """Kind of the file system that `path` lies on; empty where the system does not tell."""
    real = real_path(path)
    try:
        mounts = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return ""
    holding = [mount for mount in mounts if real.is_relative_to(mount.mountpoint)]
    # Of two mounts on one point, the later hides the earlier.
    inner = max(
        reversed(holding), key=lambda mount: len(Path(mount.mountpoint).parts), default=None
    )
    return inner.fstype.lower() if inner is not None else ""
