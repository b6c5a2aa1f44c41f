"""The single objects of an example: every piece of every class, and what growing made of first prompts on it."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.geometry import Geometry
from medview.core.job import JobContext
from medview.core.prompt import PromptKind
from medview.core.prompt_log import HeldVoxels
from medview.core.volume import Volume
from medview.ml.examples import UNKNOWN
from medview.ml.runners.interactive import Grow
from medview.ml.training.prompter import correction

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]

LEAST_VOXELS = 8
"""Smaller pieces are crumbs, not objects."""

MOST_OF_CLASS = 24
"""Objects of one class in an example: its largest ones."""

FIRST_PROMPTS = 3
"""That are grown for each object; one is drawn for a sample."""


@dataclass(frozen=True, slots=True)
class FirstPrompt:
    """A point or a scribble on an object, and what growing makes of it.

    Attributes
    ----------
    points_kji : ndarray of float64, shape (points, 3)
        Voxel indices.
    """

    kind: PromptKind
    points_kji: npt.NDArray[np.float64]
    grown: HeldVoxels


@dataclass(frozen=True, slots=True)
class TrainingObject:
    """One object.

    Attributes
    ----------
    number : int
        Its class, from 1.
    """

    number: int
    held: HeldVoxels
    firsts: tuple[FirstPrompt, ...] = ()


def objects_in(labels: Labels, classes: int, *, overlapping: bool) -> list[tuple[int, HeldVoxels]]:
    """Return class and voxels of each object in class maps, as of ``segmentation.stored.class_maps``."""
    import cc3d

    found = []
    for number in range(1, classes + 1):
        mask = labels[number - 1] == 1 if overlapping else labels[0] == number
        if not mask.any():
            continue
        pieces = cc3d.connected_components(mask, connectivity=26)
        about = cc3d.statistics(pieces)
        counts, boxes = about["voxel_counts"], about["bounding_boxes"]
        sizes = [(int(count), n) for n, count in enumerate(counts) if n and count >= LEAST_VOXELS]
        for _, n in sorted(sizes, key=lambda one: (-one[0], one[1]))[:MOST_OF_CLASS]:
            low, high = ([int(getattr(side, end)) for side in boxes[n]] for end in ("start", "stop"))
            box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
            found.append((number, HeldVoxels.of(box, pieces[box.slices] == n)))
    return found


def first_prompts(
    held: HeldVoxels, volume: Volume, grow: Grow, rng: np.random.Generator, context: JobContext
) -> tuple[FirstPrompt, ...]:
    """Let a person point at an object a few times, and have each prompt grown."""
    near = held.box.padded((1, 1, 1)).clipped(volume.geometry.shape_kji)
    mask, geometry = held.mask(near), volume.geometry.cropped(near)
    found = []
    for n in range(FIRST_PROMPTS):
        kind = PromptKind.SCRIBBLE if rng.random() < 0.25 else PromptKind.POINT
        axes = shown_axes(volume.geometry)
        prompt = correction(mask, np.zeros_like(mask), geometry, [kind], rng, f"first-{n}", axes)
        if prompt is not None:
            context.raise_if_cancelled()
            points = prompt.points_kji(volume.geometry)
            found.append(FirstPrompt(prompt.kind, points, grow(volume, prompt, context)))
    return tuple(found)


def shown_axes(geometry: Geometry) -> tuple[int, ...]:
    """Return across which axes of a grid pictures are looked at: a picture has one."""
    return (0,) if geometry.shape_kji[0] == 1 else (0, 1, 2)


def unknown_in(labels: Labels) -> HeldVoxels:
    """Return where nobody knows of any class; where classes overlap, what is known of one says enough."""
    unknown = (labels == UNKNOWN).all(axis=0)
    return HeldVoxels.of(Box.whole((unknown.shape[0], unknown.shape[1], unknown.shape[2])), unknown)


def document_of(one: TrainingObject) -> dict[str, Any]:
    """Return an object ready for JSON."""
    firsts = [
        {"kind": first.kind.value, "points_kji": first.points_kji.round(4).tolist(), "grown": held_document(first.grown)}
        for first in one.firsts
    ]
    return {"class": one.number, "held": held_document(one.held), "firsts": firsts}


def object_of(document: Mapping[str, Any]) -> TrainingObject:
    """Return the object of a document."""
    firsts = tuple(
        FirstPrompt(PromptKind(one["kind"]), np.asarray(one["points_kji"], dtype=np.float64), held_of(one["grown"]))
        for one in document["firsts"]
    )
    return TrainingObject(int(document["class"]), held_of(document["held"]), firsts)


def held_document(held: HeldVoxels) -> list[Any]:
    """Return voxels ready for JSON."""
    return [list(held.box.min_kji), list(held.box.max_kji), base64.b64encode(held.packed).decode()]


def held_of(document: Sequence[Any]) -> HeldVoxels:
    """Return the voxels of a document."""
    (k0, j0, i0), (k1, j1, i1), packed = document
    return HeldVoxels(Box((k0, j0, i0), (k1, j1, i1)), base64.b64decode(packed))


def seed_of(key: str) -> int:
    """Return the number from which chance on an example comes, the same wherever it is prepared."""
    return zlib.crc32(key.encode())
