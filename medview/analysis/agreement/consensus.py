"""One labelling out of several readers': what most of them drew, or what they most probably meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.label_maps import LabelMaps
from medview.analysis.agreement.readings import Presence, Reading, common_grid, known_in
from medview.analysis.agreement.staple import staple
from medview.analysis.agreement.things import Thing, same_things
from medview.core.box import Box
from medview.core.errors import LabelError
from medview.core.job import Inline, JobContext
from medview.core.prediction import PredictedMask
from medview.core.segmentation import Code
from medview.core.source import Source

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.uint16]

_SLAB_VOXELS = 1 << 22


class Method(Enum):
    """How a consensus is made."""

    MAJORITY = "majority"
    """Voxels that more than half of the readers who know them drew."""
    MAJORITY_OR_HALF = "majority or half"
    """The same, and voxels that exactly half of them drew."""
    STAPLE = "staple"
    """Voxels that are more probable than not, readers weighed by how they perform (Warfield et al. 2004)."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one reader brought to the consensus of a segment.

    Attributes
    ----------
    counted : bool
        Whether the vote counts: not that of a reader who has the segment still to draw, or who knows nothing where it was
        drawn.
    sources : tuple of Source
        Of the reader's segments of it; none where it is not listed.
    sensitivity, specificity : float or None
        Beside the consensus, as STAPLE estimates them; None for other methods, or where nobody drew anything.
    """

    reader: str
    presence: Presence
    counted: bool
    sources: tuple[Source, ...]
    voxels: int
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True, slots=True)
class ConsensusSegment:
    """One segment of the consensus.

    Attributes
    ----------
    layer, value : int
        Which of the masks holds it, and as what. One without voxels has a value as well.
    voxels : int
    disputed : int
        Voxels that some, and not all, of the readers drew whose votes count and who know what is there.
    """

    name: str
    code: Code | None
    layer: int
    value: int
    voxels: int
    disputed: int
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """The consensus of all segments of a case.

    Attributes
    ----------
    masks : tuple of PredictedMask
        uint8 label maps, cut to the box that holds anything; segments that share voxels lie in different ones. Nothing
        enters a case's labels but by a person's act, as with what a model proposes.
    undecided : tuple of str
        Names of what is listed by readers only who have it still to draw, or drew it only where nobody knows what is there.
    """

    method: Method
    masks: tuple[PredictedMask, ...]
    segments: tuple[ConsensusSegment, ...]
    undecided: tuple[str, ...] = ()


def majority(
    masks: Sequence[Mask],
    with_half: bool = False,
    context: JobContext | None = None,
    known: Sequence[Mask | None] = (),
) -> Mask:
    """Return the voxels that more than half of the masks hold; ``with_half`` takes those that exactly half hold too.

    ``known`` says of each mask where it can be relied on, None for everywhere: elsewhere it has no vote.
    """
    held = np.zeros(masks[0].shape, dtype=np.bool_)
    for slab in _slabs(masks[0], context):
        votes, voters = _votes(masks, known, slab)
        held[slab] = (2 * votes >= voters) & (votes > 0) if with_half else 2 * votes > voters
    return held


def _disputed(masks: Sequence[Mask], known: Sequence[Mask | None], context: JobContext) -> int:
    """Return how many voxels some of the masks hold, and not all that can be relied on there."""
    found = 0
    for slab in _slabs(masks[0], context):
        votes, voters = _votes(masks, known, slab)
        found += int(np.count_nonzero((votes > 0) & (votes < voters)))
    return found


def _votes(masks: Sequence[Mask], known: Sequence[Mask | None], slab: slice) -> tuple[Counts, Counts]:
    """Return how many masks hold each voxel of a slab, and how many can be relied on there."""
    votes = np.zeros(masks[0][slab].shape, dtype=np.uint16)
    voters = np.full(votes.shape, len(masks), dtype=np.uint16)
    for mask, of_reader in zip(masks, known or [None] * len(masks), strict=True):
        if of_reader is None:
            votes += mask[slab]
        else:
            votes += mask[slab] & of_reader[slab]
            voters -= ~of_reader[slab]
    return votes, voters


def _slabs(mask: Mask, context: JobContext | None) -> Iterator[slice]:
    """Yield the slices of a mask some at a time; in between it is asked whether to go on."""
    step = max(1, _SLAB_VOXELS // max(1, mask.shape[1] * mask.shape[2]))
    for k in range(0, mask.shape[0], step):
        if context is not None:
            context.raise_if_cancelled()
        yield slice(k, k + step)


def consensus(readings: Sequence[Reading], method: Method, context: JobContext | None = None) -> Consensus:
    """Make one labelling of several readers', thing by thing and inside the box of each; belongs into a worker.

    A reader who does not list a thing says that there is none, one who has it still to draw says nothing; neither does one
    who marked slices as done, of the other slices. Instances of a thing become one segment. Areas marked as unsure are no
    things and have no consensus.

    Raises
    ------
    GeometryError
        When the readings lie on different grids.
    LabelError
        Without readings.
    """
    context = context or Inline()
    if not readings:
        raise LabelError("A consensus needs the labels of at least one reader.")
    common_grid(readings)
    things = same_things([reading.segmentation.segments for reading in readings])
    layers = LabelMaps()
    segments: list[ConsensusSegment] = []
    undecided: list[str] = []
    for number, thing in enumerate(things):
        context.raise_if_cancelled()
        context.progress(number / len(things), thing.name)
        said = [reading.presence(those) for reading, those in zip(readings, thing.segments, strict=True)]
        voters = [n for n, presence in enumerate(said) if presence is not Presence.TO_DO]
        if all(said[n] is Presence.MISSING for n in voters):
            undecided.append(thing.name)
            continue
        made = _of_thing(thing, readings, said, voters, method, layers, context)
        if made is None:
            undecided.append(thing.name)
        else:
            segments.append(made)
    return Consensus(method, layers.masks(), tuple(segments), tuple(undecided))


def _of_thing(
    thing: Thing,
    readings: Sequence[Reading],
    said: Sequence[Presence],
    voters: Sequence[int],
    method: Method,
    layers: LabelMaps,
    context: JobContext,
) -> ConsensusSegment | None:
    """Return the consensus of one thing; None where nobody who votes knows what is there."""
    boxes = [readings[n].box(thing.segments[n]) for n in voters]
    box = Box.union_of(around for around in boxes if around is not None)
    performance: dict[int, tuple[float, float]] = {}
    held: Mask | None = None
    disputed = 0
    if box is not None:
        drawn: list[Mask] = []
        known: list[Mask | None] = []
        knowing: list[int] = []
        for n in voters:
            context.raise_if_cancelled()
            known_here = known_in(box, (readings[n],))
            if known_here is None or known_here.any():
                knowing.append(n)
                known.append(known_here)
                drawn.append(readings[n].mask(thing.segments[n], box))
        if not knowing:
            return None
        voters = knowing
        disputed = _disputed(drawn, known, context)
        if method is Method.STAPLE:
            held, rates = staple(drawn, context, known)
            performance = dict(zip(voters, rates, strict=True))
        else:
            held = majority(drawn, method is Method.MAJORITY_OR_HALF, context, known)
    context.raise_if_cancelled()
    first = next(segment for segments in thing.segments for segment in segments)
    number, value = layers.add(thing.name, thing.code, first.colour, box, held)
    votes = tuple(
        Vote(
            reading.reader,
            said[n],
            n in voters,
            tuple(segment.source for segment in segments),
            sum(reading.segmentation.count(segment) for segment in segments),
            *performance.get(n, (None, None)),
        )
        for n, (reading, segments) in enumerate(zip(readings, thing.segments, strict=True))
    )
    voxels = 0 if held is None else int(np.count_nonzero(held))
    return ConsensusSegment(thing.name, thing.code, number, value, voxels, disputed, votes)
