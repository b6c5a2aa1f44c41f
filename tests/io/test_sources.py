from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from medview.core.errors import ReadError
from medview.io import sources
from medview.io.sources import content_sha256, name_of, open_source


def test_a_small_file_is_hashed_whole_and_a_large_one_by_samples_with_both_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    content = bytearray(3 << 20)
    path.write_bytes(content)
    assert content_sha256(str(path)) == hashlib.sha256(content).digest()
    monkeypatch.setattr(sources, "WHOLE_HASH_BYTES", 1 << 20)
    first = content_sha256(str(path))
    assert content_sha256(str(path)) == first
    for at in (0, len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[at] = 1
        path.write_bytes(changed)
        assert content_sha256(str(path)) != first
    path.write_bytes(content + b"\x00")
    assert content_sha256(str(path)) != first


def test_a_file_that_is_gone_or_no_archive_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="a is no longer there; scan the folder again"):
        open_source(str(tmp_path / "a"))
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(ReadError, match=r"item 3 of b\.zip"):
        open_source(str(tmp_path / "b.zip::3"))


def test_a_file_whose_name_holds_the_mark_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "odd::7"
    path.write_bytes(b"content")
    with open_source(str(path)) as file:
        assert file.read() == b"content"
    assert name_of(str(path)) == "odd::7"
