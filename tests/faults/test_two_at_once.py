"""Two programs on one project: one writes, the other reads what is whole and is told who writes."""

from __future__ import annotations

import getpass
import os
import signal
import socket
from pathlib import Path

import pytest

from medview.core.changes import Command, SegmentChange
from medview.core.errors import LockedError
from medview.store.project import Project
from tests.faults.kept import READER, Mirror, open_kept
from tests.faults.painters import Life, Painters, painters, reopened
from tests.faults.tiles import SEGMENT
from tests.helpers.annotating import fingerprint

LOOKS = 5
MOST_LOOKS = 200
"""A painter on a busy computer needs a while until its first row."""

TURNS = int(os.environ.get("MEDVIEW_TURNS", "5"))


def test_a_second_window_reads_whole_changes_only_and_is_told_who_writes(quick_disk: Path) -> None:
    path, seed = quick_disk / "shared.medview", 31
    Project.create(path, reader=READER).close()
    mirror, seen = Mirror(seed), dict[int, str]()
    with painters() as at_work:
        life = at_work.begin({"what": "paint", "path": str(path), "seed": seed, "step": 0})
        at_work.follow(life, "open")
        try:
            with pytest.raises(LockedError):
                Project.open(path)
            for look in range(MOST_LOOKS):
                if look >= LOOKS and max(seen, default=0) > 0:
                    break
                with Project.open_or_read(path) as project:
                    assert f"{getpass.getuser()} on {socket.gethostname()}" in project.read_only_reason
                    beside = open_kept(project)
                    if beside.stored.loaded is None:
                        continue
                    assert beside.seq >= max(seen, default=0)
                    seen[beside.seq] = fingerprint(beside.case)
                    assert beside.case.read_only
                    assert not beside.case.do(Command("Add", (SegmentChange(None, SEGMENT, 0),)))
        finally:
            life.kill()
            at_work.follow(life)
        assert life.status == -signal.SIGKILL
        assert max(seen) > 0
        assert seen == {seq: mirror.go_to(seq) for seq in seen}
        # Whoever is gone keeps nobody out.
        reopened(path, mirror, life.saved)


@pytest.mark.timeout(0)
def test_two_who_take_turns_lose_nothing_of_each_other(quick_disk: Path) -> None:
    path = quick_disk / "turns.medview"
    Project.create(path, reader=READER).close()
    with painters() as one, painters() as other:
        lives = [_begin(who, path, seed) for seed, who in enumerate((one, other))]
        for who, life in zip((one, other), lives, strict=True):
            who.follow(life)
            assert not life.failed, life.failed
    with Project.open(path, reader=READER) as project:
        assert project.info()["gestures"] == sum(int(life.told["rows"]) for life in lives)
        assert project.verify().problems == ()
        assert project.load_reading(1).losses == []


def _begin(who: Painters, path: Path, seed: int) -> Life:
    return who.begin({"what": "turns", "path": str(path), "seed": seed, "turns": TURNS})
