"""``medview render SRC``: one slice as a picture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from medview.cli.output import progress, readers
from medview.core.atomic import replacing
from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.core.overlay_plane import GRAPHICS_COLOUR
from medview.core.plane import Plane, SlicePlane
from medview.core.voi_table import VoiTransform
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.label_files import read_labels
from medview.io.load import load_volume
from medview.workspace.exports import refuse_sources
from medview.workspace.operations.graphics import graphics_of
from medview.workspace.presets import auto_window, choices, needs_auto_window, opening_window
from medview.workspace.rendering import Overlay, render_slice

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def render(
    src: Annotated[Path, typer.Argument(help="DICOM file, folder or zip, NIfTI, NRRD or image")],
    *,
    plane: Annotated[Plane, typer.Option(help="Plane of the patient")] = Plane.AXIAL,
    index: Annotated[int, typer.Option(help="Slice, counted from 0 along the grid axis of the plane")],
    window: Annotated[str, typer.Option(help="WIDTH/LEVEL, or the name of a preset")] = "",
    overlay: Annotated[Path | None, typer.Option(help="Labels on the same grid: SEG, NIfTI or NRRD")] = None,
    series: Annotated[str | None, typer.Option(help="Series UID, where there are several")] = None,
    output: Annotated[Path, typer.Option("-o", help="PNG to write")],
    quiet: Annotated[bool, typer.Option("--quiet")] = False,
) -> None:
    """Write one slice as a PNG with square pixels."""
    with readers() as pool:
        with progress(quiet=quiet) as context:
            loaded = load_volume(src, series, context, pool)
        volume = loaded.volume
        layout = SlicePlane.of(plane, volume.geometry)
        if not 0 <= index < layout.count(volume.geometry):
            last = layout.count(volume.geometry) - 1
            raise MedViewError(f"There is no {plane.value} slice {index}; this series has slices 0 to {last}.")
        labels = read_labels(overlay, volume, pool) if overlay is not None else None
        # Graphics lie on slices as they were acquired.
        wanted = loaded.entry.has_overlays and layout.normal_axis == 0
        graphics = graphics_of(loaded.entry, Inline(), pool, only_k=index) if wanted else {}
    drawn = [layout.extract(one.mask[np.newaxis], 0).astype(np.bool_) for one in graphics.get(index, ())]
    overlays = [Overlay(mask, GRAPHICS_COLOUR) for mask in drawn]
    if labels is not None:
        for segment in labels.segments:
            cut = layout.extract(labels.layers[segment.layer_id], index)
            overlays.append(Overlay(cut == segment.value, segment.colour))
    picture = render_slice(volume, layout, index, _window(window, volume), overlays, letters=True)
    refuse_sources(output, (src, *(frame.path for frame in loaded.entry.frames)))
    with replacing(output) as file:
        Image.fromarray(picture).save(file, format="PNG")


def _window(text: str, volume: Volume) -> VoiTransform:
    """Return the window a person asked for. Raises MedViewError when it names none."""
    if not text:
        return auto_window(volume) if needs_auto_window(volume) else opening_window(volume)
    width, slash, level = text.partition("/")
    if slash:
        try:
            wide, middle = float(width), float(level)
        except ValueError:
            wide = middle = math.nan
        if not (math.isfinite(wide) and math.isfinite(middle) and wide > 0):
            raise typer.BadParameter(f"{text!r} is no window; give WIDTH/LEVEL, e.g. 400/40, or the name of a preset.")
        return Window(middle, wide)
    offered = {w.name.lower(): w for w in choices(volume)}
    if text.lower() not in offered:
        raise MedViewError(f"There is no preset {text!r} for this series; it has {', '.join(offered) or 'none'}.")
    return offered[text.lower()]
