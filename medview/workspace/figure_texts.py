"""What was measured of segments, in words and as tables."""

from __future__ import annotations

from collections.abc import Sequence

from medview.analysis.extent import Extent
from medview.analysis.measures import Quantity
from medview.analysis.segment_figures import Component, SegmentFigures, Statistics, volume_ml
from medview.core.geometry import Geometry
from medview.core.language import _, plural
from medview.core.segmentation import Segment
from medview.core.source import SourceKind
from medview.core.suv import SuvKind
from medview.core.volume import Volume
from medview.workspace.measuring import quantity_text
from medview.workspace.open_case import OpenCase


def source_text(segment: Segment) -> str:
    """Return who made a segment, and whether a person changed it since."""
    source = segment.source
    made = {
        SourceKind.HAND: _("By hand"),
        SourceKind.IMPORT: _("Imported"),
        SourceKind.READER: _("Labels of {name}").format(name=source.model_id),
        SourceKind.MODEL: _("Model {name}").format(name=f"{source.model_id} {source.model_version}".strip()),
    }[source.kind]
    return _("{made}, corrected by hand").format(made=made) if source.corrected else made


def size_text(case: OpenCase, segment: Segment) -> str:
    """Return how large a segment is now, from the kept counts: ``12.3 mL``, voxels where there are no millilitres."""
    voxels = case.labels.segmentation.count(segment)
    if segment.absent:
        return _("absent")
    return voxels_text(voxels, case.volume.geometry) if voxels else ""


def voxels_text(voxels: int, geometry: Geometry) -> str:
    """Return so many voxels in millilitres with three figures, or counted where the grid has no millilitres."""
    ml = volume_ml(voxels, geometry)
    if ml is None:
        return plural("{n} voxel", "{n} voxels", voxels).format(n=voxels)
    if ml >= 100:
        return f"{ml:.0f} mL"
    return f"{ml:.1f} mL" if ml >= 10 else f"{ml:.2f} mL" if ml >= 0.1 else f"{ml:.3f} mL"


def extent_text(extent: Extent | None) -> str:
    """Return long and short axis: ``34.5 x 21.2 mm``."""
    return "" if extent is None else f"{extent.long:.1f} \u00d7 {extent.short:.1f} {extent.unit}"


def mean_text(value: float | None, volume: Volume) -> str:
    """Return a mean in the unit of the volume; uptake of a PET volume that carries its factor."""
    return "" if value is None else quantity_text(Quantity("mean", value * _factor(volume), _unit(volume)))


def statistics_text(found: Statistics | None, volume: Volume) -> str:
    """Return mean, spread and range: ``45 HU, SD 12, -20 to 130``."""
    if found is None:
        return ""
    mean, spread, low, high = (
        quantity_text(Quantity("", value * _factor(volume), _unit(volume)))
        for value in (found.mean, found.sd, found.low, found.high)
    )
    return _("mean {mean}, SD {spread}, {low} to {high}").format(
        mean=mean, spread=spread.split(" ")[0], low=low.split(" ")[0], high=high.split(" ")[0]
    )


def values_hint(case: OpenCase, segment: Segment) -> str:
    """Return which voxels of a segment its values are of."""
    box = case.labels.segmentation.box(segment)
    if box is not None and any(box.min_kji[0] <= k < box.max_kji[0] for k in case.anchor.load.damaged):
        return _("Values of its voxels, padding and slices that could not be read left out")
    return _("Values of its voxels, padding left out")


def component_cells(component: Component, volume: Volume) -> tuple[str, str, str, str]:
    """Return number, size, axes (without their unit) and mean of one piece as they stand in the list."""
    extent = component.extent
    return (
        str(component.number),
        voxels_text(component.voxels, volume.geometry),
        f"{extent.long:.1f} \u00d7 {extent.short:.1f}",
        mean_text(component.mean, volume),
    )


def component_table(segment: Segment, figures: SegmentFigures, volume: Volume) -> str:
    """Return the pieces of a segment as a table with tabs: what a spreadsheet takes from the clipboard.

    The centre is in patient millimetres (LPS).
    """
    rows: list[tuple[str, ...]] = [
        (_("Segment"), _("Number"), _("Volume"), _("Unit"), _("Long axis"), _("Short axis"), _("Unit"), _("Mean"),
         _("Unit"), "x", "y", "z")
    ]  # fmt: skip
    for one in figures.components:
        ml = volume_ml(one.voxels, volume.geometry)
        size = (f"{ml:.6g}", "mL") if ml is not None else (str(one.voxels), _("voxels"))
        axes = (f"{one.extent.long:.2f}", f"{one.extent.short:.2f}", one.extent.unit)
        mean = "" if one.mean is None else f"{one.mean * _factor(volume):.6g}"
        centre = (f"{x:.2f}" for x in volume.geometry.point_lps_mm(one.centre_kji))
        rows.append((segment.name, str(one.number), *size, *axes, mean, _unit(volume), *centre))
    return _lines(rows)


SEGMENT_COLUMNS = (
    _("Segment"),
    _("Group"),
    _("Status"),
    _("Source"),
    _("Size"),
    _("Pieces"),
    _("Long axis"),
    _("Short axis"),
    _("Mean"),
    _("SD"),
    _("Lowest"),
    _("Highest"),
)
"""Headings of ``segment_cells``."""


def segment_cells(case: OpenCase, segment: Segment) -> tuple[str, ...]:
    """Return everything told of a segment, one text for each of SEGMENT_COLUMNS; empty where nothing is known yet."""
    volume = case.anchor.volume
    figures = case.figures.current(case.labels.segmentation, segment)
    extent = figures.extent if figures is not None else None
    told = figures.statistics if figures is not None else None
    values = (told.mean, told.sd, told.low, told.high) if told is not None else ()
    lengths = (extent.long, extent.short) if extent is not None else ()
    return (
        segment.name,
        segment.group,
        status_text(segment),
        source_text(segment),
        size_text(case, segment),
        str(figures.component_count) if figures is not None else "",
        *(f"{length:.1f} {extent.unit}" for length in lengths if extent is not None),
        *([""] * (2 - len(lengths))),
        *(mean_text(value, volume) for value in values),
        *([""] * (4 - len(values))),
    )


def segment_table(case: OpenCase) -> str:
    """Return all segments as a table with tabs."""
    return _lines([SEGMENT_COLUMNS, *(segment_cells(case, segment) for segment in case.labels.segmentation.segments)])


def status_text(segment: Segment) -> str:
    """Return how far somebody is with a segment."""
    return STATUS_TEXTS[segment.status.value]


STATUS_TEXTS = {"to do": _("To do"), "in work": _("In work"), "done": _("Done"), "flagged": _("Flagged")}
"""Words for each status, by its value."""


def _factor(volume: Volume) -> float:
    factor = volume.suv.factor(SuvKind.BODY_WEIGHT) if volume.suv is not None else None
    return 1.0 if factor is None else factor


def _unit(volume: Volume) -> str:
    known = volume.suv is not None and volume.suv.factor(SuvKind.BODY_WEIGHT) is not None
    return SuvKind.BODY_WEIGHT.unit if known else volume.unit


def _lines(rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row) for row in rows) + "\n"
