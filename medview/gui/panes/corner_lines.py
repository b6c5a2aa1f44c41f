"""The lines that can stand in the corners of a picture, by id, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from medview.analysis.reslice import layer_offsets_mm
from medview.core.geometry import Calibration, Geometry
from medview.core.language import _, in_language
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import NORMAL_LPS, letters
from medview.core.slab import Slab, SlabMode
from medview.core.study import Series
from medview.core.suv import SuvKind
from medview.core.voi_table import VoiTable
from medview.core.window import Window
from medview.gui.parts.identity import series_description
from medview.io.dicom.names import person_name
from medview.io.dicom.syntaxes import ALWAYS_LOSSY
from medview.workspace.corners import IDENTITY, CornerLines
from medview.workspace.open_case import OpenCase
from medview.workspace.time_axis import time_text
from medview.workspace.view_state import Bench

_MINUS = "\u2212"
_STRAIGHT_DEGREES = 0.05
_SEXES = {"F": _("Female"), "M": _("Male"), "O": _("Other sex")}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a pane looks at.

    Attributes
    ----------
    series : Series
        With its texts as they are to be read.
    """

    case: OpenCase
    bench: Bench
    plane: PlaneLayout
    index: float
    series: Series


def corner_lines(looked: Looked, corner: str) -> list[str]:
    """Return the lines of one corner; in place of all lines that tell who the patient is, one that says they are hidden."""
    wanted: CornerLines = looked.bench.corners
    if not looked.bench.identity_hidden:
        return [text for line_id in wanted.lines(corner) for text in _MAKERS[line_id](looked) if text]
    order = [line_id for c in CornerLines.__dataclass_fields__ for line_id in wanted.lines(c) if line_id in IDENTITY]
    found: list[str] = []
    for line_id in wanted.lines(corner):
        if line_id not in IDENTITY:
            found += [text for text in _MAKERS[line_id](looked) if text]
        elif line_id == order[0]:
            found.append(_("Identity hidden"))
    return found


def iso_date(dicom_date: str) -> str:
    """Return ``20041231`` as ``2004-12-31``; anything else unchanged."""
    if len(dicom_date) == 8 and dicom_date.isdigit():
        return f"{dicom_date[:4]}-{dicom_date[4:6]}-{dicom_date[6:]}"
    return dicom_date


def clock(dicom_time: str) -> str:
    """Return ``140322`` as ``14:03:22``; anything else unchanged."""
    if len(dicom_time) == 6 and dicom_time.isdigit():
        return f"{dicom_time[:2]}:{dicom_time[2:4]}:{dicom_time[4:]}"
    return dicom_time


def slice_position(plane: PlaneLayout, geometry: Geometry, index: float) -> str:
    """Return where a slice lies along its own direction, e.g. ``H 152.5 mm``; empty without millimetres there."""
    stacked = geometry.calibration is Calibration.IN_PLANE and plane.acquired
    if geometry.calibration is Calibration.PIXELS or stacked:
        return ""
    rows, columns = plane.screen_shape(geometry)
    middle = geometry.point_lps_mm(plane.index_kji(geometry, index, (rows - 1) / 2, (columns - 1) / 2))
    across = plane.normal_lps if isinstance(plane, ObliquePlane) else geometry.directions_kji[plane.normal_axis]
    normal = np.asarray(across)
    along_mm = float(middle @ normal)
    direction = normal if along_mm >= 0 else -normal
    return f"{letters(direction)[:1]} {abs(along_mm):.1f} mm"


def _name(looked: Looked) -> list[str]:
    return [person_name(looked.series.patient_name)]


def _id(looked: Looked) -> list[str]:
    # Anonymised series often repeat the one in the other; where the name stands it is enough.
    repeated = looked.series.patient_id == person_name(looked.series.patient_name)
    return [] if repeated and looked.bench.corners.corner_of("patient.name") else [looked.series.patient_id]


