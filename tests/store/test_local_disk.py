"""Network file systems are refused, with the way out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from workbench.errors import StoreError
from workbench.store.kernel.local_disk import check_local, file_system


class Mount(NamedTuple):
    """What psutil tells of a mount."""

    device: str
    mountpoint: str
    fstype: str
    opts: str = "rw"


MOUNTS = [
    Mount("/dev/vda", "/", "ext4"),
    Mount("server:/share", "/mnt/team", "nfs4"),
    Mount("//nas/a", "/mnt/with space", "CIFS"),
    Mount("ann@host:/", "/mnt/team/ann", "fuse.sshfs"),
    Mount("/dev/vdb", "/mnt/team/disk", "xfs"),
    Mount("server:/old", "/srv", "nfs"),
    Mount("/dev/vdc", "/srv", "ext4"),
]


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: MOUNTS)


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/a/p", "ext4"),
        ("/mnt/team/p", "nfs4"),
        ("/mnt/with space/p", "cifs"),
        ("/mnt/team/ann/p", "fuse.sshfs"),
        ("/mnt/team/disk/p", "xfs"),
        ("/mnt/teams/p", "ext4"),
        ("/srv/p", "ext4"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert file_system(Path(path)) == kind


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    "path", ["/mnt/team/p/vpd.duckdb", "/mnt/with space/vpd.duckdb", "/mnt/team/ann/vpd.duckdb"]
)
def test_a_network_file_system_is_refused(path: str) -> None:
    with pytest.raises(
        StoreError,
        match=r"network file system \((nfs4|cifs|fuse.sshfs)\).*keep the project on a disk of",
    ):
        check_local(Path(path))


def test_a_disk_of_this_machine_is_taken(tmp_path: Path) -> None:
    check_local(tmp_path)


@pytest.mark.usefixtures("mounts")
def test_a_disk_that_is_mounted_inside_a_share_is_taken() -> None:
    check_local(Path("/mnt/team/disk/vpd.duckdb"))


@pytest.mark.parametrize("failure", [PermissionError("/proc/mounts"), psutil.Error()])
def test_where_the_system_does_not_tell_a_folder_is_taken(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def refuse(all: bool) -> list[Mount]:
        raise failure

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    check_local(Path("/mnt/team/p"))


def test_a_folder_outside_every_mount_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [])
    assert file_system(Path("/mnt/team/p")) == ""
