"""What is known about the open series, in a few quiet lines."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget

from medview.core.geometry import Calibration
from medview.core.language import _, in_language
from medview.core.study import Verdict
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.identity import load_sentence, series_description
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace

_VERDICTS = {
    Verdict.VOLUME: _("Volume: millimetres in all directions"),
    Verdict.STACK: _("Stack: no millimetres along the stack"),
    Verdict.REFUSED: _("Refused"),
}


class CaseFacts(QFrame):
    """Grid, spacing, extent and verdict of the active case."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.setProperty("role", "panel")
        self.setObjectName("case_facts")
        # The panes beside it decide the size; words adapt.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self._title.setWordWrap(True)
        self._rows = QFormLayout()
        self._rows.setHorizontalSpacing(16)
        self._rows.setVerticalSpacing(4)
        self._rows.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._note = QLabel()
        self._note.setProperty("role", "warning")
        self._note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self._title)
        column.addLayout(self._rows)
        column.addWidget(self._note)
        column.addStretch(1)
        subscriptions = Subscriptions(self)
        subscriptions.add(workspace.active_changed, self._show)
        subscriptions.add(workspace.load_changed, self._show_note)
        subscriptions.add(field_signal(workspace.bench, "identity_hidden"), self._show)
        self._show()

    def _show(self, *_values: object) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        case = self._workspace.active
        hidden = self._workspace.bench.identity_hidden
        title = (
            "" if case is None else series_description(case.series, hidden=hidden) or case.series.modality or _("Series")
        )
        self._title.setText(title)
        if case is not None:
            for name, value in facts(case):
                label, text = QLabel(name), QLabel(value)
                label.setProperty("role", "quiet")
                text.setWordWrap(True)
                text.setTextFormat(Qt.TextFormat.PlainText)
                self._rows.addRow(label, text)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._show_note()

    def _show_note(self) -> None:
        case = self._workspace.active
        sentences = [] if case is None else [in_language(reason.text) for reason in case.entry.reasons]
        if case is not None:
            sentences.append(load_sentence(case.load, hidden=self._workspace.bench.identity_hidden))
        shown = "\n".join(sentence for sentence in sentences if sentence)
        self._note.setText(shown)
        self._note.setVisible(bool(shown))


def facts(case: OpenCase) -> list[tuple[str, str]]:
    """Return names and values; those that mean nothing for the case are left out."""
    geometry, volume = case.volume.geometry, case.volume
    k, j, i = geometry.shape_kji
    dk, dj, di = geometry.spacing_kji_mm
    rows = [
        (_("Modality"), case.series.modality),
        (_("Body part"), case.series.body_part),
        (_("Grid"), _("{i} × {j} × {k} voxels").format(i=i, j=j, k=k)),
    ]
    if geometry.calibration is Calibration.VOLUME:
        rows.append((_("Voxel"), f"{di:.3g} \u00d7 {dj:.3g} \u00d7 {dk:.3g} mm"))
        rows.append((_("Extent"), f"{i * di:.0f} \u00d7 {j * dj:.0f} \u00d7 {k * dk:.0f} mm"))
    elif geometry.calibration is Calibration.IN_PLANE:
        rows.append((_("Pixel"), f"{di:.3g} \u00d7 {dj:.3g} mm"))
    rows.append((_("Values"), _("colour") if volume.colour else volume.unit or _("without unit")))
    alone = case.entry.verdict is Verdict.STACK and k == 1
    rows.append((_("Geometry"), _("Single picture") if alone else _VERDICTS[case.entry.verdict]))
    return [(name, value) for name, value in rows if value]
