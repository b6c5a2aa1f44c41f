"""The training that goes on, in the side column: how far it is, and the way to all of them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.training.run_view import RunView
from medview.workspace.training.run_words import run_detail, run_title
from medview.workspace.workspace import Workspace


class TrainingPanel(QWidget):
    """Is there only while labels are copied or a training waits or goes on."""

    wanted_changed = Signal()
    """There is something to show now, or nothing any more."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings = workspace.trainings
        self.wanted = False
        self.title, self.detail = ElidedLabel(""), words("", "quiet")
        self.title.setObjectName("training title")
        self.meter = QProgressBar()
        self.meter.setRange(0, 1000)
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        self.open = text_button(_("Show"), _("Curves, samples, pause and stop"), icon_name="mdi6.chart-line")
        self.open.setObjectName("training open")
        self.open.clicked.connect(lambda: actions.run("train.open"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX)
        for widget in (self.title, self.meter, self.detail, self.open):
            layout.addWidget(widget)
        Subscriptions(self).add(self._trainings.changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how far it is."""
        trainings = self._trainings
        run = trainings.going or next((one for one in reversed(trainings.runs) if not one.phase.lasting), None)
        wanted = run is not None or trainings.preparing is not None
        if run is not None:
            self._show(run)
        elif trainings.preparing is not None:
            self.title.setText(trainings.preparing.title)
            self.detail.setText(_("Labelling goes on meanwhile."))
            self.meter.setValue(round(trainings.preparing.fraction * 1000))
        if wanted is not self.wanted:
            self.wanted = wanted
            self.wanted_changed.emit()

    def _show(self, run: RunView) -> None:
        self.title.setText(run_title(run))
        self.detail.setText(run_detail(run))
        self.meter.setValue(round(run.fraction * 1000))
