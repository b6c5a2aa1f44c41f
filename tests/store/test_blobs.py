from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from medview.core.errors import StoreError
from medview.store.blobs import BlobStore


def test_a_blob_is_named_by_its_content_and_written_once(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    name = blobs.put(b"mask")
    assert name == hashlib.sha256(b"mask").hexdigest()
    (path,) = [p for p in tmp_path.rglob("*") if p.is_file()]
    before = path.stat().st_mtime_ns
    assert blobs.put(b"mask") == name
    assert path.stat().st_mtime_ns == before
    assert blobs.get(name) == b"mask"
    assert list(blobs) == [name]
    assert name in blobs


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    name = blobs.put(b"mask")
    (tmp_path / "blobs" / name[:2] / name).write_bytes(b"mosk")
    with pytest.raises(StoreError, match="damaged"):
        blobs.get(name)


def test_a_blob_cut_short_by_a_crash_is_written_again(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    name = blobs.put(b"mask")
    (tmp_path / "blobs" / name[:2] / name).write_bytes(b"")
    assert blobs.put(b"mask") == name
    assert blobs.get(name) == b"mask"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "ab", "AB" * 32, "ab" * 31 + "/.", "ab" * 32 + "\n"])
def test_only_a_hash_names_a_blob(tmp_path: Path, name: str) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    with pytest.raises(StoreError):
        blobs.get(name)


def test_what_a_killed_writer_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    name = blobs.put(b"mask")
    left = tmp_path / "blobs" / name[:2] / ".0123456789abcdef.part"
    left.write_bytes(b"ma")
    blobs.sweep()
    assert not left.exists()
    assert list(blobs) == [name]


def test_a_blob_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path / "blobs")
    digest = hashlib.sha256(b"mask").hexdigest()
    (tmp_path / "blobs" / digest[:2] / digest).mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        blobs.put(b"mask")
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
