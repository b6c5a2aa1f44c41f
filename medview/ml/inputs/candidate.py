"""A series as something a model may be given."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.acquisition import Acquisition
from medview.core.geometry import Geometry
from medview.core.study import Series, Verdict, VolumeEntry


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """What is known of a series before its voxels are read.

    Attributes
    ----------
    key : str
        Tells candidates apart.
    dicom : bool
        Headers say more than a grid; a NIfTI or NRRD file says nothing of modality, unit or contrast.
    time_points : int
        Volumes at one place; a model is given the first.
    """

    key: str
    series_uid: str
    study_uid: str
    description: str
    modality: str
    unit: str
    body_part: str
    geometry: Geometry
    acquisition: Acquisition = Acquisition()
    colour: bool = False
    dicom: bool = True
    time_points: int = 1


def candidate_of(key: str, series: Series, entry: VolumeEntry) -> Candidate | None:
    """Return a volume that was found as a candidate; None where it cannot be read."""
    if entry.geometry is None or entry.verdict is Verdict.REFUSED:
        return None
    return Candidate(
        key,
        series.series_uid,
        series.study_uid,
        series.description,
        series.modality,
        entry.unit,
        series.body_part,
        entry.geometry,
        series.acquisition,
        entry.colour,
        bool(entry.dicom_paths) or not entry.frames,
        entry.time_points,
    )
