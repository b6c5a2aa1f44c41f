"""Memory after series were opened and closed one after the other."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.row import Row

_CASE = """
import gc, os, tempfile
from pathlib import Path
import numpy as np
from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
folder = Path(tempfile.mkdtemp())
os.environ["MEDVIEW_DATA"], os.environ["MEDVIEW_CONFIG"] = str(folder / "data"), str(folder / "config")
shape = (100, 512, 512)
rng = np.random.default_rng(0)
voxels = rng.integers(0, 2000, shape, dtype=np.int16)
for n in range(10):
    geometry = Geometry.from_spacing(shape, (2.5, 0.7, 0.7), (0, 0, 0))
    volume = Volume(voxels + np.int16(n), geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    write_series(folder / "studies" / str(n), volume, SeriesIdentity("A^B", "1", seed=str(n)), durable=False)
del voxels, volume

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QApplication
from medview.gui.app import build_program

def resident():
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in status if line.startswith(("RssAnon", "RssShmem")))

def until(test, seconds=120):
    clock = QElapsedTimer()
    clock.start()
    while not test():
        QApplication.processEvents()
        assert clock.elapsed() < seconds * 1000

app, program = build_program()
program.workspace.settings = program.workspace.settings.__class__(notice_seen=True)
program.show()
program.begin((), demo=False)
workspace = program.workspace
after = []
for n in range(10):
    program.window.files.open(folder / "studies" / str(n))
    until(lambda: workspace.active is not None and workspace.active.ready)
    for k in range(0, 100, 10):
        workspace.active.view.set_slice(0, k)
        QApplication.processEvents()
    workspace.close_case(workspace.active.key)
    for _ in range(5):
        QApplication.processEvents()
    after.append(resident())
program.close()
size = int(np.prod(shape)) * 2
print((after[-1] - after[1]) / size)
"""


def rows() -> list[Row]:
    done = subprocess.run([sys.executable, "-c", _CASE], check=True, capture_output=True, text=True)
    note = "512 x 512 x 100 each, read, scrolled and closed; growth from the second to the tenth over the size of one"
    return [Row("memory kept after ten series in turn", float(done.stdout.split()[-1]), "x", 0.2, note)]
