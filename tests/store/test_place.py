from __future__ import annotations

import sys
from pathlib import Path

import pytest

from medview.store.place import Place, place_of
from tests.helpers.small_disk import small_disk

_TABLE = r"""
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
28 27 0:25 / /mnt/ward rw,relatime shared:2 master:3 - nfs4 server:/labels rw,vers=4.2
29 28 0:26 / /mnt/ward/local rw - xfs /dev/sdb1 rw
30 27 0:27 / /mnt/old\040share rw - cifs //server/share rw,vers=3.0
31 27 0:28 / /home/ada/far rw,nosuid - fuse.sshfs ada@far: rw,user_id=1000
32 27 0:29 / /media/disc ro,nosuid - iso9660 /dev/sr0 ro
33 27 0:30 / /mnt/frozen rw - ext4 /dev/sdc1 ro
34 27 0:31 / /mnt/over rw - ext4 /dev/sdd1 rw
35 34 0:32 / /mnt/over rw - nfs server:/x rw
36 27 0:33 / /home/ada/enc rw - fuse.gocryptfs /home/ada/.enc rw
a line that nobody understands
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no table of mounts")
@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/data/x.medview", Place("ext4")),
        ("/mnt/ward", Place("nfs4", remote=True)),
        ("/mnt/ward/x.medview", Place("nfs4", remote=True)),
        ("/mnt/wardrobe/x.medview", Place("ext4")),
        ("/mnt/ward/local/x.medview", Place("xfs")),
        ("/mnt/old share/x.medview", Place("cifs", remote=True)),
        ("/home/ada/far/x.medview", Place("fuse.sshfs", remote=True)),
        ("/home/ada/enc/x.medview", Place("fuse.gocryptfs")),
        ("/media/disc/x.medview", Place("iso9660", read_only=True)),
        ("/mnt/frozen/x.medview", Place("ext4", read_only=True)),
        ("/mnt/over/x.medview", Place("nfs", remote=True)),
    ],
)
def test_the_kind_of_disk_is_read_from_the_table_of_mounts(tmp_path: Path, folder: str, expected: Place) -> None:
    (tmp_path / "mountinfo").write_text(_TABLE)
    assert place_of(Path(folder), tmp_path / "mountinfo") == expected


def test_without_a_table_a_folder_is_taken_to_be_local(tmp_path: Path) -> None:
    assert place_of(tmp_path, tmp_path / "nothing") == Place()


def test_a_real_mount_is_found(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as disk:
        assert place_of(disk / "x.medview") == Place("tmpfs")
    assert place_of(tmp_path).kind != "tmpfs" or not place_of(tmp_path).remote
