"""A power cut at any moment, with any of the writes that were not flushed lost or torn: what was called saved is there.

``MEDVIEW_POWER_CUTS`` says how many are tried.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from medview.store.project import Project
from tests.faults.faulty_disk import built
from tests.faults.kept import READER, Mirror
from tests.faults.painters import painters, reopened
from tests.faults.power_cut import Disk, build, read_notes

CUTS = int(os.environ.get("MEDVIEW_POWER_CUTS", "25"))
SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "5"))
ROWS = 60


@pytest.mark.timeout(0)
def test_whatever_a_power_cut_leaves_holds_everything_that_was_called_saved(quick_disk: Path, tmp_path: Path) -> None:
    path, notes_file = quick_disk / "power.medview", tmp_path / "notes"
    Project.create(path, reader=READER).close()
    before = shutil.copytree(path, tmp_path / "before")
    with painters(LD_PRELOAD=str(built(tmp_path))) as at_work:
        order = {"what": "recorded", "path": str(path), "seed": SEED, "rows": ROWS, "notes": str(notes_file)}
        life = at_work.live(order)
    assert not life.failed, life.failed
    notes, mirror, rng = read_notes(notes_file, path), Mirror(SEED), np.random.default_rng(SEED)
    assert {note.kind for note in notes} == set("WCSNDRUT")
    cuts = sorted(int(n) for n in rng.integers(0, len(notes) + 1, CUTS))
    disk, told, done = Disk(before), 0, 0
    for number, cut in enumerate(cuts):
        for note in notes[done:cut]:
            disk.follow(note)
            told = note.at if note.kind == "T" else told
        done = cut
        left = quick_disk / f"cut{number}.medview"
        build(left, disk.left(rng))
        try:
            reopened(left, mirror, told)
        except AssertionError as lost:
            raise AssertionError(f"cut {number} of seed {SEED}, after {cut} of {len(notes)} notes: {lost}") from lost
        shutil.rmtree(left)
    assert told > ROWS / 3
