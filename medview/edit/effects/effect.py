"""What an effect is: a pure function from a copy of labels and values to what segments hold then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.geometry import Calibration, Geometry
from medview.core.job import JobContext
from medview.core.marks import Marks
from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Volume
from medview.edit.effects.settings import Place, Setting, Values, applies, default_of

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What an effect works on, cut out to the region it asked for. All indices count from the corner of the region.

    Attributes
    ----------
    labels : Segmentation
        Copy of the labels; what is done to it changes nothing else.
    volume : Volume
        The values, on the grid of ``labels``; never to be written.
    segment : Segment or None
        The active one.
    region : Box
        Where this lies in the grid of the series.
    grid : Geometry
        Of the whole series.
    place_kji : tuple of int, or None
        The voxel under the crosshair; None where it lies outside the region.
    totals : mapping of str to int
        Voxels of each segment in the whole grid, by segment id.
    marks : Marks
        Slices of the series that are done.
    """

    labels: Segmentation
    volume: Volume
    segment: Segment | None
    region: Box
    grid: Geometry
    place_kji: tuple[int, int, int] | None = None
    totals: Mapping[str, int] = field(default_factory=dict)
    marks: Marks = Marks()

    @property
    def geometry(self) -> Geometry:
        """Grid of the region."""
        return self.labels.geometry

    @property
    def active(self) -> Segment:
        """The active segment; effects that need one are not run without."""
        assert self.segment is not None
        return self.segment

    def mask(self) -> Mask:
        """Return the voxels of the active segment, shape of the region."""
        return self.labels.mask(self.active)

    def millimetres(self) -> None:
        """Make sure that volumes mean something.

        Raises
        ------
        LabelError
            Where the grid has no millimetres in all directions.
        """
        if self.geometry.calibration is not Calibration.VOLUME:
            raise LabelError("This series has no millimetres in all directions, so a size in them means nothing.")

    def other(self, values: Values, key: str) -> Segment:
        """Return the segment that an OtherSegment setting names.

        Raises
        ------
        LabelError
            When none is chosen or it is gone.
        """
        found = self.labels.find(str(values.get(key, "")))
        if found is None or found == self.segment:
            raise LabelError("Choose another segment for this effect.")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class OfMap:
    """The voxels of a label map that hold one value: a mask that takes no memory of its own.

    Attributes
    ----------
    labels : ndarray of uint8, shape of the region
    """

    labels: npt.NDArray[np.uint8]
    value: int

    def __getitem__(self, part: tuple[slice, slice, slice]) -> Mask:
        return np.asarray(self.labels[part] == self.value)


@dataclass(frozen=True, slots=True, eq=False)
class NewSegment:
    """A segment that an effect makes.

    Attributes
    ----------
    name : str
        Made unique when it is added.
    mask : ndarray of bool, shape of ``box`` or, where that is None, of the region
    colour : tuple of int, or None
        RGB; None takes the next free one.
    box : Box, or None
        The part of the region that the mask covers: many small segments cost little then.
    like : Segment, or None
        The one whose code and group it shares.
    """

    name: str
    mask: Mask
    colour: tuple[int, int, int] | None = None
    box: Box | None = None
    like: Segment | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What segments hold once an effect is applied, before the rules have their say.

    Attributes
    ----------
    masks : mapping of str to mask or OfMap
        By segment id, what it holds inside the region, in the order they are written; outside nothing changes.
    new : tuple of NewSegment
        Added after that.
    found : mapping
        Settings that the effect worked out on its own, to be shown where they are set.
    note : str
        One sentence for the person, or empty.
    across : int or None
        The array axis across which its slices can be applied one by one, where that makes sense.
    """

    masks: Mapping[str, Mask | OfMap] = field(default_factory=dict)
    new: tuple[NewSegment, ...] = ()
    found: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    across: int | None = None


RegionOf = Callable[[Segmentation, Segment | None, Values], Box]
"""Which part of the labels an effect needs; asked on the live labels, so it looks at boxes only, never at voxels. May raise
LabelError with a sentence that says why there is nothing to do."""

Work = Callable[[Given, Values, JobContext], Result]
"""Runs in a worker. Asks the context now and then whether it was cancelled; raises LabelError with a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """One effect of the table.

    Attributes
    ----------
    effect_id : str
        For actions, keys and the record: ``smooth``.
    name : str
        English, for the history.
    title, tip : str
        For the person, in the language in use.
    icon : str
        qtawesome name.
    region : callable
        The box it works in, in voxels of the series.
    needs_segment : bool
        An active segment is needed. Others may run without: they return a NewSegment.
    needs_voxels : bool
        The active segment has to hold voxels, where one is needed.
    needs_mm : bool
        Distances or volumes are needed, so it is not offered where the grid has none.
    needs_values : bool
        One value per voxel is needed, so it is not offered on colour.
    reads_marks : bool
        What it does hangs on which slices are marked done.
    at_once : bool
        It is worked out as soon as it is opened; slow ones wait for Preview.
    short : str
        What its narrow button says, where the title is too long.
    closed : callable
        Called when a person is done with it: lets go of what another run would have been quicker with.
    """

    effect_id: str
    name: str
    title: str
    tip: str
    icon: str
    settings: tuple[Setting, ...]
    region: RegionOf
    work: Work
    needs_segment: bool = True
    needs_voxels: bool = True
    needs_mm: bool = True
    needs_values: bool = False
    reads_marks: bool = False
    at_once: bool = True
    short: str = ""
    closed: Callable[[], None] = lambda: None

    def defaults(self) -> dict[str, object]:
        """Return every setting as it is until somebody changes it."""
        return {setting.key: default_of(setting) for setting in self.settings}

    def asks_place(self, values: Values) -> bool:
        """Whether the place under the crosshair matters with these settings."""
        return any(isinstance(one, Place) and applies(one, values) for one in self.settings)


def whole_grid(labels: Segmentation, _segment: Segment | None, _values: Values) -> Box:
    """Ask for everything."""
    return Box.whole(labels.geometry.shape_kji)


def segment_box(labels: Segmentation, segment: Segment | None, _values: Values) -> Box:
    """Ask for the box of the active segment and the voxels around it."""
    return box_around(labels, segment, 0.0)


def box_around(labels: Segmentation, segment: Segment | None, margin_mm: float) -> Box:
    """Return the box of a segment with everything within ``margin_mm`` of it, and at least one voxel around.

    Raises
    ------
    LabelError
        When the segment holds no voxels.
    """
    box = labels.box(segment) if segment is not None else None
    if box is None:
        raise LabelError("The active segment holds no voxels yet; draw it first.")
    k, j, i = reach_kji(labels.geometry, margin_mm)
    return box.padded((k, j, i)).clipped(labels.geometry.shape_kji)


def reach_kji(geometry: Geometry, distance_mm: float) -> tuple[int, int, int]:
    """Return how many voxels along k, j, i a ball of this radius reaches; at least one; right on sheared grids too."""
    columns = geometry.affine_lps[:3, :3]
    extent = distance_mm * np.sqrt(np.diagonal(np.linalg.inv(columns.T @ columns)))
    k, j, i = (max(1, int(np.ceil(n - 1e-9))) for n in extent)
    return k, j, i
