"""What correcting each version of each model took in the open project: in one table, and version by version as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Protocol

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from medview.core.effort import ModelEffort, versions_in_order
from medview.core.language import _, plural
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.copied_table import lay_out_table
from medview.gui.parts.plots_loader import PlotsLoader
from medview.workspace.workspace import Workspace

_SIZE = QSize(960, 560)
_WORDS = 2
"""Columns that hold words; the others hold numbers."""


def _columns() -> tuple[tuple[str, str], ...]:
    return (
        (_("Model"), _("Id of the model")),
        (_("Version"), _("Version of the model")),
        (_("Cases"), _("Cases that are done and have segments that were accepted from it")),
        (_("Segments"), _("Segments that were accepted from it")),
        (_("Mean Dice"), _("Of what it proposed with what was left in the end; 1 is unchanged")),
        (_("Added mL"), _("What people added to what it proposed, all together")),
        (_("Removed mL"), _("What people took away from what it proposed, all together")),
        (
            _("Corrected"),
            _("Voxels people added or took away, per voxel it proposed: less is better"),
        ),
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
        "\u2013" if one.corrected_part is None else f"{one.corrected_part:.3f}",
        f"{one.minutes_per_case:.1f}",
    )


class Plots(Protocol):
    """What draws the versions of a model; made once the library that draws curves is there."""

    def show_versions(self, versions: Sequence[ModelEffort]) -> None:
        """Show the versions of one model, in this order."""


class EffortTableDialog(QDialog):
    """Follows what is noted while it is open. The curves are of the model whose row is chosen, or has most versions.

    Attributes
    ----------
    plots : Plots or None
        None until what draws curves is loaded.
    """

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
        self.plots: Plots | None = None
        self.view.itemSelectionChanged.connect(self._show_versions)
        self._loader = PlotsLoader("medview.gui.parts.effort_plots", self._on_loaded, self)
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
        self.state.setText(
            ""
            if rows
            else _("Nothing yet: a case in which something of a model was accepted counts once it is marked as done.")
        )
        self._show_versions()

    def _on_loaded(self, module: ModuleType) -> None:
        plots = module.EffortPlots(self)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, plots, 1)
        self.plots = plots
        self._show_versions()

    def _show_versions(self) -> None:
        """Draw the versions of the model whose row is chosen; else of the one with most of them."""
        if self.plots is None:
            return
        rows = self._workspace.efforts.models
        by_model = versions_in_order(rows)
        chosen = self.view.selectionModel().selectedRows()
        if chosen and chosen[0].row() < len(rows):
            shown = by_model[rows[chosen[0].row()].model_id]
        else:
            shown = max(by_model.values(), key=len, default=())
        self.plots.show_versions(shown)
        if shown:
            text = plural("The curves are of {model}: {n} version.", "The curves are of {model}: {n} versions.", len(shown))
            self.state.setText(text.format(model=shown[0].model_id, n=len(shown)))

    def _copy(self) -> None:
        lines = [tuple(title for title, _tip in _columns()), *(effort_cells(one) for one in self._workspace.efforts.models)]
        QGuiApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))
        self._workspace.say(_("Copied the correction effort as a table."))


def _side(number: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if number >= _WORDS else Qt.AlignmentFlag.AlignLeft
    return Qt.AlignmentFlag.AlignVCenter | side
