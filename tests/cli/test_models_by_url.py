"""``medview models add URL``."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.helpers.file_server import Served, http_files
from tests.ml.small_packs import small_pack


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    pack = small_pack(tmp_path / "pack", id="small")
    with zipfile.ZipFile(tmp_path / "organs.zip", "w") as opened:
        for file in pack.folder.iterdir():
            opened.write(file, file.name)
    return (tmp_path / "organs.zip").read_bytes()


def test_a_pack_is_fetched_checked_installed_and_its_licence_shown(cli: Cli, archive: bytes, tmp_path: Path) -> None:
    with http_files(Served(archive)) as url:
        done = cli("models", "add", f"{url}#sha256={hashlib.sha256(archive).hexdigest()}", "--quiet")
    assert done.code == 0
    assert "Licence: " in done.err
    listed = {row["id"]: row for row in cli("models", "list", "--json").document["models"]}
    assert not listed["small"]["bundled"]
    assert list((tmp_path / "user-data" / "downloads").iterdir()) == []


def test_another_file_than_asked_for_is_not_installed(cli: Cli, archive: bytes) -> None:
    with http_files(Served(archive)) as url:
        done = cli("models", "add", f"{url}#sha256={'0' * 64}", "--quiet")
    assert done.code == 1
    assert "its checksum differs" in done.err
    assert "small" not in {row["id"] for row in cli("models", "list", "--json").document["models"]}


def test_what_is_no_pack_is_said_and_not_kept(cli: Cli, tmp_path: Path) -> None:
    with http_files(Served(b"<html>Please log in</html>")) as url:
        done = cli("models", "add", url, "--quiet")
    assert done.code == 1
    assert len(done.err.strip().splitlines()) == 1
    assert list((tmp_path / "user-data" / "downloads").iterdir()) == []
