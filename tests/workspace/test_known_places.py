"""A place that was opened before is known in the next window."""

from __future__ import annotations

from pathlib import Path

import pytest

from medview.io.dicom import scan as scan_module
from medview.workspace.operations.open import open_path
from tests.gui.windows import bare_workspace
from tests.helpers.known_study import old_ct


def test_a_folder_opened_before_is_shown_without_opening_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = old_ct(tmp_path / "study")
    first = bare_workspace(tmp_path)
    open_path(first, folder)
    assert len(first.series) == 1

    def opened(path: str) -> None:
        pytest.fail(f"{path} was opened")

    monkeypatch.setattr(scan_module, "look_at", opened)
    monkeypatch.setattr(scan_module, "plainly_other", lambda paths, _between: [opened(path) for path in paths] and ())
    again = bare_workspace(tmp_path)
    open_path(again, folder)
    assert repr(again.series) == repr(first.series)
