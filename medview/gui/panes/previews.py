"""What the hands want drawn before anything is done: brush, open outline, loupe."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from medview.gui.drawing.viewport import Viewport
from medview.gui.layers.brush_preview import BrushPreviewLayer
from medview.gui.layers.magnifier import MagnifierLayer
from medview.gui.layers.outline_preview import OutlinePreviewLayer
from medview.workspace.preview import BrushPreview, LoupePreview, OutlinePreview, Preview


class Previews:
    """The layers of previews, of which one shows something at a time."""

    def __init__(self) -> None:
        self._brush = BrushPreviewLayer()
        self._outline = OutlinePreviewLayer()
        self._loupe = MagnifierLayer()

    def show(self, preview: Preview | None, viewport: Viewport | None) -> None:
        """Take what is to be drawn, or None."""
        self._brush.update(preview if isinstance(preview, BrushPreview) else None, viewport)
        self._outline.update(preview if isinstance(preview, OutlinePreview) else None, viewport)
        self._loupe.update(preview if isinstance(preview, LoupePreview) else None, viewport)

    def move(self, viewport: Viewport) -> None:
        """Show the same through another camera."""
        self._brush.move(viewport)
        self._outline.move(viewport)
        self._loupe.move(viewport)

    @property
    def cover_px(self) -> QRect:
        """The logical pixels that are covered."""
        return self._brush.cover_px.united(self._outline.cover_px).united(self._loupe.cover_px)

    @property
    def loupe_px(self) -> QRect:
        """The logical pixels that the loupe covers."""
        return self._loupe.cover_px

    def paint(self, painter: QPainter, paint_larger: Callable[[QPainter, float], None]) -> None:
        """Draw them.

        Parameters
        ----------
        paint_larger : callable
            Draws the picture for the loupe with a painter that is set up for it; takes the factor too.
        """
        self._brush.paint(painter)
        self._outline.paint(painter)
        self._loupe.paint(painter, paint_larger)
