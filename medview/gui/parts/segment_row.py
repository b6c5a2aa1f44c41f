"""One segment in the list: colour, name, show, lock, delete."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QColorDialog, QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QWidget

from medview.core.language import _, in_language
from medview.core.segmentation import Segment
from medview.gui.parts.controls import icon_button, set_role, swatch
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.icons import icon
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX


class SegmentRow(QFrame):
    """Announces what the person wants with a segment; holds nothing but its picture.

    A click makes the segment the active one, a double click on the name edits it.
    """

    chosen = Signal(str)
    renamed = Signal(str, str)
    recoloured = Signal(str, tuple)
    shown = Signal(str, bool)
    locked = Signal(str, bool)
    deleted = Signal(str)

    def __init__(self, segment: Segment, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.segment_id = segment.segment_id
        self._segment, self._active, self._changeable = segment, False, True
        self.setFixedHeight(CONTROL_HEIGHT_PX + 2)
        self.colour = icon_button("", _("Change the colour"))
        self.name = ElidedLabel()
        self.name.setMinimumWidth(40)
        self.edit = QLineEdit()
        self.edit.setToolTip(_("Enter keeps the name, Escape the old one"))
        self.edit.editingFinished.connect(self._end_edit)
        self.edit.installEventFilter(self)
        self._names = QStackedWidget()
        self._names.addWidget(self.name)
        self._names.addWidget(self.edit)
        self.show_button = icon_button("mdi6.eye-outline", _("Show or hide"))
        self.lock_button = icon_button("mdi6.lock-open-variant-outline", _("Lock: nothing may change its voxels"))
        self.delete_button = icon_button(
            "mdi6.trash-can-outline", _("Delete this segment and its voxels; Undo brings it back")
        )
        self.colour.clicked.connect(self._ask_colour)
        self.show_button.clicked.connect(lambda: self.shown.emit(self.segment_id, not self._segment.visible))
        self.lock_button.clicked.connect(lambda: self.locked.emit(self.segment_id, not self._segment.locked))
        self.delete_button.clicked.connect(lambda: self.deleted.emit(self.segment_id))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.colour)
        layout.addSpacing(GRID_PX)
        layout.addWidget(self._names, 1)
        for button in (self.show_button, self.lock_button, self.delete_button):
            layout.addWidget(button)
        self.update_segment(segment, active=False)

    def update_segment(self, segment: Segment, *, active: bool) -> None:
        """Show a segment as it is now."""
        self._segment = segment
        self.colour.setIcon(swatch(segment.colour))
        self.name.setText(segment.name)
        self.name.set_hint(_("{origin}; double click to rename").format(origin=in_language(segment.source.title)))
        self.show_button.setIcon(icon("mdi6.eye-outline" if segment.visible else "mdi6.eye-off-outline"))
        self.show_button.setToolTip(_("Hide") if segment.visible else _("Show"))
        self.lock_button.setIcon(icon("mdi6.lock-outline" if segment.locked else "mdi6.lock-open-variant-outline"))
        self.lock_button.setToolTip(_("Unlock") if segment.locked else _("Lock: nothing may change its voxels"))
        self.set_changeable(changeable=self._changeable)
        self._active = active
        self.update()
        set_role(self.name, "" if segment.visible else "quiet")

    def set_changeable(self, *, changeable: bool) -> None:
        """Offer changes, or none where the case is read-only."""
        self._changeable = changeable
        for button in (self.colour, self.show_button, self.lock_button):
            button.setEnabled(changeable)
        self.delete_button.setEnabled(changeable and not self._segment.locked)

    def begin_edit(self) -> None:
        """Let the person type another name in place."""
        if not self._changeable:
            return
        self.edit.setText(self._segment.name)
        self._names.setCurrentWidget(self.edit)
        self.edit.setFocus()
        self.edit.selectAll()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Lift the active row and mark it with a bar."""
        if self._active:
            painter = QPainter(self)
            painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
            painter.fillRect(0, 0, 3, self.height(), self.palette().color(QPalette.ColorRole.Accent))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the segment."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self.segment_id)
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Edit the name."""
        self.begin_edit()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Let Escape keep the old name."""
        if watched is self.edit and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.edit.setText(self._segment.name)
                self._end_edit()
            return True
        return False

    def _end_edit(self) -> None:
        if self._names.currentWidget() is not self.edit:
            return
        self._names.setCurrentWidget(self.name)
        if self.edit.text().strip() not in ("", self._segment.name):
            self.renamed.emit(self.segment_id, self.edit.text())

    def _ask_colour(self) -> None:
        chosen = QColorDialog.getColor(QColor(*self._segment.colour), self, _("Colour of the segment"))
        if chosen.isValid():
            self.recoloured.emit(self.segment_id, (chosen.red(), chosen.green(), chosen.blue()))
