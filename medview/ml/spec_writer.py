"""``ModelSpec`` to the content of a ``model.json``: what ``spec_reader`` reads back to an equal value."""

from __future__ import annotations

from typing import Any

from medview.ml.outputs import ClassificationOutput, DetectionOutput, InteractiveOutput, Output, Range, SegmentationOutput
from medview.ml.spec import SCHEMA_VERSION, Blend, Card, ChannelSpec, InputChecks, InputSpec, ModelSpec, Step, Tiling

_AXES = ("k", "j", "i")


def document_of(spec: ModelSpec) -> dict[str, Any]:
    """Return the content of ``model.json``, ready for JSON; ``files`` are those the spec names."""
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "id": spec.id,
        "name": spec.name,
        "version": spec.version,
        "task": spec.task.value,
        "summary": spec.summary,
        "network": {"name": spec.network.name, "kwargs": dict(spec.network.kwargs)},
        "input": _input(spec.input),
        "tiling": None if spec.tiling is None else _tiling(spec.tiling),
        "output": _output(spec.output),
        "postprocess": [_step(step) for step in spec.postprocess],
        "card": _card(spec.card),
        "licence": spec.licence,
        "notice": spec.notice,
        "files": dict(spec.files),
    }
    if len(spec.ensemble) > 1:
        content["ensemble"] = list(spec.ensemble)
    return content


def _input(wanted: InputSpec) -> dict[str, Any]:
    content: dict[str, Any] = {
        "channels": [_channel(channel) for channel in wanted.channels],
        "dimensions": wanted.dimensions,
        "spacing_kji_mm": _listed(wanted.spacing_kji_mm),
        "shape_kji": _listed(wanted.shape_kji),
        "orientation": wanted.orientation,
        "crop": wanted.crop.value,
        "interpolation": wanted.interpolation.value,
        "intensity_first": wanted.intensity_first,
        "body_part": list(wanted.body_part),
        "checks": _checks(wanted.checks),
        "grid": wanted.grid.value,
    }
    if wanted.axes != (0, 1, 2):
        content["axes"] = list(wanted.axes)
    return content


def _channel(channel: ChannelSpec) -> dict[str, Any]:
    return {
        "name": channel.name,
        "modality": list(channel.modality),
        "unit": channel.unit,
        "intensity": [_step(step) for step in channel.intensity],
        "words": list(channel.words),
        "not_words": list(channel.not_words),
    }


def _step(step: Step) -> dict[str, Any]:
    return {"op": step.op, **step.numbers, **({"values": list(step.values)} if step.values else {})}


def _checks(checks: InputChecks) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name in ("spacing_kji_mm", "extent_kji_mm"):
        ranges = getattr(checks, name)
        if ranges is not None:
            content[name] = {axis: list(one) for axis, one in zip(_AXES, ranges, strict=True)}
    if checks.values is not None:
        content["values"] = list(checks.values)
    if checks.contrast is not None:
        content["contrast"] = checks.contrast
    if checks.kernels:
        content["kernels"] = list(checks.kernels)
    return content


def _tiling(tiling: Tiling) -> dict[str, Any]:
    content: dict[str, Any] = {"blend": tiling.blend.value}
    if tiling.mirror_axes:
        content["mirror"] = [_AXES[axis] for axis in tiling.mirror_axes]
    if tiling.blend is Blend.VALID:
        content["margin_kji"] = list(tiling.margin_kji)
    if tiling.blend is Blend.GAUSSIAN:
        content |= {"tile_kji": list(tiling.tile_kji), "overlap": tiling.overlap}
        # Left out where they say nothing: they are for segmentation.
        content |= {key: True for key in ("even", "spread") if getattr(tiling, key)}
        content |= {"pad": tiling.pad} if tiling.pad != "zeros" else {}
    return content


def _output(output: Output) -> dict[str, Any]:
    match output:
        case SegmentationOutput():
            return {
                "labels": [
                    {
                        "value": label.value,
                        "name": label.name,
                        "colour": list(label.colour),
                        "code": None
                        if label.code is None
                        else {"value": label.code.value, "scheme": label.code.scheme, "meaning": label.code.meaning},
                    }
                    for label in output.labels
                ],
                "activation": output.activation,
                "overlapping": output.overlapping,
                "carried": output.carried.value,
            }
        case DetectionOutput():
            return {
                "classes": [{"name": one.name, "colour": list(one.colour)} for one in output.classes],
                "score_threshold": output.score_threshold,
                "nms_iou": output.nms_iou,
                "max_boxes": output.max_boxes,
                "join_slices": output.join_slices,
            }
        case ClassificationOutput():
            return {
                "classes": list(output.classes),
                "activation": output.activation,
                "threshold": output.threshold,
                "subject": output.subject.value,
                "calibration": {"scale": output.scale, "shift": output.shift},
                "abstain": _listed(output.abstain),
                "summary": output.summary.value,
            }
        case InteractiveOutput():
            return {
                "prompts": [{"kind": one.kind, "positive": one.positive} for one in output.prompts],
                "previous": output.previous,
                "grown": output.grown,
                "radius_voxels": output.radius_voxels,
                "decay": output.decay,
                "activation": output.activation,
            }


def _card(card: Card) -> dict[str, Any]:
    return {
        "intended_use": card.intended_use,
        "training_data": card.training_data,
        "limitations": card.limitations,
        "metrics": dict(card.metrics),
        "training_set_sha256": card.training_set_sha256 or None,
    }


def _listed(numbers: tuple[float, ...] | Range | None) -> list[float] | None:
    return None if numbers is None else list(numbers)
