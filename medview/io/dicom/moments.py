"""Dates and times of DICOM headers (PS3.5 6.2, DA and TM)."""

from __future__ import annotations

import re
from datetime import datetime

_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")


def moment(date: str, time: str) -> datetime | None:
    """Return date and time as one, or None when either is absent or none. Old ones are ``2004.01.31`` and ``13:05:07``."""
    day = date.strip().replace(".", "")
    found = _TIME.fullmatch(time.strip())
    if len(day) != 8 or not day.isdigit() or found is None:
        return None
    hour, minute, second, fraction = found.groups()
    seconds = min(int(second or 0), 59)
    try:
        # Without a zone: both ends of an interval come from the same clock, whose zone is rarely stated.
        return datetime(
            int(day[:4]),
            int(day[4:6]),
            int(day[6:]),
            int(hour),
            int(minute or 0),
            seconds,
            int((fraction or "0").ljust(6, "0")),
        )
    except ValueError:
        return None
