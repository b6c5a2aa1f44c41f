"""Islands: pieces of a segment that do not touch each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.edit.effects.effect import Effect, Given, Mask, NewSegment, Result, segment_box
from medview.edit.effects.settings import Choice, Number, Option, Place, Values, When, number

MOST_SEGMENTS = 100
"""More pieces than this stay together in the segment: nobody names so many."""

_PICKS = ("keep", "remove", "own")


def work(given: Given, values: Values, context: JobContext) -> Result:
    """Return the segment without some of its pieces, or with pieces as segments of their own."""
    mask, way = given.mask(), str(values["way"])
    pieces, sizes = islands(mask, corners=values["touching"] == "corners")
    context.raise_if_cancelled()
    context.progress(0.4, _("Choosing pieces"))
    order = 1 + np.argsort(-sizes[1:], kind="stable")
    note = plural("{n} piece", "{n} pieces", len(order)).format(n=len(order))
    name, segment_id = given.active.name, given.active.segment_id
    if way == "largest":
        return Result({segment_id: chosen(pieces, order[: round(number(values, "count"))])}, note=note)
    if way == "small":
        given.millimetres()
        least = number(values, "least_mm3") / given.geometry.voxel_volume_mm3
        return Result({segment_id: chosen(pieces, order[sizes[order] >= least * (1 - 1e-9)])}, note=note)
    if way == "split":
        own = order[1:MOST_SEGMENTS]
        rest = chosen(pieces, np.setdiff1d(order, own))
        return Result({segment_id: rest}, _parted(given, pieces, own), note=note)
    picked = pieces == under(pieces, given.place_kji, name)
    if way == "own":
        return Result({segment_id: mask & ~picked}, (NewSegment(name, picked, like=given.active),), note=note)
    return Result({segment_id: picked if way == "keep" else mask & ~picked}, note=note)


def _parted(given: Given, pieces: npt.NDArray[np.uint32], numbers: npt.NDArray[np.integer]) -> tuple[NewSegment, ...]:
    from scipy import ndimage

    boxes = ndimage.find_objects(pieces.astype(np.int32))
    made = []
    for of_piece in (int(n) for n in numbers):
        around = boxes[of_piece - 1]
        low, high = zip(*((part.start, part.stop) for part in around), strict=True)
        made.append(NewSegment(given.active.name, pieces[around] == of_piece, box=Box(low, high), like=given.active))
    return tuple(made)


def islands(mask: Mask, *, corners: bool) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Return (pieces numbered from 1, voxels by number); voxels touch by faces, or by edges and ``corners`` too."""
    import cc3d

    pieces = np.asarray(cc3d.connected_components(mask, connectivity=26 if corners else 6), dtype=np.uint32)
    sizes = np.bincount(pieces.ravel(), minlength=1)
    return pieces, sizes


def chosen(pieces: npt.NDArray[np.uint32], numbers: npt.NDArray[np.integer]) -> Mask:
    """Return the mask of the pieces with these numbers."""
    table = np.zeros(int(pieces.max()) + 1, dtype=np.bool_)
    table[numbers] = True
    return np.asarray(table[pieces])


def under(pieces: npt.NDArray[np.uint32], place_kji: tuple[int, int, int] | None, name: str) -> int:
    """Return the number of the piece at a place.

    Raises
    ------
    LabelError
        When there is none.
    """
    found = 0 if place_kji is None else int(pieces[place_kji])
    if not found:
        raise LabelError(f"No piece of {name} lies under the crosshair; click one on a picture.")
    return found


EFFECT = Effect(
    "islands",
    "Islands",
    _("Islands"),
    _("Keeps, removes or parts pieces of the active segment that do not touch each other"),
    "mdi6.chart-bubble",
    (
        Choice(
            "way",
            _("Way"),
            _("What happens to which pieces"),
            (
                Option("largest", _("Keep the largest"), _("All others are removed")),
                Option("small", _("Remove small ones"), _("Pieces smaller than a volume are removed")),
                Option("split", _("Each its own segment"), _("The largest one stays; the others become segments")),
                Option("keep", _("Keep one"), _("The piece that is clicked stays; all others are removed")),
                Option("remove", _("Remove one"), _("The piece that is clicked is removed")),
                Option("own", _("One its own segment"), _("The piece that is clicked becomes a segment")),
            ),
        ),
        Number("count", _("How many"), _("Pieces that stay"), 1, 1, 100, "", 0, 1, When("way", ("largest",))),
        Number("least_mm3", _("Smaller than"), _("Pieces below go"), 100, 1, 1e6, "mm³", 0, 10, When("way", ("small",))),
        Place(_("Click a piece on a picture."), _("The crosshair goes there"), When("way", _PICKS)),
        Choice(
            "touching",
            _("Touching"),
            _("What counts as one piece"),
            (
                Option("corners", _("By a corner is enough"), _("Voxels that share a face, an edge or a corner")),
                Option("faces", _("By a face only"), _("Thin bridges part: only voxels that share a face are one piece")),
            ),
        ),
    ),
    segment_box,
    work,
    needs_mm=False,
)