def _birth(looked: Looked) -> list[str]:
    date = iso_date(looked.case.headings.birth_date)
    return [_("Born {date}").format(date=date)] if date else []


def _sex(looked: Looked) -> list[str]:
    sex = looked.case.headings.sex
    return [_SEXES.get(sex, sex)]


def _study_date(looked: Looked) -> list[str]:
    return [iso_date(looked.series.study_date)]


def _time(looked: Looked) -> list[str]:
    acquired = clock(looked.case.headings.acquired)
    return [_("Acquired {acquired}").format(acquired=acquired)] if acquired else []


def _study(looked: Looked) -> list[str]:
    return [looked.series.study_description]


def _series_number(looked: Looked) -> list[str]:
    number = (
        ""
        if looked.series.series_number is None
        else _("series {series_number}").format(series_number=looked.series.series_number)
    )
    return [f"{looked.series.modality} {number}".strip()]


def _series(looked: Looked) -> list[str]:
    return [series_description(looked.series, hidden=looked.bench.identity_hidden)]


def _technique(looked: Looked) -> list[str]:
    return [", ".join(looked.case.headings.technique)]


def _slice(looked: Looked) -> list[str]:
    plane, geometry = looked.plane, looked.case.volume.geometry
    # Without directions in the patient no plane is axial.
    name = plane.plane.title if _placed(looked) else _("Image") if plane.acquired else _("Across the images")
    if isinstance(plane, ObliquePlane):
        return [f"{name}, {_tilt(plane, geometry)}"]
    return [f"{name} {int(looked.index) + 1}/{plane.count(geometry)}"]


def _tilt(plane: ObliquePlane, geometry: Geometry) -> str:
    """Return how far a plane is from the patient's own."""
    cosine = abs(float(np.asarray(plane.normal_lps) @ np.asarray(NORMAL_LPS[plane.plane], dtype=np.float64)))
    degrees = float(np.degrees(np.arccos(min(1.0, cosine))))
    return _("of the patient") if degrees < _STRAIGHT_DEGREES else _("{degrees:.0f}° oblique").format(degrees=degrees)


def _moment(looked: Looked) -> list[str]:
    return [time_text(looked.case)]


def _position(looked: Looked) -> list[str]:
    return [slice_position(looked.plane, looked.case.volume.geometry, looked.index) if _placed(looked) else ""]


def _spacing(looked: Looked) -> list[str]:
    if isinstance(looked.plane, ObliquePlane):
        return [_("Interpolated, {pixel_mm:.2f} mm").format(pixel_mm=looked.plane.pixel_mm)]
    spacing_mm = looked.case.volume.geometry.spacing_kji_mm[looked.plane.normal_axis]
    return [_("Spacing {spacing_mm:.2f} mm").format(spacing_mm=spacing_mm)] if _position(looked)[0] else []


def _thickness(looked: Looked) -> list[str]:
    thickness_mm = looked.case.headings.thickness_mm
    # Across the acquired slices a slice is as thick as a voxel, which is the spacing.
    if thickness_mm is None or not 0.0 < thickness_mm < 1e4 or not looked.plane.acquired:
        return []
    return [_("Thickness {thickness_mm:.2f} mm").format(thickness_mm=thickness_mm)]


def _slab(looked: Looked) -> list[str]:
    return [slab_text(looked.case, looked.plane, looked.index, looked.bench.slab)]


def slab_text(case: OpenCase, plane: PlaneLayout, index: float, slab: Slab) -> str:
    """Return what a slab shows, by its true thickness; why there is none where it was asked for in vain."""
    if slab.mode is SlabMode.OFF or case.volume.colour:
        return ""
    if case.volume.geometry.calibration is not Calibration.VOLUME:
        return _("No slab: the distance between slices is not known")
    if isinstance(plane, ObliquePlane):
        layers = layer_offsets_mm(case.volume, plane.grid(case.volume.geometry, index), slab)
        thick = len(layers) * (float(layers[1] - layers[0]) if len(layers) > 1 else plane.step_mm)
        return _("{title} {thick:.1f} mm ({count} layers)").format(title=slab.mode.title, thick=thick, count=len(layers))
    count = len(slab.slices(plane, case.volume.geometry, int(index)))
    return _("{title} {spacing_mm:.1f} mm ({count} slices)").format(
        title=slab.mode.title, spacing_mm=count * plane.spacing_mm(case.volume.geometry), count=count
    )


