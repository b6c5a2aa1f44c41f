from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from medview.core.errors import WriteError
from medview.store.place import Place, place_of
from medview.store.project import Project
from tests.helpers.small_disk import small_disk
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint

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


def test_a_project_on_a_medium_that_cannot_be_written_is_read_from_a_copy_and_says_so(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disc", megabytes=4) as disc:
        with Project.create(disc / "x.medview") as project:
            painter = Painter(project)
            painter.add_segment()
            painter.paint((1, 2, 3), (5, 40, 40))
        # A writer died here, and nobody can roll back what it left.
        connection = sqlite3.connect(project.path / "project.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=TRUNCATE").fetchall()
        connection.execute("PRAGMA cache_size=1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE journal SET document = 'half', payload = zeroblob(90000)")
        files = {name: (project.path / name).read_bytes() for name in ("project.db", "project.db-journal")}
        connection.execute("ROLLBACK")
        connection.close()
        for name, data in files.items():
            (project.path / name).write_bytes(data)
        subprocess.run(["mount", "-o", "remount,ro", str(disc)], check=True)
        assert place_of(disc).read_only
        with pytest.raises(
            WriteError, match=r"x\.medview lies on a medium that cannot be written, so a copy of it is read"
        ):
            Project.open(project.path)
        with Project.open_or_read(project.path) as reader:
            assert reader.read_only
            assert "copy the project to a disk to go on labelling" in reader.read_only_reason
            assert stored_fingerprint(reader, painter.reading_id) == live_fingerprint(painter)
            assert reader.lock_watch is None
            reader.save_copy(tmp_path / "on a disk.medview")
        with Project.open(tmp_path / "on a disk.medview") as writable:
            assert stored_fingerprint(writable, painter.reading_id) == live_fingerprint(painter)
