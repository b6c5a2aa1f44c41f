"""Examples and answers of models that a test wants judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.geometry import Calibration, Geometry
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.spec import Task
from medview.workspace.evaluation.judging import EvaluationSettings
from medview.workspace.evaluation.masks import MaskJudge
from medview.workspace.evaluation.matching import JudgedClass
from tests.ml.small_packs import oblique_geometry

SOURCE = Source(SourceKind.MODEL, "made", "1.0.0")
SHAPE = (6, 20, 26)


def classes(*names: str) -> tuple[JudgedClass, ...]:
    """Classes that both sides call alike, in the same order."""
    return tuple(JudgedClass(name, n, n + 1, name) for n, name in enumerate(names))


def volume(geometry: Geometry | None = None, seed: int = 0, **more: Any) -> Volume:
    geometry = geometry or oblique_geometry(SHAPE)
    values = np.random.default_rng(seed).integers(0, 4000, geometry.shape_kji).astype(np.int16)
    return Volume(values, geometry, "CT", "HU", series_uid="1.2.3", **more)


def picture_grid(rows: int = 30, columns: int = 41) -> Geometry:
    """A picture without millimetres."""
    return Geometry.from_spacing((1, rows, columns), (1.0, 1.0, 1.0), calibration=Calibration.PIXELS)


def example(key: str, patient: str, image: Volume, truth: Truth, split: str = "val", **more: Any) -> Example:
    return Example(key, patient, split, lambda: (image,), lambda: truth, **more)


def example_set(task: Task, names: Sequence[str], examples: Sequence[Example], **more: Any) -> ExampleSet:
    return ExampleSet(task, tuple(TrainingClass(name) for name in names), ("CT",), tuple(examples), **more)


def masks(labels: np.ndarray[Any, Any], geometry: Geometry, names: Sequence[str]) -> Prediction:
    """What a segmentation model would have returned."""
    segments = tuple(PredictedSegment(n, name, (9, 9, 9)) for n, name in enumerate(names, start=1))
    held = tuple(one for one in segments if (labels == one.value).any())
    whole = PredictedMask.trimmed(labels.astype(np.uint8), held)
    return Prediction("segmentation", "made", SOURCE, geometry, mask=whole)


def boxes(geometry: Geometry, found: Sequence[tuple[str, float, Sequence[float], Sequence[float]]]) -> Prediction:
    """What a detection model would have returned: label, score, low and high corner."""
    drawn = tuple(
        BoxAnnotation.on_grid(f"box-{n}", label, geometry, low, high, score, SOURCE)
        for n, (label, score, low, high) in enumerate(found)
    )
    return Prediction("detection", "made", SOURCE, geometry, boxes=drawn)


def answers(geometry: Geometry, scores: Mapping[str, float]) -> Prediction:
    """What a classifier would have returned."""
    return Prediction("classification", "made", SOURCE, geometry, scores=dict(scores))


def mask_judge(names: Sequence[str], tolerance: float = 2.0) -> MaskJudge:
    return MaskJudge(classes(*names), EvaluationSettings(tolerance=tolerance), Inline())


def blobs(shape_kji: tuple[int, int, int], seed: int) -> np.ndarray[Any, Any]:
    """Two classes of voxels in boxes that differ from seed to seed."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape_kji, dtype=np.uint8)
    for value in (1, 2):
        low = [int(rng.integers(0, max(1, n // 3))) for n in shape_kji]
        size = [max(1, int(rng.integers(n // 3, n // 2 + 1))) for n in shape_kji]
        labels[tuple(slice(a, a + s) for a, s in zip(low, size, strict=True))] = value
    return labels
