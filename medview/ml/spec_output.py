"""The ``output`` part of a ``model.json``, by task."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from medview.core.prediction import PredictedSegment
from medview.core.segmentation import VALUES_PER_LAYER, Code
from medview.ml.outputs import (
    PROMPT_KINDS,
    BoxClass,
    Carried,
    ClassificationOutput,
    DetectionOutput,
    InteractiveOutput,
    Output,
    PromptChannel,
    Range,
    SegmentationOutput,
    Subject,
    Summary,
)
from medview.ml.spec import Task
from medview.ml.spec_fields import Fields

ACTIVATIONS = ("softmax", "sigmoid")


def read_output(fields: Fields, task: Task) -> Output:
    """Read the object at ``output``.

    Raises
    ------
    PackError
        With one sentence that names the key that is wrong.
    """
    return _OUTPUTS[task](fields)


def _labels(fields: Fields) -> Output:
    activation = fields.choice("activation", ACTIVATIONS, "softmax")
    overlapping = fields.flag("overlapping")
    if overlapping and activation == "softmax":
        fields.wrong("overlapping", "false where the largest answer wins (softmax)")
    carried = Carried(fields.choice("carried", [c.value for c in Carried], Carried.LOGITS.value))
    labels = []
    for n, inner in enumerate(fields.objects("labels", VALUES_PER_LAYER)):
        value = inner.integer("value", 1, VALUES_PER_LAYER)
        if value != n + 1:
            inner.wrong("value", f"{n + 1}: values count up from 1 with the channels")
        code = None
        if inner.get("code") is not None:
            coded = inner.inside("code")
            code = Code(coded.text("value", 16), coded.text("scheme", 16), coded.text("meaning", 64))
            coded.end()
        labels.append(PredictedSegment(value, inner.text("name", 64), inner.colour("colour", n), code))
        inner.end()
    if len({label.name for label in labels}) != len(labels):
        fields.wrong("labels", "different names")
    fields.end()
    return SegmentationOutput(tuple(labels), activation, overlapping, carried)


def _boxes(fields: Fields) -> Output:
    classes = []
    for n, inner in enumerate(fields.objects("classes", VALUES_PER_LAYER)):
        classes.append(BoxClass(inner.text("name", 64), inner.colour("colour", n)))
        inner.end()
    output = DetectionOutput(
        classes=tuple(classes),
        score_threshold=fields.number("score_threshold", 0.0, 1.0),
        nms_iou=fields.number("nms_iou", 0.0, 1.0),
        max_boxes=fields.integer("max_boxes", 1, 1000),
        join_slices=fields.flag("join_slices"),
    )
    fields.end()
    return output


def _classes(fields: Fields) -> Output:
    scale, shift = 1.0, 0.0
    if fields.get("calibration") is not None:
        inner = fields.inside("calibration")
        scale, shift = inner.number("scale", 1e-3, 1e3), inner.number("shift", -1e3, 1e3)
        inner.end()
    abstain: Range | None = None
    if fields.get("abstain") is not None:
        low, high = fields.numbers("abstain", 2, 0.0, 1.0)
        if not low < high:
            fields.wrong("abstain", "two scores, the lower one first")
        abstain = low, high
    output = ClassificationOutput(
        classes=fields.texts("classes", VALUES_PER_LAYER, empty=False),
        activation=fields.choice("activation", ACTIVATIONS),
        threshold=fields.number("threshold", 0.0, 1.0),
        subject=Subject(fields.choice("subject", [s.value for s in Subject], Subject.SERIES.value)),
        scale=scale,
        shift=shift,
        abstain=abstain,
        summary=Summary(fields.choice("summary", [s.value for s in Summary], Summary.LARGEST.value)),
    )
    fields.end()
    return output


def _prompts(fields: Fields) -> Output:
    prompts = []
    for inner in fields.objects("prompts", 2 * len(PROMPT_KINDS)):
        prompts.append(PromptChannel(inner.choice("kind", PROMPT_KINDS), inner.flag("positive")))
        inner.end()
    if len(set(prompts)) != len(prompts):
        fields.wrong("prompts", "different prompts")
    output = InteractiveOutput(
        prompts=tuple(prompts),
        previous=fields.flag("previous"),
        radius_voxels=fields.number("radius_voxels", 0.0, 64.0),
        decay=fields.number("decay", 0.0, 1.0),
        activation=fields.choice("activation", ACTIVATIONS, "softmax"),
        grown=fields.flag("grown"),
    )
    fields.end()
    return output


_OUTPUTS: Mapping[Task, Callable[[Fields], Output]] = {
    Task.SEGMENTATION: _labels,
    Task.DETECTION: _boxes,
    Task.CLASSIFICATION: _classes,
    Task.INTERACTIVE: _prompts,
}
