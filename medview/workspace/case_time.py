"""How long somebody works on each case, idle time not counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from medview.workspace.case_writing import Write

if TYPE_CHECKING:
    from medview.store.project import Project
    from medview.workspace.open_case import OpenCase
    from medview.workspace.workspace import Workspace

_EVERY_S = 60
"""So much is lost at most when the program is killed."""


class CaseTime:
    """Adds up the signs of work on open cases and has whole seconds noted, each minute and when a case is left.

    Parameters
    ----------
    write : callable
        Has a change written into the project.
    """

    def __init__(self, workspace: Workspace, write: Callable[[Write], None]) -> None:
        self._workspace, self._write = workspace, write
        self._worked_s: dict[str, float] = {}
        self._noted_s: dict[str, int] = {}
        workspace.efforts.worked.connect(self._on_worked)
        workspace.active_changed.connect(self._on_active)
        workspace.case_closing.connect(self._on_closing)

    def note_all(self) -> None:
        """Have everything noted, of all open cases."""
        for case in self._workspace.cases.values():
            self._on_closing(case)

    def _on_worked(self, case: OpenCase, seconds: float) -> None:
        if case.reading_id is None or case.read_only:
            return
        self._worked_s[case.key] = worked_s = self._worked_s.get(case.key, 0.0) + seconds
        if worked_s >= _EVERY_S:
            # Nothing is written under a hand that draws.
            case.after_gesture(partial(self._note, case))

    def _on_active(self) -> None:
        for case in self._workspace.cases.values():
            if case is not self._workspace.active:
                self._note(case)

    def _on_closing(self, case: OpenCase) -> None:
        self._note(case)
        self._worked_s.pop(case.key, None)
        seconds = self._noted_s.pop(case.key, 0)
        if case.reading_id is not None and not case.read_only:
            self._write(partial(_close, case.reading_id, seconds))

    def _note(self, case: OpenCase) -> None:
        seconds = int(self._worked_s.get(case.key, 0.0))
        if seconds and case.reading_id is not None:
            self._worked_s[case.key] -= seconds
            self._noted_s[case.key] = self._noted_s.get(case.key, 0) + seconds
            self._write(partial(_add, case.reading_id, seconds))


def _add(reading_id: int, seconds: int, project: Project) -> None:
    project.add_time(reading_id, seconds)


def _close(reading_id: int, seconds: int, project: Project) -> None:
    # Imported here: the database library is there by now, and was not when the window started.
    from medview.store.activity import ActivityKind

    project.activity.add(ActivityKind.CLOSED, reading_id=reading_id, seconds=seconds)
