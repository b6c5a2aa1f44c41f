"""One labelled case on its way out, before a format of datasets is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medview.core.annotations import BoxAnnotation, ImageLabel, Trace
from medview.core.errors import WriteError
from medview.core.geometry import Geometry
from medview.core.marks import Marks
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.volume import Volume
from medview.core.window import Window

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
TRAIN, VAL, TEST = "train", "val", "test"


@dataclass(frozen=True, slots=True, eq=False)
class DatasetCase:
    """A case to write. Voxels are loaded when they are written, one case at a time.

    Attributes
    ----------
    key : str
        Becomes a name of files: letters, digits, ``_`` and ``-``; a pseudonym, never a name or UID of the patient.
    images : callable
        Returns its channels, all on ``geometry``. Raises MedViewError.
    labels : callable or None
        Returns its segmentation, on ``geometry``; None where nothing is drawn by masks.
    segments : tuple of Segment
        Those of the segmentation, known before it is loaded.
    marks : Marks or None
        Slices on which everything is drawn; None where that is so of the whole case.
    patient, split : str
        Pseudonym of the patient; ``train``, ``val`` or ``test``. Empty is ``train``.
    window : Window or None
        How values become the grey levels of pictures; by their own spread unless given.
    others : int
        Lines and measurements of the case, which no format of datasets holds.
    points : tuple of Trace
    """

    key: str
    geometry: Geometry
    images: Callable[[], tuple[Volume, ...]]
    labels: Callable[[], Segmentation] | None = None
    segments: tuple[Segment, ...] = ()
    boxes: tuple[BoxAnnotation, ...] = ()
    answers: tuple[ImageLabel, ...] = ()
    marks: Marks | None = None
    patient: str = ""
    split: str = ""
    window: Window | None = None
    others: int = 0
    points: tuple[Trace, ...] = ()

    @classmethod
    def of(cls, key: str, volume: Volume, segmentation: Segmentation | None = None, **more: Any) -> DatasetCase:
        """Return a case of what is open already."""
        return cls(
            key,
            volume.geometry,
            lambda: (volume,),
            (lambda: segmentation) if segmentation is not None else None,
            tuple(segmentation.segments) if segmentation is not None else (),
            **more,
        )

    @property
    def fold(self) -> str:
        """Its split; ``train`` where none is said."""
        return self.split or TRAIN

    def structures(self) -> tuple[Segment, ...]:
        """Return the segments that are what their name says."""
        return tuple(segment for segment in self.segments if segment.role is not SegmentRole.IGNORE)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a dataset is written.

    Attributes
    ----------
    name : str
        Of the dataset.
    channels : tuple of str
        What the images of a case show, in order; numbered unless given.
    every_slice : bool
        Of volumes written as pictures: slices on which nothing is drawn too.
    overwrite : bool
        In place of what an earlier export wrote there.
    licence : str
        Under which the images and labels may be used; empty where nobody said.
    """

    name: str = "dataset"
    channels: tuple[str, ...] = ()
    every_slice: bool = False
    overwrite: bool = False
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes
    ----------
    folder : Path
    cases, pictures, things : int
        How many; pictures are slices or volumes, things are masks and boxes.
    losses : tuple of str
        Sentences on what the format could not carry.
    """

    folder: Path
    cases: int
    pictures: int
    things: int
    losses: tuple[str, ...] = field(default=())


def category_of(segment: Segment) -> str:
    """Return what a segment is one of: its group where it is a numbered one of that, otherwise its name."""
    head, _, number = segment.name.rpartition(" ")
    return segment.group if segment.group and head == segment.group and number.isdigit() else segment.name


def check_keys(cases: Sequence[DatasetCase]) -> None:
    """Raise WriteError when the keys of cases are no names of files, or come twice."""
    if not cases:
        raise WriteError("There is nothing to write: no case was chosen.")
    seen: set[str] = set()
    for case in cases:
        if not _KEY.fullmatch(case.key):
            raise WriteError(
                "The dataset was not written: the name of a case is no name of a file; use letters and digits."
            )
        if case.key.casefold() in seen:
            raise WriteError(f"The dataset was not written: two cases are called {case.key}.")
        seen.add(case.key.casefold())
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,32}", case.split):
            raise WriteError(f"The dataset was not written: the split of {case.key} is no name of a folder.")


def many(count: int, one: str, several: str) -> str:
    """Return ``one``, or ``several`` with the count in it (``{n}``)."""
    return one if count == 1 else several.format(n=count)
