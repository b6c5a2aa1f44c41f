"""The program under test: MedView's own window, with a peephole for the driver.

The peephole only answers questions (where is a widget, what is open, what do the labels hold); it changes nothing.
Everything that is done, is done with mouse and keys through the X server.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QByteArray, QModelIndex, QObject, QPoint, QRect
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from medview.gui.app import run_window
from medview.gui.browser.study_tree import ROW_ROLE
from medview.gui.main_window import MainWindow
from medview.gui.segments.segment_cells import Cell
from medview.workspace.measuring import measured, measurements, short_text


class Peephole(QObject):
    """Answers one JSON question per line on a local socket."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._server = QLocalServer(self)
        self._server.newConnection.connect(self._on_connection)
        if not self._server.listen(name):
            raise SystemExit(self._server.errorString())

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(lambda: self._answer(socket))

    def _answer(self, socket: QLocalSocket) -> None:
        while socket.canReadLine():
            question = json.loads(bytes(socket.readLine().data()))
            answer = getattr(self, question.pop("ask"))(**question)
            socket.write(QByteArray(json.dumps(answer).encode() + b"\n"))
            socket.flush()

    # ------------------------------------------------------------------------------------ questions

    def widget(self, name: str) -> dict[str, Any] | None:
        """Where a visible widget is on the screen, what it says, and the X window it is in."""
        for top in reversed(QApplication.topLevelWidgets()):
            for found in [top, *top.findChildren(QWidget)]:
                if found.objectName() == name and found.isVisible() and not found.visibleRegion().isEmpty():
                    middle = found.visibleRegion().boundingRect().center()
                    return {**_place(found, middle), "enabled": found.isEnabled(), "text": _text(found)}
        return None

    def beyond(self, name: str) -> dict[str, Any] | None:
        """Where to turn the wheel, and which way, for a widget that is scrolled out of sight; None when there is none."""
        window = _window()
        found = window.side.findChild(QWidget, name) if window is not None else None
        if window is None or found is None or not found.isVisible() or not found.visibleRegion().isEmpty():
            return None
        view = window.side.viewport()
        down = found.mapTo(window.side, QPoint(0, 0)).y() > 0
        return {**_place(view, QPoint(2, view.height() - 4)), "down": down}

    def front(self) -> dict[str, Any] | None:
        """The dialog or window that takes keys, with its class."""
        front = QApplication.activePopupWidget() or QApplication.activeModalWidget() or _window()
        if front is None or not front.isVisible():
            return None
        active = front.isActiveWindow() or QApplication.activePopupWidget() is not None
        return {**_place(front, front.rect().center()), "class": type(front).__name__, "active": active}

    def entry(self, text: str) -> dict[str, Any] | None:
        """Where an entry of the menu that is open, or else of the menu bar, is on the screen."""
        window = _window()
        assert window is not None
        popup = QApplication.activePopupWidget()
        menu = popup if isinstance(popup, QMenu) else window.top.menus
        for action in menu.actions():
            if action.text().startswith(text) and action.isVisible():
                return {**_place(menu, menu.actionGeometry(action).center()), "enabled": action.isEnabled()}
        return None

    def row(self, text: str) -> dict[str, Any] | None:
        """Where the first row of the study tree is whose series, study or patient contains a text."""
        window = _window()
        assert window is not None
        tree = window.studies.tree

        def search(parent: QModelIndex, above: str = "") -> QModelIndex | None:
            for n in range(tree.model().rowCount(parent)):
                index = tree.model().index(n, 0, parent)
                row = index.data(ROW_ROLE)
                said = f"{above} {row.title} {row.search_text}"
                found = index if row.series is not None and text in said else search(index, said)
                if found is not None:
                    return found
            return None

        index = search(QModelIndex())
        return None if index is None else _place(tree.viewport(), tree.visualRect(index).center())

    def segment(self, name: str, cell: str) -> dict[str, Any] | None:
        """Where a part of a row of the segment list is; the row is that of a segment, or of a group, with this name."""
        window = _window()
        assert window is not None
        tree = window.side.segments.tree

        def search(parent: QModelIndex) -> QModelIndex | None:
            for n in range(tree.rows.rowCount(parent)):
                index = tree.rows.index(n, 0, parent)
                if index.data() == name:
                    return index
                if (found := search(index)) is not None:
                    return found
            return None

        index = search(QModelIndex())
        rect = QRect() if index is None else tree.visualRect(index)
        return (
            None
            if index is None or rect.isEmpty()
            else _place(tree.viewport(), tree.delegate.cells_at(rect, index)[Cell(cell)].center())
        )

    def readings(self) -> dict[str, dict[str, Any]]:
        """What the panel of readings lists: the text of each row, where it is on the screen and whether it is shown."""
        window = _window()
        assert window is not None
        rows = window.side.review.readings
        found = {}
        for n in range(rows.count()):
            item = rows.item(n)
            place = _place(rows.viewport(), rows.visualItemRect(item).center())
            found[item.text()] = {**place, "shown": n == rows.currentRow(), "in_sight": rows.isVisible()}
        return found

    def segments(self) -> list[dict[str, Any]]:
        """What the segments of the active case are, in order."""
        window = _window()
        assert window is not None
        case = window.workspace.active
        found = case.labels.segmentation.segments if case is not None else []
        return [
            {
                "name": s.name,
                "visible": s.visible,
                "visible_3d": s.visible_3d,
                "locked": s.locked,
                "status": s.status.value,
                "group": s.group,
                "code": s.code.value if s.code else "",
            }
            for s in found
        ]

    def voxel(self, plane: str, voxel_kji: list[int]) -> dict[str, Any] | None:
        """Where a voxel of the shown slice is on the screen."""
        window = _window()
        assert window is not None
        case = window.workspace.active
        pane = window.panes.panes[plane]
        if case is None or not pane.isVisible():
            return None
        layout = case.slice_plane(pane.plane)
        _, row, column = layout.screen(case.volume.geometry, voxel_kji)
        rows, columns = layout.screen_shape(case.volume.geometry)
        area = pane.picture_rect
        x = area.x() + (column + 0.5) * area.width() / columns
        y = area.y() + (row + 0.5) * area.height() / rows
        return _place(pane, QPoint(round(x), round(y)))

    def state(self) -> dict[str, Any] | None:
        """What is open and what has been done."""
        window = _window()
        if window is None:
            return None
        case = window.workspace.active
        saved = window.status.saved.state
        return {
            "message": window.message.label.text(),
            "pointer": window.status.pointer.text(),
            "saved": saved.kind.value if saved else "",
            "waiting": saved.waiting if saved else 0,
            "mode": window.workspace.bench.mode.value,
            "tool": window.workspace.bench.tool.value,
            "radius_mm": window.workspace.bench.brush_radius_mm,
            "maximised": window.workspace.bench.maximised,
            "jobs": [job.title for job in window.side.models._workspace.runner.jobs],
            "queue": [task.state.value for task in window.workspace.queue.queue.tasks],
            "cases": [window.workspace.worklist.who.status(row).value for row in window.workspace.worklist.rows],
            "series": len(window.workspace.series),
            "title": window.windowTitle(),
            "hidden": window.workspace.bench.identity_hidden,
            "cine": window.workspace.bench.cine_on,
            "layout": window.workspace.bench.layout.layout_id,
            "panes": _panes(window),
            "effect": _effect(window),
            "case": _case(case) if case is not None else None,
            "trainings": {run.name: run.phase.value for run in window.workspace.trainings.runs},
            "counts": [line.current.title if line.current else "" for line in window.workspace.trainings.lines],
        }

    def answers(self) -> dict[str, str]:
        """What was answered to questions of forms in the active case, by target and question."""
        window = _window()
        case = window.workspace.active if window is not None else None
        given = case.labels.answers.values() if case is not None else ()
        return {f"{one.target.key}: {one.question}": one.words for one in given}

    def question(self) -> dict[str, Any]:
        """Which question keys go to, and how many required answers are missing."""
        window = _window()
        assert window is not None
        row = window.side.form.view.current
        return {"at": "" if row is None else row.asked.question.text, "count": window.side.form.count.text()}

    def labels(self, path: str) -> int:
        """Write all label layers into an npz; return how many there are."""
        window = _window()
        assert window is not None
        assert window.workspace.active is not None
        layers = window.workspace.active.labels.segmentation.layers
        np.savez(path, **{f"layer{n}": layer.voxels for n, layer in layers.items() if layer.voxels.any()})
        return len(layers)

    def picture(self, path: str) -> bool:
        """Write what the window shows into a PNG."""
        window = _window()
        assert window is not None
        return window.grab().save(path)


