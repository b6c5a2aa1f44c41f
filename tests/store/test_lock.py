from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import LockedError, StoreError
from medview.store import lock, lock_watch, project_folder
from medview.store.case_images import CaseKey, CaseSources
from medview.store.entry import SavedKind
from medview.store.holder import Holder, boot_name
from medview.store.place import Place
from medview.store.project import Project
from medview.store.silence import Silence
from tests.store.conftest import StillClock
from tests.store.painter import Painter, live_fingerprint, oblique_geometry, stored_fingerprint

ROOT = Path(__file__).resolve().parents[2]


def _write_lock(path: Path, clock: StillClock, host: str, token: str = "theirs", beats: int = 0, **more: object) -> None:
    now = clock.utc().isoformat()
    holder = {"user": "grace", "host": host, "pid": 4242, "token": token, "since_utc": now, "heartbeat_utc": now, "new": 1}
    (path / "lock.json").write_text(json.dumps({**holder, "beats": beats, **more}), "utf-8")


def _refused(path: Path, clock: StillClock, silence: Silence | None = None) -> bool:
    try:
        Project.open(path, clock=clock, silence=silence).close()
    except LockedError:
        return True
    return False


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
        assert stored_fingerprint(reader, painter.reading_id) == seen
        assert reader.read_only
        assert "reading only" in reader.read_only_reason


def test_nothing_can_be_changed_in_a_project_that_is_only_read(project: Project, painter: Painter) -> None:
    painter.add_segment()
    project.journal.flush()
    with Project.open(project.path, read_only=True) as reader:
        with pytest.raises(StoreError, match="reading only"):
            reader.rename("Mine")
        with pytest.raises(StoreError, match="reading only"):
            reader.reading(CaseKey("9", "9"), oblique_geometry(), CaseSources())
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
        assert project.readings() == []
    assert not (path / "lock.json").exists()


def test_a_holder_on_another_computer_keeps_the_project_while_it_is_heard_of(project: Project, clock: StillClock) -> None:
    project.close()
    watched = Silence(project.path, clock)
    for beat in range(30):
        _write_lock(project.path, clock, "ward-7", beats=beat)
        with pytest.raises(LockedError, match="written by grace on ward-7"):
            Project.open(project.path, clock=clock, silence=watched)
        clock.forward(seconds=15)


def test_a_holder_on_another_computer_that_is_silent_for_two_minutes_is_taken_over_from(
    project: Project, clock: StillClock
) -> None:
    project.close()
    _write_lock(project.path, clock, "ward-7")
    watched = Silence(project.path, clock)
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=119)
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=2)
    with Project.open(project.path, clock=clock, silence=watched) as again:
        assert json.loads((again.path / "lock.json").read_text("utf-8"))["pid"] == os.getpid()


def test_signs_of_life_that_are_old_already_need_less_watching(project: Project, clock: StillClock) -> None:
    project.close()
    _write_lock(project.path, clock, "ward-7")
    old = (project.path / "writer.lock").stat().st_mtime - 3600
    os.utime(project.path / "lock.json", (old, old))
    watched = Silence(project.path, clock)
    # Once is not enough: the date may have been set meanwhile.
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=21)
    assert not _refused(project.path, clock, watched)
    assert not list(project.path.glob(".probe*"))


@pytest.mark.parametrize("hours", [-30.0, 30.0])
def test_a_clock_that_is_set_neither_frees_a_live_project_nor_locks_a_dead_one(
    project: Project, clock: StillClock, hours: float
) -> None:
    project.close()
    watched = Silence(project.path, clock)
    _write_lock(project.path, clock, "ward-7", beats=1)
    assert _refused(project.path, clock, watched)
    clock.set_to(hours=hours)
    # Also the times of files are given by a clock that was set.
    told = (project.path / "writer.lock").stat().st_mtime + hours * 3600
    os.utime(project.path / "lock.json", (told, told))
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=15)
    _write_lock(project.path, clock, "ward-7", beats=2)
    os.utime(project.path / "lock.json", (told, told))
    clock.forward(seconds=15)
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=121)
    assert not _refused(project.path, clock, watched)


def test_its_own_clock_set_back_does_not_cost_a_writer_its_project(project: Project, clock: StillClock) -> None:
    watched = Silence(project.path, clock)
    watched.look()
    assert project._lock is not None
    for _ in range(40):
        clock.set_to(minutes=-1)
        clock.forward(seconds=5)
        project._lock.beat()
        watched.look()
        assert not watched.over
    assert project._lock.mine


