from __future__ import annotations

from dataclasses import replace

import pytest

from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.store.entry import Entry, EntryKind
from medview.store.project import Project
from medview.store.row_writer import Gesture, RowWriter
from tests.store.conftest import StillClock
from tests.store.painter import Painter


def test_a_write_that_had_reached_the_disk_after_all_is_not_made_twice(
    project: Project, painter: Painter, clock: StillClock
) -> None:
    writer = RowWriter(project._database, project._blobs, ("Ada", "uid"), clock)
    gesture = Gesture(painter.reading_id, 1, 0, "2026-11-20T10:00:00", Entry(EntryKind.DO, Command("Brush", ())))
    writer.write(gesture)
    writer.reset()
    writer.write(gesture)
    assert project.info()["gestures"] == 1
    assert project.verify().problems == ()
    # A row that someone else wrote in its place is another matter.
    with pytest.raises(StoreError, match="Someone else has changed this case meanwhile"):
        writer.write(replace(gesture, created_utc="2026-11-20T10:00:01"))
    writer.reset()
