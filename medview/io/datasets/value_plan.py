"""One number for every voxel, whatever lies there: which values a dataset of label maps needs.

Where nothing overlaps a label is a value. Where labels overlap each set of labels that meet becomes a value of its own, and
a label is all values of the sets it is in: what nnU-Net calls regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.core.segmentation import Segmentation, SegmentRole
from medview.io.datasets.dataset_case import DatasetCase, category_of

Labels = npt.NDArray[np.uint8]
MOST_VALUES = 254
Meeting = frozenset[str]
"""Names of labels that lie on one voxel."""


@dataclass(frozen=True, slots=True)
class ValuePlan:
    """Which value stands for what.

    Attributes
    ----------
    names : tuple of str
        Labels, in order.
    values : mapping of frozenset of str to int
        Labels that meet -> their value.
    voxels : mapping of frozenset of str to int
        How often labels meet; of cases in which some do.
    unsure : int
        The value of what nobody is sure of or nobody looked at; 0 where there is none.
    """

    names: tuple[str, ...]
    values: Mapping[Meeting, int]
    voxels: Mapping[Meeting, int]
    unsure: int = 0

    @property
    def overlaps(self) -> bool:
        """Whether any labels meet."""
        return any(len(meeting) > 1 for meeting in self.values)

    def of_label(self, name: str) -> list[int]:
        """Return all values a label is made of."""
        return sorted(value for meeting, value in self.values.items() if name in meeting)

    def class_order(self) -> list[tuple[str, int]]:
        """Return labels from the one that holds the others on, and the value each leaves on a map written in this order.

        What programs predict of regions is written in this order, so that labels inside others come out right; labels that
        overlap in part cannot.
        """
        sizes = {name: sum(n for meeting, n in self.voxels.items() if name in meeting) for name in self.names}
        order = sorted(self.names, key=lambda name: (-sizes[name], self.names.index(name)))
        found: list[tuple[str, int]] = []
        for at, name in enumerate(order):
            before = set(order[: at + 1])
            fitting = [meeting for meeting in self.values if name in meeting and meeting <= before]
            best = max(fitting, key=lambda meeting: (self.voxels.get(meeting, 0), -len(meeting)))
            found.append((name, self.values[best]))
        return found


def plan_values(cases: Sequence[DatasetCase], context: JobContext) -> ValuePlan:
    """Return the values a dataset needs; cases with several layers are loaded to see what meets.

    Raises
    ------
    WriteError
        When there are no labels, or more than a map holds.
    """
    names: dict[str, None] = {}
    voxels: Counter[Meeting] = Counter()
    unsure = False
    for number, case in enumerate(cases):
        context.raise_if_cancelled()
        names |= dict.fromkeys(category_of(segment) for segment in case.structures())
        unsure = unsure or len(case.structures()) < len(case.segments) or case.marks is not None
        layers = {segment.layer_id for segment in case.structures()}
        if case.labels is not None and len(layers) > 1:
            context.progress(number / len(cases), f"Looking for overlaps in case {number + 1} of {len(cases)}")
            voxels += _meetings(case.labels())
    if not names:
        raise WriteError(
            "The dataset was not written: no segment is drawn in any of its cases, and label maps hold nothing else; "
            "boxes go into coco, voc, yolo or dataset."
        )
    meetings: list[Meeting] = [frozenset([name]) for name in names]
    meetings += sorted((one for one in voxels if len(one) > 1), key=lambda one: (len(one), sorted(one)))
    if len(meetings) > MOST_VALUES:
        raise WriteError(
            f"The dataset was not written: it needs {len(meetings)} values, and a label map holds {MOST_VALUES}."
        )
    values = {meeting: value for value, meeting in enumerate(meetings, start=1)}
    return ValuePlan(tuple(names), values, voxels, len(meetings) + 1 if unsure else 0)


def on_one_map(segmentation: Segmentation, plan: ValuePlan, case: DatasetCase) -> Labels:
    """Return the label map (k, j, i) of a case: the values of a plan."""
    places, found = _sets(segmentation)
    table = np.array([plan.values[meeting] if meeting else 0 for meeting in found], dtype=np.uint8)
    labels = np.zeros(segmentation.geometry.shape_kji, dtype=np.uint8)
    labels.reshape(-1)[places[0]] = table[places[1]]
    if plan.unsure:
        for segment in segmentation.segments:
            if segment.role is SegmentRole.IGNORE:
                labels[segmentation.mask(segment)] = plan.unsure
        if case.marks is not None:
            # What nobody looked at is no background; what was drawn there all the same is kept.
            labels[(labels == 0) & ~case.marks.known(segmentation.geometry.shape_kji)] = plan.unsure
    return labels


def _meetings(segmentation: Segmentation) -> Counter[Meeting]:
    places, found = _sets(segmentation)
    counts = np.bincount(places[1], minlength=len(found))
    meetings: Counter[Meeting] = Counter()
    for meeting, count in zip(found, counts.tolist(), strict=True):
        if count and meeting:
            meetings[meeting] += count
    return meetings


def _sets(segmentation: Segmentation) -> tuple[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], list[Meeting]]:
    """Return flat voxels on which something lies with the number of the set that does, and the sets."""
    by_layer: dict[int, dict[int, str]] = {}
    for segment in segmentation.segments:
        if segment.role is not SegmentRole.IGNORE:
            by_layer.setdefault(segment.layer_id, {})[segment.value] = category_of(segment)
    layers = [segmentation.layer(layer_id).voxels.reshape(-1) for layer_id in by_layer]
    drawn = np.zeros(int(np.prod(segmentation.geometry.shape_kji)), dtype=np.bool_)
    for layer in layers:
        drawn |= layer != 0
    flat = np.flatnonzero(drawn)
    found: list[Meeting] = [frozenset()]
    sets = np.zeros(flat.size, dtype=np.intp)
    for layer, named in zip(layers, by_layer.values(), strict=True):
        pairs, sets = np.unique(sets * 256 + layer[flat], return_inverse=True)
        found = [found[pair // 256] | ({named[pair % 256]} if pair % 256 in named else set()) for pair in pairs.tolist()]
    return (flat, sets.reshape(-1)), found
