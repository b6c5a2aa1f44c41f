"""Draws a volume and surfaces into memory, without a window. Lives in a process of its own (see ``process``)."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from vtkmodules import vtkRenderingOpenGL2, vtkRenderingVolumeOpenGL2
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkColorTransferFunction,
    vtkPolyDataMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkVolume,
    vtkVolumeProperty,
)
from vtkmodules.vtkRenderingVolume import vtkFixedPointVolumeRayCastMapper, vtkGPUVolumeRayCastMapper

from medview.scene.camera import Shot, Stage
from medview.scene.grid import Grid, SurfaceStyle
from medview.scene.messages import Look
from medview.scene.presets import Blend, Preset
from medview.scene.surfaces import image_of, surface, to_patient

DRAWERS = (vtkRenderingOpenGL2, vtkRenderingVolumeOpenGL2)
"""Modules that register the classes that draw when they are imported; nothing else is asked of them."""

_OSMESA = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so")
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "software rasterizer", "gdi generic", "swiftshader")
_LEAST_VERSION = (3, 2)
_FINE_STEP, _QUICK_STEP = 0.5, 1.3
"""Distance between samples on a line of sight, in parts of the smallest spacing. Longer ones draw rings on smooth skin."""


class NoOpenGLError(Exception):
    """No picture can be made on this computer. The text is half a sentence."""


class Renderer:
    """A scene of one volume and its surfaces in LPS millimetres.

    Attributes
    ----------
    drawn_by : str
        The OpenGL renderer.
    software : bool
        It is the processor; then rays are cast without OpenGL, which is ten times faster there.

    Raises
    ------
    NoOpenGLError
        When no driver makes an off-screen picture.
    """

    def __init__(self) -> None:
        self._window = vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        _check(self._window)
        self._scene = vtkRenderer()
        self._scene.SetBackground(0.0, 0.0, 0.0)
        self._window.AddRenderer(self._scene)
        self._window.SetSize(16, 16)
        self._window.Render()
        self.drawn_by = _drawn_by(str(self._window.ReportCapabilities()))
        self.software = any(name in self.drawn_by.lower() for name in _SOFTWARE)
        self._volume: Any = None
        self._actors: list[Any] = []
        self._stage: Stage | None = None
        self._step_mm = 1.0
        self._give_up: Callable[[], bool] | None = None
        self._window.AddObserver("AbortCheckEvent", self._on_abort_check)

    def set_volume(self, grid: Grid) -> None:
        """Show another volume and no surfaces."""
        self.set_surfaces((), ())
        if self._volume is not None:
            self._scene.RemoveVolume(self._volume)
        self._stage = grid.stage
        self._step_mm = min(grid.spacing_kji_mm)
        mapper: Any
        if self.software:
            mapper = vtkFixedPointVolumeRayCastMapper()
            mapper.SetImageSampleDistance(1.0)
        else:
            mapper = vtkGPUVolumeRayCastMapper()
            mapper.SetUseJittering(1)
        mapper.SetAutoAdjustSampleDistances(0)
        mapper.SetInputData(image_of(grid))
        self._volume = vtkVolume()
        self._volume.SetMapper(mapper)
        self._volume.SetUserMatrix(to_patient(grid))
        self._volume.VisibilityOff()
        self._scene.AddVolume(self._volume)

    def use_preset(self, preset: Preset) -> None:
        """Show the volume through a transfer function."""
        if self._volume is None or self._stage is None:
            return
        if preset.blend is Blend.NOTHING:
            self._volume.VisibilityOff()
            return
        self._volume.VisibilityOn()
        composite = preset.blend is Blend.COMPOSITE
        mapper = self._volume.GetMapper()
        if composite:
            mapper.SetBlendModeToComposite()
        else:
            mapper.SetBlendModeToMaximumIntensity()
        opacity, colour = vtkPiecewiseFunction(), vtkColorTransferFunction()
        for value, part in preset.opacity:
            opacity.AddPoint(value, part)
        for value, *rgb in preset.colour:
            colour.AddRGBPoint(value, *(c / 255.0 for c in rgb))
        look = vtkVolumeProperty()
        look.SetInterpolationTypeToLinear()
        look.SetScalarOpacity(opacity)
        look.SetColor(colour)
        look.SetScalarOpacityUnitDistance(self._stage.opacity_unit_mm)
        look.SetShade(int(composite))
        look.SetAmbient(0.25)
        look.SetDiffuse(0.85)
        look.SetSpecular(preset.shine)
        look.SetSpecularPower(16.0)
        self._volume.SetProperty(look)

    def set_surfaces(self, grids: tuple[Grid, ...], styles: tuple[SurfaceStyle, ...]) -> None:
        """Show these segments as surfaces and no others."""
        for actor in self._actors:
            self._scene.RemoveActor(actor)
        self._actors.clear()
        for style in styles:
            shape = surface(grids[style.layer], style.value)
            if shape is None:
                continue
            mapper = vtkPolyDataMapper()
            mapper.SetInputData(shape)
            mapper.ScalarVisibilityOff()
            actor = vtkActor()
            actor.SetMapper(mapper)
            look = actor.GetProperty()
            look.SetColor(*(c / 255.0 for c in style.colour))
            look.SetInterpolationToPhong()
            look.SetAmbient(0.2)
            look.SetDiffuse(0.8)
            look.SetSpecular(0.25)
            look.SetSpecularPower(24.0)
            self._scene.AddActor(actor)
            self._actors.append(actor)

    def picture(self, look: Look, give_up: Callable[[], bool] | None = None) -> bytes | None:
        """Return RGB bytes, rows from the top; None when ``give_up``, asked now and then, said so in between."""
        width, height = look.size_px
        if self._stage is None:
            return bytes(3 * width * height)
        if self._volume is not None:
            self._volume.GetMapper().SetSampleDistance(self._step_mm * (_QUICK_STEP if look.quick else _FINE_STEP))
        self._aim(Shot(look.orbit, self._stage, look.size_px))
        self._window.SetSize(width, height)
        self._give_up = give_up
        self._window.Render()
        self._give_up = None
        if self._window.GetAbortRender():
            return None
        pixels = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 0, pixels, 0)
        rows = vtk_to_numpy(pixels).reshape(height, width, 3)
        return np.ascontiguousarray(rows[::-1]).tobytes()

    def _on_abort_check(self, _window: object, _event: str) -> None:
        if self._give_up is not None and self._give_up():
            self._window.SetAbortRender(1)

    def _aim(self, shot: Shot) -> None:
        camera = self._scene.GetActiveCamera()
        camera.ParallelProjectionOn()
        focus = shot.focus_lps_mm
        _, up, eye = shot.orbit.axes_lps
        away_mm = 3.0 * shot.stage.radius_mm
        camera.SetFocalPoint(*focus)
        camera.SetPosition(*(focus + away_mm * eye))
        camera.SetViewUp(*up)
        camera.SetParallelScale(shot.mm_per_px * shot.size_px[1] / 2.0)
        self._scene.ResetCameraClippingRange()


def _check(window: Any) -> None:
    """Raise NoOpenGLError where the first picture would end the process."""
    if window.GetClassName() == "vtkOSOpenGLRenderWindow" and not _has_osmesa():
        # VTK falls back to this library when neither the screen nor EGL offers a context, and calls it without looking.
        raise NoOpenGLError("no graphics driver on this computer makes off-screen pictures")
    if not window.SupportsOpenGL():
        raise NoOpenGLError("the graphics driver of this computer is too old")


def _has_osmesa() -> bool:
    for name in _OSMESA:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def _drawn_by(capabilities: str) -> str:
    """Return the renderer's name. Raises NoOpenGLError when there is no context or it is too old."""
    version = re.search(r"OpenGL version string:\s*(\d+)\.(\d+)", capabilities)
    if version is None:
        raise NoOpenGLError("the graphics driver of this computer made no context")
    if (int(version[1]), int(version[2])) < _LEAST_VERSION:
        raise NoOpenGLError(f"the graphics driver of this computer knows only OpenGL {version[1]}.{version[2]}")
    name = re.search(r"OpenGL renderer string:\s*(.+)", capabilities)
    return name[1].strip() if name else ""
