"""Whose lesion is whose: what readers answered about lesions, brought together by where the lesions are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.boxes import Boxes, box_agreement
from medview.analysis.agreement.lesions import common_voxels, numbered_lesions
from medview.analysis.agreement.pairing import best_pairs
from medview.analysis.agreement.reader_rows import CaseReadings
from medview.analysis.agreement.readings import Presence, Reading, common_grid, known_at
from medview.analysis.agreement.segments import Conventions
from medview.analysis.agreement.things import Segments, folded, same_things
from medview.core.answer import Answer, AnswerKey, Target
from medview.core.box import Box
from medview.core.box_annotation import BoxAnnotation
from medview.core.form import Level
from medview.core.job import Inline, JobContext
from medview.core.trace import Trace

Keys = tuple[str, ...]
"""Keys of what was answered about one lesion: more than one where a lesion was asked about at two of its voxels."""
Pair = tuple[int, int]
_Side = Mapping[int, Keys]
"""What one reader answered about their lesions of one kind, by their numbers from 0."""


@dataclass(frozen=True, slots=True)
class LesionLink:
    """A lesion that at least one of two readers answered something about.

    Attributes
    ----------
    first, second : tuple of str
        Keys of the targets of their answers; empty where a reader answered nothing about it.
    both : bool
        Whether both have the lesion, answered about or not.
    unknown : bool
        One of them has it where the other does not know what is there: whether both have it cannot be said.
    """

    case: str
    patient: str
    first_reader: str
    second_reader: str
    first: Keys
    second: Keys
    both: bool
    unknown: bool = False


def lesion_links(
    case: CaseReadings,
    answers: Mapping[str, Mapping[AnswerKey, Answer]],
    pairs: Sequence[tuple[str, str]] | None = None,
    conventions: Conventions = Conventions(),
    context: JobContext | None = None,
) -> list[LesionLink]:
    """Bring the lesions together that readers of one case answered about; belongs into a worker.

    Pieces of the same segments and boxes of the same label are the same lesion by their IoU, marks of the same label by the
    distance between their middles; each kind by itself, and one to one so that all of it together fits best. Lesions that
    are no longer there are left out, and so is a segment that one of the two has still to draw.

    Parameters
    ----------
    answers : mapping
        By reader, the answers by their key.
    pairs : sequence, optional
        Who is compared with whom; each with each after it when not given.
    """
    by_name = {reading.reader: reading for reading in case.readings}
    asked = {name: _targets(answers.get(name, {}).values()) for name in by_name}
    wanted = list(combinations(by_name, 2)) if pairs is None else [p for p in pairs if set(p) <= set(by_name)]
    found: list[LesionLink] = []
    for names in wanted:
        readings = by_name[names[0]], by_name[names[1]]
        targets = asked[names[0]], asked[names[1]]
        if not any(targets):
            continue
        common_grid(readings)
        for pairing in (_pieces, _boxes, _marks):
            for sides, matched, middles in pairing(readings, targets, conventions, context or Inline()):
                links = _linked(sides, matched, middles, readings)
                found += [LesionLink(case.case, case.patient, names[0], names[1], *link) for link in links]
    return found


def _targets(answers: Iterable[Answer]) -> dict[str, Target]:
    return {one.target.key: one.target for one in answers if one.target.level is Level.LESION}


_Readings = tuple[Reading, Reading]
_Targets = tuple[Mapping[str, Target], Mapping[str, Target]]
_Middles = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Voxels in the middle of all lesions of each reader, shape (n, 3)."""
_Found = Iterator[tuple[tuple[_Side, _Side], Sequence[Pair], _Middles]]


def _linked(
    sides: tuple[_Side, _Side], matched: Sequence[Pair], middles: _Middles, readings: _Readings
) -> Iterator[tuple[Keys, Keys, bool, bool]]:
    """Yield the lesions that anybody answered about: what each answered, whether both have it, whether that is unknown."""
    first, second = sides
    for a, b in matched:
        if a in first or b in second:
            yield first.get(a, ()), second.get(b, ()), True, False
    paired = {a for a, _b in matched}, {b for _a, b in matched}
    for number, keys in first.items():
        if number not in paired[0]:
            yield keys, (), False, not known_at(middles[0][number], readings[1:])
    for number, keys in second.items():
        if number not in paired[1]:
            yield (), keys, False, not known_at(middles[1][number], readings[:1])


def _pieces(readings: _Readings, targets: _Targets, conventions: Conventions, context: JobContext) -> _Found:
    """Yield the pieces of each thing that anybody answered about."""
    for thing in same_things([reading.segmentation.segments for reading in readings]):
        first, second = thing.segments
        owned = _of_segments(targets[0], first), _of_segments(targets[1], second)
        said = readings[0].presence(first), readings[1].presence(second)
        if not any(owned) or Presence.TO_DO in said:
            continue
        boxes = [reading.box(segments) for reading, segments in zip(readings, thing.segments, strict=True)]
        box = Box.union_of(one for one in boxes if one is not None)
        if box is None:
            continue
        pieces, sizes, middles = _numbered(readings[0], first, box, context)
        others, other_sizes, other_middles = _numbered(readings[1], second, box, context)
        sides = _answered_pieces(owned[0], pieces, box), _answered_pieces(owned[1], others, box)
        a, b, common = common_voxels(pieces, others)
        iou = common / (sizes[a] + other_sizes[b] - common)
        yield sides, _best(a, b, iou, iou > conventions.overlap), (middles, other_middles)


