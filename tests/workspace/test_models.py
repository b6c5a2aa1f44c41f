"""A model is named by its id, or by the folder that its pack lies in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from medview.core.errors import PackError
from medview.core.resources import resource_path
from medview.workspace.models import pack_of


def test_a_pack_is_found_by_its_id_and_in_its_folder(tmp_path: Path) -> None:
    shutil.copytree(resource_path("packs/phantom-nodule-boxes"), tmp_path / "run" / "pack")
    installed, lying = pack_of("phantom-nodule-boxes"), pack_of(str(tmp_path / "run" / "pack"))
    assert installed.bundled
    assert lying.folder == tmp_path / "run" / "pack"
    assert lying.digest == installed.digest


def test_what_is_neither_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no model"):
        pack_of(str(tmp_path))
