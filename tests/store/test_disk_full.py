from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import DiskFullError, MedViewError
from medview.store import ballast
from medview.store import journal as journal_module
from medview.store.entry import SavedKind, SavedState
from medview.store.project import Project
from tests.helpers.small_disk import small_disk as mounted
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte; the file size limit test covers the rest where there can be none."""
    with mounted(tmp_path / "small") as place:
        yield place


def _paint_until_it_fails(painter: Painter, states: list[SavedState]) -> None:
    rng = np.random.default_rng(1)
    for _ in range(400):
        if not painter.scribble(rng, (4, 40, 40)).wait(0.5) and states[-1].kind is SavedKind.FAILED:
            return
    pytest.fail("the disk never became full")


def test_a_full_disk_is_said_and_nothing_is_called_saved_until_there_is_room(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_S", 0.05)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(400_000))
    project = Project.create(small_disk / "full.medview")
    states: list[SavedState] = []
    project.journal.saved_changed.connect(states.append)
    painter = Painter(project)
    painter.add_segment()
    _paint_until_it_fails(painter, states)
    assert states[-1].reason == ("The disk has no room for full.medview; free some space and saving goes on by itself.")
    # The hand goes on meanwhile.
    waiting = [painter.paint((n, 0, 0), (n + 1, 9, 9), value=5) for n in range(4)]
    waiting.append(painter.undo())
    assert not project.journal.flush(5.0)
    assert not any(ticket.saved for ticket in waiting)
    assert project.journal.state.kind is SavedKind.FAILED
    with pytest.raises(DiskFullError, match="changes are not saved yet"):
        project.close()
    on_disk = Project.open(project.path, read_only=True)
    assert on_disk.load_reading(painter.reading_id).losses == []
    on_disk.close()

    ballast.unlink()
    assert all(ticket.wait(10.0) for ticket in waiting)
    assert project.journal.flush()
    assert (states[-1].kind, states[-1].reason, states[-1].waiting) == (SavedKind.SAVED, "", 0)
    project.close()
    with Project.open(project.path) as again:
        assert again.verify().problems == ()
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(painter)


def _fill(disk: Path, leave_bytes: int) -> Path:
    """Leave only so much room."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        while (free := shutil.disk_usage(disk).free) > leave_bytes:
            file.write(bytes(min(4096, free - leave_bytes)))
            file.flush()
    return filler


def _wait_for(states: list[SavedState], what: Callable[[SavedState], bool]) -> SavedState:
    end = time.monotonic() + 20.0
    seen = 0
    while time.monotonic() < end:
        while seen < len(states):
            if what(states[seen]):
                return states[seen]
            seen += 1
        threading.Event().wait(0.01)
    pytest.fail(f"never came: {states[-5:]}")


@pytest.fixture
def ballasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Project, Painter, list[SavedState]]]:
    """A project on a disk of four megabytes with one segment drawn and a ballast of 300 kB laid."""
    monkeypatch.setattr(journal_module, "RETRY_S", 0.05)
    monkeypatch.setattr(ballast, "LOOK_FOR_ROOM_S", 0.05)
    monkeypatch.setattr(ballast, "BALLAST_BYTES", 300_000)
    monkeypatch.setattr(ballast, "_STEP_BYTES", 100_000)
    with mounted(tmp_path / "small", megabytes=4) as place:
        project = Project.create(place / "chest.medview")
        states: list[SavedState] = []
        project.journal.saved_changed.connect(states.append)
        painter = Painter(project)
        painter.add_segment()
        while ballast.Ballast(project.path).missing_bytes:
            threading.Event().wait(0.01)
        yield project, painter, states
        project.close(discard=True)