def _numbered(
    reading: Reading, segments: Segments, box: Box, context: JobContext
) -> tuple[npt.NDArray[np.unsignedinteger], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the pieces of all instances, numbered from 1 in the box, and of each how many voxels and one in its middle."""
    masks = [reading.mask((segment,), box) for segment in segments]
    pieces, lesions = numbered_lesions(masks, None, box, reading.segmentation.geometry, context)
    middles = np.array([lesion.at_kji for lesion in lesions], dtype=np.float64).reshape(-1, 3)
    return pieces, np.array([lesion.voxels for lesion in lesions], dtype=np.int64), middles


def _of_segments(targets: Mapping[str, Target], segments: Segments) -> dict[str, Target]:
    ids = {segment.segment_id for segment in segments}
    return {key: one for key, one in targets.items() if not one.annotation_id and one.segment_id in ids}


def _answered_pieces(targets: Mapping[str, Target], pieces: npt.NDArray[np.unsignedinteger], box: Box) -> dict[int, Keys]:
    """Return the keys of targets by the piece they lie in, from 0; those that lie in none are gone."""
    found: dict[int, Keys] = {}
    for key, target in targets.items():
        at = tuple(n - low for n, low in zip(target.at_kji, box.min_kji, strict=True))
        if all(0 <= n < size for n, size in zip(at, pieces.shape, strict=True)) and (number := int(pieces[at])):
            found[number - 1] = (*found.get(number - 1, ()), key)
    return found


def _boxes(readings: _Readings, targets: _Targets, conventions: Conventions, _context: JobContext) -> _Found:
    """Yield the boxes of each label that anybody answered about."""
    geometry = readings[0].segmentation.geometry
    for own, sides in _by_label((readings[0].boxes, readings[1].boxes), targets):
        first, second = (Boxes.on_grid(some, geometry) for some in own)
        agreement = box_agreement(first, second, conventions.overlap)
        yield sides, [(int(a), int(b)) for a, b in agreement.pairs], (first.middles, second.middles)


def _marks(readings: _Readings, targets: _Targets, conventions: Conventions, _context: JobContext) -> _Found:
    """Yield the points and lines of each label that anybody answered about."""
    geometry = readings[0].segmentation.geometry
    for own, sides in _by_label((readings[0].traces, readings[1].traces), targets):
        first, second = (np.array([_middle(one) for one in some]).reshape(len(some), 3) for some in own)
        far = np.linalg.norm(first[:, np.newaxis] - second[np.newaxis], axis=2)
        a, b = (side.ravel() for side in np.indices(far.shape))
        # The nearer the better; at the very limit two are still the same.
        near = 1.0 + 1e-9 - far.ravel() / max(conventions.distance_mm, 1e-9)
        yield sides, _best(a, b, near, near > 0), (geometry.index_kji(first), geometry.index_kji(second))


_Drawn = TypeVar("_Drawn", BoxAnnotation, Trace)


def _by_label(
    drawn: tuple[Sequence[_Drawn], Sequence[_Drawn]], targets: _Targets
) -> Iterator[tuple[list[list[_Drawn]], tuple[_Side, _Side]]]:
    """Yield what each reader drew of every label that anybody answered about, and what was answered about which."""
    ids = [{target.annotation_id for target in asked.values()} for asked in targets]
    labels = {
        folded(one.label): None for some, of in zip(drawn, ids, strict=True) for one in some if one.annotation_id in of
    }
    for label in labels:
        own = [[one for one in some if folded(one.label) == label] for some in drawn]
        yield own, (_side(own[0], targets[0]), _side(own[1], targets[1]))


def _side(drawn: Sequence[BoxAnnotation | Trace], targets: Mapping[str, Target]) -> _Side:
    of: dict[str, Keys] = {}
    for key, target in targets.items():
        of[target.annotation_id] = (*of.get(target.annotation_id, ()), key)
    return {n: of[one.annotation_id] for n, one in enumerate(drawn) if one.annotation_id in of}


def _middle(trace: Trace) -> npt.NDArray[np.float64]:
    return np.asarray(np.mean(np.asarray(trace.points_lps_mm, dtype=np.float64), axis=0))


def _best(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], fit: npt.NDArray[np.float64], may: npt.NDArray[np.bool_]
) -> list[Pair]:
    candidates = np.flatnonzero(may)
    chosen = candidates[best_pairs(first[candidates], second[candidates], fit[candidates])]
    return [(int(first[n]), int(second[n])) for n in chosen]
