"""Network file systems are refused, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import StoreError
from workbench.store.places import check_local, file_system

MOUNTS = r"""
/dev/vda / ext4 rw 0 0
server:/share /mnt/team nfs4 rw 0 0
//nas/a /mnt/with\040space cifs rw 0 0
ann@host:/ /mnt/team/ann fuse.sshfs rw 0 0
/dev/vdb /mnt/team/disk xfs rw 0 0
server:/old /srv nfs rw 0 0
/dev/vdc /srv ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/a/p", "ext4"), ("/mnt/team/p", "nfs4"), ("/mnt/with space/p", "cifs"), ("/mnt/team/ann/p", "fuse.sshfs"),
     ("/mnt/team/disk/p", "xfs"), ("/mnt/teams/p", "ext4"), ("/srv/p", "ext4")],
)  # fmt: skip
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("path", ["/mnt/team/p/vpd.duckdb", "/mnt/with space/vpd.duckdb", "/mnt/team/ann/vpd.duckdb"])
def test_a_network_file_system_is_refused(path: str) -> None:
    with pytest.raises(
        StoreError, match=r"network file system \((nfs4|cifs|fuse.sshfs)\).*keep the project on a disk of"
    ):
        check_local(Path(path), MOUNTS)


def test_a_disk_of_this_machine_is_taken(tmp_path: Path) -> None:
    check_local(tmp_path)
    check_local(Path("/mnt/team/disk/vpd.duckdb"), MOUNTS)
    check_local(tmp_path, "")
