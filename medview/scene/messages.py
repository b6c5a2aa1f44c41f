"""What the window and the process that draws say to each other. All of it travels through one pipe."""

from __future__ import annotations

from dataclasses import dataclass

from medview.scene.camera import Orbit
from medview.scene.grid import Grid, SurfaceStyle
from medview.scene.presets import Preset


@dataclass(frozen=True, slots=True, eq=False)
class SetVolume:
    """Draw another volume, and none of the surfaces so far."""

    grid: Grid


@dataclass(frozen=True, slots=True, eq=False)
class SetSurfaces:
    """Draw these surfaces and no others."""

    grids: tuple[Grid, ...] = ()
    styles: tuple[SurfaceStyle, ...] = ()


@dataclass(frozen=True, slots=True)
class UsePreset:
    """Show the volume through another transfer function."""

    preset: Preset


@dataclass(frozen=True, slots=True)
class Look:
    """Make a picture; of several that wait only the last is made.

    Attributes
    ----------
    serial : int
        Comes back with the picture.
    size_px : tuple of int
        Width and height.
    quick : bool
        A rougher picture that is there sooner, for a hand that still moves.
    """

    serial: int
    orbit: Orbit
    size_px: tuple[int, int]
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """Say what is seen at a pixel of a picture that was, or is yet to be, made."""

    look: Look
    x_px: float
    y_px: float


@dataclass(frozen=True, slots=True)
class Quit:
    """End."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Answer: pictures can be made.

    Attributes
    ----------
    drawn_by : str
        What draws, as OpenGL names it.
    software : bool
        Whether it is the processor.
    """

    drawn_by: str
    software: bool


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Answer to Look: RGB bytes, rows from the top."""

    look: Look
    rgb: bytes


@dataclass(frozen=True, slots=True)
class Picked:
    """Answer to Pick: the nearest thing seen there.

    Attributes
    ----------
    point_lps_mm : tuple of float, or None
        None where there is only background.
    segment : str
        Name of the segment whose surface it is, or empty.
    """

    look: Look
    point_lps_mm: tuple[float, float, float] | None
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Answer: no pictures can be made, and no more will come.

    Attributes
    ----------
    reason : str
        Half a sentence without a full stop.
    detail : str
        For the log.
    crashed : bool
        Pictures could be made before.
    """

    reason: str
    detail: str = ""
    crashed: bool = False

    @property
    def sentence(self) -> str:
        """What the person reads."""
        what = "The 3-D view has stopped" if self.crashed else "3-D needs OpenGL"
        return f"{what}: {self.reason}. Everything else works."


Message = SetVolume | SetSurfaces | UsePreset | Look | Pick | Quit
Answer = Ready | Picture | Picked | Unavailable
