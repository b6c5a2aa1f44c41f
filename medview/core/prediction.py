"""What a model returned, and the proposal it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from medview.core.annotations import BoxAnnotation
from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.packed_voxels import pack
from medview.core.scores import ScoreRule, SliceScores
from medview.core.segmentation import Code
from medview.core.source import Source

_SLAB_VOXELS = 1 << 21


@dataclass(frozen=True, slots=True)
class PredictedSegment:
    """A class of a predicted mask: the value it has there, its name, RGB colour and code."""

    value: int
    name: str
    colour: tuple[int, int, int]
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class ProposedPiece:
    """One piece of a class of a predicted mask: voxels that touch at faces, edges or corners.

    Attributes
    ----------
    centre_kji : tuple of int
        A voxel of it, as near to its middle as there is one.
    """

    value: int
    voxels: int
    box: Box
    centre_kji: tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class PredictedMask:
    """A label map on the input's grid, kept only inside the box that holds anything.

    Attributes
    ----------
    voxels : ndarray of uint8, shape ``box.shape_kji``
        Read-only; zero, and every value that is not one of a segment, is background.
    """

    box: Box
    voxels: npt.NDArray[np.uint8]
    segments: tuple[PredictedSegment, ...]
    _histogram: list[npt.NDArray[np.int64]] = field(init=False, repr=False, default_factory=list)
    _packed: list[bytes] = field(init=False, repr=False, default_factory=list)
    _pieces: list[tuple[ProposedPiece, ...]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        if self.voxels.shape != self.box.shape_kji:
            raise ValueError(f"a mask of shape {self.voxels.shape} does not fill {self.box}")
        view = self.voxels.view()
        view.setflags(write=False)
        object.__setattr__(self, "voxels", view)

    @classmethod
    def trimmed(cls, labels: npt.NDArray[np.uint8], segments: tuple[PredictedSegment, ...]) -> PredictedMask:
        """Return the mask of a whole-grid label map (k, j, i), keeping only the box around its foreground."""
        box = Box.around(labels != 0) or Box((0, 0, 0), (0, 0, 0))
        return cls(box, labels[box.slices].copy(), segments)

    def reduced_to(self, segments: tuple[PredictedSegment, ...]) -> PredictedMask:
        """Return the mask of some of its segments; the voxels are shared."""
        reduced = PredictedMask(self.box, self.voxels, segments)
        object.__setattr__(reduced, "_histogram", self._histogram)
        object.__setattr__(reduced, "_packed", self._packed)
        object.__setattr__(reduced, "_pieces", self._pieces)
        return reduced

    def on_grid(self, shape_kji: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
        """Return the whole-grid label map, shape ``shape_kji``."""
        labels = np.zeros(shape_kji, dtype=np.uint8)
        labels[self.box.slices] = self.voxels
        return labels

    def value_at(self, index_kji: tuple[int, int, int]) -> int:
        """Value at a voxel of the grid; 0 outside the box."""
        at = np.subtract(index_kji, self.box.min_kji)
        if np.any(at < 0) or np.any(at >= self.box.shape_kji):
            return 0
        return int(self.voxels[tuple(at)])

    @property
    def pieces(self) -> tuple[ProposedPiece, ...] | None:
        """What its classes fall into, of each the largest first; None until somebody looked (``keep_pieces``)."""
        return self._pieces[0] if self._pieces else None

    def keep_pieces(self, pieces: tuple[ProposedPiece, ...]) -> None:
        """Take what ``analysis.proposed_pieces`` found, also for the masks of some of its segments."""
        self._pieces[:] = [pieces]

    def packed(self) -> bytes:
        """Return the voxels as ``core.packed_voxels`` does; packed once, also for the masks of some of its segments."""
        if not self._packed:
            self._packed.append(pack(self.voxels))
        return self._packed[0]

    def histogram(self, context: JobContext | None = None) -> npt.NDArray[np.int64]:
        """Voxels of the box per value, shape (256,); counted once, also for the masks of some of its segments.

        Parameters
        ----------
        context : JobContext, optional
            Asked slab by slab whether to go on.
        """
        if not self._histogram:
            counts = np.zeros(256, dtype=np.int64)
            depth, rows, columns = self.voxels.shape
            # Counting them all at once takes eight times their memory.
            for k in range(0, depth, step := max(1, _SLAB_VOXELS // max(1, rows * columns))):
                if context is not None:
                    context.raise_if_cancelled()
                counts += np.bincount(self.voxels[k : k + step].ravel(), minlength=256)
            self._histogram[:] = [counts]
        return self._histogram[0]

    def counts(self) -> dict[int, int]:
        """Voxels per value, for the values of ``segments``."""
        counts = self.histogram()
        return {segment.value: int(counts[segment.value]) for segment in self.segments}


ProposedMasks = dict[str, PredictedMask]
"""By run (job id)."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One run of one model on one volume, on the volume's grid.

    Attributes
    ----------
    task : str
        ``segmentation``, ``detection`` or ``classification``.
    scores : mapping of str to float
        Probability per class name, 0 to 1.
    further : tuple of PredictedMask
        Segments that share voxels with those of ``mask``, or with each other: none does with others of its mask.
    score_rule : ScoreRule or None
        How they are to be read.
    slice_scores : SliceScores or None
        Those of every slice, of a model that sees slices.
    seconds : mapping of str to float
        Stage times: load, prepare, infer, finish.
    device : str
        Where it ran, e.g. ``cpu`` or ``cuda (NVIDIA A100)``.
    warnings : tuple of str
        Sentences for the person.
    """

    task: str
    model_name: str
    source: Source
    geometry: Geometry
    series_uid: str = ""
    mask: PredictedMask | None = None
    boxes: tuple[BoxAnnotation, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    device: str = "cpu"
    peak_memory_mb: float = 0.0
    notice: str = ""
    warnings: tuple[str, ...] = ()
    score_rule: ScoreRule | None = None
    slice_scores: SliceScores | None = None
    further: tuple[PredictedMask, ...] = ()

    @property
    def masks(self) -> tuple[PredictedMask, ...]:
        """Every mask."""
        return () if self.mask is None else (self.mask, *self.further)

    def mask_of(self, value: int) -> PredictedMask | None:
        """Return the mask that holds the segment of a value, None where there is none."""
        return next((mask for mask in self.masks if any(s.value == value for s in mask.segments)), None)


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A prediction waiting for a person. It is not part of the labels until accepted.

    Attributes
    ----------
    labels_revision : int
        Revision of the labels when the model was started; the proposal is stale once they have moved on.
    part : int
        A run whose segments share voxels becomes several proposals, one per mask; this says which one it is.
    """

    proposal_id: str
    prediction: Prediction
    labels_revision: int = 0
    part: int = 0

    @property
    def model_id(self) -> str:
        """Id of the model; at most one proposal per model and part is live."""
        return self.prediction.source.model_id

    def parts(self) -> tuple[Proposal, ...]:
        """Return the proposals that this one becomes: itself, and one for each further mask; none of an empty mask."""
        prediction = self.prediction
        if len(prediction.masks) < 2:
            return (self,)
        first, *further = [mask for mask in prediction.masks if mask.segments] or prediction.masks[:1]
        parts = [replace(self, prediction=replace(prediction, mask=first, further=()))]
        for part, mask in enumerate(further, start=1):
            number = part + 1
            found = Prediction(
                task=prediction.task,
                model_name=f"{prediction.model_name} ({number})",
                source=replace(prediction.source, job_id=f"{prediction.source.job_id}-{number}"),
                geometry=prediction.geometry,
                series_uid=prediction.series_uid,
                mask=mask,
                seconds=prediction.seconds,
                device=prediction.device,
                peak_memory_mb=prediction.peak_memory_mb,
                notice=prediction.notice,
                warnings=prediction.warnings,
            )
            parts.append(Proposal(f"{self.proposal_id}-{number}", found, self.labels_revision, part))
        return tuple(parts)

    @property
    def empty(self) -> bool:
        """Whether nothing is left to accept."""
        p = self.prediction
        return not any(mask.segments for mask in p.masks) and not p.boxes and not p.scores
