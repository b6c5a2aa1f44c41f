"""Thumbnails of series, made in the background when a row is first seen."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from medview.core.study import Series
from medview.workspace.jobs import Outcome
from medview.workspace.workspace import Workspace


class Thumbnails(QObject):
    """Keeps the pictures by series; asks for one the first time it is wanted."""

    arrived = Signal()

    def __init__(self, workspace: Workspace, side_px: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._side_px = workspace, side_px
        self._pictures: dict[str, QPixmap | None] = {}

    def get(self, series: Series) -> QPixmap | None:
        """Return the picture of a series, or None while it is being made or cannot be."""
        if series.series_uid not in self._pictures:
            self._pictures[series.series_uid] = None
            # Asked for while a row is painted: a job shows itself in the window, and a widget that appears in the middle of
            # painting makes Qt paint again, into the same memory, and come down.
            QTimer.singleShot(0, self, partial(self._ask, series))
        return self._pictures[series.series_uid]

    def _ask(self, series: Series) -> None:
        def done(value: object) -> None:
            if isinstance(value, np.ndarray):
                self._pictures[series.series_uid] = self._pixmap(value)
                self.arrived.emit()

        # A series without a thumbnail keeps its black square; opening it says why.
        request = import_module("medview.workspace.operations.thumbnails").Thumbnail(series, self._workspace.services.pool)
        self._workspace.runner.submit(request, Outcome(done))

    def _pixmap(self, rgb: np.ndarray) -> QPixmap:
        picture = np.ascontiguousarray(rgb)
        rows, columns = picture.shape[:2]
        image = QImage(picture.data, columns, rows, columns * 3, QImage.Format.Format_RGB888)
        side = self._side_px * 2
        scaled = QPixmap.fromImage(image).scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        scaled.setDevicePixelRatio(2.0)
        return scaled
