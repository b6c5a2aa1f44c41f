"""What runs inside the process that draws: one loop that takes messages and answers them."""

from __future__ import annotations

import contextlib
import os
import signal
import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from medview.scene import pipe
from medview.scene.camera import Shot
from medview.scene.grid import Grid
from medview.scene.messages import (
    Answer,
    Look,
    Message,
    Pick,
    Picked,
    Picture,
    Quit,
    Ready,
    SetSurfaces,
    SetVolume,
    Unavailable,
    UsePreset,
)
from medview.scene.picking import pick
from medview.scene.presets import Preset

if TYPE_CHECKING:
    from medview.scene.renderer import Renderer

_NICENESS = 3
"""The planes come first where both want the processor."""


def main(connection: Connection) -> None:
    """Answer messages until Quit or until the window's end of the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _step_back()
    with contextlib.suppress(EOFError, OSError):
        _serve(connection)


def _serve(connection: Connection) -> None:
    try:
        # Imported here: it may be the import that fails, where a system library is missing.
        from medview.scene.renderer import NoOpenGLError, Renderer
    except ImportError as error:
        _send(connection, Unavailable("a part of the graphics system is missing", repr(error)))
        return
    try:
        renderer = Renderer()
    except NoOpenGLError as error:
        _send(connection, Unavailable(str(error)))
        return
    _send(connection, Ready(renderer.drawn_by, renderer.software))
    desk = _Desk(renderer, connection)
    try:
        while desk.work():
            pass
    except MemoryError as error:
        _send(connection, Unavailable("there is not enough memory for it", repr(error), crashed=True))
    except (EOFError, OSError):
        raise
    except Exception:  # noqa: BLE001  whatever went wrong must reach the log of the window
        _send(connection, Unavailable("drawing it failed unexpectedly", traceback.format_exc(limit=-3), crashed=True))


class _Desk:
    """The messages on their way, and what has to be known to answer them."""

    def __init__(self, renderer: Renderer, connection: Connection) -> None:
        self._renderer = renderer
        self._connection = connection
        self._grid: Grid | None = None
        self._preset: Preset | None = None
        self._surfaces = SetSurfaces()
        self._owed: Look | None = None

    def work(self) -> bool:
        """Take messages until a picture is wanted and none wait, and make it; False at the end.

        A fine picture is given up when a message comes, and made after that one, unless another is wanted by then.
        """
        look, self._owed = self._owed, None
        while look is None or self._connection.poll(0):
            message: Message = pipe.receive(self._connection)
            if isinstance(message, Quit):
                return False
            if isinstance(message, Look):
                look = message
            else:
                self._take(message)
        rgb = self._renderer.picture(look, None if look.quick else self._disturbed)
        if rgb is None:
            self._owed = look
        else:
            _send(self._connection, Picture(look, rgb))
        return True

    def _disturbed(self) -> bool:
        return self._connection.poll(0)

    def _take(self, message: Message) -> None:
        if isinstance(message, SetVolume):
            self._grid, self._surfaces = message.grid, SetSurfaces()
            self._renderer.set_volume(message.grid)
            if self._preset is not None:
                self._renderer.use_preset(self._preset)
        elif isinstance(message, SetSurfaces):
            self._surfaces = message
            self._renderer.set_surfaces(message.grids, message.styles)
        elif isinstance(message, UsePreset):
            self._preset = message.preset
            self._renderer.use_preset(message.preset)
        elif isinstance(message, Pick):
            _send(self._connection, self._picked(message))

    def _picked(self, message: Pick) -> Picked:
        look = message.look
        if self._grid is None:
            return Picked(look, None)
        shot = Shot(look.orbit, self._grid.stage, look.size_px)
        surfaces = self._surfaces
        at = (message.x_px, message.y_px)
        return Picked(look, *pick(shot, at, self._grid, self._preset, surfaces.grids, surfaces.styles))


def _send(connection: Connection, answer: Answer) -> None:
    pipe.send(connection, answer)


def _step_back() -> None:
    """Leave the processor to the window, and print nothing: drivers and VTK talk to stderr."""
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(_NICENESS)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
