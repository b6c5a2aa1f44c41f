"""The volumes of a 4-D series, and which of them an image or a measurement belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.annotations import Drawn
from medview.core.key_image import KeyImage
from medview.core.measurement import Measurement
from medview.core.study import Frame, VolumeEntry
from medview.core.volume import Volume
from medview.workspace.load_state import LoadState


@dataclass(frozen=True, slots=True, eq=False)
class TimePoint:
    """One volume of a series; all of them lie on one grid."""

    volume: Volume
    load: LoadState


class TimeOfImages:
    """Says which image is behind a slice at a time, and back.

    Files that name no images, and slices across those that were acquired, are told by a number: slices counted through all
    time points.
    """

    def __init__(self, entry: VolumeEntry) -> None:
        self._entry = entry

    def frame(self, time_index: int, k: int) -> Frame | None:
        """Return the frame behind slice ``k``; None where the files name none."""
        at = time_index * self._entry.shape_kji[0] + k
        frames = self._entry.frames
        return frames[at] if at < len(frames) and frames[at].number >= 0 else None

    def image(self, time_index: int, k: int) -> tuple[str, int]:
        """Return the SOP instance UID and frame number of slice ``k``; where there is none, empty and the count."""
        frame = self.frame(time_index, k)
        if frame is not None:
            return _image(frame)
        return "", time_index * self._entry.shape_kji[0] + k if self._entry.time_points > 1 else 0

    def across(self, time_index: int) -> tuple[str, int]:
        """Return the same for a slice across the acquired ones."""
        return "", time_index * self._entry.shape_kji[0]

    def time(self, made: Measurement | KeyImage | Drawn) -> int:
        """Return the time point something was drawn on, or a key image marked at."""
        count = self._entry.time_points
        if count == 1:
            return 0
        slices = self._entry.shape_kji[0]
        if made.sop_instance_uid:
            image = (made.sop_instance_uid, made.frame_number)
            at = next((n for n, frame in enumerate(self._entry.frames) if image == _image(frame)), 0)
        else:
            at = max(made.frame_number, 0)
        return min(at // slices, count - 1)


def _image(frame: Frame) -> tuple[str, int]:
    return frame.sop_instance_uid, frame.number
