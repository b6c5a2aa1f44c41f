"""What is known, assumed and wrong about the open series, in plain words."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.core.study import Verdict, VolumeEntry
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import clear_layout, words
from medview.gui.parts.identity import load_sentence
from medview.gui.parts.theme_tokens import GRID_PX
from medview.io.dicom.reasons import ReasonKind
from medview.workspace.check import check, of_kind, verdict_sentence
from medview.workspace.workspace import Workspace

_ROLES = {Verdict.VOLUME: "good", Verdict.STACK: "warning", Verdict.REFUSED: "error"}
_HEADINGS = {
    ReasonKind.WRONG: (_("Wrong"), "warning"),
    ReasonKind.ASSUMED: (_("Assumed"), "warning"),
    ReasonKind.FOUND: (_("Found"), ""),
}
"""What a person has to know first comes first."""


def _role(entry: VolumeEntry) -> str:
    # A radiograph is no worse for being one picture.
    return "" if entry.verdict is Verdict.STACK and entry.shape_kji[0] == 1 else _ROLES[entry.verdict]


class CheckPanel(QWidget):
    """The verdict with its reasons, damaged slices, and labels that could not be brought back."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        self._column.setSpacing(GRID_PX)
        self._shown: tuple[object, ...] | None = None
        heard = Subscriptions(self)
        heard.add(workspace.active_changed, self.refresh)
        heard.add(workspace.load_changed, self.refresh)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Show the notes on the active case; slices that arrive change nothing until the last one has."""
        case = self._workspace.active
        hidden = self._workspace.bench.identity_hidden
        key = (case, case.load.complete, case.load.damaged, hidden) if case else (None,)
        if key == self._shown:
            return
        self._shown = key
        clear_layout(self._column)
        if case is None:
            self._column.addWidget(words(_("Open a series to see what was checked."), "quiet"))
            return
        self._column.addWidget(words(in_language(verdict_sentence(case.entry)), _role(case.entry)))
        damaged = [load_sentence(case.load, hidden=hidden)] if case.load.complete and case.load.damaged else []
        findings = check(case.series, case.entry, damaged)
        for kind, (heading, role) in _HEADINGS.items():
            lines = [finding.text for finding in of_kind(findings, kind)]
            lines += case.losses if kind is ReasonKind.WRONG else ()
            if lines:
                self._column.addWidget(words(heading, "heading"))
            for line in lines:
                self._column.addWidget(words(in_language(line), role))
