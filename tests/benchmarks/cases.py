"""A large project: its list, the next case while another is open, and a check of every row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from medview.store.project import Project
from tests.benchmarks.row import Row, percentile, timed
from tests.store.many_cases import add_many_cases, add_many_rows

CASES, ROWS = 2000, 100
_NEXT = """
import json, os, sys, tempfile, time
from pathlib import Path
from dataclasses import replace

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
folder = Path(tempfile.mkdtemp())
os.environ["MEDVIEW_DATA"], os.environ["MEDVIEW_CONFIG"] = str(folder / "data"), str(folder / "config")
source = sys.argv[1]

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QApplication
from medview.core.volume import Volume
from medview.gui.app import build_program
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.core.geometry import Geometry
from medview.core.volume import Rescale
from medview.core.reading_status import ReadingStatus
from medview.workspace.new_project import NewProject
import numpy as np

def until(test, seconds=180):
    clock = QElapsedTimer()
    clock.start()
    while not test():
        QApplication.processEvents()
        assert clock.elapsed() < seconds * 1000

places = [Path(source)] if source else []
shape = (300, 512, 512)
voxels = np.random.default_rng(0).integers(0, 2000, shape, dtype=np.int16)
for n in range(4):
    geometry = Geometry.from_spacing(shape, (1.0, 0.7, 0.7), (0, 0, 0))
    volume = Volume(voxels + np.int16(n), geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    write_series(folder / "ct" / str(n), volume, SeriesIdentity("A^B", str(n), seed=str(n)), durable=False)
    places.append(folder / "ct" / str(n))
    if source and n == 0:
        break
if source:
    # The study from outside comes second, so that it is the one that is read ahead.
    places = [places[-1], places[0]]
del voxels, volume
app, program = build_program()
program.workspace.settings = replace(program.workspace.settings, notice_seen=True)
program.show()
program.begin((), demo=False)
workspace = program.workspace
until(lambda: workspace.services.project is not None)
program.switch.make(NewProject(folder / "p.medview", "P", places=tuple(places)))
until(lambda: len(workspace.worklist.rows) == len(places))
found = []
workspace.worklist.open_next()
until(lambda: workspace.active is not None and workspace.active.editable)
for n in range(len(places) - 1):
    before = workspace.active
    opener = workspace.worklist.opener
    until(lambda: opener.at_hand is not None)
    row = workspace.worklist.current
    started = time.perf_counter()
    workspace.worklist.changes.set_status(row, ReadingStatus.DONE)
    workspace.worklist.open_next()
    until(lambda: workspace.active is not before and workspace.active is not None and workspace.active.editable)
    QApplication.processEvents()
    found.append(time.perf_counter() - started)
program.window.close()
print(json.dumps(found))
"""


def next_s(source: str = "") -> list[float]:
    """Return how long going to a case that was read ahead takes, until it can be drawn on."""
    command = [sys.executable, "-c", _NEXT, source]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ})
    return [float(one) for one in json.loads(done.stdout.splitlines()[-1])]


def rows() -> list[Row]:
    what = f"{CASES} cases, {CASES * ROWS} rows"
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "many.medview", reader="Ada") as project:
        began = time.perf_counter()
        add_many_cases(project, CASES)
        added_s = time.perf_counter() - began
        add_many_rows(project, ROWS)
        listed_s = timed(lambda: project.cases(), 5)
        began = time.perf_counter()
        report = project.verify()
        verified_s = time.perf_counter() - began
    assert report.ok, report.problems[:3]
    assert report.rows == CASES * ROWS
    found = [
        Row("cases put on the list", added_s * 1000.0, "ms", None, f"{CASES} of 40 files each"),
        Row("list of cases read", percentile(listed_s, 50), "ms", 1000.0, what),
        Row("large project checked", verified_s * 1000.0, "ms", 60_000.0, what),
        Row("next case, read ahead", percentile(next_s(), 50), "ms", 500.0, "512 x 512 x 300; until it can be drawn on"),
    ]
    chest = Path(os.environ.get("MEDVIEW_TEST_DATA", "")) / "ct-chest"
    if chest.is_dir():
        found.append(Row("next case, read ahead, real CT", percentile(next_s(str(chest)), 50), "ms", 500.0, "ct-chest"))
    return found
