"""Measuring what people made of what models proposed, every accepted segment in one pass, and what is read for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.effort import Agreement, Effort, ModelEffort, model_efforts
from medview.core.geometry import Calibration
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prediction import PredictedMask, ProposedMasks
from medview.core.segmentation import LabelArray
from medview.workspace.jobs import Lane
from medview.workspace.open_case import OpenCase

if TYPE_CHECKING:
    from medview.store.project import Project

Stamp = tuple[int, int, int]
"""As of ``Segmentation.stamp``."""

GONE: Stamp = (-1, -1, -1)
"""Of a segment that was deleted."""

_SLAB_VOXELS = 1 << 21


@dataclass(frozen=True, slots=True)
class _Asked:
    """One accepted segment, as it is now.

    Attributes
    ----------
    layer_id, label : int
        Where its voxels are; the label is 0 of one that was deleted.
    stamp : tuple of int
        Of its voxels.
    """

    effort: Effort
    layer_id: int
    label: int
    voxels: int
    stamp: Stamp


@dataclass(frozen=True, slots=True, eq=False)
class MeasureEfforts:
    """Request: the agreement of accepted segments with the masks they came from.

    Attributes
    ----------
    layers : mapping
        Layer id -> (box, copy of its voxels in the box).
    masks : mapping
        Masks that are at hand, by run.
    recall : callable or None
        Brings others from the journal.
    """

    asked: tuple[_Asked, ...]
    layers: Mapping[int, tuple[Box, LabelArray]]
    masks: Mapping[str, PredictedMask]
    recall: Callable[[Collection[str]], ProposedMasks] | None
    voxel_ml: float
    title: str = _("Measuring what was corrected")
    lane: Lane = Lane.COMPUTE

    @property
    def voxels(self) -> int:
        """How many voxels it looks at, about."""
        return sum(box.size for box, _voxels in self.layers.values())

    @property
    def at_hand(self) -> bool:
        """Whether nothing has to be read from the journal first."""
        return all(one.effort.source.job_id in self.masks for one in self.asked)

    def run(self, context: JobContext) -> dict[str, Agreement]:
        """Measure in a worker; by segment id, those left out whose mask is nowhere any more."""
        wanted = {one.effort.source.job_id for one in self.asked} - self.masks.keys()
        masks = dict(self.masks)
        if wanted and self.recall is not None:
            masks |= self.recall(wanted)
        found: dict[str, Agreement] = {}
        joint: dict[tuple[str, int], npt.NDArray[np.int64]] = {}
        for number, one in enumerate(self.asked):
            context.raise_if_cancelled()
            context.progress(number / len(self.asked), self.title)
            run = one.effort.source.job_id
            mask = masks.get(run)
            if mask is None:
                continue
            common = 0
            if one.label and one.layer_id in self.layers:
                if (run, one.layer_id) not in joint:
                    joint[run, one.layer_id] = _joint(mask, *self.layers[one.layer_id], context)
                common = int(joint[run, one.layer_id][one.effort.value, one.label])
            proposed = int(mask.histogram(context)[one.effort.value])
            found[one.effort.segment_id] = Agreement.of(proposed, one.voxels, common, self.voxel_ml)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RecallMasks:
    """Request: masks that runs of models proposed in earlier sessions."""

    recall: Callable[[Collection[str]], ProposedMasks]
    job_ids: tuple[str, ...]
    title: str = _("Looking up what was proposed")
    lane: Lane = Lane.COMPUTE

    def run(self, _context: JobContext) -> ProposedMasks:
        """Read in a worker."""
        return self.recall(self.job_ids)


@dataclass(frozen=True, slots=True, eq=False)
class ReadEfforts:
    """Request: what correcting each model took in a whole project."""

    project: Project
    title: str = _("Looking up what was corrected")
    lane: Lane = Lane.COMPUTE

    def run(self, _context: JobContext) -> list[ModelEffort]:
        """Read in a worker, once what waits is written."""
        return model_efforts(self.project.done_efforts().values())


def measuring(case: OpenCase, efforts: Collection[Effort], masks: Mapping[str, PredictedMask]) -> MeasureEfforts:
    """Return the request that measures accepted segments of a case as they are now; copies what it needs of the layers."""
    segmentation, geometry = case.labels.segmentation, case.volume.geometry
    asked, boxes = [], dict[int, list[Box]]()
    for effort in efforts:
        segment = segmentation.find(effort.segment_id)
        if segment is None:
            asked.append(_Asked(effort, 0, 0, 0, GONE))
            continue
        stamp = segmentation.stamp(segment)
        asked.append(_Asked(effort, segment.layer_id, segment.value, segmentation.count(segment), stamp))
        if (box := segmentation.box(segment)) is not None:
            boxes.setdefault(segment.layer_id, []).append(box)
    layers = {}
    for layer_id, held in boxes.items():
        around = Box.union_of(held)
        if around is not None:
            layers[layer_id] = around, segmentation.layer(layer_id).voxels[around.slices].copy()
    voxel_ml = geometry.voxel_volume_mm3 / 1000.0 if geometry.calibration is Calibration.VOLUME else 0.0
    return MeasureEfforts(tuple(asked), layers, masks, case.recall, voxel_ml)


def _joint(mask: PredictedMask, box: Box, voxels: LabelArray, context: JobContext) -> npt.NDArray[np.int64]:
    """Return how many voxels hold each value of a mask and each label, shape (256, 256)."""
    counts = np.zeros(1 << 16, dtype=np.int64)
    common = box.intersection(mask.box)
    proposed, drawn = mask.voxels[common.within(mask.box).slices], voxels[common.within(box).slices]
    depth, rows, columns = common.shape_kji
    for k in range(0, depth, step := max(1, _SLAB_VOXELS // max(1, rows * columns))):
        context.raise_if_cancelled()
        pairs = (proposed[k : k + step].astype(np.uint16) << 8) | drawn[k : k + step]
        counts += np.bincount(pairs.ravel(), minlength=1 << 16)
    return counts.reshape(256, 256)
