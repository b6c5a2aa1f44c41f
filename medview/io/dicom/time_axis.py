"""When each volume of a 4-D series was taken, in seconds from the first, where the headers say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

from medview.io.dicom.group import Slice
from medview.io.dicom.moments import moment

_DAY_S = 86400.0
_ROUND_DIGITS = 6
"""Finer than any header; hides the rounding of the subtraction."""

Value = float | str


def seconds_of(points: Sequence[Sequence[Slice]]) -> tuple[float, ...]:
    """Return the beginning of each time point in seconds from the first; empty where the headers do not say.

    An attribute counts only when every slice states it and it grows from each time point to the next: many scanners write
    the time the series began into all of its images. Volumes of an echo planar series without such an attribute are one
    repetition time apart.

    Parameters
    ----------
    points : sequence of sequence of Slice
        Slices of each time point, in the order of the time points.
    """
    if len(points) < 2:
        return ()
    for keyword, read in _CLOCKS:
        found = _starts(points, keyword, read)
        if found:
            return found
    interval_s = points[0][0].instance.volume_interval_s
    if interval_s > 0.0 and all(_same(points, keyword) for keyword in _OTHER_IMAGES):
        return tuple(round(n * interval_s, _ROUND_DIGITS) for n in range(len(points)))
    return ()


def _starts(
    points: Sequence[Sequence[Slice]], keyword: str, read: Callable[[Value], tuple[float, float] | None]
) -> tuple[float, ...]:
    starts: list[float] = []
    first: float | None = None
    for point in points:
        own: list[float] = []
        for one in point:
            stated = dict(one.frame.keys).get(keyword, ())
            value = stated[0] if stated else None
            found = read(value) if isinstance(value, (int, float, str)) else None
            if found is None:
                return ()
            second, period = found
            first = second if first is None else first
            own.append(_wrapped(second - first, period))
        starts.append(min(own))
    if any(later <= earlier for earlier, later in pairwise(starts)):
        return ()
    return tuple(round(start - starts[0], _ROUND_DIGITS) for start in starts)


def _wrapped(apart_s: float, period_s: float) -> float:
    """Return a difference of times of day as the nearest one: a series may run over midnight."""
    return apart_s if period_s == 0.0 else (apart_s + period_s / 2) % period_s - period_s / 2


def _same(points: Sequence[Sequence[Slice]], keyword: str) -> bool:
    return len({dict(point[0].frame.keys).get(keyword, ()) for point in points}) == 1


def _seconds(value: Value) -> tuple[float, float] | None:
    return (value, 0.0) if isinstance(value, (int, float)) else None


def _milliseconds(value: Value) -> tuple[float, float] | None:
    return (value / 1000.0, 0.0) if isinstance(value, (int, float)) else None


def _time_of_day(value: Value) -> tuple[float, float] | None:
    # Numbers lose the zeros in front: half past nine in the morning is 93000.0 there.
    text = f"{value:013.6f}" if isinstance(value, (int, float)) else value
    found = moment("20000101", text)
    if found is None:
        return None
    return found.hour * 3600.0 + found.minute * 60.0 + found.second + found.microsecond / 1e6, _DAY_S


def _date_and_time(value: Value) -> tuple[float, float] | None:
    text = f"{value:.3f}" if isinstance(value, (int, float)) else value
    text = text.split("+")[0].split("-")[0]
    found = moment(text[:8], text[8:])
    return None if found is None else ((found - _EPOCH).total_seconds(), 0.0)


_EPOCH = datetime(2000, 1, 1)

_CLOCKS: tuple[tuple[str, Callable[[Value], tuple[float, float] | None]], ...] = (
    ("TemporalPositionTimeOffset", _seconds),
    ("FrameReferenceTime", _milliseconds),
    ("TriggerTime", _milliseconds),
    ("NominalCardiacTriggerDelayTime", _milliseconds),
    ("FrameAcquisitionDateTime", _date_and_time),
    ("AcquisitionDateTime", _date_and_time),
    ("AcquisitionTime", _time_of_day),
)
"""Attribute -> (seconds, length of the circle they run in or 0), the most deliberate statement first."""

_OTHER_IMAGES = ("EchoTime", "EchoNumbers", "EffectiveEchoTime", "InversionTime", "ImageType", "FrameType")
"""What differs between images of one repetition, which then are not one after the other."""
