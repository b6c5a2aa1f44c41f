"""Slices as pictures, without a window: for files, thumbnails and the demo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from medview.core.annotations import BoxAnnotation
from medview.core.geometry import Geometry
from medview.core.orientation import edge_letters
from medview.core.plane import SlicePlane
from medview.core.prediction import PredictedMask
from medview.core.segmentation import Segmentation
from medview.core.voi_table import VoiTransform
from medview.core.volume import Volume
from medview.workspace.grey_table import GreyTable

RgbImage = npt.NDArray[np.uint8]

_FILL = 0.35
_TEXT = (215, 220, 225)
_BOX = (240, 228, 66)
_EDGE = (0, 0, 0)
"""Around letters, so that they can be read on bone too."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One thing drawn over the grey picture.

    Attributes
    ----------
    mask : ndarray of bool, shape (rows, columns)
        On the slice, in screen orientation.
    """

    mask: npt.NDArray[np.bool_]
    colour: tuple[int, int, int]


def segmentation_overlays(segmentation: Segmentation, plane: SlicePlane, index: int) -> list[Overlay]:
    """Return the visible segments on a slice, in list order."""
    cuts = {n: plane.extract(layer.voxels, index) for n, layer in segmentation.layers.items()}
    return [
        Overlay(cuts[s.layer_id] == s.value, s.colour) for s in segmentation.segments if s.visible and s.layer_id in cuts
    ]


def mask_overlays(mask: PredictedMask, geometry: Geometry, plane: SlicePlane, index: int) -> list[Overlay]:
    """Return the segments of a predicted mask on a slice."""
    cut = plane.extract(mask.on_grid(geometry.shape_kji), index)
    return [Overlay(cut == s.value, s.colour) for s in mask.segments]


def render_slice(
    volume: Volume,
    plane: SlicePlane,
    index: int,
    window: VoiTransform,
    overlays: Iterable[Overlay] = (),
    boxes: Sequence[BoxAnnotation] = (),
    *,
    longest_px: int | None = None,
    letters: bool = False,
) -> RgbImage:
    """Return a slice as it is shown, with square pixels.

    Parameters
    ----------
    index : int
        Along ``plane.normal_axis``.
    longest_px : int, optional
        Length of the longer side; by default one pixel per voxel along the finer axis.
    letters : bool
        Draw orientation letters at the edges.

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 3)
    """
    rgb = grey_slice(volume, plane, index, window)
    rows, columns = rgb.shape[:2]
    row_mm, column_mm = plane.screen_spacing_mm(volume.geometry)
    finest = min(row_mm, column_mm)
    height, width = rows * row_mm / finest, columns * column_mm / finest
    scale = 1.0 if longest_px is None else longest_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR), dtype=np.uint8).copy()
    for overlay in overlays:
        if overlay.mask.any():
            grown = Image.fromarray(overlay.mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
            _blend(picture, np.asarray(grown, dtype=bool), overlay.colour)
    image = Image.fromarray(picture)
    _draw_boxes(image, volume.geometry, plane, index, boxes, (rows, columns))
    if letters:
        _draw_letters(image, edge_letters(volume, plane))
    return np.asarray(image, dtype=np.uint8)


def grey_slice(volume: Volume, plane: SlicePlane, index: int, window: VoiTransform) -> RgbImage:
    """Return one slice through the window, one pixel per voxel, shape (rows, columns, 3); colour comes as it is."""
    cut = plane.extract(volume.voxels, index)
    if volume.colour:
        return np.ascontiguousarray(cut, dtype=np.uint8)
    return np.repeat(GreyTable(volume, window).levels(cut)[:, :, np.newaxis], 3, axis=2)


def _blend(picture: RgbImage, mask: npt.NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    inside = np.zeros_like(mask)
    inside[1:-1, 1:-1] = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    tint = np.asarray(colour, dtype=np.float32)
    picture[inside] = (picture[inside] * (1.0 - _FILL) + tint * _FILL).astype(np.uint8)
    picture[mask & ~inside] = colour


def _draw_boxes(
    image: Image.Image,
    geometry: Geometry,
    plane: SlicePlane,
    index: int,
    boxes: Sequence[BoxAnnotation],
    shape: tuple[int, int],
) -> None:
    draw = ImageDraw.Draw(image)
    row_px, column_px = image.height / shape[0], image.width / shape[1]
    for box in boxes:
        low, high = box.bounds_kji(geometry)
        if not low[plane.normal_axis] <= index + 0.5 <= high[plane.normal_axis]:
            continue
        # Bounds count voxel edges, the screen counts voxel centres.
        _, row_a, column_a = plane.screen(geometry, low - 0.5)
        _, row_b, column_b = plane.screen(geometry, high - 0.5)
        top, bottom = sorted(((row_a + 0.5) * row_px, (row_b + 0.5) * row_px))
        left, right = sorted(((column_a + 0.5) * column_px, (column_b + 0.5) * column_px))
        draw.rectangle((left, top, right, bottom), outline=_BOX, width=2)
        if box.score is not None:
            text = f"{box.label} {box.score:.2f}"
            draw.text((left, bottom + 2), text, fill=_BOX, font=_font(image), stroke_width=1, stroke_fill=_EDGE)


def _draw_letters(image: Image.Image, letters: tuple[str, str, str, str]) -> None:
    draw, font = ImageDraw.Draw(image), _font(image)
    left, right, top, bottom = letters
    middle_x, middle_y = image.width / 2, image.height / 2
    for text, at, anchor in (
        (left, (6, middle_y), "lm"),
        (right, (image.width - 6, middle_y), "rm"),
        (top, (middle_x, 6), "mt"),
        (bottom, (middle_x, image.height - 6), "mb"),
    ):
        draw.text(at, text, fill=_TEXT, font=font, anchor=anchor, stroke_width=2, stroke_fill=_EDGE)


def _font(image: Image.Image) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=max(10, image.height // 36))
