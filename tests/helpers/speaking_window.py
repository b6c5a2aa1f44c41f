"""A real window in another language, in a process of its own, since texts of tables are made on import.

``python -m tests.helpers.speaking_window LANGUAGES FOLDER`` writes every text that the window shows as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from medview.core.language import use_language
from tests.helpers.pseudo_language import CODE


def shown_texts(folder: Path) -> dict[str, list[str]]:
    """Open a computed CT in a window and return what is to be read, by where it stands."""
    # Imported after the language is set.
    from dataclasses import replace

    from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import (
        QAbstractButton,
        QAbstractItemView,
        QApplication,
        QComboBox,
        QLabel,
        QLineEdit,
        QMenu,
        QWidget,
    )

    from medview.core.measurement import Measurement, MeasurementKind
    from medview.core.study import DamagedFile
    from medview.core.volume import Volume
    from medview.gui.dialogs.about import AboutDialog
    from medview.gui.dialogs.damaged import DamagedDialog
    from medview.gui.dialogs.keys import KeysDialog
    from medview.gui.dialogs.notice import NoticeDialog
    from medview.gui.dialogs.palette import Palette
    from medview.gui.dialogs.scheme_editor import SchemeEditor
    from medview.gui.dialogs.tags import TagsDialog
    from medview.gui.jobs.job_thread import JobThreads
    from medview.gui.main_window import MainWindow
    from medview.gui.panes.slice_canvas import SliceCanvas
    from medview.gui.parts.theme_tokens import DARK
    from medview.io.dicom.tag_list import TagList
    from medview.io.dicom.write_series import SeriesIdentity, write_series
    from medview.workspace import measuring
    from medview.workspace.operations import labels
    from medview.workspace.operations.open import open_path
    from medview.workspace.scheme import Scheme
    from tests.gui.cases import make_case
    from tests.gui.windows import add_pack, bare_workspace, hands_of

    application = QApplication([])
    phantom = make_case()
    identity = SeriesIdentity("Doe^Jane", "ID1", study_description="0", series_description="0")
    grid = replace(phantom.volume.geometry, frame_of_reference_uid="")
    write_series(folder / "0", Volume(phantom.volume.voxels, grid, modality="CT", unit="HU"), identity, durable=False)
    add_pack(folder, "segmentation")
    workspace = bare_workspace(folder)
    threads = JobThreads()
    window = MainWindow(workspace, threads, hands_of(workspace), DARK)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    window.resize(1600, 1200)
    window.show()
    texts: dict[str, list[str]] = {}

    def rows(view: QAbstractItemView, parent: QModelIndex) -> Iterator[str]:
        model = view.model()
        for row in range(model.rowCount(parent)):
            for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)):
                index = model.index(row, column, parent)
                for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                    yield str(index.data(role) or "")
            yield from rows(view, model.index(row, 0, parent))

    def look(when: str, top: QWidget = window) -> None:
        for _round in range(5):
            application.processEvents()
        seen: list[str] = [top.windowTitle()]
        for widget in top.findChildren(QWidget):
            if widget.isVisible():
                seen.append(widget.toolTip())
                seen.append(widget.accessibleName())
            if isinstance(widget, QLabel | QAbstractButton) and widget.isVisible():
                seen.append(widget.text())
            if isinstance(widget, QLineEdit):
                seen.append(widget.placeholderText())
            if isinstance(widget, QMenu):
                seen.append(widget.title())
            if isinstance(widget, SliceCanvas):
                seen += widget.shown_text()
            if isinstance(widget, QComboBox):
                seen += [widget.itemText(n) for n in range(widget.count())]
            if isinstance(widget, QAbstractItemView) and widget.model() is not None:
                seen += rows(widget, QModelIndex())
        # A plot of pyqtgraph has a menu that is never shown.
        own = [one for one in top.findChildren(QAction) if not type(one.parent()).__module__.startswith("pyqtgraph")]
        for action in own:
            seen += [action.text(), action.toolTip()]
        texts[when] = [text for text in dict.fromkeys(seen) if text and str(folder) not in text]

    look("empty")
    open_path(workspace, folder / "0")
    case = workspace.active
    assert case is not None
    assert case.ready
    look("open")
    labels.add_segment(case, "0")
    corners = tuple(tuple(float(n) for n in grid.point_lps_mm((3, j, i))) for j, i in ((5, 5), (5, 12), (15, 5), (15, 12)))
    ellipse = Measurement("m", MeasurementKind.ELLIPSE, corners)
    case.do(labels.Command("Import 0", (labels.AnnotationChange(None, ellipse),)))
    workspace.bench.mode = type(workspace.bench.mode).ANNOTATE
    look("labelled")
    case.undo()
    look("undone")
    workspace.bench.identity_hidden = True
    look("hidden")
    workspace.bench.identity_hidden = False
    case.redo()
    texts["measured"] = [measuring.as_text(case, measuring.measurements(case)), measuring.table(case)]
    texts["said"] = said
    case.undo()
    entries = window.hand_commands.entries()
    texts["why not"] = [text for entry in entries for text in (entry.title, entry.detail, entry.why_not)]
    editor = SchemeEditor(Scheme.load().bindings, window.actions_table.titles(), lambda _bindings: True, window)
    damaged = DamagedDialog([DamagedFile("0", "Stored voxels are damaged.")], hidden=False, parent=window)
    tags = TagsDialog(TagList("0", (), ""), workspace, window)
    notice, about = NoticeDialog(window), AboutDialog(window)
    for dialog in (editor, damaged, tags, notice, about, KeysDialog([], "", "0", window), Palette(entries, window)):
        dialog.show()
        look(type(dialog).__name__, dialog)
    window.close()
    threads.close()
    return texts


if __name__ == "__main__":
    use_language(CODE, Path(sys.argv[1]))
    sys.stdout.write(json.dumps(shown_texts(Path(sys.argv[2]))))
