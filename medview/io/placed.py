"""Images without a place in the patient, and formats that always claim one."""

from __future__ import annotations

from pathlib import Path

from medview.core.errors import WriteError
from medview.core.geometry import Calibration, Geometry


def refuse_unplaced(path: Path, geometry: Geometry, form: str) -> None:
    """Raise WriteError when images state no positions along all axes: ``form`` would claim some, and show them mirrored."""
    if geometry.calibration is Calibration.VOLUME:
        return
    stacked = geometry.calibration is Calibration.IN_PLANE and geometry.shape_kji[0] > 1
    missing = "no millimetres along the stack" if stacked else "no position in the patient"
    raise WriteError(
        f"{path.name} was not written: the images state {missing}, which {form} would claim; keep them as DICOM, or save "
        "single pictures with `medview render`."
    )


def unplaced_note(geometry: Geometry, name: str) -> str:
    """Return what the person has to know about a label map of images without positions; empty where they have some."""
    if geometry.calibration is Calibration.VOLUME:
        return ""
    return f"{name} claims no place in the patient, as the images state none; use it voxel by voxel."