def test_a_writer_on_a_full_disk_still_gives_signs_of_life(
    project: Project, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path, _holder: Holder) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    watched = Silence(project.path, clock)
    watched.look()
    monkeypatch.setattr(lock, "write_holder", full)
    assert project._lock is not None
    for _ in range(40):
        clock.forward(seconds=5)
        project._lock.beat()
        watched.look()
        assert not watched.over
    clock.forward(seconds=121)
    watched.look()
    assert watched.over


def test_a_computer_that_was_started_anew_does_not_wait_for_itself(project: Project, clock: StillClock) -> None:
    project.close()
    _write_lock(project.path, clock, socket.gethostname(), boot="another-run")
    assert not _refused(project.path, clock)


def test_on_a_network_drive_another_computer_of_the_same_name_is_waited_for(
    project: Project, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.close()
    _write_lock(project.path, clock, socket.gethostname(), boot="another-run")
    monkeypatch.setattr(lock, "place_of", lambda _folder: Place("nfs4", remote=True))
    watched = Silence(project.path, clock)
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=121)
    assert not _refused(project.path, clock, watched)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks are others")
@pytest.mark.parametrize("how", ["refuses", "pretends"])
def test_locks_that_do_not_work_are_noticed_and_signs_of_life_decide(
    project: Project, clock: StillClock, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    project.close()

    def flock(_descriptor: int, _operation: int) -> None:
        if how == "refuses":
            raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    with Project.open(project.path, clock=clock) as first:
        assert "lies on a disk where locks do not work" in first.notices[0]
        # This very process holds it and is alive.
        assert _refused(project.path, clock)
    # A process that is gone does not hold it, one of its number may be another.
    boot = boot_name()
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    _write_lock(project.path, clock, socket.gethostname(), boot=boot, pid=int(gone.stdout))
    assert not _refused(project.path, clock)
    _write_lock(project.path, clock, socket.gethostname(), boot=boot, pid=os.getpid())
    watched = Silence(project.path, clock)
    assert _refused(project.path, clock, watched)
    clock.forward(seconds=121)
    assert not _refused(project.path, clock, watched)


def test_a_project_on_a_network_drive_says_so(project: Project, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    project.close()
    monkeypatch.setattr(project_folder, "place_of", lambda _folder: Place("cifs", remote=True))
    with Project.open(project.path, clock=clock) as again:
        (said,) = again.notices
        assert "chest.medview lies on a network drive (cifs)" in said


def test_a_reader_hears_when_the_writer_is_gone_and_goes_on_where_it_stopped(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_watch, "LOOK_EVERY_S", 0.02)
    painter.add_segment()
    project.journal.flush()
    reader = Project.open_or_read(project.path)
    assert reader.read_only
    assert "is being written by" in reader.read_only_reason
    assert reader.lock_watch is not None
    freed = threading.Event()
    reader.lock_watch.freed.connect(freed.set)
    assert not freed.wait(0.1)
    painter.paint((1, 2, 3), (4, 20, 20))
    project.close()
    assert freed.wait(5.0)
    reader.close()
    with Project.open(project.path, silence=reader.lock_watch.silence) as again:
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)


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
        assert again.readings() == []


_HOLDING = """
import sys, time
from pathlib import Path
from medview.store.project import Project
from tests.store.painter import Painter
project = Project.open(Path(sys.argv[1]))
painter = Painter(project)
painter.add_segment("Liver")
assert painter.add_segment("Spleen").wait(10)
print("saved", flush=True)
time.sleep(60)
"""


def test_a_reader_hears_when_the_writer_is_killed_and_takes_over_with_everything(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_watch, "LOOK_EVERY_S", 0.02)
    project.close()
    command = [sys.executable, "-c", _HOLDING, str(project.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "saved\n"
        reader = Project.open_or_read(project.path)
        assert reader.lock_watch is not None
        freed = threading.Event()
        reader.lock_watch.freed.connect(freed.set)
        assert not freed.wait(0.2)
        writer.kill()
        assert freed.wait(10.0)
    reader.close()
    with Project.open(project.path) as again:
        names = [segment.name for segment in again.load_reading(painter.reading_id).labels.segmentation.segments]
    assert names == ["Liver", "Spleen"]
