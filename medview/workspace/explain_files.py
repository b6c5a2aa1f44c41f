"""Explanations as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from medview.analysis.onto_grid import onto_grid
from medview.core.errors import ModelError
from medview.core.explanation import Explanation
from medview.core.geometry import Calibration, Geometry
from medview.core.heat import LEVELS, Heat
from medview.core.job import JobContext
from medview.core.prediction import Prediction
from medview.core.volume import Rescale, Volume
from medview.io.nifti import write_volume
from medview.ml.explain_request import ExplainRequest, explainable
from medview.ml.predict import PredictRequest

HEAT_FILE = "heat.nii.gz"


def check_class(request: PredictRequest, class_name: str) -> None:
    """Raise ModelError where a model has no class of this name that can be explained."""
    spec, names = request.pack.spec, explainable(request.pack.spec)
    if not names:
        raise ModelError(f"{spec.name} gives masks, which show by themselves where it looked; only scores are explained.")
    if class_name not in names:
        raise ModelError(f"{spec.name} has no class {class_name}; it has {', '.join(names)}.")


def request_for(request: PredictRequest, prediction: Prediction, class_name: str, method: str) -> ExplainRequest | None:
    """Return the request that explains a class of a result, of a detector its best box; None where it found none."""
    boxes = [box for box in prediction.boxes if box.label == class_name]
    if prediction.task == "detection" and not boxes:
        return None
    best = max(boxes, key=lambda box: box.score or 0.0, default=None)
    return ExplainRequest(request, class_name, method, best)


def heat_on_grid(heat: Heat, geometry: Geometry, context: JobContext) -> Volume:
    """Return a heat map on the grid of a series, float32; 0 where it says nothing."""
    scale = (heat.high - heat.low) / LEVELS
    given = Volume(heat.levels, heat.geometry, rescale=Rescale(scale, heat.low))
    # Both grids are counted in the voxels of one series, so its millimetres may mean anything, or nothing.
    placed, target = (replace(one, calibration=Calibration.VOLUME) for one in (heat.geometry, geometry))
    found = onto_grid(given, placed, target, context).volume
    values = np.array(found.voxels, dtype=np.float32)
    values[found.is_padding(found.voxels)] = 0.0
    return replace(found, voxels=np.maximum(values, 0.0), geometry=geometry, padding=None)


def write_heat(explanation: Explanation, geometry: Geometry, folder: Path, context: JobContext) -> dict[str, object]:
    """Write heat.nii.gz on the grid of the series, and return what summary.json says of it."""
    write_volume(folder / HEAT_FILE, heat_on_grid(explanation.heat, geometry, context), unplaced=True)
    check = explanation.check
    return {
        "class": explanation.class_name,
        "method": explanation.method,
        "file": HEAT_FILE,
        "seconds": round(explanation.seconds, 3),
        "deletion": {
            "score": check.before,
            "parts": list(check.parts),
            "without_hottest": list(check.hottest),
            "without_others": list(check.random),
            "advantage": check.advantage,
            "holds": check.holds,
        },
    }
