from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import LockedError, StoreError
from medview.store.cases import CaseKey, CaseSources
from medview.store.entry import SavedKind
from medview.store.project import Project
from tests.store.conftest import StillClock
from tests.store.painter import Painter, live_fingerprint, oblique_geometry, stored_fingerprint

ROOT = Path(__file__).resolve().parents[2]


def _write_lock(path: Path, clock: StillClock, host: str, token: str = "theirs") -> None:
    now = clock.utc().isoformat()
    holder = {"user": "grace", "host": host, "pid": 4242, "token": token, "since_utc": now, "heartbeat_utc": now, "new": 1}
    (path / "lock.json").write_text(json.dumps(holder), "utf-8")


def test_a_second_opener_is_told_who_writes(project: Project) -> None:
    with pytest.raises(LockedError, match=rf"chest\.medview is being written by \S+ on {socket.gethostname()}"):
        Project.open(project.path)


def test_a_second_opener_may_read_what_was_saved_until_then(project: Project, painter: Painter) -> None:
    painter.add_segment()
    painter.paint((2, 3, 4), (5, 33, 44))
    project.journal.flush()
    seen = live_fingerprint(painter)
    with Project.open(project.path, read_only=True) as reader:
        painter.paint((9, 9, 9), (12, 33, 44))
        project.journal.flush()
        assert stored_fingerprint(reader, painter.case_id) == seen
        assert reader.read_only
        assert "reading only" in reader.read_only_reason


def test_nothing_can_be_changed_in_a_project_that_is_only_read(project: Project, painter: Painter) -> None:
    painter.add_segment()
    project.journal.flush()
    with Project.open(project.path, read_only=True) as reader:
        with pytest.raises(StoreError, match="reading only"):
            reader.rename("Mine")
        with pytest.raises(StoreError, match="reading only"):
            reader.case(CaseKey("9", "9"), oblique_geometry(), CaseSources())
        second = Painter(reader)
        second.paint((0, 0, 0), (2, 2, 2))
        assert not reader.journal.flush()
        assert reader.journal.state.kind is SavedKind.FAILED
        reader.close(discard=True)
    assert project.info()["gestures"] == 1


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from medview.store.project import Project;"
        "Project.create(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "dead.medview"
    subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False)
    assert (path / "lock.json").is_file()
    with Project.open(path) as project:
        assert project.cases() == []
    assert not (path / "lock.json").exists()


def test_a_holder_on_another_computer_keeps_the_project_while_it_is_heard_of(project: Project, clock: StillClock) -> None:
    project.close()
    _write_lock(project.path, clock, "ward-7")
    clock.forward(seconds=119)
    with pytest.raises(LockedError, match="written by grace on ward-7"):
        Project.open(project.path, clock=clock)
    clock.forward(seconds=2)
    with Project.open(project.path, clock=clock) as again:
        assert json.loads((again.path / "lock.json").read_text("utf-8"))["pid"] == os.getpid()


def test_the_heartbeat_moves_with_the_clock(project: Project, clock: StillClock) -> None:
    clock.forward(minutes=5)
    assert project._lock is not None
    project._lock.beat()
    assert json.loads((project.path / "lock.json").read_text("utf-8"))["heartbeat_utc"] == "2026-11-20T10:05:00.000+00:00"


def test_a_project_taken_over_by_another_computer_is_written_no_more(
    project: Project, painter: Painter, clock: StillClock
) -> None:
    painter.add_segment()
    project.journal.flush()
    _write_lock(project.path, clock, "ward-7")
    painter.scribble(np.random.default_rng(0))
    assert not project.journal.flush()
    assert "written by grace on ward-7" in project.journal.state.reason
    assert project.info()["gestures"] == 1
    # Its own heartbeat does not take the lock back, and closing does not remove the other's.
    assert project._lock is not None
    project._lock.beat()
    project.close(discard=True)
    assert json.loads((project.path / "lock.json").read_text("utf-8"))["user"] == "grace"


def test_a_damaged_lock_file_locks_nobody_out(project: Project) -> None:
    project.close()
    (project.path / "lock.json").write_bytes(b"\x00garbage")
    with Project.open(project.path) as again:
        assert again.cases() == []
