"""``model.json`` to ``ModelSpec``: strict, literal, and nothing is ever evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from medview.core.errors import PackError
from medview.ml.outputs import ClassificationOutput, DetectionOutput, Subject
from medview.ml.spec import (
    MODEL_FILE,
    SCHEMA_VERSION,
    WEIGHTS_FILE,
    Blend,
    Card,
    Literal,
    ModelSpec,
    NetworkSpec,
    Task,
    Tiling,
)
from medview.ml.spec_fields import LARGEST_SIDE, Fields
from medview.ml.spec_input import POSTPROCESS_STEPS, read_input, read_steps
from medview.ml.spec_output import read_output

LARGEST_KWARG = 4096
"""No size in a network's keyword arguments may exceed this, so that a pack cannot ask for more than a computer has."""

LONGEST_KWARG = 80
LONGEST_LIST = 256
DEEPEST_LIST = 4
LARGEST_DOCUMENT = 1 << 20
MOST_FILES = 32
LEAST_TILE = 8
"""No side of a tile in which a network looks around may be shorter, so that a pack cannot cut an image into millions."""

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KWARG = re.compile(r"[a-z][a-z0-9_]{0,31}")
_AXES = ("k", "j", "i")


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
    top = Fields(content, "")
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
        input=read_input(top.inside("input"), task),
        tiling=_tiling(top, task),
        output=read_output(top.inside("output"), task),
        postprocess=read_steps(top, "postprocess", POSTPROCESS_STEPS) if "postprocess" in top.content else (),
        card=_card(top.inside("card")) if "card" in top.content else Card(),
        licence=top.text("licence", 200),
        notice=top.text("notice", 400, ""),
        files=_files(top.inside("files")),
        ensemble=top.texts("ensemble", 16, empty=False, default=(WEIGHTS_FILE,)),
        document=top.content,
    )
    top.end()
    if spec.ensemble[0] != WEIGHTS_FILE or not set(spec.ensemble) <= set(spec.files):
        top.wrong("ensemble", f"{WEIGHTS_FILE} and other weights that are listed in files")
    _check_slices(top, spec)
    if spec.input.dimensions == 2 and spec.tiling is not None and spec.tiling.blend is Blend.GAUSSIAN:
        if spec.tiling.tile_kji[0] != 1 or min(spec.tiling.tile_kji[1:]) < LEAST_TILE:
            top.wrong(
                "tiling", f"tiles of one slice and at least {LEAST_TILE} x {LEAST_TILE}, for a network of two dimensions"
            )
    elif spec.tiling is not None and min(spec.tiling.tile_kji) < LEAST_TILE:
        top.wrong("tiling", f"tiles of at least {LEAST_TILE} voxels to each side")
    return spec


def _check_slices(top: Fields, spec: ModelSpec) -> None:
    """Refuse what only makes sense for networks that see one slice at a time."""
    if spec.input.dimensions == 2:
        if spec.input.shape_kji is not None and spec.input.shape_kji[0] != 1:
            top.wrong("input", "of a shape_kji of one slice, for a network of two dimensions")
    elif isinstance(spec.output, ClassificationOutput) and spec.output.subject is Subject.SLICE:
        top.wrong("output", "about the series or study: only a network of two dimensions scores slices")
    elif isinstance(spec.output, DetectionOutput) and spec.output.join_slices:
        top.wrong("output", "without join_slices: only a network of two dimensions has boxes of slices")


def _network(fields: Fields) -> NetworkSpec:
    name = fields.pattern("name", _KWARG, "a network's name")
    kwargs = read_literals(fields.inside("kwargs"))
    fields.end()
    return NetworkSpec(name, kwargs)


