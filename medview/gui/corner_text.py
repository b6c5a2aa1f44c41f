"""The words around a picture."""

from __future__ import annotations

import numpy as np

from medview.analysis.reslice import layer_offsets_mm
from medview.core.geometry import SHEAR_TOLERANCE, Calibration, Geometry
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.core.plane import NORMAL_LPS, letters
from medview.core.slab import Slab, SlabMode
from medview.core.study import Series
from medview.core.suv import SuvKind
from medview.core.voi_table import VoiTable
from medview.core.window import Window
from medview.gui.identity import load_sentence, series_description
from medview.gui.layers.corners import CornerTexts
from medview.gui.picture_text import TextLine
from medview.gui.theme_tokens import PICTURE_QUIET, PICTURE_TEXT, PICTURE_WARNING
from medview.io.dicom.names import person_name
from medview.workspace.load_state import SliceState
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench

_STRAIGHT_DEGREES = 0.05

_MINUS = "\u2212"


def corner_texts(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> CornerTexts:
    """Return the words for a slice of a case."""
    hidden = bench.identity_hidden
    shown = bench.as_read(case.series)
    return CornerTexts(
        top_left=_lines(_patient(shown, hidden=hidden)),
        top_right=_lines(_study(shown, hidden=hidden)),
        bottom_left=_lines(_slice(case, plane, index, bench.slab)),
        bottom_right=_lines(_window(case, plane)),
        notes=tuple(TextLine(note, PICTURE_WARNING) for note in _notes(case, plane, hidden=hidden)),
        middle=tuple(TextLine(line, PICTURE_WARNING) for line in _instead_of_picture(case, plane, index, hidden=hidden)),
    )


def iso_date(dicom_date: str) -> str:
    """Return ``20041231`` as ``2004-12-31``; anything else unchanged."""
    if len(dicom_date) == 8 and dicom_date.isdigit():
        return f"{dicom_date[:4]}-{dicom_date[4:6]}-{dicom_date[6:]}"
    return dicom_date


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


def _patient(series: Series, *, hidden: bool) -> list[str]:
    if hidden:
        return ["Identity hidden"]
    name = person_name(series.patient_name)
    # Anonymised series often repeat the one in the other.
    return [name, series.patient_id if series.patient_id != name else "", iso_date(series.study_date)]


def _study(series: Series, *, hidden: bool) -> list[str]:
    description = series_description(series, hidden=hidden)
    number = "" if series.series_number is None else f"{series.series_number}: "
    described = f"{number}{description}" if description else number.rstrip(": ")
    return [series.study_description, f"{series.modality} {described}".strip()]


def _slice(case: OpenCase, plane: PlaneLayout, index: float, slab: Slab) -> list[str]:
    geometry = case.volume.geometry
    placed = case.volume.patient_orientation is None
    # Without directions in the patient no plane is axial.
    name = plane.plane.value.capitalize() if placed else "Image" if plane.acquired else "Across the images"
    position = slice_position(plane, geometry, index) if placed else ""
    if isinstance(plane, ObliquePlane):
        sampled = f"Interpolated, {plane.pixel_mm:.2f} mm pixels"
        return [f"{name}, {_tilt(plane, geometry)}", position, sampled, slab_text(case, plane, index, slab)]
    title = f"{name} {int(index) + 1}/{plane.count(geometry)}"
    spacing = f"Spacing {geometry.spacing_kji_mm[plane.normal_axis]:.2f} mm" if position else ""
    return [title, position, spacing, slab_text(case, plane, index, slab)]


def _tilt(plane: ObliquePlane, geometry: Geometry) -> str:
    """Return how far a plane is from the patient's own."""
    cosine = abs(float(np.asarray(plane.normal_lps) @ np.asarray(NORMAL_LPS[plane.plane], dtype=np.float64)))
    degrees = float(np.degrees(np.arccos(min(1.0, cosine))))
    return "of the patient" if degrees < _STRAIGHT_DEGREES else f"{degrees:.0f}\u00b0 oblique"


def slab_text(case: OpenCase, plane: PlaneLayout, index: float, slab: Slab) -> str:
    """Return what a slab shows, by its true thickness; why there is none where it was asked for in vain."""
    if slab.mode is SlabMode.OFF or case.volume.colour:
        return ""
    if case.volume.geometry.calibration is not Calibration.VOLUME:
        return "No slab: the distance between slices is not known"
    if isinstance(plane, ObliquePlane):
        layers = layer_offsets_mm(case.volume, plane.grid(case.volume.geometry, index), slab)
        thick = len(layers) * (float(layers[1] - layers[0]) if len(layers) > 1 else plane.step_mm)
        return f"{slab.mode.title} {thick:.1f} mm ({len(layers)} layers)"
    count = len(slab.slices(plane, case.volume.geometry, int(index)))
    return f"{slab.mode.title} {count * plane.spacing_mm(case.volume.geometry):.1f} mm ({count} slices)"


def _window(case: OpenCase, plane: PlaneLayout) -> list[str]:
    zoom = f"Zoom {100 * case.view.cameras[plane.plane].zoom:.0f} %"
    if case.volume.colour:
        return [zoom]
    window = case.view.window
    if isinstance(window, VoiTable):
        return [window.name or "Table of the file", zoom]
    return [window.name, _window_text(case, window), zoom]


def _window_text(case: OpenCase, window: Window) -> str:
    """Return width and level; for a PET with uptake the range of it, since nobody knows becquerels by heart."""
    if _suv_factor(case) is None:
        return f"W {number(window.width)}  L {number(window.center)}"
    low, high = window_ends(case)
    return f"{low} to {high}"


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


def _notes(case: OpenCase, plane: PlaneLayout, *, hidden: bool) -> list[str]:
    notes = []
    geometry = case.volume.geometry
    calibration = geometry.calibration
    scale = case.volume.pixel_scale
    if plane.acquired and scale.regions:
        notes.append("Millimetres hold inside the regions of the picture only")
    elif plane.acquired and scale.note and calibration is not Calibration.PIXELS:
        notes.append(f"Millimetres {scale.note}")
    if calibration is Calibration.IN_PLANE and geometry.shape_kji[0] == 1 and plane.acquired:
        pass  # one picture has no distance between slices to miss
    elif calibration is Calibration.IN_PLANE:
        along = "across the slices" if plane.acquired else "along the stack"
        notes.append(f"Stack: no millimetres {along}")
    elif calibration is Calibration.PIXELS and not scale.regions:
        notes.append("No millimetres: sizes are in pixels")
    elif _slanting(plane, geometry):
        notes.append("Tilted gantry: angles and slanting lengths are not true in this plane.")
    sentence = load_sentence(case.load, hidden=hidden)
    if sentence:
        notes.append(sentence)
    return notes


def _slanting(plane: PlaneLayout, geometry: Geometry) -> bool:
    """Whether the rows and columns of a slice, drawn at right angles, are not at right angles in the patient."""
    if isinstance(plane, ObliquePlane):
        return False
    down, right = (geometry.directions_kji[axis] for axis in (plane.row_axis, plane.column_axis))
    return abs(float(down @ right)) > SHEAR_TOLERANCE


def _instead_of_picture(case: OpenCase, plane: PlaneLayout, at: float, *, hidden: bool) -> list[str]:
    if not plane.acquired:
        return _no_plane(case)
    index = int(at)
    state = case.load.state(index)
    if state is SliceState.DAMAGED:
        return [f"Slice {index + 1} is damaged", "" if hidden else case.load.reasons.get(index, "")]
    return [f"Slice {index + 1} is being read"] if state is SliceState.ABSENT else []


def _no_plane(case: OpenCase) -> list[str]:
    """Return why a series has no planes across its slices, or nothing where it has."""
    if case.volume.geometry.calibration is Calibration.VOLUME:
        return []
    if case.volume.geometry.shape_kji[0] == 1:
        return ["A single picture has no other planes"]
    why = next((reason.text for reason in case.entry.reasons), "The distance between its slices is not known.")
    return ["Only the pictures themselves can be shown", why]


def _lines(texts: list[str]) -> tuple[TextLine, ...]:
    shown = [text for text in texts if text]
    return tuple(TextLine(text, PICTURE_TEXT if n == 0 else PICTURE_QUIET) for n, text in enumerate(shown))
