"""Samples of interactive training: a tile, what was said of the object and what is held so far.

A sample hangs on its generator alone. The clicks that answer what the network finds are drawn while it learns, from a seed
that the sample brings along.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from medview.core.errors import ModelError
from medview.core.geometry import Geometry
from medview.core.prompt import Prompt, PromptKind
from medview.core.vector import Triple, triple
from medview.ml.examples import UNKNOWN
from medview.ml.outputs import InteractiveOutput
from medview.ml.runners.prompt_region import draw_prompt, prompt_channels
from medview.ml.spec import Shape3, Vector3
from medview.ml.training.interactive.data import ObjectSet
from medview.ml.training.interactive.objects import FirstPrompt, TrainingObject
from medview.ml.training.interactive.views import Seen, View, factors_at, least_widened, most_widened, seen
from medview.ml.training.prompter import correction

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

KINDS = (PromptKind.POINT, PromptKind.POINT, PromptKind.POINT, PromptKind.SCRIBBLE, PromptKind.BOX, PromptKind.LASSO)
"""What a person takes, the more often the oftener."""

FURTHER = (0.4, 0.25, 0.15, 0.1, 0.1)
"""Chances of no, one, two ... clicks that answer the network before the one it learns from."""

GROWN = 0.75
"""Share of samples that begin with a prompt that was grown, where the network sees such."""

BEGUN = 0.15
"""Share of samples in which something is held already: what somebody drew, or another look found."""

BORDER = 0.25
"""Share of samples of objects larger than a tile that show a piece of the border finely, after it was found coarsely."""

LEAST_SEEN = 4
"""Voxels of an object in a tile, so that there is something to point at."""

_TRIES, _OBJECTS = 8, 100
"""Views of an object, and objects, that are tried before it is said that there is nothing to see."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What the network is shown once, and the truth.

    Attributes
    ----------
    seen : ndarray of float32, shape (channels of the network, k, j, i)
    truth : ndarray of uint8, shape (k, j, i)
        1 for the object, ``UNKNOWN`` where nobody knows.
    further : int
        Clicks that answer what the network finds, before the answer that counts.
    spacing_kji : tuple of float
        Of the tile.
    """

    seen: Floats
    truth: npt.NDArray[np.uint8]
    further: int
    seed: int
    spacing_kji: Vector3
    flat: bool


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples as tensors: ``seen`` (N, channels, k, j, i), ``truth`` uint8 (N, k, j, i); the rest as of ``Sample``."""

    seen: torch.Tensor
    truth: torch.Tensor
    further: tuple[int, ...]
    seeds: tuple[int, ...]
    spacings_kji: tuple[Vector3, ...]
    flat: tuple[bool, ...]


def collate(samples: Sequence[Sample]) -> Batch:
    """Return a batch of samples."""
    return Batch(
        torch.from_numpy(np.stack([one.seen for one in samples])),
        torch.from_numpy(np.stack([one.truth for one in samples])),
        tuple(one.further for one in samples),
        tuple(one.seed for one in samples),
        tuple(one.spacing_kji for one in samples),
        tuple(one.flat for one in samples),
    )


def draw_sample(
    data: ObjectSet, tile_kji: Shape3, output: InteractiveOutput, strengths: Mapping[str, float], rng: np.random.Generator
) -> Sample:
    """Draw an object, a place to look from and a beginning of what is said.

    Raises
    ------
    ModelError
        Where nothing is known of any of the objects that were drawn.
    """
    for _ in range(_OBJECTS):
        n, one = data.drawn(rng)
        for _ in range(_TRIES):
            view, fine = _view(data.values(n).shape[1:], one, tile_kji, rng)
            first = one.firsts[int(rng.integers(len(one.firsts)))] if one.firsts and rng.random() < GROWN else None
            shown = _shown(data, n, one, view, first, strengths, rng)
            if np.count_nonzero(shown.masks[0] & ~shown.unknown) >= LEAST_SEEN:
                begun = fine or rng.random() < BEGUN
                held = _something_like(shown.masks[0], rng) if begun else np.zeros_like(shown.masks[0])
                further = int(rng.choice(len(FURTHER), p=FURTHER))
                return _begun(shown, held, first, data.spacing_kji(n), output, further, rng)
    raise ModelError("Of what is drawn in the training cases hardly anything is known to be there; review the labels.")


