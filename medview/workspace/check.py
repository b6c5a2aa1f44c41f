"""What was found, what was assumed and what is wrong about a series, in plain words, for the Check panel and `check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medview.core.geometry import Calibration, Geometry
from medview.core.plane import letters
from medview.core.spacing import SpacingSource
from medview.core.study import Reason, Series, Verdict, VolumeEntry
from medview.core.volume import pixel_scale
from medview.io.dicom.reasons import Code, ReasonKind, kind_of_reason
from medview.io.dicom.syntaxes import syntax_title

_VERDICTS = {
    Verdict.VOLUME: "A volume: all three axes have millimetres.",
    Verdict.STACK: "A stack: it can be looked at, but distances between slices are not known.",
    Verdict.REFUSED: "Refused: its pixels are stored in a way that is not read.",
}

_QUIET = frozenset(
    {Code.PRIVATE_SCALING, Code.SCALING_VARIES, Code.TIME_POINTS, Code.DUPLICATE_FILE, Code.ULTRASOUND_REGIONS}
)
"""Reasons that change nothing a person would do; the Check panel has them, the chip does not count them."""

_NO_VOLUME = (
    Code.NO_POSITION,
    Code.BAD_ORIENTATION,
    Code.AFFINES_DISAGREE,
    Code.DUPLICATE_POSITION,
    Code.UNEVEN_SPACING,
    Code.MISSING_SLICE,
    Code.SLICES_OUT_OF_LINE,
    Code.LOCALISER,
    Code.NO_SPACING,
)
"""Reasons for which a series has no third dimension, the plainest first; others may stand beside them."""

_SPACING = {
    SpacingSource.PATIENT: "in the patient (PixelSpacing)",
    SpacingSource.CALIBRATED: "in the patient, calibrated by an object of known size",
    SpacingSource.DETECTOR: "at the detector (ImagerPixelSpacing)",
    SpacingSource.ESTIMATED: "by an estimated magnification",
    SpacingSource.FILM: "on the scanned film",
    SpacingSource.ULTRASOUND_REGION: "inside the regions of the ultrasound picture",
    SpacingSource.FILE: "as the file states them",
    SpacingSource.NONE: "",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    Attributes
    ----------
    code : str
        Of ``io.dicom.reasons.Code``, or a word for what was simply found.
    """

    kind: ReasonKind
    code: str
    text: str


def verdict_sentence(entry: VolumeEntry) -> str:
    """Return what the verdict means for a person."""
    if entry.verdict is Verdict.STACK and entry.shape_kji[0] == 1:
        return "A single picture: it can be looked at and has no third dimension."
    return _VERDICTS[entry.verdict]


def why_no_volume(entry: VolumeEntry) -> str:
    """Return the sentence that tells why a series has no planes across its slices; asked of one that has none."""
    told = {reason.code: reason.text for reason in entry.reasons}
    plainest = next((told[code] for code in _NO_VOLUME if code in told), "")
    return plainest or next(iter(told.values()), "The distance between its slices is not known.")


