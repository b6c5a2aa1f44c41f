"""A program that paints until it is killed. It says what it is about to do and what the journal called saved."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from medview.store import row_writer
from medview.store.project import Project
from tests.store.painter import Painter, live_fingerprint


def _say(what: str, seq: int, fingerprint: str) -> None:
    sys.stdout.write(f"{what} {seq} {fingerprint}\n")
    sys.stdout.flush()


def main(path: Path, seed: int) -> None:
    row_writer.SNAPSHOT_ROWS = 9
    rng = np.random.default_rng(seed)
    painter = Painter(Project.open(path))
    while True:
        what = rng.choice(["paint", "paint", "paint", "undo", "redo", "propose"])
        if what == "undo" and painter.done:
            ticket = painter.undo()
        elif what == "redo" and painter.undone:
            ticket = painter.redo()
        elif what == "propose" and not painter.labels.proposals:
            painter.propose(rng.integers(0, 3, (21, 70, 90), dtype=np.uint8))
            continue
        else:
            ticket = painter.scribble(rng, (4, 30, 30))
        _say("made", ticket.seq, live_fingerprint(painter))
        # Sometimes the hand is faster than the disk.
        if rng.random() < 0.6 and ticket.wait(10.0):
            _say("saved", ticket.seq, "")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
