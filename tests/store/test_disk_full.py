from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import DiskFullError, MedViewError
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
    assert on_disk.load_case(painter.case_id).losses == []
    on_disk.close()

    ballast.unlink()
    assert all(ticket.wait(10.0) for ticket in waiting)
    assert project.journal.flush()
    assert states[-1] == SavedState(SavedKind.SAVED)
    project.close()
    with Project.open(project.path) as again:
        assert again.verify().problems == ()
        assert stored_fingerprint(again, painter.case_id) == live_fingerprint(painter)


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
assert stored_fingerprint(project, painter.case_id) == live_fingerprint(painter)
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
