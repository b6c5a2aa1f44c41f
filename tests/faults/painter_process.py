"""A program that forks painters to order: each opens a project as the window does and works on a script.

Orders are lines of JSON on standard input. Of each painter it says, a line each: ``pid N``, what the painter says, and
``dead STATUS``. Starting Python and importing everything takes longer than a painter's life.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from medview.core.errors import LockedError
from medview.store import ballast, journal, row_writer
from medview.store.journal import Ticket
from medview.store.project import Project
from tests.faults import disk_trial
from tests.faults.kept import LITTLE_BALLAST_BYTES, READER, open_kept, tickets_of

# What a painter would import on its way is imported before it is born.
import sqlalchemy.dialects.sqlite  # noqa: F401  # isort: skip


def say(line: str) -> None:
    """Say one line, whole, from any thread."""
    os.write(1, f"{line}\n".encode())


def paint(order: dict[str, Any]) -> None:
    """Work from step ``step`` of a script on until killed, and say each row once the journal says that it is saved."""
    kept = open_kept(Project.open(Path(order["path"]), reader=READER))
    say(f"open {kept.seq}")
    waiting: queue.SimpleQueue[Ticket] = queue.SimpleQueue()
    tickets_of(kept.project, waiting.put)

    def tell() -> None:
        while True:
            ticket = waiting.get()
            while not ticket.wait(60.0):
                pass
            say(f"saved {ticket.seq}")

    threading.Thread(target=tell, daemon=True).start()
    hand, step = kept.annotator(order["seed"]), order["step"]
    while True:
        hand.step(step)
        step += 1
        # Sometimes the hand is faster than the disk, but a person is never a hundred gestures ahead.
        if step % 3 == 0:
            kept.project.journal.flush()


def take_turns(order: dict[str, Any]) -> None:
    """Open a project whenever nobody else writes it, work a little and close it, ``turns`` times; say how many rows."""
    path, rows, step = Path(order["path"]), 0, 0
    for turn in range(order["turns"]):
        project = _when_free(path)
        kept = open_kept(project)
        assert not kept.case.read_only, kept.case.read_only
        assert kept.case.losses == ()
        tickets, hand = tickets_of(project), kept.annotator(order["seed"])
        for _ in range(1 + turn % 3):
            hand.step(step)
            step += 1
        project.close()
        assert all(ticket.wait(20.0) for ticket in tickets)
        rows += len(tickets)
    say(f"rows {rows}")


def _when_free(path: Path) -> Project:
    while True:
        try:
            return Project.open(path, reader=READER)
        except LockedError:
            os.sched_yield()


_WORK = {
    "paint": paint,
    "trial": disk_trial.run,
    "full": disk_trial.run_full,
    "recorded": disk_trial.run_recorded,
    "turns": take_turns,
}


def main() -> None:
    """Take orders until there are no more."""
    # Failures are what is tried here, thousands of them; what matters is said on standard output.
    logging.disable()
    row_writer.SNAPSHOT_ROWS = 7
    ballast.BALLAST_BYTES, ballast._STEP_BYTES = LITTLE_BALLAST_BYTES, LITTLE_BALLAST_BYTES // 4
    journal.RETRY_S = 0.02
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _WORK[order["what"]](order)
                status = 0
            except BaseException:  # also one that a painter means by leaving; what it was is told, then it has left
                say(f"failed {json.dumps(traceback.format_exc())}")
                raise
            finally:
                # Never back into the loop of its parent.
                os._exit(status)
        say(f"pid {pid}")
        _, status = os.waitpid(pid, 0)
        say(f"dead {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