def _effect(window: MainWindow) -> dict[str, Any]:
    """The open effect, and what it would come to: voxels by segment."""
    state = window.workspace.bench.effect
    amounts = [] if state.candidate is None or state.stale or state.working else state.candidate.amounts
    return {"id": state.effect_id, "after": {a.name: a.after for a in amounts}, "problem": state.problem}


def _case(case: Any) -> dict[str, Any]:
    segmentation = case.labels.segmentation
    return {
        "complete": case.ready,
        "read_only": case.read_only,
        "shape_kji": list(case.volume.geometry.shape_kji),
        "crosshair_kji": list(case.view.crosshair_kji),
        "window": [case.view.window.center, case.view.window.width],
        "segments": [[s.name, s.layer_id, s.value, list(s.colour)] for s in segmentation.segments],
        "voxels": {s.name: segmentation.count(s) for s in segmentation.segments},
        "voxel_ml": case.volume.geometry.voxel_volume_mm3 / 1000,
        "annotations": len(case.labels.annotations),
        "measured": [[str(m.kind.value), *short_text(measured(case, m))] for m in measurements(case)],
        "proposals": [p.prediction.model_name for p in case.labels.proposals.values()],
        "versions": [p.prediction.source.model_version for p in case.labels.proposals.values()],
        "history": list(case.history.names),
        "undone": list(case.history.undone_names),
    }


