from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.errors import StoreError
from medview.core.geometry import Geometry
from medview.core.label_patch import LabelPatch
from medview.store import journal as journal_module
from medview.store import recover, row_writer
from medview.store.entry import Entry, EntryKind, SavedKind, SavedState
from medview.store.project import Project
from tests.helpers.timing import allowed_s, typical_of
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint


def test_a_gesture_is_called_saved_only_once_another_program_can_read_it(project: Project, painter: Painter) -> None:
    ticket = painter.add_segment()
    assert ticket.wait(5.0)
    with Project.open(project.path, read_only=True) as other:
        assert other.info()["gestures"] == 1


def test_the_saved_dot_goes_from_writing_to_saved(project: Project, painter: Painter) -> None:
    states: list[SavedState] = []
    threads: set[str] = set()

    def note(state: SavedState) -> None:
        states.append(state)
        threads.add(threading.current_thread().name)

    project.journal.saved_changed.connect(note)
    assert project.journal.state == SavedState(SavedKind.SAVED)
    painter.add_segment()
    assert project.journal.flush()
    assert [state.kind for state in states] == [SavedKind.WRITING, SavedKind.SAVED]
    assert threads == {"medview-journal"}


def test_undo_and_redo_are_rows_that_refer_to_the_row_they_mean(project: Project, painter: Painter) -> None:
    painter.add_segment()
    painter.paint((0, 0, 0), (3, 30, 30))
    painter.undo()
    painter.undo()
    painter.redo()
    project.journal.flush()
    with project._database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, target_seq, document, length(payload) FROM journal ORDER BY seq"
        ).all()
    assert [(row[0], row[1]) for row in rows] == [("do", 0), ("do", 0), ("undo", 2), ("undo", 1), ("redo", 1)]
    assert all(row[2] == "" and row[3] == 0 for row in rows[2:])


def test_there_is_nothing_to_undo_in_a_new_case(project: Project, painter: Painter) -> None:
    with pytest.raises(StoreError, match="nothing to undo"):
        project.journal.append(painter.reading_id, Entry(EntryKind.UNDO, Command("x", ())))
    assert project.journal.flush()
    assert project.info()["gestures"] == 0


def test_gestures_on_two_cases_do_not_mix(project: Project) -> None:
    one = Painter(project)
    two = Painter(project, Geometry.from_spacing((5, 20, 30), (4.0, 0.8, 0.7), frame_of_reference_uid="1.2.3"))
    for painter in (one, two):
        painter.add_segment()
    two.paint((0, 0, 0), (2, 9, 9))
    one.undo()
    two.undo()
    one.redo()
    for painter in (one, two):
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)
    assert project.verify().problems == ()


