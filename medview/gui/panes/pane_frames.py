"""Slices as a pane shows them, drawn beside the pane: nothing on the screen moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from medview.core.oblique import PlaneLayout
from medview.gui.panes.fused_view import FusedView
from medview.gui.panes.slice_picture import SlicePicture
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench


class PaneFrames:
    """Draws any slice of a case by the layers of a pane, with window, zoom and words as they were when this was made.

    Labels and measurements are those of the moment a slice is drawn. The frame round the pane under the pointer and the
    lines of pictures in other panes are left out: they tell about the screen, not about the patient.

    Parameters
    ----------
    pane_id : str
        The pane that is drawn: what stands in its corners depends on the panes beside it.
    size_px : tuple of int
        Width and height of the pane in logical pixels.
    device_ratio : float
        Device pixels to a logical one.
    cases : Mapping of str to OpenCase, optional
        All open cases by key: what lies over the pictures, and whose labels are outlined on them, is theirs.
    """

    def __init__(
        self,
        case: OpenCase,
        bench: Bench,
        pane_id: str,
        size_px: tuple[int, int],
        device_ratio: float = 1.0,
        cases: Mapping[str, OpenCase] | None = None,
    ) -> None:
        # The person goes on reading meanwhile; a film does not change its window half way.
        self._case = replace(case, view=replace(case.view))
        self._case.times = case.times
        self._bench = replace(bench)
        self._time_index = case.view.time_index
        self._size_px, self._device_ratio = size_px, device_ratio
        self._picture = SlicePicture(self._bench, pane_id, FusedView(self._bench, cases or {}))
        self._layout: PlaneLayout | None = None

    @property
    def identity_hidden(self) -> bool:
        """Whether the pictures are without the patient's identity."""
        return self._bench.identity_hidden

    def draw(self, layout: PlaneLayout, index: float, time_index: int | None = None) -> npt.NDArray[np.uint8]:
        """Return the slice at a place across a plane, uint8 (rows, columns, 3) in device pixels.

        Parameters
        ----------
        time_index : int, optional
            One of the time points read; unless given, the one that was shown when this was made.
        """
        case, picture = self._case, self._picture
        case.view.time_index = self._time_index if time_index is None else time_index
        if layout != self._layout:
            picture.take_case(case, layout)
            picture.look(case, layout, self._size_px, self._device_ratio)
            self._layout = layout
        picture.show_image(case, layout, index)
        picture.show_fused(case, layout, index)
        picture.show_heat(case, layout, index)
        picture.show_labels(case, layout, index)
        picture.show_measurements(case, layout, index)
        picture.show_text(case, layout, index)
        picture.show_proposals(case, layout, index)
        picture.show_crosshair(case, layout)
        return self._painted()

    def _painted(self) -> npt.NDArray[np.uint8]:
        width, height = self._size_px
        ratio = self._device_ratio
        image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        try:
            self._picture.paint(painter, QRect(0, 0, width, height), active=False)
        finally:
            # Qt does not survive a painter that an error left open.
            painter.end()
        return rgb_pixels(image)


def rgb_pixels(image: QImage) -> npt.NDArray[np.uint8]:
    """Return the pixels of an image as a copy, uint8 (rows, columns, 3)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows, columns = plain.height(), plain.width()
    stored = np.frombuffer(plain.constBits(), dtype=np.uint8).reshape(rows, plain.bytesPerLine())
    return stored[:, : 3 * columns].reshape(rows, columns, 3).copy()
