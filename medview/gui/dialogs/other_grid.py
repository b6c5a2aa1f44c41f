"""Labels of another grid: pictures of where they would come down, and the question whether they are right there."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.io.other_grid import Way
from medview.workspace.operations.other_grid import Choice, Misplaced, take_misplaced
from medview.workspace.rendering import RgbImage
from medview.workspace.workspace import Workspace

_WAYS = {
    Way.PLACE: (
        _("Where it lies in the patient"),
        _("Take the labels in where the file says they lie; each voxel gets the label nearest to its middle"),
    ),
    Way.VOXELS: (
        _("Voxel by voxel"),
        _("Take the labels in voxel by voxel, whatever place the file states"),
    ),
}


class OtherGridDialog(QDialog):
    """One row of pictures for every way the labels may be taken in; leaving them out is what Enter and Escape do.

    Attributes
    ----------
    buttons : dict of Way to QPushButton
    """

    def __init__(self, workspace: Workspace, found: Misplaced, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("other grid")
        self.setWindowTitle(_("Labels on another grid"))
        self._workspace, self._found = workspace, found
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        title = _("{name} was made on another grid than these images.").format(name=found.name)
        layout.addWidget(words(in_language(found.why) if found.other_images else title, "title"))
        layout.addWidget(words(_("Take it in only if it lies on what it is meant to show."), "quiet"))
        self.buttons = {choice.placing.way: self._row(choice, layout) for choice in found.choices}
        self.leave = text_button(_("Leave out"), _("Take nothing in (Escape)"))
        self.leave.setObjectName("leave labels out")
        self.leave.setDefault(True)
        self.leave.clicked.connect(self.reject)
        ends = QHBoxLayout()
        ends.addStretch(1)
        ends.addWidget(self.leave)
        layout.addLayout(ends)
        self.leave.setFocus()

    def _row(self, choice: Choice, layout: QVBoxLayout) -> QWidget:
        title, tip = _WAYS[choice.placing.way]
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 3)
        for picture in choice.pictures:
            label = QLabel()
            label.setPixmap(_pixmap(picture))
            row.addWidget(label)
        beside = QVBoxLayout()
        beside.addStretch(1)
        beside.addWidget(words(in_language(title)))
        if choice.placing.way is Way.PLACE:
            if self._found.other_images:
                beside.addWidget(words(_("The contours of the file, filled on these slices."), "quiet"))
            kept = _("{percent:.0f} % of what is drawn lies on these images.")
            if not self._found.other_images:
                beside.addWidget(words(kept.format(percent=100 * choice.placing.kept), "quiet"))
        else:
            beside.addWidget(words(_("Against the place that the file states."), "quiet"))
        button = text_button(_("Take it in like this"), in_language(tip))
        button.setObjectName(f"take in by {choice.placing.way.value}")
        button.setAutoDefault(False)
        button.clicked.connect(partial(self._take, choice))
        beside.addWidget(button)
        beside.addStretch(1)
        row.addLayout(beside, 1)
        layout.addLayout(row)
        return button

    def _take(self, choice: Choice, _checked: bool = False) -> None:
        take_misplaced(self._workspace, self._found, choice)
        self.accept()


def _pixmap(rgb: RgbImage) -> QPixmap:
    picture = np.ascontiguousarray(rgb)
    rows, columns = picture.shape[:2]
    return QPixmap.fromImage(QImage(picture.data, columns, rows, columns * 3, QImage.Format.Format_RGB888))
