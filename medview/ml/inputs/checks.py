"""Whether a series is like what a model was trained on: what is outside is said with numbers, and stops nobody."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from medview.core.geometry import Geometry
from medview.core.volume import Volume
from medview.ml.inputs.candidate import Candidate
from medview.ml.outputs import Range
from medview.ml.runners.orientation import LETTERS_LPS, Orientation
from medview.ml.spec import InputSpec, ModelSpec

MOST_SAMPLES = 1 << 18
"""Values looked at for the range; they are taken evenly from the volume."""

MIDDLE_PERCENT = (1.0, 99.0)

_ROUNDING = 0.005
"""Part by which a number may lie outside and counts as inside: headers round."""

_STRAIGHT_DEGREES = 30.0
_THICK = 2.0
_STORED = ("Length of the stack", "Height of the slices", "Width of the slices")
_AXES = {"L": "left to right", "R": "left to right", "P": "front to back", "A": "front to back"}


def remarks_on_headers(spec: ModelSpec, channel: int, given: Candidate) -> tuple[str, ...]:
    """Return a sentence for everything the headers state that the model was not made for."""
    wanted, found = spec.input, list[str]()
    geometry = given.geometry
    turn = Orientation.towards(geometry, wanted.orientation, wanted.axes)
    found += _position(wanted, geometry, turn)
    spacing = turn.turned_numbers(geometry.spacing_kji_mm)
    if wanted.checks.spacing_kji_mm is not None:
        found += _outside("spacing", spacing, wanted.checks.spacing_kji_mm, wanted, turn)
    if wanted.checks.extent_kji_mm is not None:
        shape = turn.turned_shape(geometry.shape_kji)
        extent = tuple(n * mm for n, mm in zip(shape, spacing, strict=True))
        found += _outside("extent", extent, wanted.checks.extent_kji_mm, wanted, turn)
    if wanted.body_part and given.body_part and not _is_any(given.body_part, wanted.body_part):
        found.append(f"Body part {given.body_part}; made for {_listed(wanted.body_part)}.")
    if channel == 0:
        found += _made(wanted, given)
    if given.time_points > 1:
        found.append(f"The series holds {given.time_points} time points; one of them is given to the model.")
    return tuple(found)


def remarks_on_values(spec: ModelSpec, channel: int, volume: Volume) -> tuple[str, ...]:
    """Return a sentence where the middle 98 % of the values lie outside what the model was trained on."""
    wanted = spec.input.checks.values
    if wanted is None or channel != 0:
        return ()
    middle = middle_values(volume)
    if middle is None:
        return ("The series holds no values at all.",)
    slack = _ROUNDING * (wanted[1] - wanted[0])
    if middle[0] >= wanted[0] - slack and middle[1] <= wanted[1] + slack:
        return ()
    have, trained = _span(middle, volume.unit), _span(wanted, spec.input.channels[channel].unit)
    return (f"The middle 98 % of the values reach from {have}; trained on {trained}.",)


def middle_values(volume: Volume) -> Range | None:
    """Return the 1st and 99th percentile of the values that belong to the picture; None where there are none."""
    step = max(1, math.ceil((volume.voxels.size / MOST_SAMPLES) ** (1 / 3)))
    seen = volume.seen_values((slice(None, None, step),) * 3)
    if not seen.size:
        return None
    low, high = np.percentile(seen, MIDDLE_PERCENT)
    return float(low), float(high)


def _position(wanted: InputSpec, geometry: Geometry, turn: Orientation) -> Iterator[str]:
    if _as_stored(wanted):
        return
    directions = geometry.directions_kji
    cosines = [
        abs(float(directions[axis] @ np.asarray(LETTERS_LPS[letter])))
        for axis, letter in zip(turn.axes, wanted.orientation or "", strict=True)
    ]
    degrees = math.degrees(math.acos(min(1.0, min(cosines))))
    if degrees > _STRAIGHT_DEGREES:
        yield f"The slices lie {degrees:.0f} degrees off the patient's axes; the model expects them straight."
    dk, dj, di = turn.turned_numbers(geometry.spacing_kji_mm)
    if dk < max(dj, di) / _THICK:
        along = _direction(wanted, 1 if dj > di else 2)
        yield f"The slices were acquired {along}, {max(dj, di):.3g} mm apart; the model looks at another plane."


def _outside(
    what: str, have: Sequence[float], ranges: Sequence[Range], wanted: InputSpec, turn: Orientation
) -> Iterator[str]:
    said: set[str] = set()
    for n, (number, (low, high)) in enumerate(zip(have, ranges, strict=True)):
        if low * (1 - _ROUNDING) <= number <= high * (1 + _ROUNDING):
            continue
        stored = _as_stored(wanted)
        axis = turn.axes[n] if stored else n
        if what == "spacing":
            name = "Slice spacing" if axis == 0 else "Pixel spacing"
        else:
            name = _STORED[axis] if stored else f"Field of view {_direction(wanted, n)}"
        sentence = f"{name} {number:.3g} mm; trained on {_span((low, high))} mm."
        if sentence not in said:
            # Rows and columns alike are one thing to a reader.
            said.add(sentence)
            yield sentence


def _as_stored(wanted: InputSpec) -> bool:
    return wanted.orientation is None


def _direction(wanted: InputSpec, axis: int) -> str:
    return _AXES.get((wanted.orientation or "")[axis], "head to feet")


def _made(wanted: InputSpec, given: Candidate) -> Iterator[str]:
    checks, made = wanted.checks, given.acquisition
    if checks.contrast is True and not made.agent and given.dicom and given.modality:
        yield "The headers name no contrast agent; trained on images with one."
    if checks.contrast is False and made.agent:
        yield f"Contrast agent was given ({made.agent}); trained on images without."
    if checks.kernels and made.kernel and not _is_any(made.kernel, checks.kernels):
        yield f"Reconstruction kernel {made.kernel}; trained on {_listed(checks.kernels)}."


def _is_any(one: str, names: Sequence[str]) -> bool:
    return one.casefold() in {name.casefold() for name in names}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _span(numbers: Range, unit: str = "") -> str:
    return f"{numbers[0]:.4g} to {numbers[1]:.4g} {unit}".rstrip()
