"""``model.json`` to ``ModelSpec``: strict, literal, and nothing is ever evaluated."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from typing import NoReturn

from medview.core.errors import PackError
from medview.core.prediction import PredictedSegment
from medview.core.segmentation import COLOUR_CYCLE, VALUES_PER_LAYER, Code
from medview.ml.spec import (
    MODEL_FILE,
    SCHEMA_VERSION,
    WEIGHTS_FILE,
    Blend,
    BoxClass,
    Card,
    ClassificationOutput,
    DetectionOutput,
    InputSpec,
    Literal,
    ModelSpec,
    NetworkSpec,
    Output,
    SegmentationOutput,
    Step,
    Task,
    Tiling,
)

INTENSITY_STEPS: Mapping[str, tuple[str, ...]] = {
    "clip": ("low", "high"),
    "scale": ("low", "high"),
    "shift_scale": ("subtract", "divide"),
    "zscore": (),
    "minmax": (),
    "quantile": ("low", "high"),
}
POSTPROCESS_STEPS: Mapping[str, tuple[str, ...]] = {"remove_small": ("min_mm3",), "largest_component": ()}

LARGEST_KWARG = 4096
"""No size in a network's keyword arguments may exceed this, so that a pack cannot ask for more than a computer has."""

LONGEST_LIST = 256
DEEPEST_LIST = 4
LARGEST_DOCUMENT = 1 << 20
LARGEST_SIDE = 2048
"""Longest tile or input side in voxels."""

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KWARG = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ORIENTATION = re.compile(r"[LRAPSI]{3}")
_AXIS_OF = {"L": 0, "R": 0, "A": 1, "P": 1, "S": 2, "I": 2}


