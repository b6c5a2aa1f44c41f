"""The description of the pack that will come out of a training."""

from __future__ import annotations

import re
from collections.abc import Mapping

from medview.core.geometry import Calibration
from medview.core.prediction import PredictedSegment
from medview.core.segmentation import Code
from medview.ml.examples import ExampleSet, TrainingClass
from medview.ml.outputs import Range, SegmentationOutput
from medview.ml.recipes.recipe import Recipe
from medview.ml.spec import Blend, Card, ChannelSpec, InputChecks, InputSpec, ModelSpec, Step, Task, Tiling
from medview.ml.training.segmentation.fingerprint import ChannelValues, Fingerprint
from medview.ml.training.segmentation.sizes import Sizes

OVERLAP = 0.5

MARGIN = 0.1
"""How far outside of the training images spacing and extent may be before a person is told."""

LONGEST_NAME, LONGEST_CODE = 64, 16
"""What a pack holds, in characters."""


def described(examples: ExampleSet, recipe: Recipe, looked: Fingerprint, sizes: Sizes) -> ModelSpec:
    """Return the description; name, card and checksums are for who writes the pack."""
    labels = tuple(_label(n + 1, one) for n, one in enumerate(examples.classes))
    return ModelSpec(
        id=re.sub(r"[^a-z0-9-]+", "-", recipe.name.lower()).strip("-") or "segmentation",
        name=recipe.name,
        version="1.0.0",
        task=Task.SEGMENTATION,
        summary=recipe.summary,
        network=sizes.network,
        input=InputSpec(
            channels=tuple(
                ChannelSpec(name, (values.modality,) if values.modality else (), values.unit, intensity_of(values))
                for name, values in zip(examples.channels, looked.channels, strict=True)
            ),
            spacing_kji_mm=sizes.spacing_kji_mm,
            orientation=looked.orientation,
            dimensions=sizes.dimensions,
            checks=_checks(looked),
        ),
        tiling=Tiling(tile_kji=sizes.tile_kji, overlap=OVERLAP, blend=Blend.GAUSSIAN),
        output=SegmentationOutput(
            labels, "softmax" if examples.exclusive else "sigmoid", overlapping=not examples.exclusive
        ),
        postprocess=(),
        card=Card(training_set_sha256=examples.dataset_sha256),
        licence=examples.stated_licence,
        notice="",
        files={},
    )


def intensity_of(values: ChannelValues) -> tuple[Step, ...]:
    """Return how values are brought to what the network sees.

    Hounsfield units mean the same on every scanner: they are cut to what the classes hold. Other values are measured in
    deviations from the mean of each image.
    """
    if values.unit != "HU" or not values.low < values.high:
        return (Step("zscore"),)
    clip = Step("clip", {"low": round(values.low, 2), "high": round(values.high, 2)})
    shift = {"subtract": round(values.mean, 3), "divide": max(round(values.deviation, 3), 1.0)}
    return clip, Step("shift_scale", shift)


def _label(number: int, one: TrainingClass) -> PredictedSegment:
    """Return a class as packs name it; a code that is longer than codes are is left out."""
    code: Mapping[str, str] | None = one.code
    fits = code is not None and max(len(code["value"]), len(code["scheme"])) <= LONGEST_CODE
    coded = Code(code["value"], code["scheme"], code["meaning"][:LONGEST_NAME]) if code is not None and fits else None
    return PredictedSegment(number, one.name[:LONGEST_NAME], one.colour, coded)


def _checks(looked: Fingerprint) -> InputChecks:
    if looked.calibration is not Calibration.VOLUME:
        return InputChecks()
    spacings = [_range([spacing[axis] for spacing in looked.spacings_kji_mm]) for axis in range(3)]
    extents = [
        _range([n[axis] * d[axis] for n, d in zip(looked.shapes_kji, looked.spacings_kji_mm, strict=True)])
        for axis in range(3)
    ]
    return InputChecks(
        spacing_kji_mm=(spacings[0], spacings[1], spacings[2]), extent_kji_mm=(extents[0], extents[1], extents[2])
    )


def _range(numbers: list[float]) -> Range:
    return round(min(numbers) * (1 - MARGIN), 4), round(max(numbers) * (1 + MARGIN), 4)