def read_literals(fields: Fields, longest: int = LONGEST_KWARG) -> dict[str, Literal]:
    """Read an object of keywords and literals.

    Parameters
    ----------
    longest : int
        Characters a text may have.

    Raises
    ------
    PackError
        With one sentence that names the key that is wrong; or what ``fields`` raise.
    """
    for key in fields.content:
        if not _KWARG.fullmatch(key):
            fields.wrong(key[:40], "a keyword")
    return {key: _literal(fields, key, value, longest) for key, value in fields.content.items()}


def _literal(fields: Fields, key: str, value: object, longest: int, depth: int = 0) -> Literal:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= longest:
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST_KWARG:
        return value
    if isinstance(value, list) and len(value) <= LONGEST_LIST and depth < DEEPEST_LIST:
        return [_literal(fields, key, item, longest, depth + 1) for item in value]
    return fields.wrong(key, f"literals: numbers not above {LARGEST_KWARG}, texts of at most {longest} characters")


def _tiling(top: Fields, task: Task) -> Tiling | None:
    if top.get("tiling") is None:
        if task is not Task.CLASSIFICATION:
            top.wrong("tiling", "an object, for this task")
        return None
    if task is Task.CLASSIFICATION:
        top.wrong("tiling", "null, for this task")
    fields = top.inside("tiling")
    blend = Blend(fields.choice("blend", [b.value for b in Blend]))
    mirrored = fields.texts("mirror", 3, empty=True, default=())
    if not set(mirrored) <= set(_AXES):
        fields.wrong("mirror", "a list of k, j and i")
    mirror = tuple(n for n, axis in enumerate(_AXES) if axis in mirrored)
    if mirror and task is not Task.SEGMENTATION:
        fields.wrong("mirror", "empty, for this task")
    if blend is Blend.GAUSSIAN:
        tiling = Tiling(
            tile_kji=fields.shape("tile_kji", 1),
            overlap=fields.number("overlap", 0.0, 0.9),
            blend=blend,
            mirror_axes=mirror,
            even=fields.flag("even"),
            pad=fields.choice("pad", ("zeros", "edge"), "zeros"),
            spread=fields.flag("spread"),
        )
        if task is not Task.SEGMENTATION:
            # Only masks are put together from tiles.
            for key in ("even", "pad", "spread"):
                if getattr(tiling, key) not in (False, "zeros"):
                    fields.wrong(key, "left out, for this task")
    elif blend is Blend.VALID:
        tiling = Tiling((LARGEST_SIDE,) * 3, 0.0, blend, fields.shape("margin_kji", 0), mirror)
    else:
        tiling = Tiling((LARGEST_SIDE,) * 3, 0.0, blend, mirror_axes=mirror)
    if task in (Task.DETECTION, Task.INTERACTIVE) and blend is not Blend.GAUSSIAN:
        fields.wrong("blend", "gaussian, for this task")
    fields.end()
    return tiling


def _card(fields: Fields) -> Card:
    metrics: dict[str, float] = {}
    if fields.get("metrics") is not None:
        inner = fields.inside("metrics")
        metrics = {name: inner.number(name, -1e9, 1e9) for name in inner.names()}
    card = Card(
        intended_use=fields.text("intended_use", 2000, ""),
        training_data=fields.text("training_data", 2000, ""),
        limitations=fields.text("limitations", 2000, ""),
        metrics=metrics,
        training_set_sha256=""
        if fields.get("training_set_sha256") is None
        else fields.pattern("training_set_sha256", _SHA256, "a SHA-256 in hexadecimal"),
    )
    fields.end()
    return card


def _files(fields: Fields) -> Mapping[str, str]:
    for name in fields.content:
        if not _FILE.fullmatch(name) or name == MODEL_FILE:
            fields.wrong(name[:64], "a plain file name inside the pack")
    if WEIGHTS_FILE not in fields.content or len(fields.content) > MOST_FILES:
        fields.wrong(WEIGHTS_FILE, "its SHA-256")
    return {name: fields.pattern(name, _SHA256, "a SHA-256 in hexadecimal") for name in fields.content}
