"""Pictures on their way from the window that draws them to the job that writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from medview.core.atomic import replacing
from medview.core.job import JobContext
from medview.core.language import _
from medview.workspace.film import write_apng, write_gif
from medview.workspace.jobs import Lane

RgbImage = npt.NDArray[np.uint8]

_ON_THE_BELT = 4
_PATIENCE_S = 0.1
"""How long a job waits for a picture before it asks whether it is still wanted."""


class FrameBelt:
    """Holds a few pictures. The window puts one down where there is room, the job takes them in order."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._belt: Queue[RgbImage] = Queue(_ON_THE_BELT)

    @property
    def room(self) -> bool:
        """Whether one more can be put down without waiting."""
        return not self._belt.full()

    def put(self, frame: RgbImage) -> None:
        """Put a picture down, uint8 (rows, columns, 3), which nobody changes any more."""
        self._belt.put_nowait(frame)

    def taken(self, context: JobContext) -> Iterator[RgbImage]:
        """Take all of them, saying how far it is. Raises CancelledError when they are no longer wanted."""
        for number in range(1, self.count + 1):
            yield self._next(context)
            context.progress(number / self.count, _("{number} of {count}").format(number=number, count=self.count))

    def _next(self, context: JobContext) -> RgbImage:
        while True:
            context.raise_if_cancelled()
            try:
                return self._belt.get(timeout=_PATIENCE_S)
            except Empty:
                continue


@dataclass(frozen=True, slots=True, eq=False)
class WriteFilm:
    """Request: pictures from the belt as one moving file, GIF by its ending, animated PNG otherwise."""

    path: Path
    belt: FrameBelt
    rate_hz: float

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the film")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Path:
        """Write the file whole or not at all. Raises WriteError when it cannot be written."""
        write: Callable[[BinaryIO, Iterator[RgbImage], int, float], None]
        write = write_gif if self.path.suffix.lower() == ".gif" else write_apng
        with replacing(self.path) as file:
            write(file, self.belt.taken(context), self.belt.count, self.rate_hz)
        return self.path


@dataclass(frozen=True, slots=True, eq=False)
class WritePictures:
    """Request: pictures from the belt as PNG, one file each."""

    paths: tuple[Path, ...]
    belt: FrameBelt

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Writing the key images")

    @property
    def lane(self) -> Lane:
        """Writing."""
        return Lane.WRITE

    def run(self, context: JobContext) -> Path:
        """Write the files and return their folder. Raises WriteError when one cannot be written."""
        from PIL import Image

        for path, frame in zip(self.paths, self.belt.taken(context), strict=True):
            with replacing(path) as file:
                Image.fromarray(frame).save(file, "PNG")
        return self.paths[0].parent
