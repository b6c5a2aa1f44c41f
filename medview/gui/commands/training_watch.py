"""Looks at trainings again and again while one of them goes on."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from medview.gui.parts.bind import Subscriptions
from medview.workspace.workspace import Workspace

LOOK_MS = 1000


class TrainingWatch(QObject):
    """A look is a job that takes a moment; while nothing trains there is none."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._trainings = workspace.trainings
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        Subscriptions(self).add(self._trainings.changed, self._on_changed)
        self._on_changed()

    def _on_changed(self) -> None:
        if self._trainings.busy and not self._timer.isActive():
            self._timer.start()
        elif not self._trainings.busy:
            self._timer.stop()

    def _look(self) -> None:
        self._trainings.conductor.look()
