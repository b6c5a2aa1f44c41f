"""Label and attributes of what is chosen in the list of boxes and marks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from medview.core.annotations import Drawn
from medview.core.attributes import Attributes
from medview.core.language import _
from medview.gui.parts.attributes_editor import AttributesEditor
from medview.gui.parts.controls import row_of, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.drawn import all_drawn, attribute_choices, label_choices, relabel, set_attributes
from medview.workspace.open_case import OpenCase


class DrawnDetail(QWidget):
    """A field for the label of one thing or several, and the attributes of a single one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._case: OpenCase | None = None
        self._some: Sequence[Drawn] = ()
        self.label = QLineEdit()
        self.label.setToolTip(_("Label of what is chosen in the list (Enter); names of segments are offered"))
        self.label.setAccessibleName(self.label.toolTip())
        self._labels = QStringListModel(self)
        completer = QCompleter(self._labels, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.label.setCompleter(completer)
        self.label.editingFinished.connect(self._rename)
        self.attributes = AttributesEditor()
        self.attributes.changed.connect(self._describe)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addLayout(row_of(words(_("Label"), "quiet"), self.label))
        column.addWidget(self.attributes)

    def show_things(self, case: OpenCase | None, some: Sequence[Drawn]) -> None:
        """Show what is said of things of a case."""
        same = [one.annotation_id for one in some] == [one.annotation_id for one in self._some]
        self._case, self._some = case, some
        self.setVisible(case is not None and bool(some))
        if case is None or not some:
            return
        labels = {one.label for one in some}
        # What is being typed is for the things it was begun for.
        if not (same and self.label.hasFocus()):
            self.label.setText(some[0].label if len(labels) == 1 else "")
        self.label.setPlaceholderText(_("No label") if len(labels) == 1 else _("Different labels"))
        self.label.setEnabled(case.editable)
        names = label_choices(case)
        if names != self._labels.stringList():
            self._labels.setStringList(names)
        self.attributes.setVisible(len(some) == 1)
        if len(some) == 1:
            self.attributes.show_attributes(
                some[0].attributes, attribute_choices(case), editable=case.editable, same_thing=same
            )

    def focus_label(self) -> None:
        """Let the person type a label."""
        self.label.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.label.selectAll()

    def _rename(self) -> None:
        unchanged = len(self._some) > 1 and not self.label.text().strip()
        if self._case is not None and self._some and not unchanged:
            relabel(self._case, self._some, self.label.text())

    def _describe(self, attributes: Attributes) -> None:
        if self._case is not None and len(self._some) == 1:
            # The list follows at its own pace: the thing may have been changed since it was shown.
            shown = self._some[0].annotation_id
            now = next((one for one in all_drawn(self._case) if one.annotation_id == shown), None)
            if now is not None:
                set_attributes(self._case, now, attributes)
