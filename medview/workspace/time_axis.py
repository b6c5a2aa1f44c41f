"""Where an open series stands in time: among the time points of a 4-D series, or the frames of a loop."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.language import _
from medview.core.study import Verdict
from medview.workspace.open_case import OpenCase
from medview.workspace.time_points import TimePoint


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """What time is counted in.

    Attributes
    ----------
    name : str
        ``Time``, ``Time point`` or ``Frame``.
    unit : str
        ``s``, or empty for a count.
    values : tuple of float
        One per time point or frame: seconds from the first, or the count from 1.
    """

    name: str
    unit: str
    values: tuple[float, ...]


def is_loop(case: OpenCase) -> bool:
    """Whether the slices are frames taken one after the other: several images of one file that lie nowhere."""
    entry = case.entry
    one_file = len({frame.path for frame in entry.frames}) == 1 and len(entry.frames) == entry.shape_kji[0] > 1
    return entry.time_points == 1 and entry.verdict is Verdict.STACK and one_file


def axis_of(case: OpenCase) -> TimeAxis | None:
    """Return the time axis of a case; None where nothing in it follows in time."""
    entry = case.entry
    if entry.time_points > 1:
        if len(entry.times_s) == entry.time_points:
            return TimeAxis(_("Time"), "s", entry.times_s)
        return TimeAxis(_("Time point"), "", tuple(float(n + 1) for n in range(entry.time_points)))
    if not is_loop(case):
        return None
    count = entry.shape_kji[0]
    if entry.frame_rate_hz > 0.0:
        return TimeAxis(_("Time"), "s", tuple(n / entry.frame_rate_hz for n in range(count)))
    return TimeAxis(_("Frame"), "", tuple(float(n + 1) for n in range(count)))


def stands_at(case: OpenCase) -> int:
    """Return which time point, or frame of a loop, is shown."""
    return case.view.time_index if case.entry.time_points > 1 else case.view.crosshair_kji[0]


def go_to(case: OpenCase, index: int) -> bool:
    """Show a time point or frame, the nearest that is read; False when it is another one than was asked for."""
    if case.entry.time_points == 1:
        case.view.set_slice(0, min(max(index, 0), case.entry.shape_kji[0] - 1))
        return True
    shown = min(max(index, 0), len(case.times) - 1)
    case.view.time_index = shown
    return shown == index


def take_time(case: OpenCase, time: TimePoint) -> None:
    """Take in the next time point of a case that was read."""
    case.times.append(time)
    case.load_changed.emit()


def time_text(case: OpenCase) -> str:
    """Return which time is shown, ``Time 3/10, 4.2 s``; empty for a series without time points."""
    count, at = case.entry.time_points, case.view.time_index
    if count < 2:
        return ""
    times_s = case.entry.times_s
    seconds = f", {seconds_text(times_s[at])}" if at < len(times_s) else ""
    return _("Time {at}/{count}{seconds}").format(at=at + 1, count=count, seconds=seconds)


def seconds_text(seconds: float) -> str:
    """Return seconds with as many digits as they have room for: a heartbeat in hundredths, a perfusion in tenths."""
    return f"{seconds:.1f} s" if seconds == 0.0 or abs(seconds) >= 2.0 else f"{seconds:.2f} s"