def check(series: Series, entry: VolumeEntry, damaged: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Return everything worth saying about one volume of a series; what deviates within rounding is not.

    Parameters
    ----------
    damaged : sequence of str
        Why slices could not be decoded, one sentence each; known once the volume was read.
    """
    found = [Finding(ReasonKind.FOUND, code, text) for code, text in _found(series, entry) if text]
    told = [Finding(_kind(r, entry), r.code, r.text) for r in entry.reasons if not _repeats(r.code, damaged)]
    broken = [Finding(ReasonKind.WRONG, Code.DAMAGED_SLICE, sentence) for sentence in damaged]
    return (*found, *told, *broken)


def of_kind(findings: Iterable[Finding], kind: ReasonKind) -> tuple[Finding, ...]:
    """Return the findings of one kind, in order."""
    return tuple(finding for finding in findings if finding.kind is kind)


def notable(entry: VolumeEntry) -> int:
    """Return how many reasons of a volume a person should look at before trusting it."""
    return sum(reason.code not in _QUIET and not _alone(reason, entry) for reason in entry.reasons)


def _kind(reason: Reason, entry: VolumeEntry) -> ReasonKind:
    return ReasonKind.FOUND if _alone(reason, entry) else kind_of_reason(reason.code)


def _alone(reason: Reason, entry: VolumeEntry) -> bool:
    # A single picture has no place in a stack to miss: radiographs never state one.
    return reason.code == Code.NO_POSITION and entry.shape_kji[0] == 1


def _repeats(code: str, damaged: Sequence[str]) -> bool:
    # The count of the scan is less than the list of the reader.
    return bool(damaged) and code == Code.DAMAGED_SLICE


def _found(series: Series, entry: VolumeEntry) -> list[tuple[str, str]]:
    return [
        ("IMAGES", _images(series, entry)),
        ("GRID", _grid(entry)),
        ("MILLIMETRES", _millimetres(entry)),
        ("VALUES", _values(series, entry)),
        ("SUV", _suv(entry)),
        ("DISPLAY", _display(entry)),
        ("PADDING", _padding(entry)),
        ("OVERLAYS", _overlays(entry)),
        ("STORAGE", _storage(series)),
    ]


def _images(series: Series, entry: VolumeEntry) -> str:
    k, j, i = entry.shape_kji
    times = f", {entry.time_points} volumes in time" if entry.time_points > 1 else ""
    what = f"{series.modality} " if series.modality else ""
    colour = " in colour" if entry.colour else ""
    if k == 1:
        return f"1 {what}image of {i} \u00d7 {j} pixels{colour}{times}."
    return f"{k} {what}images of {i} \u00d7 {j} pixels{colour}{times}."


def _grid(entry: VolumeEntry) -> str:
    geometry = entry.geometry
    if geometry is None or entry.patient_orientation is not None:
        right, down = entry.patient_orientation or ("", "")
        return f"Columns run to {right}, rows to {down}, as the header states." if right else ""
    if geometry.calibration is not Calibration.VOLUME:
        return ""
    dk, dj, di = geometry.spacing_kji_mm
    size = f"Voxels of {di:.3g} \u00d7 {dj:.3g} \u00d7 {dk:.3g} mm"
    return f"{size}; {_directions(geometry)}; slices ordered by their position in the patient."


def _directions(geometry: Geometry) -> str:
    k, j, i = geometry.directions_kji
    return f"columns run to {letters(i)}, rows to {letters(j)}, slices to {letters(k)}"


def _millimetres(entry: VolumeEntry) -> str:
    scale = pixel_scale(entry.geometry, entry.spacing_source, entry.regions)
    regions = [region for region in entry.regions if region.spacing_ji_mm is not None]
    if entry.regions and regions:
        sizes = sorted({f"{r.spacing_ji_mm[0]:.3g} mm" for r in regions if r.spacing_ji_mm is not None})
        return (
            f"Lengths are in millimetres inside {len(regions)} of {len(entry.regions)} regions: {', '.join(sizes)} a pixel."
        )
    if scale.spacing_ji_mm is None or entry.spacing_source is SpacingSource.NONE:
        return "Lengths are in pixels."
    dj, di = scale.spacing_ji_mm
    return f"A pixel measures {di:.3g} \u00d7 {dj:.3g} mm {_SPACING[entry.spacing_source]}."


def _values(series: Series, entry: VolumeEntry) -> str:
    if entry.colour:
        return ""
    unit = f"in {entry.unit}" if entry.unit else "without a unit"
    if entry.rescale.identity:
        return f"Values are {unit}."
    slope, intercept = entry.rescale.slope, entry.rescale.intercept
    scaled = "stored" if slope == 1.0 else f"stored \u00d7 {slope:g}"
    sign = "\u2212" if intercept < 0 else "+"
    shifted = f" {sign} {abs(intercept):g}" if intercept else ""
    return f"Values are {unit}: {scaled}{shifted}."


def _suv(entry: VolumeEntry) -> str:
    if entry.suv is None or not entry.suv.factors:
        return ""
    kinds = ", ".join(kind.title for kind, _ in entry.suv.factors)
    return f"Standardised uptake is offered: {kinds}{f'; {entry.suv.missing}' if entry.suv.missing else ''}."


def _display(entry: VolumeEntry) -> str:
    parts = []
    if entry.voi_tables:
        parts.append(f"{len(entry.voi_tables)} display {'table' if len(entry.voi_tables) == 1 else 'tables'}")
    if entry.windows:
        parts.append(", ".join(f"window {w.width:g}/{w.center:g} {w.name}".strip() for w in entry.windows[:4]))
    shown = f"The file brings {' and '.join(parts)}." if parts else ""
    return f"{shown} Low values are white.".strip() if entry.inverted else shown


def _padding(entry: VolumeEntry) -> str:
    if entry.padding is None:
        return ""
    low, high = entry.padding
    numbers = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"Stored number {numbers} marks places outside the picture; windows and statistics leave them out."


def _overlays(entry: VolumeEntry) -> str:
    count = sum(frame.overlays for frame in entry.frames)
    if not count:
        return ""
    return f"{count} {'image brings' if count == 1 else 'images bring'} graphics of {'its' if count == 1 else 'their'} own."


def _storage(series: Series) -> str:
    titles = [syntax_title(uid) for uid in series.transfer_syntaxes]
    return f"Stored as {', '.join(titles)}." if titles else ""
