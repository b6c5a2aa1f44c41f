"""The menu that divides the centre: the usual layouts, and any grid by pointing at its size."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget, QWidgetAction

from medview.core.language import _
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.layout import LARGEST_GRID, LAYOUTS

_CELL_PX = 28


class GridChooser(QWidget):
    """Squares to point at: as many rows and columns as lie above and left of the pointer are marked."""

    chosen = Signal(int, int)
    """Rows and columns."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setToolTip(_("Any number of panes: point at the last one"))
        self._rows = self._columns = 0

    def sizeHint(self) -> QSize:
        """Room for the largest grid and its size in words."""
        side = LARGEST_GRID * (_CELL_PX + GRID_PX) + GRID_PX
        return QSize(side, side + _CELL_PX)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Mark what lies above and left."""
        self._rows, self._columns = self._at(event)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take the marked size."""
        rows, columns = self._at(event)
        if rows and columns:
            self.chosen.emit(rows, columns)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the squares."""
        painter = QPainter(self)
        for row in range(LARGEST_GRID):
            for column in range(LARGEST_GRID):
                marked = row < self._rows and column < self._columns
                role = self.palette().highlight() if marked else self.palette().mid()
                x, y = (GRID_PX + n * (_CELL_PX + GRID_PX) for n in (column, row))
                painter.fillRect(x, y, _CELL_PX, _CELL_PX, role)
        text = _("{rows} × {columns} panes").format(rows=self._rows, columns=self._columns) if self._rows else _("Any grid")
        painter.setPen(self.palette().text().color())
        painter.drawText(GRID_PX, self.height() - GRID_PX * 2, text)
        painter.end()

    def _at(self, event: QMouseEvent) -> tuple[int, int]:
        column, row = (int(n // (_CELL_PX + GRID_PX)) + 1 for n in (event.position().x(), event.position().y()))
        return (row, column) if 1 <= row <= LARGEST_GRID and 1 <= column <= LARGEST_GRID else (0, 0)


def layout_menu(actions: QtActions, use_grid: Callable[[int, int], object], parent: QWidget) -> QMenu:
    """Return the menu.

    Parameters
    ----------
    use_grid : callable
        Takes rows and columns.
    """
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for layout_id in LAYOUTS:
        menu.addAction(actions[f"layout.{layout_id}"])
    menu.addSeparator()
    chooser = GridChooser()
    chooser.chosen.connect(use_grid)
    chooser.chosen.connect(menu.close)
    held = QWidgetAction(menu)
    held.setDefaultWidget(chooser)
    menu.addAction(held)
    menu.addSeparator()
    for name in ("compare.prior", "hanging.keep", "hanging.rules"):
        menu.addAction(actions[name])
    return menu
