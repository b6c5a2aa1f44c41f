"""A group of slices to VolumeEntries: order by position only, affine, verdict and reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.geometry import Calibration, Geometry
from medview.core.study import Frame, Reason, Verdict, VolumeEntry
from medview.io.dicom.group import Group, Slice, by_image_type
from medview.io.dicom.notes import has_millimetres, notes_on, suv_of_all
from medview.io.dicom.plane import SPACING_SOURCES
from medview.io.dicom.reasons import Code
from medview.io.dicom.slice_tolerance import ROUNDING_MM, UNEVEN_FRACTION, across_mm, along_mm
from medview.io.dicom.stored import stored_dtype
from medview.io.dicom.time_axis import seconds_of
from medview.io.dicom.time_points import SAME_PLACE_MM, TimePoints, split_times

FloatArray = npt.NDArray[np.float64]

ROUNDING_FRACTION = 0.01
"""Deviation from an even grid, as a part of the spacing, that is rounding noise of the writer; silent."""
TILT_TOLERANCE = 1e-3
"""Sideways shift per millimetre along the stack that counts as tilt (0.06 degrees)."""
ORIENTATION_SILENT, ORIENTATION_REFUSED = 1e-4, 1e-2
"""Deviation of the direction cosines from length one and right angle that is rounding, and that is unusable."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where sorted slices lie.

    Attributes
    ----------
    verdict : Verdict
    affine_lps : ndarray of float64, shape (4, 4)
    calibration : Calibration
    directions_known : bool
        The directions of the affine are those of the patient.
    """

    verdict: Verdict
    affine_lps: FloatArray
    calibration: Calibration
    reasons: tuple[Reason, ...] = ()
    directions_known: bool = True


def assemble(group: Group) -> list[VolumeEntry]:
    """Return the volumes of a group; more than one when frames are left over."""
    axes, reasons = _axes(group.slices[0])
    reasons = (*group.reasons, *reasons, *notes_on(group.slices))
    if group.slices[0].instance.mosaic:
        reasons = (
            *reasons,
            Reason(
                Code.MOSAIC,
                "Each image is a mosaic of slices that the file does not place; it is shown as it is, without millimetres.",
            ),
        )
        return [_entry(_by_number(group.slices), _stack(group.slices, None, mosaic=True), reasons)]
    if axes is None or any(one.frame.position_lps_mm is None for one in group.slices):
        if axes is not None or not any(r.code == Code.BAD_ORIENTATION for r in reasons):
            alone = "The picture states no position in the patient."
            many = "The images state no position in the patient; they are shown in the order of their numbers."
            text = alone if len(group.slices) == 1 else many
            reasons = (*reasons, Reason(Code.NO_POSITION, text))
        return [_entry(_by_number(group.slices), _stack(group.slices, axes), reasons)]
    normal = np.cross(axes[0], axes[1])
    times = split_times(group.slices, normal)
    kinds = by_image_type(group) if times is None else []
    if len(kinds) > 1:
        return [entry for kind in kinds for entry in assemble(kind)]
    if times is None:
        text = _duplicates_text(group.slices, normal)
        ordered = sorted(group.slices, key=lambda one: (_depth(one, normal), _number(one)))
        return [_entry(ordered, _stack(ordered, axes), (*reasons, Reason(Code.DUPLICATE_POSITION, text)))]
    return _with_times(times, axes, reasons)


def _with_times(times: TimePoints, axes: FloatArray, reasons: tuple[Reason, ...]) -> list[VolumeEntry]:
    first = times.points[0]
    placement = _place(first, axes)
    ordered = [one for point in times.points for one in point]
    reasons = (*reasons, *times.reasons)
    whole = _entry(ordered, placement, reasons, len(times.points))
    entries = [replace(whole, times_s=seconds_of(times.points))]
    if times.leftovers:
        entries.append(_entry(times.leftovers, _stack(times.leftovers, axes), reasons))
    return entries


def _axes(one: Slice) -> tuple[FloatArray | None, tuple[Reason, ...]]:
    """Return unit row and column direction, shape (2, 3), straightened; None when unusable."""
    orientation = one.frame.orientation
    if orientation is None:
        return None, ()
    row, column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    off = max(abs(lengths[0] - 1.0), abs(lengths[1] - 1.0), abs(float(row @ column)))
    if off > ORIENTATION_REFUSED:
        text = "Row and column directions are not at right angles; the images are shown without millimetres between them."
        return None, (Reason(Code.BAD_ORIENTATION, text),)
    row = row / lengths[0]
    column = column - row * float(row @ column)
    column = column / np.linalg.norm(column)
    noted = (
        (Reason(Code.ORIENTATION_ROUNDED, f"Directions in the header were off by {off:.4f} and have been straightened."),)
        if off > ORIENTATION_SILENT
        else ()
    )
    return np.stack([row, column]), noted


def _place(slices: Sequence[Slice], axes: FloatArray) -> Placement:
    """Judge sorted slices at distinct positions."""
    spacing = slices[0].frame.spacing_ji_mm
    if spacing is None or not has_millimetres(slices[0].frame):
        return _stack(slices, axes)
    if len(slices) == 1:
        return _single(slices[0], axes)
    positions = _positions(slices)
    normal = np.cross(axes[0], axes[1])
    count = len(slices)
    step = (positions[-1] - positions[0]) / (count - 1)
    along = positions @ normal
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    missing = _missing(gaps, usual)
    if missing is not None:
        return _stack(slices, axes, missing)
    fitted = positions[0] + np.arange(count)[:, None] * step
    off = positions - fitted
    off_along = float(np.abs(off @ normal).max())
    off_across = float(np.linalg.norm(off - np.outer(off @ normal, normal), axis=1).max())
    spread = float(gaps.max() - gaps.min())
    silent = max(ROUNDING_MM, ROUNDING_FRACTION * usual)
    refused = along_mm(usual)
    if max(spread, off_along) > refused:
        text = f"The distance between slices varies from {gaps.min():.2f} to {gaps.max():.2f} mm."
        return _stack(slices, axes, Reason(Code.UNEVEN_SPACING, text))
    if off_across > across_mm(min(spacing)):
        text = f"Slices are shifted sideways by up to {off_across:.2f} mm against each other."
        return _stack(slices, axes, Reason(Code.SLICES_OUT_OF_LINE, text))
    reasons: list[Reason] = []
    if max(spread, off_along) > silent:
        text = f"The distance between slices varies slightly, from {gaps.min():.3f} to {gaps.max():.3f} mm."
        reasons.append(Reason(Code.UNEVEN_SPACING, text))
    sideways = step - normal * float(step @ normal)
    tilt = float(np.linalg.norm(sideways)) / float(step @ normal)
    if tilt > TILT_TOLERANCE:
        angle = float(np.degrees(np.arctan(tilt)))
        reasons.append(Reason(Code.TILT, f"The slices are tilted by {angle:.1f} degrees; the volume is sheared to match."))
    affine = _affine(step, axes, spacing, positions[0])
    return Placement(Verdict.VOLUME, affine, Calibration.VOLUME, tuple(reasons))


def _missing(gaps: FloatArray, usual: float) -> Reason | None:
    # With few slices the median may be the gap itself; the smallest distance is what a scanner steps.
    smallest = float(gaps.min())
    base = usual if smallest > 0.8 * usual else smallest
    multiples = gaps / base
    whole = np.abs(multiples - np.rint(multiples)) <= UNEVEN_FRACTION * np.rint(multiples)
    if not (whole.all() and (np.rint(multiples) >= 2).any()):
        return None
    at = [int(n) for n in np.flatnonzero(np.rint(multiples) >= 2)]
    lost = int(np.rint(multiples).sum()) - len(gaps)
    where = ", ".join(f"{n + 1} and {n + 2}" for n in at[:3]) + (" and elsewhere" if len(at) > 3 else "")
    noun = "slice is" if lost == 1 else "slices are"
    return Reason(Code.MISSING_SLICE, f"{lost} {noun} missing between slices {where} ({base:.2f} mm apart elsewhere).")


def _single(one: Slice, axes: FloatArray) -> Placement:
    thickness = one.frame.thickness_mm
    if thickness is None:
        reason = Reason(Code.SINGLE_SLICE, "There is one slice and its thickness is not stated.")
        return _stack([one], axes, reason)
    assert one.frame.spacing_ji_mm is not None
    step = np.cross(axes[0], axes[1]) * thickness
    affine = _affine(step, axes, one.frame.spacing_ji_mm, _positions([one])[0])
    reason = Reason(Code.SINGLE_SLICE, f"There is one slice; its thickness of {thickness:g} mm stands for the spacing.")
    return Placement(Verdict.VOLUME, affine, Calibration.VOLUME, (reason,))


def _stack(
    slices: Sequence[Slice], axes: FloatArray | None, reason: Reason | None = None, *, mosaic: bool = False
) -> Placement:
    """Return a placement without millimetres along k: one unit per slice."""
    one = slices[0].frame
    directions_known = axes is not None and not mosaic
    if axes is None:
        axes = np.asarray([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    calibrated = one.spacing_ji_mm is not None and has_millimetres(one) and not mosaic
    spacing = one.spacing_ji_mm if one.spacing_ji_mm is not None else (1.0, 1.0)
    origin = np.asarray(one.position_lps_mm if one.position_lps_mm is not None else (0.0, 0.0, 0.0))
    affine = _affine(np.cross(axes[0], axes[1]), axes, spacing, origin)
    calibration = Calibration.IN_PLANE if calibrated else Calibration.PIXELS
    return Placement(Verdict.STACK, affine, calibration, (reason,) if reason else (), directions_known)


def _affine(step: FloatArray, axes: FloatArray, spacing_ji_mm: tuple[float, float], origin: FloatArray) -> FloatArray:
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = axes[1] * spacing_ji_mm[0]
    affine[:3, 2] = axes[0] * spacing_ji_mm[1]
    affine[:3, 3] = origin
    return affine


def _entry(
    ordered: Sequence[Slice], placement: Placement, reasons: tuple[Reason, ...], time_points: int = 1
) -> VolumeEntry:
    first = ordered[0].instance
    pixels = first.pixels
    shape = (len(ordered) // time_points, pixels.rows, pixels.columns)
    verdict, geometry = placement.verdict, None
    reasons = (*reasons, *placement.reasons, *_damaged(ordered))
    dtype, rescale = stored_dtype(ordered)
    if dtype == "":
        verdict = Verdict.REFUSED
        text = f"Pixels with {pixels.samples} samples of {pixels.bits_allocated} bits ({pixels.photometric}) are not read."
        reasons = (*reasons, Reason(Code.UNSUPPORTED_PIXELS, text))
    else:
        geometry = Geometry(shape, placement.affine_lps, first.frame_of_reference_uid, placement.calibration)
    middle = ordered[(len(ordered) // time_points) // 2]
    return VolumeEntry(
        verdict=verdict,
        reasons=_unique(reasons),
        geometry=geometry,
        shape_kji=shape,
        frames=tuple(_frame(one, dtype) for one in ordered),
        spacing_kji_mm=_spacing_kji(geometry, verdict),
        unit=first.unit,
        colour=pixels.colour,
        dtype=dtype or "uint8",
        time_points=time_points,
        rescale=rescale,
        windows=middle.frame.windows,
        inverted=first.inverted,
        voi_tables=middle.frame.voi_tables,
        padding=_padding(ordered, dtype),
        spacing_source=SPACING_SOURCES[ordered[0].frame.spacing_source],
        regions=first.regions,
        patient_orientation=None if placement.directions_known else first.patient_orientation,
        suv=suv_of_all(ordered),
        frame_rate_hz=first.frame_rate_hz,
    )


def _frame(one: Slice, dtype: str) -> Frame:
    instance, pixels = one.instance, one.instance.pixels
    if pixels.offset < 0 or dtype == "float32":
        return Frame(instance.path, one.frame.number, instance.sop_instance_uid, overlays=instance.overlays)
    size = pixels.rows * pixels.columns * pixels.bits_allocated // 8
    bits = 0 if pixels.bits_stored == pixels.bits_allocated else pixels.bits_stored
    offset = pixels.offset + one.frame.number * size
    uid, overlays = instance.sop_instance_uid, instance.overlays
    return Frame(instance.path, one.frame.number, uid, offset, pixels.raw_dtype, bits, overlays)


def _padding(ordered: Sequence[Slice], dtype: str) -> tuple[float, float] | None:
    """Return the padding all slices agree on. Voxels that are values no longer hold the stored number it stands for."""
    found = {one.instance.padding for one in ordered}
    as_values = dtype == "float32" and ordered[0].instance.pixels.kind == "int"
    return None if as_values or len(found) != 1 else found.pop()


def _spacing_kji(geometry: Geometry | None, verdict: Verdict) -> tuple[float | None, float | None, float | None]:
    if geometry is None or geometry.calibration is Calibration.PIXELS:
        return None, None, None
    dk, dj, di = (round(d, 9) for d in geometry.spacing_kji_mm)
    return (dk if verdict is Verdict.VOLUME else None), dj, di


def _damaged(slices: Sequence[Slice]) -> tuple[Reason, ...]:
    count = sum(bool(one.instance.problem) for one in slices)
    noun = "slice is" if count == 1 else "slices are"
    found = [Reason(Code.DAMAGED_SLICE, f"{count} {noun} damaged; the others are shown.")] if count else []
    if any(one.instance.more_pixels for one in slices):
        shown = "all are shown" if slices[0].frame.position_lps_mm is None else "only the declared ones are shown"
        found.append(Reason(Code.EXCESS_PIXELS, f"Files hold more images than they declare; {shown}."))
    return tuple(found)


def _duplicates_text(slices: Sequence[Slice], normal: FloatArray) -> str:
    places = Counter(round(_depth(one, normal) / SAME_PLACE_MM) for one in slices)
    return f"{len(slices)} images lie at {len(places)} positions and nothing in the headers tells them apart evenly."


def _by_number(slices: Sequence[Slice]) -> list[Slice]:
    return sorted(slices, key=_number)


def _number(one: Slice) -> tuple[float, str, int]:
    number = one.instance.instance_number
    return (number if number is not None else 2**62, one.instance.sop_instance_uid, one.frame.number)


def _depth(one: Slice, normal: FloatArray) -> float:
    return float(np.asarray(one.frame.position_lps_mm) @ normal)


def _positions(slices: Sequence[Slice]) -> FloatArray:
    return np.asarray([one.frame.position_lps_mm for one in slices], dtype=np.float64)


def _unique(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))