def _lossy(looked: Looked) -> list[str]:
    headings = looked.case.headings
    if not headings.lossy and not ALWAYS_LOSSY.intersection(looked.series.transfer_syntaxes):
        return []
    return [_("Lossy {lossy_ratio:.3g}:1").format(lossy_ratio=headings.lossy_ratio) if headings.lossy_ratio else _("Lossy")]


def _window(looked: Looked) -> list[str]:
    case = looked.case
    if case.volume.colour:
        return []
    window = case.view.window
    if isinstance(window, VoiTable):
        return [in_language(window.name) or _("Table of the file")]
    return [in_language(window.name), _window_text(case, window)]


def _zoom(looked: Looked) -> list[str]:
    camera = looked.case.view.cameras[looked.plane.plane]
    if camera.actual:
        return [_("Zoom 1:1") if camera.zoom == 1.0 else _("Zoom {zoom:.2f}:1").format(zoom=camera.zoom)]
    return [_("Zoom {zoom:.0f} %").format(zoom=100 * camera.zoom)]


def _placed(looked: Looked) -> bool:
    return looked.case.volume.patient_orientation is None


def _window_text(case: OpenCase, window: Window) -> str:
    """Return width and level; for a PET with uptake the range of it, since nobody knows becquerels by heart."""
    if _suv_factor(case) is None:
        return f"W {number(window.width)}  L {number(window.center)}"
    low, high = window_ends(case)
    return _("{low} to {high}").format(low=low, high=high)


def window_ends(case: OpenCase, *, as_stored: bool = False) -> tuple[str, str]:
    """Return the values shown darkest and brightest with their unit; of a PET with uptake as that.

    Parameters
    ----------
    as_stored : bool
        The lowest value first, whether or not black and white are inverted.
    """
    window, factor = case.view.window, _suv_factor(case)
    low, high = window.center - window.width / 2, window.center + window.width / 2
    if factor is not None:
        ends, unit = (f"{low * factor:.1f}", f"{high * factor:.1f}"), SuvKind.BODY_WEIGHT.title
    else:
        ends, unit = (number(low), number(high)), case.volume.unit
    first, last = reversed(ends) if case.view.inverted != case.volume.inverted and not as_stored else ends
    return first.replace("-", _MINUS), f"{last} {unit}".strip().replace("-", _MINUS)


def _suv_factor(case: OpenCase) -> float | None:
    return case.volume.suv.factor(SuvKind.BODY_WEIGHT) if case.volume.suv is not None else None


def number(value: float) -> str:
    """Return a window's width or centre with as many digits as it needs."""
    digits = 0 if abs(value) >= 20 or float(value).is_integer() else 2 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f}".replace("-", _MINUS)


_MAKERS: Mapping[str, Callable[[Looked], list[str]]] = {
    "patient.name": _name,
    "patient.id": _id,
    "patient.birth_date": _birth,
    "patient.sex": _sex,
    "study.date": _study_date,
    "time": _time,
    "study.description": _study,
    "series.number": _series_number,
    "series.description": _series,
    "technique": _technique,
    "slice": _slice,
    "moment": _moment,
    "position": _position,
    "spacing": _spacing,
    "thickness": _thickness,
    "slab": _slab,
    "lossy": _lossy,
    "window": _window,
    "zoom": _zoom,
}
"""Every line of ``corners.LINES``; a line that has nothing to say is left out."""