def read_spec(document: bytes | str) -> ModelSpec:
    """Read the text of a ``model.json``.

    Raises
    ------
    PackError
        With one sentence that names the key that is wrong.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise PackError(f"{MODEL_FILE} is larger than a description of a model can be; ask its author for a proper pack.")
    try:
        content = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise PackError(
            f"{MODEL_FILE} is not readable JSON; ask its author for a proper pack.", detail=repr(error)
        ) from error
    top = _Fields(content, "")
    schema = top.integer("schema_version", 1, LARGEST_KWARG)
    if schema > SCHEMA_VERSION:
        raise PackError(
            f"This pack was made for a newer MedView (model format {schema}); install the newest MedView to use it."
        )
    task = Task(top.choice("task", [t.value for t in Task]))
    spec = ModelSpec(
        id=top.pattern("id", _ID, "lower case letters, digits and hyphens"),
        name=top.text("name", 80),
        version=top.pattern("version", _VERSION, "a version like 1.0.0"),
        task=task,
        summary=top.text("summary", 400, ""),
        network=_network(top.inside("network")),
        input=_input(top.inside("input"), task),
        tiling=_tiling(top, task),
        output=_OUTPUTS[task](top.inside("output")),
        postprocess=_steps(top, "postprocess", POSTPROCESS_STEPS) if "postprocess" in top.content else (),
        card=_card(top.inside("card")) if "card" in top.content else Card(),
        licence=top.text("licence", 200),
        notice=top.text("notice", 400, ""),
        files=_files(top.inside("files")),
        document=top.content,
    )
    top.end()
    return spec


class _Fields:
    """One JSON object, read key by key; what nobody asked for is an error."""

    def __init__(self, content: object, where: str) -> None:
        self.where = where
        if not isinstance(content, dict):
            raise PackError(f"{MODEL_FILE} has no object at {where or 'the top'}; ask its author for a proper pack.")
        self.content: dict[str, object] = content
        self._asked: set[str] = set()

    def wrong(self, key: str, expected: str) -> NoReturn:
        raise PackError(
            f"{MODEL_FILE} has nothing usable at {self.where}{key}; it has to be {expected}.",
            detail=f"found {str(self.content.get(key))[:200]!r}",
        )

    def get(self, key: str) -> object:
        self._asked.add(key)
        return self.content.get(key)

    def end(self) -> None:
        unknown = sorted(set(self.content) - self._asked)
        if unknown:
            raise PackError(
                f"{MODEL_FILE} has a key MedView does not know, {self.where}{unknown[0][:40]}; remove it or update MedView."
            )

    def inside(self, key: str) -> _Fields:
        return _Fields(self.get(key), f"{self.where}{key}.")

    def objects(self, key: str, most: int) -> list[_Fields]:
        found = self.get(key)
        if not isinstance(found, list) or not 0 < len(found) <= most:
            self.wrong(key, f"a list of 1 to {most} objects")
        return [_Fields(item, f"{self.where}{key}[{n}].") for n, item in enumerate(found)]

    def text(self, key: str, most: int, default: str | None = None) -> str:
        found = self.get(key)
        if found is None and default is not None:
            return default
        if not isinstance(found, str) or len(found) > most or (default is None and not found.strip()):
            self.wrong(key, f"a text of at most {most} characters")
        if any(ord(c) < 32 and c not in "\n\t" for c in found):
            self.wrong(key, "a text without control characters")
        return found

    def pattern(self, key: str, pattern: re.Pattern[str], expected: str) -> str:
        found = self.get(key)
        if not isinstance(found, str) or not pattern.fullmatch(found):
            self.wrong(key, expected)
        return found

    def choice(self, key: str, choices: Collection[str]) -> str:
        found = self.get(key)
        if not isinstance(found, str) or found not in choices:
            self.wrong(key, f"one of {', '.join(choices)}")
        return found

    def number(self, key: str, low: float, high: float) -> float:
        found = self.get(key)
        if not isinstance(found, int | float) or isinstance(found, bool) or not low <= found <= high:
            self.wrong(key, f"a number from {low:g} to {high:g}")
        return float(found)

    def integer(self, key: str, low: int, high: int) -> int:
        found = self.get(key)
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            self.wrong(key, f"a whole number from {low} to {high}")
        return found

    def texts(self, key: str, most: int, *, empty: bool) -> tuple[str, ...]:
        found = self.get(key)
        if not isinstance(found, list) or len(found) > most or (not found and not empty):
            self.wrong(key, "a list of names")
        names = tuple(name for name in found if isinstance(name, str) and 0 < len(name.strip()) <= 80)
        if len(names) != len(found) or len(set(names)) != len(names):
            self.wrong(key, "a list of different names")
        return names

    def numbers(self, key: str, count: int, low: float, high: float) -> list[float]:
        found = self.get(key)
        if not isinstance(found, list) or len(found) != count:
            self.wrong(key, f"{count} numbers")
        numbers = [float(n) for n in found if isinstance(n, int | float) and not isinstance(n, bool) and low <= n <= high]
        if len(numbers) != count:
            self.wrong(key, f"{count} numbers from {low:g} to {high:g}")
        return numbers

    def shape(self, key: str, low: int) -> tuple[int, int, int]:
        numbers = self.numbers(key, 3, low, LARGEST_SIDE)
        if any(n != int(n) for n in numbers):
            self.wrong(key, "three whole numbers")
        k, j, i = (int(n) for n in numbers)
        return k, j, i

    def colour(self, key: str, position: int) -> tuple[int, int, int]:
        if self.get(key) is None:
            return COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
        red, green, blue = (int(n) for n in self.numbers(key, 3, 0, 255))
        return red, green, blue


def _network(fields: _Fields) -> NetworkSpec:
    name = fields.pattern("name", _KWARG, "a network's name")
    inner = fields.inside("kwargs")
    for key in inner.content:
        if not _KWARG.fullmatch(key):
            inner.wrong(key[:40], "a keyword")
    kwargs = {key: _literal(inner, key, value, 0) for key, value in inner.content.items()}
    fields.end()
    return NetworkSpec(name, kwargs)


def _literal(fields: _Fields, key: str, value: object, depth: int) -> Literal:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 80:
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= LARGEST_KWARG:
        return value
    if isinstance(value, list) and len(value) <= LONGEST_LIST and depth < DEEPEST_LIST:
        return [_literal(fields, key, item, depth + 1) for item in value]
    return fields.wrong(key, f"literals not above {LARGEST_KWARG}")


def _input(fields: _Fields, task: Task) -> InputSpec:
    fields.integer("dimensions", 3, 3)
    shape = None if fields.get("shape_kji") is None else fields.shape("shape_kji", 8)
    if shape is not None and task is not Task.CLASSIFICATION:
        fields.wrong("shape_kji", "null, for this task")
    spacing = None
    if fields.get("spacing_kji_mm") is not None:
        dk, dj, di = fields.numbers("spacing_kji_mm", 3, 0.05, 50.0)
        spacing = (dk, dj, di)
    if shape is not None and spacing is not None:
        fields.wrong("spacing_kji_mm", "null where shape_kji is given")
    orientation = None
    if fields.get("orientation") is not None:
        orientation = fields.pattern("orientation", _ORIENTATION, "three letters such as SPL, or null")
        if len({_AXIS_OF[letter] for letter in orientation}) != 3:
            fields.wrong("orientation", "three letters of three different axes")
    channels = fields.texts("channels", 1, empty=False)
    spec = InputSpec(
        channels=channels,
        modality=fields.texts("modality", 16, empty=True),
        unit=fields.text("unit", 16, ""),
        spacing_kji_mm=spacing,
        orientation=orientation,
        intensity=_steps(fields, "intensity", INTENSITY_STEPS),
        shape_kji=shape,
    )
    fields.end()
    return spec


def _steps(fields: _Fields, key: str, table: Mapping[str, tuple[str, ...]]) -> tuple[Step, ...]:
    if fields.get(key) == []:
        return ()
    steps = []
    for inner in fields.objects(key, 16):
        op = inner.choice("op", list(table))
        numbers = {name: inner.number(name, -1e9, 1e9) for name in table[op]}
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


def _tiling(top: _Fields, task: Task) -> Tiling | None:
    if top.get("tiling") is None:
        if task is not Task.CLASSIFICATION:
            top.wrong("tiling", "an object, for this task")
        return None
    if task is Task.CLASSIFICATION:
        top.wrong("tiling", "null, for this task")
    fields = top.inside("tiling")
    blend = Blend(fields.choice("blend", [b.value for b in Blend]))
    if blend is Blend.GAUSSIAN:
        tiling = Tiling(fields.shape("tile_kji", 8), fields.number("overlap", 0.0, 0.9), blend)
    elif blend is Blend.VALID:
        tiling = Tiling((LARGEST_SIDE,) * 3, 0.0, blend, fields.shape("margin_kji", 0))
    else:
        tiling = Tiling((LARGEST_SIDE,) * 3, 0.0, blend)
    if task is Task.DETECTION and blend is not Blend.GAUSSIAN:
        fields.wrong("blend", "gaussian, for this task")
    fields.end()
    return tiling


def _labels(fields: _Fields) -> Output:
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
    return SegmentationOutput(tuple(labels))


def _boxes(fields: _Fields) -> Output:
    classes = []
    for n, inner in enumerate(fields.objects("classes", VALUES_PER_LAYER)):
        classes.append(BoxClass(inner.text("name", 64), inner.colour("colour", n)))
        inner.end()
    output = DetectionOutput(
        classes=tuple(classes),
        score_threshold=fields.number("score_threshold", 0.0, 1.0),
        nms_iou=fields.number("nms_iou", 0.0, 1.0),
        max_boxes=fields.integer("max_boxes", 1, 1000),
    )
    fields.end()
    return output


def _classes(fields: _Fields) -> Output:
    output = ClassificationOutput(
        classes=fields.texts("classes", VALUES_PER_LAYER, empty=False),
        activation=fields.choice("activation", ["softmax", "sigmoid"]),
        threshold=fields.number("threshold", 0.0, 1.0),
    )
    fields.end()
    return output


_OUTPUTS = {Task.SEGMENTATION: _labels, Task.DETECTION: _boxes, Task.CLASSIFICATION: _classes}


def _card(fields: _Fields) -> Card:
    metrics: dict[str, float] = {}
    if fields.get("metrics") is not None:
        inner = fields.inside("metrics")
        metrics = {name[:80]: inner.number(name, -1e9, 1e9) for name in inner.content}
    card = Card(
        intended_use=fields.text("intended_use", 2000, ""),
        training_data=fields.text("training_data", 2000, ""),
        limitations=fields.text("limitations", 2000, ""),
        metrics=metrics,
    )
    fields.end()
    return card


def _files(fields: _Fields) -> Mapping[str, str]:
    for name in fields.content:
        if not _FILE.fullmatch(name) or name == MODEL_FILE:
            fields.wrong(name[:64], "a plain file name inside the pack")
    if WEIGHTS_FILE not in fields.content or len(fields.content) > 32:
        fields.wrong(WEIGHTS_FILE, "its SHA-256")
    return {name: fields.pattern(name, _SHA256, "a SHA-256 in hexadecimal") for name in fields.content}
