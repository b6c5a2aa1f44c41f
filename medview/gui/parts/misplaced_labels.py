"""Labels of a dataset that lie on another grid than their image: pictures of where they would come down, and a choice."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QRadioButton, QScrollArea, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.controls import clear_layout, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.dataset_look import LookedCase
from medview.workspace.importing import Importing
from medview.workspace.operations.other_grid import Choice

_WAYS = {"place": _("Where it lies in the patient"), "voxels": _("Voxel by voxel, against the place it states")}
_PICTURE_PX = 190


class MisplacedLabels(QScrollArea):
    """Shows one case. Until somebody decides otherwise its labels are left out."""

    def __init__(self, importing: Importing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._importing = importing
        self.case: LookedCase | None = None
        self.choices: dict[str, QRadioButton] = {}
        self._group = QButtonGroup(self)
        self._shown: tuple[Choice, ...] | None = None
        page = QWidget()
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, GRID_PX * 2, 0)
        self._column.setSpacing(GRID_PX * 2)
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_case(self, case: LookedCase | None) -> None:
        """Show a case; one whose labels fit, or none, shows why there is nothing to decide."""
        path = case.label_path if case is not None and case.misplaced else ""
        choices = self._importing.choices.get(path) if path else None
        if case is self.case and choices is self._shown:
            return
        self.case, self._shown = case, choices
        clear_layout(self._column)
        self.choices.clear()
        if case is not None:
            self._fill(case, path, choices)
        self._column.addStretch(1)

    def _fill(self, case: LookedCase, path: str, choices: tuple[Choice, ...] | None) -> None:
        if case.misplaced:
            ask = _("Its labels lie on another grid. Take them in only if they lie on what they are meant to show.")
            self._column.addWidget(words(ask, "warning"))
        elif case.problem:
            self._column.addWidget(words(in_language(case.problem), "warning"))
        if not case.misplaced:
            fits = _("Its labels lie on the image.") if case.labels else _("Nobody labelled it.")
            self._column.addWidget(words(_("It is left out.") if case.problem else fits, "quiet"))
            return
        if choices is None:
            self._column.addWidget(words(_("Looking where the labels would come down..."), "quiet"))
            self._importing.look_closely(case)
            return
        if not choices:
            self._column.addWidget(words(_("Nothing of it can be put onto this image: it is left out."), "quiet"))
            return
        decided = self._importing.decided.get(path)
        leave = QRadioButton(_("Leave its labels out"))
        leave.setToolTip(_("The image becomes a case without labels"))
        leave.setChecked(decided is None)
        leave.clicked.connect(partial(self._importing.decide, path, None))
        self._group.addButton(leave)
        self.choices["leave"] = leave
        self._column.addWidget(leave)
        for choice in choices:
            self._row(choice, path, checked=decided is choice.placing.way)

    def _row(self, choice: Choice, path: str, *, checked: bool) -> None:
        way = choice.placing.way
        button = QRadioButton(_WAYS[way.value])
        button.setToolTip(_("Take the labels in as the pictures show them"))
        button.setChecked(checked)
        button.clicked.connect(partial(self._importing.decide, path, way))
        self._group.addButton(button)
        self.choices[way.value] = button
        self._column.addWidget(button)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 2)
        for picture in choice.pictures:
            label = QLabel()
            rgb = np.ascontiguousarray(picture)
            rows, columns = rgb.shape[:2]
            image = QImage(rgb.data, columns, rows, columns * 3, QImage.Format.Format_RGB888).copy()
            smooth, keep = Qt.TransformationMode.SmoothTransformation, Qt.AspectRatioMode.KeepAspectRatio
            label.setPixmap(QPixmap.fromImage(image).scaled(_PICTURE_PX, _PICTURE_PX, keep, smooth))
            row.addWidget(label)
        row.addStretch(1)
        self._column.addLayout(row)
        kept = _("{percent:.0f} % of what is drawn lies on this image.").format(percent=100 * choice.placing.kept)
        if way.value == "place":
            self._column.addWidget(words(kept, "quiet"))
