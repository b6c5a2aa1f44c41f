"""Draws pictures for a job, one to a turn of the event loop, so that the window goes on working."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer

from medview.core.errors import MedViewError
from medview.core.language import _
from medview.core.oblique import PlaneLayout
from medview.gui.panes.pane_frames import PaneFrames
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.events import Severity
from medview.workspace.frame_belt import FrameBelt
from medview.workspace.jobs import Job, Outcome, Request
from medview.workspace.workspace import Workspace

_FULL_MS = 10
"""How long to wait while the job is behind; a frame takes longer to write than to draw."""

Slices = Sequence[tuple[PlaneLayout, float, int | None]]
"""Plane, place across it and time point; None is the one that was shown."""


class BeltFeeder(QObject):
    """Feeds one job from beginning to end; it stops with it, and both stop when the identity is hidden meanwhile."""

    def __init__(
        self, workspace: Workspace, frames: PaneFrames, slices: Slices, belt: FrameBelt, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._frames, self._slices, self._belt = workspace, frames, slices, belt
        self._job: Job | None = None
        self._next = 0
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._turn)
        Subscriptions(self).add(field_signal(workspace.bench, "identity_hidden"), self._on_identity)

    def start(self, request: Request, done: Callable[[], None]) -> None:
        """Submit the job and begin to draw; ``done`` is called when the files are written."""

        def on_done(_value: object) -> None:
            self._stop()
            done()

        def on_failed(error: MedViewError) -> None:
            self._stop()
            self._workspace.report(error)

        self._job = self._workspace.runner.submit(request, Outcome(on_done, failed=on_failed, cancelled=self._stop))
        self._timer.start(0)

    def _turn(self) -> None:
        if self._next == len(self._slices):
            return
        if self._belt.room:
            self._belt.put(self._frames.draw(*self._slices[self._next]))
            self._next += 1
            self._timer.start(0)
        else:
            self._timer.start(_FULL_MS)

    def _on_identity(self, hidden: bool) -> None:
        if hidden and not self._frames.identity_hidden and self._job is not None:
            self._job.cancel()
            text = _("Nothing was written: the pictures show the identity, which was hidden meanwhile; save them again.")
            self._workspace.say(text, Severity.INFO)

    def _stop(self) -> None:
        self._timer.stop()
        self._job = None
        self.deleteLater()
