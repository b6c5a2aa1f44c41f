from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from medview.core.errors import LockedError
from medview.store.personal import personal_project
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint


def test_the_personal_project_is_made_at_first_use_and_found_again(tmp_path: Path) -> None:
    with personal_project(tmp_path / "not yet" / "there") as project:
        painter = Painter(project)
        painter.add_segment()
        painter.paint((1, 2, 3), (4, 40, 30))
    with personal_project(tmp_path / "not yet" / "there") as project:
        assert project.name == "Personal"
        assert sys.platform == "win32" or stat.S_IMODE(project.path.stat().st_mode) == 0o700
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


def test_a_second_window_reads_the_personal_project(tmp_path: Path) -> None:
    with personal_project(tmp_path) as project:
        Painter(project).add_segment()
        project.journal.flush()
        with pytest.raises(LockedError):
            personal_project(tmp_path)
        with personal_project(tmp_path, or_read=True) as second:
            assert second.read_only
            assert second.readings()[0].gestures == 1