def plain_sample(
    data: ObjectSet, n: int, one: TrainingObject, tile_kji: Shape3, output: InteractiveOutput, seed: int
) -> Sample | None:
    """Return the sample of an object as a steady hand begins: seen whole, from its first prompt; None where it is lost."""
    shape: Shape3 = data.values(n).shape[1:]
    widened = least_widened(one.held.box, tile_kji, shape, most_widened(tile_kji, shape))
    first = one.firsts[0] if one.firsts else None
    middle = (np.add(one.held.box.min_kji, one.held.box.max_kji) - 1) / 2
    place = middle if first is None else first.points_kji.mean(axis=0)
    view = View.about(place, tile_kji, factors_at(widened, tile_kji, shape))
    rng = np.random.default_rng(seed)
    shown = _shown(data, n, one, view, first, {}, rng)
    if np.count_nonzero(shown.masks[0] & ~shown.unknown) < LEAST_SEEN:
        return None
    return _begun(shown, np.zeros_like(shown.masks[0]), first, data.spacing_kji(n), output, 0, rng, steady=True)


def _view(shape_kji: Shape3, one: TrainingObject, tile_kji: Shape3, rng: np.random.Generator) -> tuple[View, bool]:
    """Return where to look from, and whether that is a piece of a border that was found coarsely already."""
    box = one.held.box
    most = most_widened(tile_kji, shape_kji)
    fits = least_widened(box, tile_kji, shape_kji, most)
    border, nearer, inside = rng.random() < BORDER, rng.random(), rng.random(3)
    if fits and border:
        return View.about(_on_border(one, rng), tile_kji, (1, 1, 1)), True
    # Mostly whole; at times too near, as at the first look at a large object, or from further off.
    widened = fits if nearer < 0.65 else max(0, fits - 1) if nearer < 0.8 else 0 if nearer < 0.9 else min(most, fits + 1)
    factors = factors_at(widened, tile_kji, shape_kji)
    middle = np.add(box.min_kji, inside * np.subtract(box.shape_kji, 1)) if rng.random() < 0.5 else _within(one, rng)
    return View.about(middle, tile_kji, factors), False


