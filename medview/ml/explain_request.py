"""The request for one explanation. No torch here: the window builds it, a worker runs it."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.annotations import BoxAnnotation
from medview.ml.outputs import ClassificationOutput, DetectionOutput
from medview.ml.predict import PredictRequest
from medview.ml.spec import ModelSpec

METHODS = ("gradcam", "occlusion")


@dataclass(frozen=True, slots=True, eq=False)
class ExplainRequest:
    """Why a class got its score, or why a box is there; run by ``medview.ml.explain.explain.explain``.

    Attributes
    ----------
    predict : PredictRequest
        The run that is explained.
    class_name : str
    method : str
        ``gradcam``: which places of the network's own features speak for the answer. ``occlusion``: how much the score
        falls when a part of the picture is covered; slower, and independent of the network's inside.
    box : BoxAnnotation, optional
        Of a detector: the box.
    slice_index : int, optional
        Of a classifier of slices: the slice of the input; the one with the highest score when not given.
    """

    predict: PredictRequest
    class_name: str
    method: str = "gradcam"
    box: BoxAnnotation | None = None
    slice_index: int | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method has to be one of {METHODS}, not {self.method}")
        if self.class_name not in explainable(self.predict.pack.spec):
            raise ValueError(f"{self.predict.pack.spec.key} has no class {self.class_name} that can be explained")


def explainable(spec: ModelSpec) -> tuple[str, ...]:
    """Return the classes of a model whose scores can be explained; none for masks."""
    if isinstance(spec.output, ClassificationOutput):
        return spec.output.classes
    if isinstance(spec.output, DetectionOutput):
        return tuple(one.name for one in spec.output.classes)
    return ()