def test_64_mb_are_kept_while_a_project_is_written_and_given_back_when_it_is_closed(
    project: Project, painter: Painter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.disk_usage(tmp_path).free < 256 << 20:
        pytest.skip("this disk has too little room itself")
    monkeypatch.setattr(ballast, "BALLAST_BYTES", 64 << 20)
    laid = project.path / "ballast"
    assert not laid.exists()
    assert painter.add_segment().wait(5.0)
    end = time.monotonic() + 20.0
    while ballast.Ballast(project.path).missing_bytes and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert laid.stat().st_size == 64 << 20
    if sys.platform == "linux":
        # Really there, not only spoken of.
        assert laid.stat().st_blocks * 512 >= 64 << 20
    assert project.info()["size_bytes"] < 1 << 20
    project.close()
    assert not laid.exists()


def test_what_waits_when_the_disk_is_full_is_written_into_the_ballast_and_that_is_said(
    ballasted: tuple[Project, Painter, list[SavedState]],
) -> None:
    project, painter, states = ballasted
    filler = _fill(project.path.parent, 0)
    rng = np.random.default_rng(1)
    tickets = [painter.scribble(rng, (4, 30, 30)) for _ in range(12)]
    assert all(ticket.wait(10.0) for ticket in tickets)
    assert not any(state.kind is SavedKind.FAILED for state in states)
    assert not (project.path / "ballast").exists()
    said = _wait_for(states, lambda state: state.kind is SavedKind.SAVED and bool(state.warning)).warning
    assert said == (
        "The disk is full and chest.medview is being saved into its last reserve; "
        "free some space now, or save a copy elsewhere."
    )
    assert project.verify().problems == ()
    # With room again the ballast is laid again, and nothing is said any more.
    before = len(states)
    filler.unlink()
    _wait_for(states, lambda state: len(states) > before and state == SavedState(SavedKind.SAVED))
    assert not ballast.Ballast(project.path).missing_bytes
    project.close()
    assert not (project.path / "ballast").exists()


def test_once_the_ballast_is_used_up_too_nothing_is_called_saved_and_a_copy_elsewhere_holds_all(
    ballasted: tuple[Project, Painter, list[SavedState]], tmp_path: Path
) -> None:
    project, painter, states = ballasted
    _fill(project.path.parent, 0)
    rng = np.random.default_rng(1)
    tickets = [painter.scribble(rng, (4, 40, 40)) for _ in range(90)]
    painter.undo()
    failed = _wait_for(states, lambda state: state.kind is SavedKind.FAILED)
    assert failed.reason == "The disk has no room for chest.medview; free some space and saving goes on by itself."
    assert tickets[0].saved
    assert not tickets[-1].saved
    assert len(project.journal.waiting()) > 1
    project.save_copy(tmp_path / "elsewhere.medview")
    with Project.open(tmp_path / "elsewhere.medview") as copy:
        assert copy.verify().problems == ()
        assert stored_fingerprint(copy, painter.reading_id) == live_fingerprint(painter)
    assert not tickets[-1].saved


def test_a_ballast_that_a_crash_left_lets_a_project_be_opened_on_a_full_disk(
    ballasted: tuple[Project, Painter, list[SavedState]],
) -> None:
    project, painter, _states = ballasted
    assert project.journal.flush()
    project.close()
    (project.path / "ballast").write_bytes(bytes(300_000))
    _fill(project.path.parent, 0)
    with Project.open(project.path) as again:
        second = Painter(again)
        assert second.paint((1, 1, 1), (5, 30, 30)).wait(10.0)
        assert stored_fingerprint(again, painter.reading_id) == live_fingerprint(second)


def test_a_disk_with_little_room_is_said_before_it_is_full(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ballast, "LOOK_FOR_ROOM_S", 0.05)
    with Project.create(small_disk / "chest.medview") as project:
        states: list[SavedState] = []
        project.journal.saved_changed.connect(states.append)
        painter = Painter(project)
        assert painter.add_segment().wait(5.0)
        said = _wait_for(states, lambda state: bool(state.warning))
        assert said.kind is SavedKind.SAVED
        assert said.warning.startswith("The disk has little room left for chest.medview")
        assert not (project.path / "ballast").exists()


def test_no_room_for_a_new_project_is_one_sentence_and_leaves_nothing_behind(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(1_020_000))
    with pytest.raises(MedViewError, match=r"The disk has no room for new\.medview") as caught:
        Project.create(small_disk / "new.medview")
    assert isinstance(caught.value, DiskFullError)
    assert [p.name for p in small_disk.iterdir()] == ["ballast"]


_LIMITED_CHILD = """
import resource, sys
from pathlib import Path
import numpy as np
from medview.store import journal
from medview.store.entry import SavedKind
from medview.store.project import Project
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint

journal.RETRY_S = 0.05
project = Project.create(Path(sys.argv[1]))
painter = Painter(project)
painter.add_segment()
assert project.journal.flush()
size = (project.path / "project.db").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 60_000, resource.RLIM_INFINITY))
rng = np.random.default_rng(1)
tickets = [painter.scribble(rng, (4, 40, 40)) for _ in range(30)]
assert not project.journal.flush()
state = project.journal.state
assert state.kind is SavedKind.FAILED and state.waiting > 0, state
assert state.reason.count(".") >= 1 and "limited.medview" in state.reason
saved = sum(ticket.saved for ticket in tickets)
assert 0 < saved == len(tickets) - state.waiting, (saved, state)
assert [ticket.saved for ticket in tickets] == [True] * saved + [False] * (30 - saved)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert project.journal.flush()
assert all(ticket.saved for ticket in tickets)
assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)
assert project.verify().problems == ()
project.close()
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file size limits")
def test_rows_wait_in_order_while_the_file_may_not_grow(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", _LIMITED_CHILD, str(tmp_path / "limited.medview")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        check=False,
    )
    assert child.stdout.strip() == "done", child.stderr