def _within(one: TrainingObject, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a place of the object: that of a prompt, where there are any."""
    if one.firsts and rng.random() < 0.8:
        points = one.firsts[int(rng.integers(len(one.firsts)))].points_kji
        return np.asarray(points[len(points) // 2])
    inside = np.flatnonzero(one.held.mask(one.held.box))
    at = np.unravel_index(int(inside[int(rng.integers(len(inside)))]), one.held.box.shape_kji)
    return np.add(at, one.held.box.min_kji).astype(np.float64)


def _on_border(one: TrainingObject, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return a voxel at the border of the object."""
    mask = np.pad(one.held.mask(one.held.box), 1)
    inner = mask.copy()
    for axis in range(3):
        inner &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
    border = np.flatnonzero((mask & ~inner)[1:-1, 1:-1, 1:-1])
    at = np.unravel_index(int(border[int(rng.integers(len(border)))]), one.held.box.shape_kji)
    return np.add(at, one.held.box.min_kji).astype(np.float64)


def _shown(
    data: ObjectSet,
    n: int,
    one: TrainingObject,
    view: View,
    first: FirstPrompt | None,
    strengths: Mapping[str, float],
    rng: np.random.Generator,
) -> Seen:
    values = data.values(n)
    masks = [one.held] if first is None else [one.held, first.grown]
    spacing = data.spacing_kji(n)
    return seen(values, masks, data.unknown(n), view, spacing, strengths, rng)


def _begun(
    shown: Seen,
    held: Mask,
    first: FirstPrompt | None,
    spacing_kji: Vector3,
    output: InteractiveOutput,
    further: int,
    rng: np.random.Generator,
    *,
    steady: bool = False,
) -> Sample:
    """Return the sample with its first prompts."""
    truth = shown.masks[0] & ~shown.unknown
    k, j, i = np.multiply(spacing_kji, shown.view.factors_kji).tolist()
    tile = Geometry.from_spacing(shown.view.tile_kji, (k, j, i))
    prompts = [] if first is None else [_in_tile(first, shown, tile)]
    if first is None or held.any():
        kinds = (PromptKind.POINT,) if steady else KINDS
        said = correction(truth, held, tile, kinds, None if steady else rng, axes=axes_of(flat=shown.flat))
        prompts += [said] if said is not None else []
    parts = [shown.values]
    if output.previous:
        parts.append(held[None].astype(np.float32))
    if output.grown:
        grown = shown.masks[1] if first is not None else np.zeros_like(held)
        parts.append(grown[None].astype(np.float32))
    parts.append(prompt_channels(prompts, tile, output))
    labels = truth.astype(np.uint8)
    labels[shown.unknown] = UNKNOWN
    return Sample(np.concatenate(parts), labels, further, int(rng.integers(1 << 62)), (k, j, i), shown.flat)


def axes_of(*, flat: bool) -> tuple[int, ...]:
    """Return across which axes pictures are looked at."""
    return (0,) if flat else (0, 1, 2)


def _in_tile(first: FirstPrompt, shown: Seen, tile: Geometry) -> Prompt:
    places = tile.point_lps_mm(shown.places_kji(first.points_kji))
    points: tuple[Triple, ...] = tuple(triple(one) for one in places)
    return Prompt("first", first.kind, True, points, triple(tile.directions_kji[0]), tile.spacing_kji_mm[0])


def _something_like(truth: Mask, rng: np.random.Generator) -> Mask:
    """Return a mask that is right in the main: smoothed, swollen or shrunk, ragged."""
    from scipy import ndimage

    slices = truth.any(axis=(1, 2))
    flat = int(slices.sum()) == 1
    deviation = np.full(3, rng.uniform(0.5, 2.5))
    if flat:
        deviation[0] = 0.0
    soft = ndimage.gaussian_filter(truth.astype(np.float32), deviation, mode="nearest")
    coarse = rng.standard_normal([max(2, side // 4) for side in truth.shape]).astype(np.float32)
    ragged = ndimage.zoom(coarse, np.divide(truth.shape, coarse.shape), order=1)
    found: Mask = soft + rng.uniform(0.0, 0.35) * ragged > 0.5 + rng.uniform(-0.25, 0.25)
    if flat:
        found[~slices] = False
    return found


def pointed(
    seen_tile: Floats, truth: npt.NDArray[np.uint8], found: Mask, sample: tuple[Vector3, bool], output: InteractiveOutput,
    rng: np.random.Generator | None,
) -> bool:  # fmt: skip
    """Let the person look at what was found and say one thing more; change what the network sees accordingly.

    Parameters
    ----------
    seen_tile : ndarray of float32, shape (channels, k, j, i)
        Written into: what was found becomes the mask so far.
    sample : tuple
        Spacing of the tile, and whether it shows a picture.
    rng : Generator, optional
        None for a steady hand that only clicks.

    Returns
    -------
    bool
        Whether there was anything left to say.
    """
    spacing, flat = sample
    shape: Shape3 = (truth.shape[0], truth.shape[1], truth.shape[2])
    tile = Geometry.from_spacing(shape, spacing)
    held = found & (truth != UNKNOWN)
    kinds = (PromptKind.POINT,) if rng is None else KINDS
    prompt = correction(truth == 1, held, tile, kinds, rng, axes=axes_of(flat=flat))
    if prompt is None:
        return False
    count = len(output.prompts)
    if output.previous:
        seen_tile[-count - output.grown - 1] = held
    draw_prompt(seen_tile[-count:], prompt, tile, output)
    return True
