"""How far two readers' segments of one case go together, thing by thing."""

from __future__ import annotations

from dataclasses import dataclass

from medview.analysis.agreement.lesions import OVERLAP, LesionAgreement, lesion_agreement
from medview.analysis.agreement.masks import TOLERANCE_MM, MaskAgreement, mask_agreement
from medview.analysis.agreement.readings import Presence, Reading, common_grid, known_in
from medview.analysis.agreement.things import Thing, same_things
from medview.core.box import Box
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline, JobContext, JobPart
from medview.core.segmentation import Code

DISTANCE_MM = 10.0
"""As far apart as two people point at one thing, unless another distance is asked for."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """What may be chosen.

    Attributes
    ----------
    tolerance_mm : float
        Of the surface Dice.
    overlap : float
        IoU above which two lesions are the same.
    distance_mm : float
        Marks of one label are of the same thing where their middles are no further apart.
    lesions : bool
        Whether segments are compared lesion by lesion as well.
    """

    tolerance_mm: float = TOLERANCE_MM
    overlap: float = OVERLAP
    distance_mm: float = DISTANCE_MM
    lesions: bool = True


@dataclass(frozen=True, slots=True)
class SegmentAgreement:
    """One thing as two readers have it.

    Attributes
    ----------
    name, code : str, Code or None
        As in ``Thing``.
    first, second : Presence
        What each reader says of it. Where one has it still to do, nothing is compared.
    masks : MaskAgreement or None
    lesions : LesionAgreement or None
        None where they were not asked for, too.
    """

    name: str
    code: Code | None
    first: Presence
    second: Presence
    masks: MaskAgreement | None
    lesions: LesionAgreement | None


def segment_agreement(
    first: Reading, second: Reading, conventions: Conventions = Conventions(), context: JobContext | None = None
) -> tuple[SegmentAgreement, ...]:
    """Compare all segments of two readings. Each is looked at inside its box only; belongs into a worker.

    Raises
    ------
    GeometryError
        When the readings lie on different grids.
    """
    context = context or Inline()
    geometry = common_grid((first, second))
    things = same_things((first.segmentation.segments, second.segmentation.segments))
    found: list[SegmentAgreement] = []
    for number, thing in enumerate(things):
        context.raise_if_cancelled()
        context.progress(number / len(things), thing.name)
        part = JobPart(context, number / len(things), (number + 1) / len(things))
        found.append(_compare(thing, first, second, geometry, conventions, part))
    return tuple(found)


def _compare(
    thing: Thing, first: Reading, second: Reading, geometry: Geometry, conventions: Conventions, context: JobContext
) -> SegmentAgreement:
    a, b = thing.segments
    said = first.presence(a), second.presence(b)
    if Presence.TO_DO in said:
        return SegmentAgreement(thing.name, thing.code, *said, None, None)
    box = Box.union_of(around for around in (first.box(a), second.box(b)) if around is not None)
    if box is None:
        voxel_ml = geometry.voxel_volume_mm3 / 1000.0 if geometry.calibration is Calibration.VOLUME else None
        masks = MaskAgreement(0, 0, 0, voxel_ml, conventions.tolerance_mm)
        none = LesionAgreement(conventions.overlap, (), (), ()) if conventions.lesions else None
        return SegmentAgreement(thing.name, thing.code, *said, masks, none)
    # One voxel more, as far as there is one: what lies beside a mask decides whether that is its surface.
    box = box.padded((1, 1, 1)).clipped(geometry.shape_kji)
    grid, known = geometry.cropped(box), known_in(box, (first, second))
    masks = mask_agreement(first.mask(a, box), second.mask(b, box), grid, conventions.tolerance_mm, known, context)
    lesions = None
    if conventions.lesions:
        # Instances that a reader drew apart are lesions apart, even where they touch.
        drawn = [first.mask((one,), box) for one in a]
        others = [second.mask((one,), box) for one in b]
        lesions = lesion_agreement(drawn, others, grid, conventions.overlap, known, context).shifted(box.min_kji)
    return SegmentAgreement(thing.name, thing.code, *said, masks, lesions)
