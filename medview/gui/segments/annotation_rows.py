"""Statements about the study, the series and slices that were accepted, below the segments."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from medview.core.annotations import ImageLabel
from medview.core.language import _, in_language, plural
from medview.gui.parts.controls import clear_layout, icon_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.score_view import SAYS
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
        if case is None:
            return
        of_slices: dict[str, list[ImageLabel]] = {}
        for one in shown:
            if one.subject == "slice":
                of_slices.setdefault(one.label, []).append(one)
            else:
                self._rows.addLayout(_row(case, [one], _whole(one)))
        # Hundreds of slices are one row.
        for name, ones in of_slices.items():
            slices = plural("{count} slice", "{count} slices", len(ones)).format(count=len(ones))
            self._rows.addLayout(_row(case, ones, _("{label} on {slices}").format(label=name, slices=slices)))


def _whole(one: ImageLabel) -> str:
    about = _("Whole study") if one.subject == "study" else _("Whole series")
    said = {said.value: text for said, text in SAYS.items()}.get(one.says, "")
    score = f"{one.probability:.0%}" if one.probability is not None else ""
    return ", ".join(part for part in (f"{about}: {one.label}", said, score) if part)


def _row(case: OpenCase, some: Sequence[ImageLabel], text: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID_PX)
    label = ElidedLabel(text)
    label.set_hint(in_language(some[0].source.title))
    tip = _("Delete {label}; Undo brings it back").format(label=some[0].label)
    remove = icon_button("mdi6.trash-can-outline", tip)
    remove.setEnabled(not case.read_only)
    ids = [one.annotation_id for one in some]
    remove.clicked.connect(lambda _checked=False: labels.delete_annotations(case, ids))
    row.addWidget(label, 1)
    row.addWidget(remove)
    return row
