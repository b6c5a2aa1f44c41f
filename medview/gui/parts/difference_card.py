"""A proposed class beside a segment: how alike they are, and where to look."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from medview.analysis.mask_difference import MaskDifference
from medview.core.language import _, in_language, plural
from medview.gui.parts.bind import Subscriptions, follow
from medview.gui.parts.controls import icon_button, row_of, swatch, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.key_tip import KeyTip
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import ADDED_COLOUR, GRID_PX, REMOVED_COLOUR
from medview.workspace.difference_state import Difference
from medview.workspace.events import LabelsChanged
from medview.workspace.review_state import Review
from medview.workspace.workspace import Workspace

PACE_MS = 350
"""After the last stroke: strokes that follow each other closely are compared once."""

_SWATCH_PX = 12


class DifferenceCard(QFrame):
    """Stands while a class is compared; keeps up with what is drawn, a moment after the hand rests."""

    grew = Signal()
    """It was opened, or has its figures now: a column may have to scroll to it."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "raised")
        self._workspace = workspace
        self._ids: list[str] = []
        self._stage = (False, False)
        self.title = ElidedLabel("")
        close = icon_button("mdi6.close", _("Compare no longer"))
        close.setObjectName("close difference")
        close.clicked.connect(lambda: workspace.differences.close())
        self.segment = SteadyComboBox()
        self.segment.setToolTip(_("The segment it is compared with, and that it is taken over into by hand"))
        self.segment.setIconSize(QSize(_SWATCH_PX, _SWATCH_PX))
        self.segment.activated.connect(lambda row: workspace.differences.choose(self._ids[row]))
        self.state = words("", "quiet")
        self._figures = QGridLayout()
        self._figures.setSpacing(GRID_PX)
        self._figures.setColumnStretch(2, 1)
        self._values: dict[str, QLabel] = {}
        self._add("dice", _("Dice"), _("Twice the common part over the sum of both; 1 is the same"))
        self._add("volumes", _("Volumes"), _("Of the proposal, and of the segment"))
        self._add("more", _("More"), _("What the proposal has and the segment has not"), ADDED_COLOUR)
        self._add("less", _("Less"), _("What the segment has and the proposal has not"), REMOVED_COLOUR)
        self._add(
            "surface", _("Surfaces"), _("Distance between the surfaces: the mean, and what 95 % of the worse side keep to")
        )
        previous = icon_button("mdi6.chevron-left", _("Next larger difference"))
        following = icon_button("mdi6.chevron-right", _("Next smaller difference"))
        previous.setObjectName("difference.previous")
        following.setObjectName("difference.next")
        previous.clicked.connect(lambda: workspace.differences.go(-1))
        following.clicked.connect(lambda: workspace.differences.go(1))
        for button in (previous, following):
            KeyTip(button, button.toolTip(), actions[button.objectName()])
        self.places = words("", "quiet")
        self._jump = QWidget()
        jump = QHBoxLayout(self._jump)
        jump.setContentsMargins(0, 0, 0, 0)
        jump.setSpacing(GRID_PX)
        jump.addWidget(self.places, 1)
        jump.addWidget(previous)
        jump.addWidget(following)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, GRID_PX * 2, GRID_PX * 2, GRID_PX * 2)
        column.setSpacing(GRID_PX)
        heading = QHBoxLayout()
        heading.addWidget(self.title, 1)
        heading.addWidget(close)
        column.addLayout(heading)
        column.addLayout(row_of(words(_("with"), "quiet"), self.segment))
        column.addWidget(self.state)
        self._table = QWidget()
        self._table.setLayout(self._figures)
        self._figures.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._table)
        column.addWidget(self._jump)
        self._pace = QTimer(self, interval=PACE_MS, singleShot=True)
        self._pace.timeout.connect(self._ask_again)
        Subscriptions(self).add(workspace.labels_changed, self._on_labels)
        follow(self, workspace.bench, "review", self._show)

    def text_of(self, figure: str) -> str:
        """Return what stands beside ``dice``, ``volumes``, ``more``, ``less`` or ``surface``."""
        return self._values[figure].text()

    def _add(self, key: str, name: str, tip: str, colour: tuple[int, int, int] | None = None) -> None:
        row = self._figures.rowCount()
        label, value = words(name, "quiet"), words("")
        for widget in (label, value):
            widget.setWordWrap(False)
            widget.setToolTip(tip)
        if colour is not None:
            square = QLabel()
            square.setPixmap(swatch(colour, _SWATCH_PX).pixmap(QSize(_SWATCH_PX, _SWATCH_PX)))
            square.setToolTip(tip)
            self._figures.addWidget(square, row, 1)
        self._figures.addWidget(label, row, 0)
        self._figures.addWidget(value, row, 2)
        self._values[key] = value

    def _show(self, review: Review) -> None:
        state = review.difference
        self.setVisible(state.open)
        before, self._stage = self._stage, (state.open, state.found is not None)
        if not state.open:
            return
        case = self._workspace.active
        proposal = case.labels.proposals.get(state.proposal_id) if case is not None else None
        mask = proposal.prediction.mask if proposal is not None else None
        name = next((s.name for s in mask.segments if s.value == state.value), "") if mask is not None else ""
        self.title.setText(_("Proposed: {name}").format(name=name))
        self._show_segments(state)
        self.state.setText(in_language(state.problem) or (_("Comparing...") if state.working else ""))
        self.state.setVisible(bool(self.state.text()) and (state.found is None or bool(state.problem)))
        self._table.setVisible(state.found is not None)
        self._jump.setVisible(state.found is not None)
        if state.found is not None:
            self._show_found(state.found)
        if self._stage > before:
            self.grew.emit()

    def _show_segments(self, state: Difference) -> None:
        segments = self._workspace.differences.segments()
        self._ids = [segment.segment_id for segment in segments]
        self.segment.clear()
        for segment in segments:
            self.segment.addItem(swatch(segment.colour, _SWATCH_PX), segment.name)
        self.segment.setCurrentIndex(self._ids.index(state.segment_id) if state.segment_id in self._ids else -1)
        self.segment.setEnabled(bool(segments))

    def _show_found(self, found: MaskDifference) -> None:
        one = found.agreement
        texts = {
            "dice": f"{one.dice:.3f}",
            "volumes": f"{volume_text(one.final, one.voxel_ml)} / {volume_text(one.proposed, one.voxel_ml)}",
            "more": volume_text(one.added, one.voxel_ml),
            "less": volume_text(one.removed, one.voxel_ml),
            "surface": "",
        }
        if found.mean_mm is not None and found.far_mm is not None:
            texts["surface"] = _("{mean_mm:.2f} mm, 95 %: {far_mm:.1f} mm").format(
                mean_mm=found.mean_mm, far_mm=found.far_mm
            )
        for key, text in texts.items():
            self._values[key].setText(text or "\u2013")
        count = len(found.spots)
        self.places.setText(plural("{n} place", "{n} places", count).format(n=count) if count else _("No difference"))

    def _on_labels(self, event: LabelsChanged) -> None:
        state = self._workspace.bench.review.difference
        if state.open and event.series_uid == state.case_key:
            self._pace.start()

    def _ask_again(self) -> None:
        case, state = self._workspace.active, self._workspace.bench.review.difference
        if case is None or not state.open:
            return
        if case.in_gesture or case.pouring is not None:
            self._pace.start()
        elif self._workspace.differences.stale or state.found is None:
            self._workspace.differences.refresh()
        else:
            self._show_segments(state)


def volume_text(voxels: int, voxel_ml: float) -> str:
    """Return a volume with three digits, or how many voxels it is where the grid has no millimetres."""
    if not voxel_ml:
        return _("{n} voxels").format(n=voxels)
    ml = voxels * voxel_ml
    return f"{ml:.0f} mL" if ml >= 100 else f"{ml:.3g} mL"
