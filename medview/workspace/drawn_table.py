"""Boxes, points and lines as a table with coordinates, for a file."""

from __future__ import annotations

from collections.abc import Sequence

from medview.core.annotations import BoxAnnotation, Drawn
from medview.core.geometry import Calibration
from medview.workspace.drawn import middle_kji, where
from medview.workspace.open_case import OpenCase

COLUMNS = (
    "id", "label", "kind", "slice", "min_k", "min_j", "min_i", "max_k", "max_j", "max_i", "middle_x_lps_mm",
    "middle_y_lps_mm", "middle_z_lps_mm", "size_1_mm", "size_2_mm", "size_3_mm", "length_mm", "points", "score", "source",
    "visible", "created_utc",
)  # fmt: skip
"""Names of the columns; one for every attribute follows, ``attribute: NAME``. Bounds are half-open, at voxel edges."""


def sheet_rows(case: OpenCase, some: Sequence[Drawn]) -> list[list[str]]:
    """Return the table, the names of its columns first; millimetres are empty where the series has none."""
    names = list(dict.fromkeys(attribute.name for one in some for attribute in one.attributes))
    rows = [[*COLUMNS, *(f"attribute: {name}" for name in names)]]
    for one in some:
        values = {attribute.name: attribute.words for attribute in one.attributes}
        rows.append([*_row(case, one), *(values.get(name, "") for name in names)])
    return rows


def _row(case: OpenCase, one: Drawn) -> list[str]:
    geometry = case.volume.geometry
    in_mm = geometry.calibration is Calibration.VOLUME
    box = one if isinstance(one, BoxAnnotation) else None
    bounds = [""] * 6 if box is None else [f"{n:.4f}" for side in box.bounds_kji(geometry) for n in side]
    middle = geometry.point_lps_mm(middle_kji(case, one))
    sizes = [f"{n:.4f}" for n in box.size_mm()] if box is not None and in_mm else [""] * 3
    trace = one if not isinstance(one, BoxAnnotation) else None
    return [
        one.annotation_id,
        one.label,
        (trace.kind.value if trace is not None else "box_3d" if box is not None and box.flat_edge is None else "box"),
        where(case, one),
        *bounds,
        *(f"{n:.4f}" if in_mm else "" for n in middle),
        *sizes,
        f"{trace.length_mm():.4f}" if trace is not None and in_mm else "",
        "" if trace is None else str(len(trace.points_lps_mm)),
        "" if box is None or box.score is None else f"{box.score:.6g}",
        one.source.title,
        "yes" if one.visible else "no",
        one.source.created_utc,
    ]