def _panes(window: MainWindow) -> dict[str, Any]:
    """What each pane shows: series, slice, and every line of text."""
    found = {}
    for pane_id, pane in window.panes.panes.items():
        case = window.workspace.case_in(pane_id)
        if case is not None:
            at = list(case.view.crosshair_kji)
            found[pane_id] = {"date": case.series.study_date, "at": at, "text": list(pane.shown_text())}
    return found


def _window() -> MainWindow | None:
    return next((w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)), None)


def _place(widget: QWidget, at: QPoint) -> dict[str, Any]:
    point = widget.mapToGlobal(at)
    return {"x": point.x(), "y": point.y(), "window": int(widget.window().winId())}


def _text(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return str(text()) if callable(text) else ""


SHORT_RECIPE = "MEDVIEW_TEST_RECIPE"
"""Names a recipe; trainings make its steps, however many minutes are asked for."""


def _train_shortly(recipe: str) -> None:
    from medview.ml.recipes.table import choose
    from medview.workspace.operations import trainings

    begin = trainings.TrainingConductor.start
    trainings.choose = lambda task: choose(task, recipe)
    trainings.TrainingConductor.start = lambda self, wish: begin(self, replace(wish, minutes=None))


def main() -> None:
    """Run the window until it is closed."""
    name, *arguments = sys.argv[1:]
    if recipe := os.environ.get(SHORT_RECIPE):
        _train_shortly(recipe)
    app = QApplication(sys.argv[:1])
    peephole = Peephole(name)
    code = run_window([str(Path(a)) for a in arguments])
    del peephole
    app.closeAllWindows()
    sys.exit(code)


if __name__ == "__main__":
    main()