def test_accepting_a_whole_scan_does_not_hold_up_the_hand(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((400, 512, 512), (1.0, 0.7, 0.7), frame_of_reference_uid="1.2.3")
    with Project.create(tmp_path / "big.medview") as project:
        painter = Painter(project, geometry)
        layer = painter.labels.segmentation.layer(0)
        whole = Box.whole(geometry.shape_kji)
        after = np.zeros(geometry.shape_kji, dtype=np.uint8)
        after[20:380, 60:450, 40:470] = 1
        patch = LabelPatch.between(layer, whole, after)
        assert patch is not None
        command = Command("Accept", (patch,))
        kinds = iter((EntryKind.DO, EntryKind.UNDO, EntryKind.REDO))
        tickets = []

        def seconds_held_up() -> float:
            begin = time.perf_counter()
            tickets.append(project.journal.append(painter.reading_id, Entry(next(kinds), command, 1)))
            return time.perf_counter() - begin

        assert typical_of(seconds_held_up) < allowed_s(0.02)
        assert tickets[-1].wait(30.0)
        loaded = project.load_reading(painter.reading_id)
        assert np.array_equal(loaded.labels.segmentation.layer(0).voxels, after)


def test_a_listener_that_fails_does_not_stop_the_writing(
    project: Project, painter: Painter, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: SavedState) -> None:
        raise RuntimeError("broken listener")

    project.journal.saved_changed.connect(broken)
    with caplog.at_level(logging.CRITICAL, "medview.store"):
        assert painter.add_segment().wait(5.0)
        assert painter.paint((0, 0, 0), (3, 3, 3)).wait(5.0)


def test_a_snapshot_that_cannot_be_written_costs_no_gesture(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 2)
    # A file where the folder of blobs should be.
    (project.path / "blobs").write_bytes(b"")
    with caplog.at_level(logging.CRITICAL, "medview.store"):
        painter.add_segment()
        for n in range(6):
            painter.paint((n, 0, 0), (n + 1, 9, 9))
            assert project.journal.flush()
    assert project.journal.state.kind is SavedKind.SAVED
    assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


def test_the_log_of_a_failure_names_no_folder_and_no_label(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    with project._database.writing() as connection:
        connection.exec_driver_sql("CREATE TRIGGER refuse BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END")
    with caplog.at_level(logging.DEBUG, "medview.store"):
        painter.add_segment("Tumour of Jane Doe")
        assert not project.journal.flush()
    with project._database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse")
    assert project.journal.flush()
    assert "a change could not be written" in caplog.text
    assert "Jane Doe" not in caplog.text
    assert str(project.path) not in caplog.text


def test_nothing_is_taken_in_after_closing(project: Project, painter: Painter) -> None:
    project.close()
    with pytest.raises(StoreError, match="closed"):
        painter.add_segment()


def test_a_program_that_forgets_to_close_still_writes_what_was_drawn(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from medview.store.project import Project; from tests.store.painter import Painter;"
        "painter = Painter(Project.create(Path(sys.argv[1])));"
        "painter.add_segment(); [painter.paint((n, 0, 0), (n + 1, 9, 9)) for n in range(20)]"
    )
    path = tmp_path / "left.medview"
    subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=Path(__file__).resolve().parents[2], check=True, timeout=30
    )
    with Project.open(path) as project:
        assert project.info()["gestures"] == 21


def test_a_stroke_made_while_the_case_is_looked_at_beside_it_keeps_its_number(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter.add_segment()
    painter.paint((0, 0, 0), (3, 30, 30))
    _while_reading(monkeypatch, lambda: painter.paint((3, 0, 0), (6, 9, 9)))
    project.load_reading(painter.reading_id, beside=True)
    assert painter.paint((6, 0, 0), (9, 9, 9)).seq == 4
    painter.undo()
    assert project.journal.flush()
    assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


def test_a_case_first_looked_at_while_somebody_draws_on_it_takes_the_next_stroke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.create(tmp_path / "first.medview") as project:
        painter = Painter(project)
        painter.add_segment()
    with Project.open(tmp_path / "first.medview") as project:
        painter.project = project
        _while_reading(monkeypatch, lambda: painter.paint((3, 0, 0), (6, 9, 9)))
        project.load_reading(painter.reading_id, beside=True)
        assert painter.paint((6, 0, 0), (9, 9, 9)).seq == 3
        assert project.journal.flush()
        assert stored_fingerprint(project, painter.reading_id) == live_fingerprint(painter)


def test_looking_at_a_case_leaves_what_can_be_undone_on_it(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter.add_segment()
    for k in range(3):
        painter.paint((k, 0, 0), (k + 1, 9, 9))
    monkeypatch.setattr(recover, "UNDO_STEPS_KEPT", 1)
    project.load_reading(painter.reading_id, beside=True)
    for _step in range(3):
        painter.undo()
    assert project.journal.flush()


def test_a_case_that_is_opened_while_something_is_noted_on_it_comes_with_the_note(
    project: Project, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter.add_segment()
    painter.paint((0, 0, 0), (3, 30, 30))
    _while_reading(monkeypatch, lambda: painter.paint((3, 0, 0), (6, 9, 9)))
    loaded = project.load_reading(painter.reading_id)
    assert loaded.seq == 3
    assert loaded.labels.segmentation.layer(0).voxels[5, 8, 8] == 1
    assert painter.undo().seq == 4


def _while_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something done once, between reading the rows of a case and what follows."""
    read, acts = recover.load_reading, [act]

    def slow(*given: Any) -> recover.LoadedCase:
        loaded = read(*given)
        if acts:
            acts.pop()()
        return loaded

    monkeypatch.setattr(recover, "load_reading", slow)
