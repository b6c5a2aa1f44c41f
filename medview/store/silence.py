"""Whether the writer of a project is still heard of, judged by one clock only: this computer's monotonic one."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from medview.store.clock import Clock, SystemClock
from medview.store.holder import FILE_NAME, Holder, read_holder

SILENT_AFTER_S = 120.0
"""A holder whose signs of life have not changed for this long is taken to be gone."""

SILENT_SOONER_S = 20.0
"""Enough watching where the file with the signs of life is already ``SILENT_AFTER_S`` older than a file made now."""


class Silence:
    """Watches the signs of life in a project's ``lock.json``.

    Neither the times written into it nor this computer's date are compared: both may be wrong, or be set while one looks.
    What counts is whether anything changes from look to look.

    Parameters
    ----------
    folder : Path
        Of the project.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self._heard: tuple[str, int, str, int] | None = None
        self._heard_at_s = self._clock.monotonic_s()

    def look(self) -> Holder | None:
        """Return the present holder, noting whether it gave a sign of life since the last look."""
        holder = read_holder(self._folder)
        # Older programs do not count their beats, but write the time of each; on a full disk only the file's time moves.
        heard = None if holder is None else (holder.token, holder.beats, holder.heartbeat_utc, self._touched)
        if heard != self._heard:
            self._heard = heard
            self._heard_at_s = self._clock.monotonic_s()
        return holder

    @property
    def _touched(self) -> int:
        try:
            return (self._folder / FILE_NAME).stat().st_mtime_ns
        except OSError:
            return 0

    @property
    def over(self) -> bool:
        """Whether nothing has changed for so long that the holder is taken to be gone. Call ``look`` first."""
        watched_s = self._clock.monotonic_s() - self._heard_at_s
        if watched_s >= SILENT_AFTER_S:
            return True
        return watched_s >= SILENT_SOONER_S and self.looks_old

    @property
    def looks_old(self) -> bool:
        """Whether the file was last written long before one that is made now in the same folder.

        Both times are given by whoever keeps the folder, so they can be compared; not proof enough alone, since its clock
        may have been set in between.
        """
        probe = self._folder / f".probe-{uuid.uuid4().hex}.part"
        try:
            probe.write_bytes(b"")
            age_s = probe.stat().st_mtime - (self._folder / FILE_NAME).stat().st_mtime
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
        return age_s >= SILENT_AFTER_S
