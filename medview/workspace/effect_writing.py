"""Writing what an effect comes to: at once where it is small, else a part at a time, as one entry of the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from medview.core.changes import Change, Command
from medview.core.errors import LabelError, MedViewError
from medview.core.label_patch import LabelPatch
from medview.core.language import _
from medview.workspace.jobs import Job, Outcome
from medview.workspace.requests_effect import WriteChanges

if TYPE_CHECKING:
    from medview.workspace.gesture import Gesture
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

AT_ONCE_VOXELS = 1 << 20
"""Boxes of patches that hold no more are written in one go: ten milliseconds."""


class EffectWriting:
    """At most one command is being written.

    Parameters
    ----------
    ended : callable
        Called with the command once it is on the history; with None and a sentence when everything was taken back.
    """

    def __init__(self, workspace: Workspace, ended: Callable[[Command | None, str], None]) -> None:
        self._workspace, self._ended = workspace, ended
        self._gesture: Gesture | None = None
        self._command: Command | None = None
        self._job: Job | None = None

    @property
    def going_on(self) -> bool:
        """Whether parts are still to be written."""
        return self._command is not None

    def begin(self, case: OpenCase, command: Command, title: str) -> None:
        """Write a command whose patches do not overlap."""
        self._command = command
        size = sum(_voxels(change) for change in command.changes)
        if size <= AT_ONCE_VOXELS:
            try:
                done = case.do(command)
            except LabelError as error:
                self._end(None, error.sentence)
                return
            self._end(command if done else None, _("The effect was not applied."))
            return
        self._gesture = case.gesture(command.tool)
        outcome = Outcome(self._on_done, self._on_change, self._on_failed, self._on_cancelled)
        job = self._workspace.runner.submit(WriteChanges(title, command.changes), outcome)
        if self.going_on:
            self._job = job

    def cancel(self) -> bool:
        """Take back what was written so far; False when nothing is going on."""
        if not self.going_on:
            return False
        self._take_back(_("The effect was taken back."))
        return True

    def _on_change(self, value: object) -> None:
        gesture = self._gesture
        if gesture is None or not self.going_on:
            return
        if gesture.over:
            self._take_back(_("Something else was drawn meanwhile, so the effect was taken back."))
            return
        assert isinstance(value, Change)
        try:
            gesture.apply(value)
        except LabelError as error:
            self._take_back(error.sentence)

    def _on_done(self, _value: object) -> None:
        gesture, command = self._gesture, self._command
        if gesture is None or command is None:
            return
        if gesture.over:
            self._take_back(_("Something else was drawn meanwhile, so the effect was taken back."))
            return
        # Its own parts are left as they are: joined they would have to be unpacked and packed again.
        done = gesture.commit(command.name, joined=False)
        self._end(done, "")

    def _on_failed(self, error: MedViewError) -> None:
        self._take_back(error.sentence)

    def _on_cancelled(self) -> None:
        self._take_back(_("The effect was taken back."))

    def _take_back(self, why: str) -> None:
        if not self.going_on:
            return
        if self._gesture is not None and not self._gesture.over:
            self._gesture.abort()
        self._end(None, why)

    def _end(self, command: Command | None, problem: str) -> None:
        job, self._job = self._job, None
        self._gesture = self._command = None
        if job is not None:
            job.cancel()
        self._ended(command, problem)


def _voxels(change: Change) -> int:
    if not isinstance(change, LabelPatch):
        return 0
    k, j, i = change.box.shape_kji
    return k * j * i
