"""MedView's own window, in which somebody works on a script until the program is killed.

Says ``open N`` when the case is open with N steps that can be undone, and ``saved N`` when the dot in the status bar is
green: row N is on disk.
"""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QObject, QTimer

from medview.gui.app import Program, build_program
from medview.store import ballast, row_writer
from medview.store.entry import SavedKind, SavedState
from medview.store.journal import Ticket
from tests.faults.kept import LITTLE_BALLAST_BYTES, tickets_of
from tests.helpers.annotating import Annotator

_LOOK_MS = 5


class Worker(QObject):
    """Works from a timer, a step each time the window has nothing else to do."""

    def __init__(self, program: Program, seed: int, step: int) -> None:
        super().__init__(program)
        self._program, self._seed, self._step = program, seed, step
        self._hand: Annotator | None = None
        self._tickets: list[Ticket] = []
        self._told = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._work)
        program.keeper.saved_changed.connect(self._on_dot)
        self._timer.start(_LOOK_MS)

    def _work(self) -> None:
        workspace = self._program.workspace
        case, project = workspace.active, workspace.services.project
        if self._hand is not None:
            # Not while something large is still being written.
            if self._hand.case.editable:
                self._hand.step(self._step)
                self._step += 1
        elif case is not None and project is not None and case.ready:
            assert not case.read_only, case.read_only
            self._tickets = tickets_of(project)
            self._hand = Annotator(workspace, self._program.hands, self._seed)
            _say(f"open {len(case.history.names)}")

    def _on_dot(self, state: SavedState | None) -> None:
        if state is None or state.kind is not SavedKind.SAVED:
            return
        known = self._told
        while self._told < len(self._tickets) and self._tickets[self._told].saved:
            self._told += 1
        if self._told > known:
            _say(f"saved {self._tickets[self._told - 1].seq}")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Open a file and work on it: ``window_process FILE SEED STEP``."""
    row_writer.SNAPSHOT_ROWS = 7
    ballast.BALLAST_BYTES, ballast._STEP_BYTES = LITTLE_BALLAST_BYTES, LITTLE_BALLAST_BYTES // 4
    app, program = build_program()
    program.show()
    QTimer.singleShot(0, lambda: program.begin([sys.argv[1]], demo=False))
    worker = Worker(program, int(sys.argv[2]), int(sys.argv[3]))
    app.exec()
    del worker


if __name__ == "__main__":
    main()
