"""Rows of widgets, of which there may be a hundred, in a part that scrolls by itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QLayout, QScrollArea, QVBoxLayout, QWidget

from medview.gui.parts.theme_tokens import GRID_PX

MOST_SEEN = 10
"""Rows that are seen at once; the others are scrolled to."""
_AT_ONCE = 5


class LongRows(QScrollArea):
    """As high as its rows, but no higher than ``MOST_SEEN`` of them.

    The first rows are there at once, the others in the turns of the event loop after: a hundred at once would keep the
    window waiting, and so would a part that grows and moves everything below it.

    Parameters
    ----------
    row : callable
        Makes the row of a number, 0 to ``count`` - 1; all rows are of one height.
    """

    def __init__(self, row: Callable[[int], QLayout], count: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row, self._count, self._next = row, count, 0
        self._to_px: int | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        inside = QWidget()
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GRID_PX)
        self._rows.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(inside)
        # The rows lie on what the part lies on.
        inside.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._add)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)
        self._add(min(count, MOST_SEEN))
        inside.ensurePolished()
        seen = self._rows.sizeHint().height()
        self.setFixedHeight(seen)
        if self._next < count:
            self._timer.start()

    @property
    def scrolled_px(self) -> int:
        """How far it is scrolled, or is to be once its rows are there."""
        return self.verticalScrollBar().value() if self._to_px is None else self._to_px

    def scroll_to(self, px: int) -> None:
        """Scroll as far as another one was that this one is in place of, as soon as so many rows are there."""
        shown = min(self._count, MOST_SEEN)
        row_px = (self.height() + GRID_PX) // max(1, shown)
        self._to_px = min(px, (self._count - shown) * row_px)
        self._on_range()

    def _on_range(self, *_values: int) -> None:
        bar = self.verticalScrollBar()
        if self._to_px is not None and bar.maximum() >= self._to_px:
            to_px, self._to_px = self._to_px, None
            bar.setValue(to_px)

    def _add(self, most: int = _AT_ONCE) -> None:
        for _n in range(min(most, self._count - self._next)):
            self._rows.addLayout(self._row(self._next))
            self._next += 1
        if self._next == self._count:
            self._timer.stop()
