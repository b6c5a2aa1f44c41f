"""Slices of validation cases with what a training found on them at its last look."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from medview.core.language import _
from medview.core.segmentation import COLOUR_CYCLE
from medview.gui.parts.theme import ui_font
from medview.gui.parts.theme_tokens import GRID_PX, TEXT_SMALL_PX
from medview.ml.examples import UNKNOWN
from medview.ml.runs.samples import Samples, SampleSlice
from medview.workspace.training.run_report import case_of_key

_FILL = 0.45
_CAPTION_PX = 18
_COLUMNS = 2

Plane = npt.NDArray[np.uint8]


class SamplePictures(QWidget):
    """Up to four pictures: filled is what was found, the line is around what is true."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run samples")
        self.setToolTip(_("Validation slices: filled is what the model finds now, the line is around what people drew"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._pictures: list[tuple[QImage, str]] = []
        self._shown: Samples | None = None
        self._empty = ""

    def sizeHint(self) -> QSize:
        """Return room for four pictures."""
        return QSize(340, 340)

    def show_samples(self, samples: Samples | None, empty: str) -> None:
        """Show samples, or say why there are none."""
        if samples is self._shown and empty == self._empty:
            return
        self._shown, self._empty = samples, empty
        self._pictures = []
        if samples is not None:
            for one, found in zip(samples.slices, samples.found, strict=True):
                self._pictures.append((_image(sample_rgb(one.grey, one.truth, found), one.aspect), _caption(one)))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint them in two rows."""
        painter = QPainter(self)
        painter.setFont(ui_font(TEXT_SMALL_PX))
        quiet = self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText)
        if not self._pictures:
            painter.setPen(quiet)
            flags = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value
            painter.drawText(self.rect().adjusted(GRID_PX * 4, 0, -GRID_PX * 4, 0), flags, self._empty)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        rows = -(-len(self._pictures) // _COLUMNS)
        columns = min(_COLUMNS, len(self._pictures))
        width = (self.width() - GRID_PX * (columns - 1)) / columns
        height = (self.height() - GRID_PX * (rows - 1)) / rows
        for number, (picture, caption) in enumerate(self._pictures):
            left, top = (number % columns) * (width + GRID_PX), (number // columns) * (height + GRID_PX)
            room = QRectF(left, top, width, height - _CAPTION_PX)
            painter.fillRect(room, Qt.GlobalColor.black)
            tall = float(picture.height())
            scale = min(room.width() / picture.width(), room.height() / max(tall, 1.0))
            size = QPointF(picture.width() * scale, tall * scale)
            corner = room.center() - size / 2
            painter.drawImage(QRectF(corner.x(), corner.y(), size.x(), size.y()), picture)
            painter.setPen(QPen(quiet))
            under = QRectF(left, top + height - _CAPTION_PX, width, _CAPTION_PX)
            painter.drawText(under, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, caption)


def sample_rgb(grey: Plane, truth: Plane, found: Plane) -> Plane:
    """Return a picture (j, i, 3): filled where something was found, lines around what is true."""
    picture = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    for number in np.unique(found[found > 0]).tolist():
        colour = np.array(COLOUR_CYCLE[(number - 1) % len(COLOUR_CYCLE)], dtype=np.float32)
        where = found == number
        picture[where] = picture[where] * (1 - _FILL) + colour * _FILL
    for number in np.unique(truth[(truth > 0) & (truth != UNKNOWN)]).tolist():
        colour = np.array(COLOUR_CYCLE[(number - 1) % len(COLOUR_CYCLE)], dtype=np.float32)
        # Lighter than the fill, so that it is seen where both agree.
        picture[_rim(truth == number)] = colour * 0.5 + 127.0
    return picture.clip(0, 255).astype(np.uint8)


def _rim(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    there = np.pad(mask, 1)
    inside = there[:-2, 1:-1] & there[2:, 1:-1] & there[1:-1, :-2] & there[1:-1, 2:]
    return np.asarray(mask & ~inside)


def _image(rgb: Plane, aspect: float) -> QImage:
    rows, columns = rgb.shape[:2]
    held = np.ascontiguousarray(rgb)
    image = QImage(held.data, columns, rows, columns * 3, QImage.Format.Format_RGB888).copy()
    if abs(aspect - 1.0) > 0.01:
        image = image.scaled(columns, max(1, round(rows * aspect)))
    return image


def _caption(one: SampleSlice) -> str:
    # The slice is one of the network's grid, which is none of the series.
    case_id, _k = case_of_key(one.key)
    return _("Case {number}").format(number=case_id) if case_id is not None else one.key
