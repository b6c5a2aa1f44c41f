"""The colours and measures of the window; the only place where either is written down."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.overlay_plane import GRAPHICS_COLOUR
from medview.core.plane import Plane

GRID_PX = 4
CONTROL_HEIGHT_PX = 28
ICON_SMALL_PX = 16
ICON_PX = 20
TEXT_SMALL_PX = 11
TEXT_PX = 12
TEXT_LARGE_PX = 14
TEXT_TITLE_PX = 18


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours of one theme as ``#rrggbb``.

    Attributes
    ----------
    window, panel, raised : str
        Backgrounds from the back to the front.
    line : str
        Hairlines that part areas; decoration, carries no meaning.
    edge : str
        Outline of controls; 3:1 against ``panel``.
    on_accent : str
        Text on an accent background.
    """

    name: str
    window: str
    panel: str
    raised: str
    line: str
    edge: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    warning: str
    error: str
    good: str


DARK = Tokens(
    name="dark",
    window="#14171a",
    panel="#1b1f24",
    raised="#242a31",
    line="#2f363e",
    edge="#69737e",
    text="#d7dce1",
    quiet="#8b949e",
    accent="#4aa3df",
    on_accent="#0b1620",
    warning="#e0a33e",
    error="#e6686f",
    good="#57b877",
)

LIGHT = Tokens(
    name="light",
    window="#e9ecef",
    panel="#f6f7f9",
    raised="#ffffff",
    line="#ccd2d9",
    edge="#7d8792",
    text="#1d242b",
    quiet="#56606b",
    accent="#1769a5",
    on_accent="#ffffff",
    warning="#855300",
    error="#b3262e",
    good="#1f6f3d",
)

THEMES = {tokens.name: tokens for tokens in (DARK, LIGHT)}

PLANE_COLOURS: dict[Plane, str] = {
    Plane.AXIAL: "#e5636a",
    Plane.CORONAL: "#57b877",
    Plane.SAGITTAL: "#e0c23e",
}
"""Colour of the line where a plane cuts another one. The same in both themes: pictures are always on black."""

ADDED_COLOUR = (64, 220, 110)
REMOVED_COLOUR = (240, 70, 200)
"""RGB of what a proposal has more and less than a segment; also apart for eyes that take red for green."""

PICTURE_TEXT = "#f2f4f6"
PICTURE_QUIET = "#c3cbd3"
PICTURE_MEASURE = "#7fd7ff"
PICTURE_MEASURE_ACTIVE = "#ffffff"
PICTURE_GRAPHICS = f"#{bytes(GRAPHICS_COLOUR).hex()}"
PICTURE_WARNING = "#f0b757"
"""Text on pictures, which are black in both themes."""
