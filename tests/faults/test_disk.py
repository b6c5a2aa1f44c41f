"""A disk that fails on any one write, or from it on, or takes the program with it, under somebody who paints.

``MEDVIEW_DISK_STRIDE=1`` tries every write of the script. The suite tries one of so many, other ones each day.
"""

from __future__ import annotations

import datetime
import errno
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medview.store.project import Project
from tests.faults.faulty_disk import Manner, built
from tests.faults.kept import READER, Mirror
from tests.faults.painters import Life, Painters, painters, reopened

STRIDE = int(os.environ.get("MEDVIEW_DISK_STRIDE", "397"))
TODAY = datetime.datetime.now(datetime.UTC).date().toordinal()
SEED = int(os.environ.get("MEDVIEW_DISK_SEED", "1"))
ROWS = 50


@pytest.fixture(scope="module")
def on_faulty_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Painters]:
    library = built(tmp_path_factory.mktemp("faulty-disk"))
    with painters(LD_PRELOAD=str(library)) as at_work:
        yield at_work


def _trial(
    at_work: Painters, folder: Path, at: int, manner: Manner, error: int = errno.EIO, *, lasting: bool = False
) -> Life:
    shutil.rmtree(folder / "trial", ignore_errors=True)
    (folder / "trial").mkdir()
    order: dict[str, Any] = {"what": "trial", "path": str(_path(folder)), "seed": SEED, "rows": ROWS, "at": at}
    return at_work.live({**order, "manner": manner.value, "error": error, "lasting": lasting})


def _path(folder: Path) -> Path:
    return folder / "trial" / "paint.medview"


@pytest.fixture(scope="module")
def writes(on_faulty_disk: Painters, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes the whole script takes."""
    life = _trial(on_faulty_disk, tmp_path_factory.mktemp("counted"), 0, Manner.REFUSED)
    assert not life.failed, life.failed
    calls = int(life.told["calls"])
    assert calls > 15 * ROWS, "the library does not see what is written"
    return calls


def _chosen(writes: int, residue: int) -> range:
    """Return the writes to try."""
    return range((TODAY + residue) % STRIDE + 1, writes + 1, STRIDE)


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("manner", "error", "lasting"),
    [
        (Manner.REFUSED, errno.ENOSPC, False),
        (Manner.REFUSED, errno.EIO, False),
        (Manner.SHORT, errno.ENOSPC, False),
        (Manner.REFUSED, errno.ENOSPC, True),
        (Manner.REFUSED, errno.EIO, True),
    ],
)
def test_a_write_that_fails_loses_nothing_and_nothing_is_called_saved_that_is_not(
    on_faulty_disk: Painters, writes: int, quick_disk: Path, manner: Manner, error: int, *, lasting: bool
) -> None:
    residue = 29 * (2 * manner.value + lasting) + error
    for at in _chosen(writes, residue):
        life = _trial(on_faulty_disk, quick_disk, at, manner, error, lasting=lasting)
        assert not life.failed, f"write {at}: {life.failed}"
        # How many writes there are depends a little on when the writer finds time for its ballast.
        assert int(life.told["hits"]) > 0 or int(life.told["calls"]) < at
        # Whoever was not allowed in while the disk failed began anew.
        assert life.saved >= 1


@pytest.mark.timeout(0)
@pytest.mark.parametrize("manner", [Manner.KILLED, Manner.TORN])
def test_a_program_that_dies_at_a_write_loses_nothing_that_was_called_saved(
    on_faulty_disk: Painters, writes: int, quick_disk: Path, manner: Manner
) -> None:
    mirror = Mirror(SEED)
    for at in _chosen(writes, 13 * manner.value):
        life = _trial(on_faulty_disk, quick_disk, at, manner)
        assert not life.failed, f"write {at}: {life.failed}"
        assert life.status == -signal.SIGKILL or int(life.told["calls"]) < at
        path = _path(quick_disk)
        if not path.exists():
            # A project is whole or absent.
            assert life.saved == 0
            Project.create(path, reader=READER).close()
        try:
            reopened(path, mirror, life.saved)
        except AssertionError as lost:
            raise AssertionError(f"write {at}: {lost}") from lost
