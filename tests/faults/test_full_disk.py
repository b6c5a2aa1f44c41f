"""A disk without room, under somebody who paints on the way the window does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.painters import Painters, painters
from tests.helpers.small_disk import small_disk


@pytest.fixture(scope="module")
def at_work() -> Iterator[Painters]:
    with painters() as found:
        yield found


def _paint_until_full(at_work: Painters, path: Path, filler: Path | None) -> None:
    life = at_work.live({"what": "full", "path": str(path), "seed": 8, "filler": str(filler) if filler else ""})
    assert not life.failed, life.failed
    # What was said to be saved before, and all that waited meanwhile, is there; more than that was checked on the way.
    assert life.saved > int(life.told["full"]) > 1


def test_on_a_full_file_system_work_waits_and_is_saved_once_there_is_room(at_work: Painters, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", megabytes=2) as place:
        filler = place / "filler"
        filler.write_bytes(bytes(1_700_000))
        _paint_until_full(at_work, place / "full.medview", filler)


def test_where_files_may_grow_no_further_work_waits_and_is_saved_once_they_may(at_work: Painters, tmp_path: Path) -> None:
    _paint_until_full(at_work, tmp_path / "limited.medview", None)
