"""The description of a model that goes on from another: prepared and tiled as that was, for what is learnt now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from medview.core.errors import ModelError
from medview.ml.examples import LONGEST_LICENCE, ExampleSet
from medview.ml.lineage.channel_map import ChannelMap
from medview.ml.lineage.class_map import ClassMap
from medview.ml.outputs import (
    ClassificationOutput,
    DetectionOutput,
    InteractiveOutput,
    Output,
    Range,
    SegmentationOutput,
)
from medview.ml.spec import ChannelSpec, InputChecks, InputSpec, ModelSpec, Step
from medview.ml.training.finetune.counted import with_counts
from medview.ml.training.segmentation.described import LONGEST_NAME

_AXES = {letter: axis for axis, pair in enumerate(("LR", "AP", "SI")) for letter in pair}

_BEGUN = "; begun with "

Ranges = tuple[Range, Range, Range]


def spec_after(
    parent: ModelSpec, base: ModelSpec, examples: ExampleSet, classes: ClassMap, channels: ChannelMap
) -> ModelSpec:
    """Return the description.

    Parameters
    ----------
    base : ModelSpec
        What would be made of the examples without a parent: what the parent does not know is taken from it.

    Raises
    ------
    ModelError
        When the parent cannot be gone on with on these examples.
    """
    output = _output(parent, base.output, examples, classes)
    made = replace(
        base,
        input=_input(parent.input, base.input, channels),
        tiling=parent.tiling,
        output=output,
        postprocess=_steps(parent.postprocess, classes) if isinstance(output, SegmentationOutput) else parent.postprocess,
        licence=_licence(parent, base),
        notice=parent.notice,
    )
    return replace(made, network=with_counts(parent.network, channels=made.in_channels, answers=made.out_channels))


def _output(parent: ModelSpec, base: Output, examples: ExampleSet, classes: ClassMap) -> Output:
    before = parent.output
    if isinstance(before, SegmentationOutput) and isinstance(base, SegmentationOutput):
        # Each class by itself where the parent has it so: its rows mean that.
        alone = before.activation == "sigmoid" or not examples.exclusive
        return replace(
            base,
            activation="sigmoid" if alone else "softmax",
            overlapping=not examples.exclusive,
            carried=before.carried,
        )
    if isinstance(before, DetectionOutput) and isinstance(base, DetectionOutput):
        return replace(
            base,
            score_threshold=before.score_threshold,
            nms_iou=before.nms_iou,
            max_boxes=max(before.max_boxes, base.max_boxes),
            join_slices=base.join_slices if parent.input.dimensions == 2 else before.join_slices,
        )
    if isinstance(before, ClassificationOutput) and isinstance(base, ClassificationOutput):
        if not classes.unchanged or before.activation != base.activation:
            return base
        return replace(base, threshold=before.threshold, scale=before.scale, shift=before.shift, abstain=before.abstain)
    if isinstance(before, InteractiveOutput) and isinstance(base, InteractiveOutput):
        if (before.prompts, before.previous, before.activation) != (base.prompts, base.previous, base.activation):
            raise ModelError(f"{parent.name} takes other prompts than what is trained here; begin with another model.")
        return before
    raise ModelError(f"{parent.name} is a model for another task; begin with another.")


def _input(before: InputSpec, base: InputSpec, channels: ChannelMap) -> InputSpec:
    """Return the parent's input; channels that it does not have are prepared as their values ask for."""
    found = []
    for number, (old, own) in enumerate(zip(channels.old, base.channels, strict=True)):
        if channels.averaged:
            like = before.channels[min(number, len(before.channels) - 1)]
            found.append(ChannelSpec(own.name, own.modality, own.unit, like.intensity))
        else:
            found.append(own if old is None else _both(before.channels[old], own))
    return replace(before, channels=tuple(found), checks=_wider(before, base))


def _both(old: ChannelSpec, own: ChannelSpec) -> ChannelSpec:
    """Return the parent's channel, for its images and for those now: what is trained on them may be asked about them."""
    modality = tuple(dict.fromkeys((*old.modality, *own.modality))) if old.modality and own.modality else ()
    return replace(old, modality=modality, unit=old.unit if old.unit == own.unit else "")


def _wider(before: InputSpec, base: InputSpec) -> InputChecks:
    """Return the parent's ranges, wide enough for the images now; none in millimetres where those have none."""
    order = axes_between(base.orientation, before.orientation)
    checks = before.checks
    if base.checks.spacing_kji_mm is None:
        checks = replace(checks, spacing_kji_mm=None, extent_kji_mm=None)
    one_unit = before.channels[0].unit == base.channels[0].unit
    return replace(
        checks,
        spacing_kji_mm=_joined(checks.spacing_kji_mm, base.checks.spacing_kji_mm, order),
        extent_kji_mm=_joined(checks.extent_kji_mm, base.checks.extent_kji_mm, order),
        values=_wide(checks.values, base.checks.values) if one_unit else None,
    )


def axes_between(now: str | None, before: str | None) -> tuple[int, ...]:
    """Return where each axis of ``before`` is in ``now``; as they stand where one of them is not known."""
    if now is None or before is None:
        return (0, 1, 2)
    places = [_AXES[letter] for letter in now]
    return tuple(places.index(_AXES[letter]) for letter in before)


def _joined(have: Ranges | None, more: Ranges | None, order: tuple[int, ...]) -> Ranges | None:
    if have is None or more is None:
        return have
    k, j, i = ((min(own[0], more[axis][0]), max(own[1], more[axis][1])) for own, axis in zip(have, order, strict=True))
    return k, j, i


def _wide(have: Range | None, more: Range | None) -> Range | None:
    if have is None or more is None:
        return have
    return min(have[0], more[0]), max(have[1], more[1])


def _steps(steps: tuple[Step, ...], classes: ClassMap) -> tuple[Step, ...]:
    """Return the steps on labels for the numbers that classes have now; those of classes that are gone go with them."""
    now: Mapping[int, int] = {one.old + 1: n for n, one in enumerate(classes.classes, 1) if one.old is not None}
    found = []
    for step in steps:
        values = tuple(now[value] for value in step.values if value in now)
        if values or not step.values:
            found.append(replace(step, values=values))
    return tuple(found)


def _licence(parent: ModelSpec, base: ModelSpec) -> str:
    """Return the licence of what is learnt from now, and those of all that came before: what comes out is made of all.

    Each licence is named once, with the last model that came by it. Where that is too long, names of models are cut.
    """
    own = base.licence.rstrip(".")
    before, *older = parent.licence.split(_BEGUN)
    names = {own: ""}
    for name, licence in ((parent.name, before), *(link.rpartition(": ")[::2] for link in older)):
        names.setdefault(licence.rstrip("."), name)
    del names[own]
    if not names:
        return base.licence
    room = LONGEST_LICENCE - len(own) - sum(len(f"{_BEGUN}: {licence}") for licence in names)
    longest = LONGEST_NAME if sum(map(len, names.values())) <= room else max(0, room // len(names))
    links = (f"{name[:longest]}: {licence}" if name[:longest] else licence for licence, name in names.items())
    rest = "".join(_BEGUN + link for link in links)
    # Texts that leave no room for the others lose their end.
    return (own[: max(LONGEST_LICENCE // 2, LONGEST_LICENCE - len(rest))] + rest)[:LONGEST_LICENCE]
