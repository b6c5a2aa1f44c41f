"""One life of a painter on a disk that fails on its Nth write, with everything checked that can be checked from inside."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medview.core.errors import MedViewError
from medview.store.entry import SavedKind, SavedState
from medview.store.project import Project
from tests.faults.faulty_disk import FaultyDisk, Manner
from tests.faults.kept import READER, Kept, open_kept, tickets_of
from tests.helpers.annotating import fingerprint

_PATIENCE_S = 20.0
_PATIENT_STEPS = 2000
_MORE_BYTES = 40_000
_AFTER = 8
"""Gestures made after a fault that is over: one snapshot and more."""


def run(order: dict[str, Any]) -> None:
    """Work through a script while the disk fails at write ``at``; says ``saved N`` for each row and at last ``calls N``.

    Parameters
    ----------
    order : dict
        ``path`` of the project, made anew unless it is there; ``seed`` of the script and how many ``rows`` of it; ``at``,
        ``manner``, ``error`` and ``lasting`` of the fault.
    """
    path, disk = Path(order["path"]), FaultyDisk()
    disk.arm(path.parent, order["at"], Manner(order["manner"]), order["error"], lasting=order["lasting"])
    trial = _Trial(_opened(path, disk), lambda: disk.hits)
    hand = trial.kept.annotator(order["seed"])
    step, wanted = 0, order["rows"]
    while len(trial.tickets) < wanted:
        hand.step(step)
        step += 1
        trial.settle()
        if disk.hits and not order["lasting"]:
            # What comes after is the same in every trial.
            wanted = min(order["rows"], wanted, len(trial.tickets) + _AFTER)
    trial.finish(disk.heal)
    calls, hits = disk.calls, disk.hits
    trial.compare()
    _say(f"calls {calls}")
    _say(f"hits {hits}")


def run_recorded(order: dict[str, Any]) -> None:
    """Work through ``rows`` rows of the script ``seed`` and write down in ``notes`` all that happens to the disk."""
    path, disk = Path(order["path"]), FaultyDisk()
    disk.arm(path, 0, Manner.REFUSED)
    disk.record(Path(order["notes"]))
    trial = _Trial(open_kept(Project.open(path, reader=READER)), lambda: False)
    hand, step = trial.kept.annotator(order["seed"]), 0
    while len(trial.tickets) < order["rows"]:
        hand.step(step)
        step += 1
        trial.settle()
        disk.told(len(trial.tickets))
    trial.finish(lambda: None)


def run_full(order: dict[str, Any]) -> None:
    """Work through a script until the disk is full for good, go on for a while, then make room.

    Parameters
    ----------
    order : dict
        ``path`` of the project, ``seed`` of the script; ``filler``, a file on the same disk that is removed to make room,
        or none to let no file grow further than the database has.
    """
    path, filler = Path(order["path"]), Path(order["filler"]) if order["filler"] else None
    trial = _Trial(open_kept(Project.create(path, reader=READER)), lambda: True)
    hand = trial.kept.annotator(order["seed"])
    if filler is None:
        most = (path / "project.db").stat().st_size + _MORE_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    step = failed_rows = 0
    while failed_rows < _AFTER:
        hand.step(step)
        step += 1
        trial.settle()
        failed_rows = sum(not ticket.saved for ticket in trial.tickets)
        assert step < _PATIENT_STEPS, "the disk never became full"
    saved = len(trial.tickets) - failed_rows
    assert saved > 1
    assert not trial.kept.project.journal.flush(0.2)

    def make_room() -> None:
        if filler is None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        else:
            filler.unlink()

    trial.finish(make_room)
    trial.compare()
    _say(f"full {saved}")


def _opened(path: Path, disk: FaultyDisk) -> Kept:
    """Open a project, or make it; a fault meanwhile is one sentence, and without it everything works."""
    for attempt in range(3):
        project = None
        try:
            there = (path / "project.db").is_file()
            project = Project.open(path, reader=READER) if there else Project.create(path, reader=READER)
            kept = open_kept(project)
            if not kept.case.read_only:
                return kept
            sentence = kept.case.read_only
        except MedViewError as error:
            sentence = error.sentence
        assert disk.hits, f"not opened without any fault: {sentence}"
        assert attempt == 0, f"not opened though the fault is over: {sentence}"
        assert path.name in sentence or "project" in sentence, sentence
        _say(f"refused {sentence}")
        disk.heal()
        if project is not None:
            project.close()
    raise AssertionError("not opened")


class _Trial:
    """Follows what the journal says, and compares it with what is on the disk.

    Parameters
    ----------
    failing : callable
        Whether the disk may have failed by now.
    """

    def __init__(self, kept: Kept, failing: Callable[[], object]) -> None:
        self.kept = kept
        self.tickets = tickets_of(kept.project)
        self._failing = failing
        self._journal = kept.project.journal
        self._said = 0
        self._lies: list[str] = []
        self._journal.saved_changed.connect(self._heard)

    def settle(self) -> None:
        """Wait until the newest row is on the disk, or is said not to be."""
        if not self.tickets:
            return None
        newest = self.tickets[-1]
        for _ in range(int(_PATIENCE_S / 0.002)):
            if newest.wait(0.002):
                break
            if self._journal.state.kind is SavedKind.FAILED and self._failing():
                return self._told_of_failure()
        assert newest.saved, "neither saved nor said to have failed"
        self._tell()
        return None

    def finish(self, heal: Callable[[], object]) -> None:
        """Let the disk work again and close; everything is on it then."""
        heal()
        # One attempt may have begun while the disk still failed.
        assert self._journal.flush(_PATIENCE_S) or self._journal.flush(_PATIENCE_S), self._journal.state
        # A row is on the disk a moment before its ticket says so.
        assert all(ticket.wait(_PATIENCE_S) for ticket in self.tickets)
        self._tell()
        self.kept.project.close()
        assert self._lies == []

    def compare(self) -> None:
        """Open the project again and compare it with what was on the screen."""
        path, last = self.kept.project.path, fingerprint(self.kept.case)
        with Project.open(path, reader=READER) as project:
            again = open_kept(project)
            assert again.case.losses == ()
            assert again.seq == len(self.tickets)
            assert fingerprint(again.case) == last
            report = project.verify()
            assert report.problems == (), report.problems
        left = [p.name for p in path.rglob("*.part")]
        assert left == [], left

    def _told_of_failure(self) -> None:
        state = self._journal.state
        if state.kind is SavedKind.FAILED:
            assert state.waiting > 0
            assert self.kept.project.path.name in state.reason, state.reason
        saved = [ticket.saved for ticket in self.tickets]
        assert saved == sorted(saved, reverse=True), "a later row was saved before an earlier one"
        self._tell()

    def _tell(self) -> None:
        while self._said < len(self.tickets) and self.tickets[self._said].saved:
            self._said += 1
            _say(f"saved {self.tickets[self._said - 1].seq}")

    def _heard(self, state: SavedState) -> None:
        """Called by the writer: when the dot turns green, every row made until now has to be there for anyone to read."""
        if state.kind is not SavedKind.SAVED or state.waiting:
            return
        made = len(self.tickets)
        try:
            database = sqlite3.connect(f"{(self.kept.project.path / 'project.db').as_uri()}?mode=ro", uri=True)
            try:
                rows = database.execute("SELECT count(*) FROM journal").fetchone()[0]
            finally:
                database.close()
        except sqlite3.Error as error:
            self._lies.append(repr(error))
            return
        if rows < made:
            self._lies.append(f"green with {rows} of {made} rows on disk")


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())
