"""Several images at one position: a 4-D series is found, never guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.study import Reason
from medview.io.dicom.group import Slice
from medview.io.dicom.reasons import Code

SAME_PLACE_MM = 0.01
"""Positions closer than this along the normal are one position."""
SAME_PLACE_ACROSS_MM = 0.1
"""Sideways shift that two images at one position may have."""


@dataclass(frozen=True, slots=True)
class TimePoints:
    """Slices sorted along the normal, one list per time point, all of the same length and positions."""

    points: tuple[tuple[Slice, ...], ...]
    leftovers: tuple[Slice, ...] = ()
    reasons: tuple[Reason, ...] = ()


def split_times(slices: Sequence[Slice], normal: npt.NDArray[np.float64]) -> TimePoints | None:
    """Return one list of slices per time point; None when images share positions and nothing tells them apart evenly."""
    places = _places(slices, normal)
    if places is None:
        return None
    if all(len(place) == 1 for place in places):
        return TimePoints((tuple(place[0] for place in places),))
    for name, key in _candidates(slices):
        found = _partition(places, key, by_value=name in _VALUES_IN_TIME)
        if found is not None:
            return _told(found, name)
    for name, key in _candidates(slices):
        if "ImageType" in name:
            continue  # other kinds of images are no incomplete time point
        found = _partition(places, key, by_value=name in _VALUES_IN_TIME, incomplete=True)
        if found is not None:
            return _told(found, name)
    return _by_instance_number(places)


def _places(slices: Sequence[Slice], normal: npt.NDArray[np.float64]) -> list[list[Slice]] | None:
    """Return the slices at each position in order; None when images at one depth are shifted sideways."""
    positions = np.asarray([one.frame.position_lps_mm for one in slices], dtype=np.float64)
    along = positions @ normal
    order = sorted(range(len(slices)), key=lambda n: (along[n], _steady(slices[n])))
    places: list[list[int]] = []
    for n in order:
        if places and along[n] - along[places[-1][0]] <= SAME_PLACE_MM:
            if np.abs(positions[n] - positions[places[-1][0]]).max() > SAME_PLACE_ACROSS_MM:
                return None
            places[-1].append(n)
        else:
            places.append([n])
    return [[slices[n] for n in place] for place in places]


_VALUES_IN_TIME = frozenset(
    {
        "TemporalPositionIdentifier",
        "TemporalPositionIndex",
        "TemporalPositionTimeOffset",
        "DimensionIndexValues",
        "TriggerTime",
        "FrameReferenceTime",
        "NominalCardiacTriggerDelayTime",
        "EchoTime",
        "EffectiveEchoTime",
        "EchoNumbers",
        "InversionTime",
        "AcquisitionNumber",
        "FrameAcquisitionNumber",
        "AcquisitionTime",
        "AcquisitionDateTime",
        "ContentTime",
        "FrameAcquisitionDateTime",
    }
)
"""Attributes whose values have an order of their own; volumes told apart by others stay in the order they were numbered."""

_CLOCKS = ("ContentTime", "AcquisitionTime", "AcquisitionDateTime", "FrameAcquisitionDateTime")
"""They run on from image to image, whatever else tells these apart."""

Key = Callable[[Slice], object]


def _candidates(slices: Sequence[Slice]) -> list[tuple[str, Key]]:
    """Return what may tell images at one position apart: single attributes that vary, then all of them together."""
    names: dict[str, set[object]] = {}
    for one in slices:
        for name, value in one.frame.keys:
            names.setdefault(name, set()).add(value)
    varying = [name for name, values in names.items() if len(values) > 1]
    candidates = [(name, _key_of((name,))) for name in varying]
    steady = [name for name in varying if name not in _CLOCKS]
    if len(steady) > 1:
        candidates.append((" and ".join(steady), _key_of(tuple(steady))))
    return candidates


def _key_of(names: tuple[str, ...]) -> Key:
    def key(one: Slice) -> object:
        own = dict(one.frame.keys)
        return tuple(own.get(name, ()) for name in names)

    return key


def _partition(places: list[list[Slice]], key: Key, *, by_value: bool, incomplete: bool = False) -> TimePoints | None:
    """Return one time point per value of ``key`` when every value occurs exactly once at every position.

    With ``incomplete``, values that miss positions are left over, provided most are complete.
    """
    points: dict[object, list[Slice]] = {}
    for place in places:
        values = [key(one) for one in place]
        if len(set(values)) != len(values):
            return None
        for value, one in zip(values, place, strict=True):
            points.setdefault(value, []).append(one)
    complete = [value for value, members in points.items() if len(members) == len(places)]
    if not complete or (len(complete) < len(points) and (not incomplete or len(complete) * 2 < len(points))):
        return None
    ordered = sorted(complete, key=_sortable if by_value else lambda value: min(_numbered(one) for one in points[value]))
    left = tuple(one for value in points if value not in set(complete) for one in points[value])
    return TimePoints(tuple(tuple(points[value]) for value in ordered), left)


def _by_instance_number(places: list[list[Slice]]) -> TimePoints | None:
    counts = {len(place) for place in places}
    if len(counts) != 1:
        return _by_turns(places)
    ranked = [sorted(place, key=_numbered) for place in places]
    if any(one.instance.instance_number is None for place in ranked for one in place):
        return None
    if any(len({(one.instance.instance_number, one.frame.number) for one in place}) < len(place) for place in ranked):
        # Numbers that repeat put no order into single slices; files that hold every position are still apart.
        return _by_file(places)
    points = tuple(tuple(place[n] for place in ranked) for n in range(counts.pop()))
    text = f"Every position holds {len(points)} images; only their numbers tell them apart."
    return TimePoints(points, (), (Reason(Code.TIME_BY_INSTANCE_NUMBER, text),))


def _by_turns(places: list[list[Slice]]) -> TimePoints | None:
    """Return the complete volumes of a series that was broken off, when its numbers, from one, visibly count in turns.

    Either all positions are counted before a number returns to the first, or all times of one position before the next.
    """
    numbers = [[one.instance.instance_number or 0 for one in place] for place in places]
    if min(map(min, numbers)) != 1 or any(one.frame.number for place in places for one in place):
        return None
    positions, times = len(places), max(map(len, places))
    by_position = all(len({(n - 1) % positions for n in own}) == 1 for own in numbers)
    if not by_position and not all(len({(n - 1) // times for n in own}) == 1 for own in numbers):
        return None

    def turn(one: Slice) -> object:
        before = (one.instance.instance_number or 0) - 1
        return before // positions if by_position else before % times

    found = _partition(places, turn, by_value=True, incomplete=True)
    if found is None:
        return None
    text = f"Only the numbers of the images tell {len(found.points)} volumes apart."
    told = _told(found, "their numbers")
    reasons = (Reason(Code.TIME_BY_INSTANCE_NUMBER, text), *(r for r in told.reasons if r.code != Code.TIME_POINTS))
    return TimePoints(found.points, found.leftovers, reasons)


def _by_file(places: list[list[Slice]]) -> TimePoints | None:
    found = _partition(places, lambda one: one.instance.sop_instance_uid, by_value=False)
    if found is None:
        return None
    text = f"Every position holds {len(found.points)} images; only the files they are in tell them apart."
    return TimePoints(found.points, (), (Reason(Code.TIME_BY_INSTANCE_NUMBER, text),))


def _told(found: TimePoints, name: str) -> TimePoints:
    reasons = []
    if len(found.points) > 1:
        reasons.append(Reason(Code.TIME_POINTS, f"The series holds {len(found.points)} volumes, told apart by {name}."))
    if found.leftovers:
        text = f"{len(found.leftovers)} images of an incomplete volume are shown apart."
        reasons.append(Reason(Code.INCOMPLETE_TIME_POINT, text))
    return TimePoints(found.points, found.leftovers, tuple(reasons))


def _sortable(value: object) -> tuple[tuple[int, float, str], ...]:
    """Return a key that sorts numbers as numbers and texts behind them."""
    flat: list[tuple[int, float, str]] = []

    def walk(part: object) -> None:
        if isinstance(part, tuple):
            for inner in part:
                walk(inner)
        elif isinstance(part, (int, float)):
            flat.append((0, float(part), ""))
        else:
            flat.append((1, 0.0, str(part)))

    walk(value)
    return tuple(flat)


def _numbered(one: Slice) -> tuple[int, str, int]:
    return (one.instance.instance_number or 0, one.instance.sop_instance_uid, one.frame.number)


def _steady(one: Slice) -> tuple[int, str, int, str]:
    number = one.instance.instance_number
    return (number if number is not None else 2**62, one.instance.sop_instance_uid, one.frame.number, one.instance.path)
