"""The heat map over a case, as values for its layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medview.core.heat import Heat
from medview.core.language import in_language
from medview.core.oblique import PlaneLayout
from medview.core.slab import Slab
from medview.gui.drawing.picture_text import TextLine
from medview.gui.parts.theme_tokens import PICTURE_QUIET
from medview.workspace.colour_maps import palette
from medview.workspace.heat_picture import heat_rgba, shown_heat
from medview.workspace.open_case import OpenCase

Pixels = npt.NDArray[np.uint8]


def heat_content(
    case: OpenCase, layout: PlaneLayout, index: float, slab: Slab
) -> tuple[Pixels | None, Pixels | None, tuple[str, str]]:
    """Return the pixels of the heat map over a slice, the colours of its legend and what stands at their ends."""
    heat = shown_heat(case.view)
    if heat is None:
        return None, None, ("", "")
    pixels = heat_rgba(heat, case.view.heat_opacity, case, layout, index, slab)
    return pixels, palette(heat.colour_map), legend_ends(heat)


def legend_ends(heat: Heat) -> tuple[str, str]:
    """Return the lowest and the highest strength as texts."""
    low, high = (f"{n:.3g}" for n in (heat.low, heat.high))
    return low, f"{high} {heat.unit}".rstrip()


def heat_notes(case: OpenCase) -> tuple[TextLine, ...]:
    """Return what the picture says about the heat map over it."""
    heat = shown_heat(case.view)
    return () if heat is None else (TextLine(in_language(heat.name), PICTURE_QUIET),)
