"""Memory of an open 512 x 512 x 400 CT with labels in every slice, a painted history and a proposal."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks.row import Row

_CASE = """
from pathlib import Path

import numpy as np

from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from tests.helpers.strokes import stroke_patch
from medview.workspace.operations import labels
from medview.core.geometry import Geometry
from tests.gui.cases import make_case

def resident():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise SystemExit("no memory figures here")

before = resident()
voxels = np.random.default_rng(0).integers(-1000, 1000, (400, 512, 512), dtype=np.int16)
case = make_case(Geometry.from_spacing(voxels.shape, (1.0, 0.7, 0.7)), voxels)
volume = voxels.nbytes
mask = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
mask[:, 100:400, 60:450] = 1
mask[50:300, 200:260, 200:260] = 2
segments = (PredictedSegment(1, "Lung", (1, 2, 3)), PredictedSegment(2, "Nodule", (4, 5, 6)))
source = Source(SourceKind.MODEL, "organs", "1.0.0", "", "job")
prediction = Prediction("segmentation", "Organs", source, case.volume.geometry, mask=PredictedMask.trimmed(mask, segments))
del mask
labels.propose(case, Proposal("p", prediction, case.labels.revision))
labels.accept(case, "p")
del prediction
rng = np.random.default_rng(2)
for _ in range(200):
    segment = case.labels.segmentation.segments[0]
    gesture = case.gesture("brush")
    at = rng.uniform((20, 60, 60), (380, 450, 450))
    patch = stroke_patch(case.labels.segmentation, segment, at, at + 5, radius_mm=12.0)
    if patch is not None:
        gesture.apply(patch)
    gesture.commit("Brush")
print((resident() - before) / volume)
"""


def rows() -> list[Row]:
    done = subprocess.run([sys.executable, "-c", _CASE], check=True, capture_output=True, text=True)
    note = "512 x 512 x 400 with labels, an accepted proposal and 200 strokes; resident memory over that of the program"
    return [Row("memory of an open case over its voxels", float(done.stdout), "x", 2.5, note)]
