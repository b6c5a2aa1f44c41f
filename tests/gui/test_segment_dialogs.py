"""Label sets and the table of all segments, as dialogs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.changes import Command, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment, SegmentStatus
from medview.gui.commands import segment_commands
from medview.gui.dialogs.label_sets import LabelSetsDialog
from medview.gui.dialogs.segment_table import SegmentTableDialog
from medview.gui.main_window import MainWindow
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace
from tests.io.test_label_sets import SLICER

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)

Kind = TypeVar("Kind", bound=QDialog)


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.add_case(case)
    made.bench.mode = Mode.ANNOTATE
    return made


def opened(window: MainWindow, action_id: str, kind: type[Kind]) -> Kind:
    window.actions_table.run(action_id)
    QApplication.processEvents()
    found = window.findChild(kind)
    assert found is not None
    assert found.isVisible()
    return found


def names(dialog: LabelSetsDialog) -> list[str]:
    return [dialog.sets.item(n).text() for n in range(dialog.sets.count())]


def choose(dialog: LabelSetsDialog, name: str) -> None:
    dialog.sets.setCurrentRow(names(dialog).index(name))


def test_a_set_is_looked_at_and_put_to_use_with_undo(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    dialog = opened(window, "labelset.apply", LabelSetsDialog)
    assert {"Chest CT", "Brain MR", "Abdomen CT", "Lesions"} <= set(names(dialog))
    choose(dialog, "Lesions")
    listed = [dialog.labels.item(n).text() for n in range(dialog.labels.count())]
    assert listed[0] == "Lesions"
    assert any(text.startswith("Metastasis ") and "SCT 128462008" in text for text in listed)
    assert not dialog.remove.isEnabled()
    qtbot.mouseClick(dialog.use, Qt.MouseButton.LeftButton)
    assert len(case.labels.segmentation.segments) == 9
    assert {s.status for s in case.labels.segmentation.segments} == {SegmentStatus.TO_DO}
    assert window.message.label.text() == "9 segments added."
    qtbot.mouseClick(window.message.undo, Qt.MouseButton.LeftButton)
    assert case.labels.segmentation.segments == []


def test_what_was_there_is_said(window: MainWindow, case: OpenCase) -> None:
    case.do(Command("Add", (SegmentChange(None, Segment("s1", "cyst", (1, 2, 3), 0, 1), 0),)))
    dialog = opened(window, "labelset.apply", LabelSetsDialog)
    choose(dialog, "Lesions")
    dialog.use.click()
    assert window.message.label.text() == "8 segments added. 1 was there."


def test_the_segments_of_a_case_are_kept_as_a_set_and_forgotten(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    case.do(Command("Add", (SegmentChange(None, Segment("s1", "Cyst", (1, 2, 3), 0, 1, group="G"), 0),)))
    dialog = opened(window, "labelset.save", LabelSetsDialog)
    assert not dialog.save.isEnabled()
    dialog.name.setText("Mine")
    qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    assert names(dialog)[0] == "Mine"
    assert dialog.sets.currentRow() == 0
    assert [dialog.labels.item(n).text() for n in range(dialog.labels.count())] == ["G", "Cyst"]
    qtbot.mouseClick(dialog.remove, Qt.MouseButton.LeftButton)
    assert "Mine" not in names(dialog)


def test_a_table_of_another_program_is_imported_and_a_wrong_file_is_said(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Lesions of Slicer.ctbl").write_text(SLICER, encoding="utf-8")
    (tmp_path / "wrong.txt").write_text("what is this", encoding="utf-8")
    paths = iter([tmp_path / "Lesions of Slicer.ctbl", tmp_path / "wrong.txt", None])
    ask: Callable[[object], Path | None] = lambda _parent: next(paths)  # noqa: E731
    monkeypatch.setattr(segment_commands, "ask_label_set", ask)
    dialog = opened(window, "labelset.apply", LabelSetsDialog)
    dialog.bring.click()
    assert names(dialog)[0] == "Lesions of Slicer"
    assert dialog.labels.item(0).text() == "Left Lung"
    dialog.bring.click()
    assert dialog.description.text().startswith("wrong.txt is no label set: line 1 is neither")
    dialog.bring.click()
    assert names(dialog)[0] == "Lesions of Slicer"


def test_a_read_only_case_shows_sets_and_takes_none(window: MainWindow, case: OpenCase) -> None:
    case.read_only = "Another window is writing."
    dialog = opened(window, "labelset.apply", LabelSetsDialog)
    assert not dialog.use.isEnabled()
    assert not dialog.name.isEnabled()


def test_the_table_measures_all_segments_and_follows_them(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    segments = [Segment(f"s{n}", f"Nodule {n}", (1, 2, 3), 0, n) for n in (1, 2)]
    case.do(Command("Add", tuple(SegmentChange(None, s, n) for n, s in enumerate(segments))))

    def draw(value: int, box: Box) -> None:
        layer = case.labels.segmentation.layer(0)
        patch = LabelPatch.between(layer, box, np.full(box.shape_kji, value, dtype=np.uint8))
        assert patch is not None
        case.do(Command("Brush", (patch,)))

    draw(1, Box((1, 2, 2), (3, 6, 8)))
    draw(2, Box((4, 12, 2), (6, 16, 8)))
    dialog = opened(window, "segments.table", SegmentTableDialog)

    def pieces() -> list[str]:
        return [dialog.model.index(row, 5).data() for row in range(dialog.model.rowCount())]

    assert pieces() == ["1", "1"]
    assert dialog.state.text() == ""
    draw(2, Box((0, 30, 2), (1, 33, 8)))
    assert pieces() == ["1", "2"]
    dialog.view.clicked.emit(dialog.model.index(1, 0))
    assert case.view.active_segment_id == "s2"
    dialog.copy.click()
    assert QGuiApplication.clipboard().text().count("\n") == 3
    window.workspace.close_case(case.key)
    assert not dialog.isVisible()
