"""Statements about the whole series that were accepted, below the segments."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medview.core.annotations import ImageLabel
from medview.core.language import _, in_language
from medview.gui.parts.controls import clear_layout, icon_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels


class AnnotationRows(QWidget):
    """A row for each, with a button to delete it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)

    def show_case(self, case: OpenCase | None) -> None:
        """Bring the rows in line with a case."""
        clear_layout(self._rows)
        found = case.labels.annotations.values() if case is not None else ()
        shown = [one for one in found if isinstance(one, ImageLabel)]
        self.setVisible(bool(shown))
        for annotation in shown:
            assert case is not None
            self._rows.addLayout(_row(case, annotation))


def _row(case: OpenCase, annotation: ImageLabel) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID_PX)
    score = f", {annotation.probability:.0%}" if annotation.probability is not None else ""
    label = ElidedLabel(_("Whole series: {label}{score}").format(label=annotation.label, score=score))
    label.set_hint(in_language(annotation.source.title))
    tip = _("Delete {label}; Undo brings it back").format(label=annotation.label)
    remove = icon_button("mdi6.trash-can-outline", tip)
    remove.setEnabled(not case.read_only)
    remove.clicked.connect(lambda _checked=False: labels.delete_annotation(case, annotation.annotation_id))
    row.addWidget(label, 1)
    row.addWidget(remove)
    return row
