"""The list of key images."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QVBoxLayout, QWidget

from medview.core.key_image import KeyImage
from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import action_button, clear_layout, icon_button, set_role
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.events import LabelsChanged
from medview.workspace.key_images import delete, jump_to, key_images, note, shown, where
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_PACE_MS = 40


class KeyImagesPanel(QWidget):
    """A row per key image that shows the slice with a click; all of them as pictures or as a DICOM document."""

    count_changed = Signal()
    """There may be some, or none, now."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.count = 0
        self._labels: list[tuple[ElidedLabel, KeyImage]] = []
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID_PX)
        exports = QHBoxLayout()
        exports.setSpacing(GRID_PX)
        for action_id, words in (("keyimage.save", _("Save as PNG")), ("file.export_ko", _("Export DICOM"))):
            # Buttons take the short text of an action, menus the long one.
            actions[action_id].setIconText(words)
            button = action_button(actions[action_id], text=True, flat=False)
            button.setObjectName(f"button {action_id}")
            button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
            exports.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX * 2)
        column.addLayout(self._rows)
        column.addLayout(exports)
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.labels_changed, self._on_labels)
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        # Slices turn faster than anyone looks at a list.
        self._marking = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._marking.timeout.connect(self._mark_shown)
        self._of_case = Subscriptions(self)
        self._on_active()

    def _on_active(self) -> None:
        self._of_case.clear()
        case = self._workspace.active
        if case is not None:
            for name in ("crosshair_kji", "focus_kji", "axes", "time_index"):
                self._of_case.add(field_signal(case.view, name), self._on_crosshair)
        self.refresh()

    def _on_crosshair(self, *_values: object) -> None:
        if self._labels:
            self._marking.start()

    def _mark_shown(self) -> None:
        case = self._workspace.active
        if case is not None:
            now = shown(case)
            for label, one in self._labels:
                set_role(label, "accent" if one in now else "")

    def _on_labels(self, event: LabelsChanged) -> None:
        if not event.only_voxels and not event.only_figures:
            self._soon.start()

    def refresh(self) -> None:
        """Bring the rows in line with the case."""
        case = self._workspace.active
        clear_layout(self._rows)
        self._labels.clear()
        found = key_images(case) if case is not None else []
        if case is not None:
            now = shown(case)
            for one in found:
                self._rows.addLayout(self._row(case, one, now))
        before, self.count = self.count, len(found)
        if bool(before) != bool(self.count):
            self.count_changed.emit()

    def _row(self, case: OpenCase, one: KeyImage, now: list[KeyImage]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        at = where(case, one)
        label = ElidedLabel(f"{at}: {one.label}" if one.label else at)
        label.setProperty("role", "accent" if one in now else "")
        self._labels.append((label, one))
        show = icon_button("mdi6.crosshairs-gps", _("Show it: {at}").format(at=at))
        show.clicked.connect(partial(self._show, case, one))
        write = icon_button("mdi6.pencil-outline", _("Write a note on {at}").format(at=at))
        write.setEnabled(case.editable)
        write.clicked.connect(partial(self._ask_note, case, one))
        remove = icon_button("mdi6.trash-can-outline", _("Unmark {at}; Undo brings it back").format(at=at))
        remove.setEnabled(case.editable)
        remove.clicked.connect(partial(self._delete, case, one))
        row.addWidget(label, 1)
        row.addWidget(show)
        row.addWidget(write)
        row.addWidget(remove)
        return row

    def _show(self, case: OpenCase, one: KeyImage, _checked: bool = False) -> None:
        jump_to(case, one)

    def _ask_note(self, case: OpenCase, one: KeyImage, _checked: bool = False) -> None:
        asked = QInputDialog(self)
        asked.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asked.setWindowTitle(_("Note"))
        asked.setLabelText(_("Note on {where}; it stands on the picture and in exports").format(where=where(case, one)))
        asked.setTextValue(one.label)
        asked.textValueSelected.connect(partial(note, case, one))
        asked.open()

    def _delete(self, case: OpenCase, one: KeyImage, _checked: bool = False) -> None:
        at = where(case, one)
        if delete(case, one) is not None:
            self._workspace.say(_("Unmarked {at}.").format(at=at), undo=True)
