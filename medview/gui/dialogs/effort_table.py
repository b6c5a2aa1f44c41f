"""What correcting each version of each model took in the open project, in one table."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from medview.core.effort import ModelEffort
from medview.core.language import _
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.copied_table import lay_out_table
from medview.workspace.workspace import Workspace

_SIZE = QSize(860, 380)
_WORDS = 2
"""Columns that hold words; the others hold numbers."""


def _columns() -> tuple[tuple[str, str], ...]:
    return (
        (_("Model"), _("Id of the model")),
        (_("Version"), _("Version of the model")),
        (_("Cases"), _("Cases with segments that were accepted from it")),
        (_("Segments"), _("Segments that were accepted from it")),
        (_("Mean Dice"), _("Of what it proposed with what was left in the end; 1 is unchanged")),
        (_("Added mL"), _("What people added to what it proposed, all together")),
        (_("Removed mL"), _("What people took away from what it proposed, all together")),
        (_("Minutes per case"), _("Work on a case since it was accepted until it was done, pauses left out; the mean")),
    )


def effort_cells(one: ModelEffort) -> tuple[str, ...]:
    """Return a row of the table."""
    return (
        one.model_id,
        one.model_version,
        str(one.cases),
        str(one.segments),
        "\u2013" if one.dice is None else f"{one.dice:.3f}",
        f"{one.added_ml:.1f}",
        f"{one.removed_ml:.1f}",
        f"{one.minutes_per_case:.1f}",
    )


class EffortTableDialog(QDialog):
    """Follows what is noted while it is open."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.setWindowTitle(_("Correction effort"))
        self.setObjectName("effort table")
        self.resize(_SIZE)
        columns = _columns()
        self.view = QTableWidget(0, len(columns))
        for number, (title, tip) in enumerate(columns):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            item.setTextAlignment(_side(number))
            self.view.setHorizontalHeaderItem(number, item)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.state, self.copy = lay_out_table(self, self.view, self._copy)
        Subscriptions(self).add(workspace.efforts.changed, self._refresh)
        self._refresh()
        if workspace.active is not None:
            workspace.efforts.note(workspace.active)
        workspace.efforts.read()

    def _refresh(self) -> None:
        rows = self._workspace.efforts.models
        self.view.setRowCount(len(rows))
        for line, one in enumerate(rows):
            for number, text in enumerate(effort_cells(one)):
                item = QTableWidgetItem(text)
                item.setTextAlignment(_side(number))
                self.view.setItem(line, number, item)
        self.copy.setEnabled(bool(rows))
        self.state.setText("" if rows else _("Nothing a model proposed was accepted in this project yet."))

    def _copy(self) -> None:
        lines = [tuple(title for title, _tip in _columns()), *(effort_cells(one) for one in self._workspace.efforts.models)]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))
        self._workspace.say(_("Copied the correction effort as a table."))


def _side(number: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if number >= _WORDS else Qt.AlignmentFlag.AlignLeft
    return Qt.AlignmentFlag.AlignVCenter | side
