"""The words around a picture."""

from __future__ import annotations

from medview.core.geometry import SHEAR_TOLERANCE, Calibration, Geometry
from medview.core.language import _, in_language
from medview.core.oblique import ObliquePlane, PlaneLayout
from medview.gui.drawing.picture_text import TextLine
from medview.gui.layers.corners import CornerTexts
from medview.gui.panes.corner_lines import Looked, corner_lines
from medview.gui.parts.identity import load_sentence
from medview.gui.parts.theme_tokens import PICTURE_QUIET, PICTURE_TEXT, PICTURE_WARNING
from medview.workspace.check import why_no_volume
from medview.workspace.corners import CORNERS
from medview.workspace.load_state import SliceState
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench


def corner_texts(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> CornerTexts:
    """Return the words for a slice of a case."""
    hidden = bench.identity_hidden
    looked = Looked(case, bench, plane, index, bench.as_read(case.series))
    return CornerTexts(
        **{corner: _lines(corner_lines(looked, corner)) for corner in CORNERS},
        notes=tuple(TextLine(note, PICTURE_WARNING) for note in _notes(case, plane, hidden=hidden)),
        middle=tuple(TextLine(line, PICTURE_WARNING) for line in _instead_of_picture(case, plane, index, hidden=hidden)),
    )


_BURNT_IN = ("US", "SC", "OT", "ES", "XC", "DOC")
"""Modalities whose devices write into the picture."""


def _notes(case: OpenCase, plane: PlaneLayout, *, hidden: bool) -> list[str]:
    notes = []
    geometry = case.volume.geometry
    calibration = geometry.calibration
    scale = case.volume.pixel_scale
    if plane.acquired and scale.regions:
        notes.append(_("Millimetres hold inside the regions of the picture only"))
    elif plane.acquired and scale.note and calibration is not Calibration.PIXELS:
        notes.append(_("Millimetres {note}").format(note=in_language(scale.note)))
    if calibration is Calibration.IN_PLANE and geometry.shape_kji[0] == 1 and plane.acquired:
        pass  # one picture has no distance between slices to miss
    elif calibration is Calibration.IN_PLANE:
        along = _("across the slices") if plane.acquired else _("along the stack")
        notes.append(_("Stack: no millimetres {along}").format(along=along))
    elif calibration is Calibration.PIXELS and not scale.regions:
        notes.append(_("No millimetres: sizes are in pixels"))
    elif _slanting(plane, geometry):
        notes.append(_("Tilted gantry: angles and slanting lengths are not true in this plane."))
    if hidden and plane.acquired and (case.volume.colour or case.series.modality in _BURNT_IN):
        notes.append(_("Text burnt into the picture may still say who it is"))
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
        return [
            _("Slice {index} is damaged").format(index=index + 1),
            "" if hidden else in_language(case.load.reasons.get(index, "")),
        ]
    return [_("Slice {index} is being read").format(index=index + 1)] if state is SliceState.ABSENT else []


def _no_plane(case: OpenCase) -> list[str]:
    """Return why a series has no planes across its slices, or nothing where it has."""
    if case.volume.geometry.calibration is Calibration.VOLUME:
        return []
    if case.volume.geometry.shape_kji[0] == 1:
        return [_("A single picture has no other planes")]
    return [_("Only the pictures themselves can be shown"), in_language(why_no_volume(case.entry))]


def _lines(texts: list[str]) -> tuple[TextLine, ...]:
    return tuple(TextLine(text, PICTURE_TEXT if n == 0 else PICTURE_QUIET) for n, text in enumerate(texts))
