"""Labels of one series on pictures of another that lies in the same place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medview.core.geometry import Calibration, Geometry
from medview.core.segmentation import Segment
from medview.workspace.fusion import Fusions, in_one_frame, same_patient
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench


@dataclass(frozen=True, slots=True, eq=False)
class ForeignLabels:
    """Another open case whose labels can be shown on this one.

    Attributes
    ----------
    placed : Geometry
        Where its label grid lies in the frame of reference of the case that is shown.
    """

    case: OpenCase
    placed: Geometry

    def visible_segments(self, layer_id: int) -> list[Segment]:
        """Return the visible segments of a label layer."""
        return [s for s in self.case.labels.segmentation.segments if s.layer_id == layer_id and s.visible]

    @property
    def any_visible(self) -> bool:
        """Whether there is a segment to show."""
        return any(segment.visible for segment in self.case.labels.segmentation.segments)


def foreign_labels(bench: Bench, cases: Mapping[str, OpenCase], case: OpenCase) -> list[ForeignLabels]:
    """Return the open cases whose visible segments are shown on a case: in its frame of reference, or registered to it.

    None while labels, or those of other series, are hidden.
    """
    if not (bench.overlay_visible and bench.foreign_labels_visible):
        return []
    found = []
    for other in cases.values():
        placed = None if other.key == case.key else _placed(bench.fusions, case, other)
        if placed is not None and (one := ForeignLabels(other, placed)).any_visible:
            found.append(one)
    return found


def _placed(fusions: Fusions, case: OpenCase, other: OpenCase) -> Geometry | None:
    here, there = case.volume.geometry, other.labels.segmentation.geometry
    if any(g.calibration is not Calibration.VOLUME for g in (here, there)) or not same_patient(case.series, other.series):
        return None
    over, under = fusions.get(case.key), fusions.get(other.key)
    if over is not None and over.overlay_key == other.key and over.registration is not None:
        return over.registration.place(there)
    if under is not None and under.overlay_key == case.key and under.registration is not None:
        return under.registration.inverse().place(there)
    return there if in_one_frame(here, there) else None
