"""The ``input`` and ``postprocess`` parts of a ``model.json``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from medview.core.segmentation import VALUES_PER_LAYER
from medview.ml.outputs import Range
from medview.ml.spec import ChannelSpec, Crop, Grid, InputChecks, InputSpec, Interpolation, Step, Task
from medview.ml.spec_fields import Fields

INTENSITY_STEPS: Mapping[str, tuple[str, ...]] = {
    "clip": ("low", "high"),
    "scale": ("low", "high"),
    "shift_scale": ("subtract", "divide"),
    "zscore": (),
    "zscore_nonzero": (),
    "zscore_inside": (),
    "minmax": (),
    "quantile": ("low", "high"),
}
"""Names of the intensity steps and their numbers."""

POSTPROCESS_STEPS: Mapping[str, tuple[str, ...]] = {"remove_small": ("min_mm3",), "largest_component": ()}
"""Names of the steps on labels and their numbers."""

MOST_CHANNELS = 16
LEAST_SPACING_MM = 0.05

_ORIENTATION = re.compile(r"[LRAPSI]{3}")
_AXIS_OF = {"L": 0, "R": 0, "A": 1, "P": 1, "S": 2, "I": 2}
_LARGEST_VALUE = 1e9
MOST_VALUE_STEPS = 16
MOST_LABEL_STEPS = 512
"""Two for each value a label map holds."""


def read_input(fields: Fields, task: Task) -> InputSpec:
    """Read the object at ``input``.

    Raises
    ------
    PackError
        With one sentence that names the key that is wrong.
    """
    dimensions = fields.integer("dimensions", 2, 3)
    shape = None if fields.get("shape_kji") is None else fields.shape("shape_kji", 1 if dimensions == 2 else 8)
    if shape is not None and task is not Task.CLASSIFICATION:
        fields.wrong("shape_kji", "null, for this task")
    spacing = None
    if fields.get("spacing_kji_mm") is not None:
        dk, dj, di = fields.numbers("spacing_kji_mm", 3, 0.0, 50.0)
        spacing = (dk, dj, di)
        if min(dj, di, dk or LEAST_SPACING_MM) < LEAST_SPACING_MM:
            fields.wrong("spacing_kji_mm", f"numbers from {LEAST_SPACING_MM} to 50; 0 along k for that of the series")
    if shape is not None and spacing is not None:
        fields.wrong("spacing_kji_mm", "null where shape_kji is given")
    orientation = None
    if fields.get("orientation") is not None:
        orientation = fields.pattern("orientation", _ORIENTATION, "three letters such as SPL, or null")
        if len({_AXIS_OF[letter] for letter in orientation}) != 3:
            fields.wrong("orientation", "three letters of three different axes")
    grid = Grid(fields.choice("grid", [g.value for g in Grid], Grid.EDGES.value))
    if grid is Grid.CENTRES and (task is not Task.SEGMENTATION or spacing is None):
        fields.wrong("grid", "edges, for this task or without spacing_kji_mm")
    axes = (0, 1, 2)
    if fields.get("axes") is not None:
        axes = fields.shape("axes", 0)
        if sorted(axes) != [0, 1, 2] or orientation is not None:
            fields.wrong("axes", "0, 1 and 2 in the model's order, and orientation null")
    crop = Crop(fields.choice("crop", [c.value for c in Crop], Crop.NONE.value))
    if crop is Crop.NONZERO and task is not Task.SEGMENTATION:
        fields.wrong("crop", "none or body, for this task")
    spec = InputSpec(
        channels=_channels(fields),
        spacing_kji_mm=spacing,
        orientation=orientation,
        shape_kji=shape,
        dimensions=dimensions,
        crop=crop,
        interpolation=Interpolation(
            fields.choice("interpolation", [i.value for i in Interpolation], Interpolation.LINEAR.value)
        ),
        axes=axes,
        intensity_first=fields.flag("intensity_first"),
        body_part=fields.texts("body_part", 16, empty=True, default=()),
        checks=_checks(fields.inside("checks")) if "checks" in fields.content else InputChecks(),
        grid=grid,
    )
    fields.end()
    return spec


def read_steps(fields: Fields, key: str, table: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
    """Read a list of steps of a closed table.

    Raises
    ------
    PackError
        With one sentence that names the key that is wrong.
    """
    if fields.get(key) == []:
        return ()
    steps = []
    for inner in fields.objects(key, MOST_LABEL_STEPS if table is POSTPROCESS_STEPS else MOST_VALUE_STEPS):
        op = inner.choice("op", list(table))
        numbers = {name: inner.number(name, -_LARGEST_VALUE, _LARGEST_VALUE) for name in table[op]}
        if "low" in numbers and not numbers["low"] < numbers["high"]:
            inner.wrong("high", "a number above low")
        if op == "quantile" and not 0.0 <= numbers["low"] < numbers["high"] <= 1.0:
            inner.wrong("high", "fractions from 0 to 1")
        if numbers.get("divide") == 0.0:
            inner.wrong("divide", "a number other than 0")
        values: tuple[int, ...] = ()
        if table is POSTPROCESS_STEPS and inner.get("values") is not None:
            found = inner.get("values")
            count = len(found) if isinstance(found, list) else 0
            values = tuple(int(v) for v in inner.numbers("values", count, 1, VALUES_PER_LAYER))
        inner.end()
        steps.append(Step(op, numbers, values))
    return tuple(steps)


def _channels(fields: Fields) -> tuple[ChannelSpec, ...]:
    """Channels by name share what the input says; described ones may say otherwise."""
    found = fields.get("channels")
    named = isinstance(found, list) and bool(found) and all(isinstance(item, str) for item in found)
    modality = fields.texts("modality", 16, empty=True, default=None if named else ())
    unit = fields.text("unit", 16, "")
    given = named or "intensity" in fields.content
    intensity = read_steps(fields, "intensity", INTENSITY_STEPS) if given else ()
    if named:
        names = fields.texts("channels", MOST_CHANNELS, empty=False)
        return tuple(ChannelSpec(name, modality, unit, intensity) for name in names)
    channels = []
    for inner in fields.objects("channels", MOST_CHANNELS):
        channels.append(
            ChannelSpec(
                name=inner.text("name", 80),
                modality=inner.texts("modality", 16, empty=True, default=modality),
                unit=inner.text("unit", 16, unit),
                intensity=read_steps(inner, "intensity", INTENSITY_STEPS) if "intensity" in inner.content else intensity,
                words=_words(inner, "words"),
                not_words=_words(inner, "not_words"),
            )
        )
        inner.end()
    if len({channel.name for channel in channels}) != len(channels):
        fields.wrong("channels", "channels with different names")
    return tuple(channels)


def _words(fields: Fields, key: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in fields.texts(key, 32, empty=True, default=()))


def _checks(fields: Fields) -> InputChecks:
    contrast = fields.get("contrast")
    if contrast is not None and not isinstance(contrast, bool):
        fields.wrong("contrast", "true, false or null")
    checks = InputChecks(
        spacing_kji_mm=_ranges(fields, "spacing_kji_mm"),
        extent_kji_mm=_ranges(fields, "extent_kji_mm"),
        values=None if fields.get("values") is None else _range(fields, "values", -_LARGEST_VALUE),
        contrast=contrast,
        kernels=fields.texts("kernels", 32, empty=True, default=()),
    )
    fields.end()
    return checks


def _ranges(fields: Fields, key: str) -> tuple[Range, Range, Range] | None:
    if fields.get(key) is None:
        return None
    inner = fields.inside(key)
    ranges = _range(inner, "k", 0.0), _range(inner, "j", 0.0), _range(inner, "i", 0.0)
    inner.end()
    return ranges


def _range(fields: Fields, key: str, least: float) -> Range:
    low, high = fields.numbers(key, 2, least, _LARGEST_VALUE)
    if not low <= high:
        fields.wrong(key, "the lowest and the highest value")
    return low, high
