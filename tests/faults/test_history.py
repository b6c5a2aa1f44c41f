"""Any work with undo and redo in between: undo gives back the bytes that were there, and the project says the same."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from medview.store import row_writer
from medview.store.project import Project
from tests.faults.kept import READER, Kept, open_kept
from tests.helpers.annotating import content, counted_anew, fingerprint

GESTURES = 200
SEEDS = int(os.environ.get("MEDVIEW_HISTORIES", "3"))
LOOKED_AT_EVERY = 50
"""Gestures between two looks into the project."""


class _Witness:
    """Knows what the case was before each gesture that can be undone, and before each undo that can be done again."""

    def __init__(self, kept: Kept) -> None:
        self._case = kept.case
        self._now = content(kept.case.labels, proposals=False)
        self._before: list[str] = []
        self._undone: list[str] = []

    def saw(self, kind: str) -> None:
        """Compare the case with what it was."""
        # Proposals come and are replaced by themselves; what a person did to one that is gone is taken back without it.
        earlier, self._now = self._now, content(self._case.labels, proposals=False)
        if kind == "note":
            assert self._now == earlier
        elif kind == "undo":
            self._undone.append(earlier)
            assert self._now == self._before.pop()
        elif kind == "redo":
            self._before.append(earlier)
            assert self._now == self._undone.pop()
        else:
            self._before.append(earlier)
            self._undone.clear()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_undo_gives_back_the_bytes_before_and_the_project_says_what_is_on_the_screen(
    seed: int, quick_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_writer, "SNAPSHOT_ROWS", 31)
    path = quick_disk / "history.medview"
    with Project.create(path, reader=READER) as project:
        kept = open_kept(project)
        assert not kept.case.read_only
        witness, kinds = _Witness(kept), list[str]()
        record = kept.case.record
        assert record is not None
        kept.case.record = lambda step: (kinds.append(step.kind), record(step))[1]
        hand, number = kept.annotator(seed), 0
        done: Counter[str] = Counter()
        while len(kinds) < GESTURES:
            known = len(kinds)
            what = hand.step(number)
            number += 1
            assert len(kinds) <= known + 1
            if len(kinds) == known:
                continue
            done[what] += 1
            witness.saw(kinds[-1])
            if len(kinds) % LOOKED_AT_EVERY == 0:
                assert counted_anew(kept.case.labels.segmentation)
                assert project.journal.flush()
                with Project.open(path, read_only=True) as beside:
                    read = beside.load_reading(kept.stored.reading_id or 0)
                assert read.losses == []
                assert content(read.labels) == content(kept.case.labels)
                assert counted_anew(read.labels.segmentation)
                assert tuple(command.name for command in read.undo) == kept.case.history.names
                assert tuple(command.name for command in reversed(read.redo)) == kept.case.history.undone_names
        assert min(done["undo"], done["redo"], done["brush"], len(done) - 10) > 0, done
        last = fingerprint(kept.case)
    with Project.open(path, reader=READER) as project:
        again = open_kept(project)
        assert again.case.losses == ()
        assert fingerprint(again.case) == last
        assert counted_anew(again.case.labels.segmentation)
        assert project.verify().problems == ()
        # Everything ever done can be taken back, to the first gesture, and the case is as empty as it was.
        while again.case.undo() is not None:
            pass
        labels = again.case.labels
        assert not any(layer.voxels.any() for layer in labels.segmentation.layers.values())
        assert (labels.segmentation.segments, labels.annotations) == ([], {})
