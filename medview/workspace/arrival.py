"""Opening a case of the project at one of its slices."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medview.workspace.workspace import Workspace


class Arrival:
    """Goes to a slice of a case that is being opened, once it is there; whoever opens another one meanwhile ends that."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._wanted: tuple[int, int] | None = None
        workspace.active_changed.connect(self._on_active)

    def open_at(self, case_id: int, k: int | None = None) -> None:
        """Open a case of the list and look at a slice of it: an index along the first axis of its grid."""
        self._wanted = None
        # Others may be closed for it first.
        self._workspace.worklist.open(case_id)
        self._wanted = None if k is None else (case_id, k)
        row = self._workspace.worklist.current
        if row is not None and row.case_id == case_id:
            # One that is open already comes without a change.
            self._on_active()

    def _on_active(self) -> None:
        case, row, wanted = self._workspace.active, self._workspace.worklist.current, self._wanted
        if case is None or wanted is None:
            return
        self._wanted = None
        if row is None or row.case_id != wanted[0]:
            return
        _k, j, i = case.view.at_kji
        case.view.look_at((wanted[1], j, i), case.volume.geometry.shape_kji)
