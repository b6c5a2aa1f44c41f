"""Masks of pictures as Pascal VOC has them: ``SegmentationClass``, ``SegmentationObject`` and ``labelmap.txt``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from medview.core.errors import WriteError
from medview.io.datasets.dataset_case import DatasetCase, category_of
from medview.io.datasets.inside import stem_of
from medview.io.datasets.picture_cases import MadePicture
from medview.io.datasets.voc_masks import MASKS, THINGS, VOID, palette_colour
from medview.io.pictures import read_label_map

Numbers = npt.NDArray[np.uint8]
MOST = VOID - 1
"""Numbers between background and void."""
LIST = "labelmap.txt"


class VocMasks:
    """Writes masks beside the pictures of a dataset, where none overlap and all can be numbered.

    Parameters
    ----------
    folder : Path
        Of the dataset.
    """

    def __init__(self, folder: Path, cases: Sequence[DatasetCase]) -> None:
        self._folder = folder
        self._numbers = class_numbers(cases)

    def write(self, picture: MadePicture) -> bool:
        """Write the masks of a picture; False where there are none, or they cannot be held. Raises WriteError."""
        masks = [(shape.label, shape.runs.mask()) for shape in picture.shapes if shape.runs is not None]
        if not masks or not self._numbers or len(masks) > MOST or _overlap([mask for _, mask in masks]):
            return False
        classes, things = np.zeros(picture.size, dtype=np.uint8), np.zeros(picture.size, dtype=np.uint8)
        for thing, (label, mask) in enumerate(masks, start=1):
            classes[mask], things[mask] = self._numbers[label], thing
        for part, numbers in ((MASKS, classes), (THINGS, things)):
            (self._folder / part).mkdir(exist_ok=True)
            _save(self._folder / part / f"{stem_of(picture.name)}.png", numbers)
        return True

    def write_list(self) -> None:
        """Write what the colours are called."""
        lines = ["# label:color_rgb:parts:actions", "background:0,0,0::"]
        lines += [f"{name}:{','.join(map(str, palette_colour(n)))}::" for name, n in self._numbers.items()]
        (self._folder / LIST).write_text("\n".join(lines) + "\n", "utf-8")


def class_numbers(cases: Sequence[DatasetCase]) -> dict[str, int]:
    """Return the number of every class; none where there are too many, or the list cannot hold one of their names."""
    names = sorted({category_of(segment) for case in cases for segment in case.structures()})
    if len(names) > MOST or any(_unwritable(name) for name in names):
        return {}
    return {name: n for n, name in enumerate(names, start=1)}


def _unwritable(name: str) -> bool:
    return name != name.strip() or not name.isprintable() or ":" in name or name[:1] in ("", "#")


def _overlap(masks: Sequence[npt.NDArray[np.bool_]]) -> bool:
    seen = np.zeros_like(masks[0])
    for mask in masks:
        if (seen & mask).any():
            return True
        seen |= mask
    return False


def _save(path: Path, numbers: Numbers) -> None:
    picture = Image.frombytes("P", numbers.shape[::-1], np.ascontiguousarray(numbers).tobytes())
    picture.putpalette([part for n in range(256) for part in palette_colour(n)])
    picture.save(path, format="PNG")
    if not np.array_equal(read_label_map(str(path))[0], numbers):
        raise WriteError(f"{path.name} was not written as it is; check the disk it goes to.")
