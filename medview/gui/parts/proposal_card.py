"""One proposal of a model: what it found, what to make of it, accept or reject."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.gui.parts.controls import chip, icon_button, swatch, text_button, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.long_rows import LongRows
from medview.gui.parts.theme_tokens import GRID_PX


class ProposalCard(QFrame):
    """Announces the person's decisions by proposal id.

    Parameters
    ----------
    extra : sequence of QWidget
        What shows boxes and scores, between masks and buttons.
    """

    accepted = Signal(str)
    accepted_segment = Signal(str, int)
    rejected = Signal(str)
    brush_wanted = Signal(str, int)
    compare_wanted = Signal(str, int)
    probability_wanted = Signal(str, int)
    pointed_at = Signal(str, object)
    """(proposal id, mask value or annotation id) the person wants to see."""

    def __init__(
        self, proposal: Proposal, *, read_only: bool, extra: Sequence[QWidget] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "raised")
        self.proposal_id = proposal.proposal_id
        self._read_only = read_only
        prediction = proposal.prediction
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(GRID_PX * 2, GRID_PX * 2, GRID_PX * 2, GRID_PX * 2)
        self._column.setSpacing(GRID_PX)
        self._add_heading(prediction)
        if prediction.notice:
            self._column.addWidget(words(in_language(prediction.notice), "warning"))
        self._stale = words(_("Labels have changed since it ran."), "warning")
        self._stale.hide()
        self._column.addWidget(self._stale)
        for warning in prediction.warnings:
            self._column.addWidget(words(in_language(warning), "warning"))
        self.rows: LongRows | None = None
        if prediction.mask is not None:
            self.rows = self._segment_rows(prediction, prediction.mask)
            self._column.addWidget(self.rows)
        for widget in extra:
            self._column.addWidget(widget)
        self._add_buttons()

    def _add_heading(self, prediction: Prediction) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        name = ElidedLabel(prediction.model_name)
        seconds = sum(prediction.seconds.values())
        name.set_hint(
            _("{model_id}, on {device}, {seconds:.1f} s").format(
                model_id=prediction.source.model_id, device=prediction.device, seconds=seconds
            )
        )
        row.addWidget(name, 1)
        row.addWidget(chip(prediction.source.model_version, _("Version of the model")))
        self._column.addLayout(row)

    def show_stale(self, stale: bool) -> None:
        """Say whether the labels have moved on since the model ran."""
        self._stale.setVisible(stale)

    def _segment_rows(self, prediction: Prediction, mask: PredictedMask) -> LongRows:
        voxel_ml = prediction.geometry.voxel_volume_mm3 / 1000.0
        counts = mask.counts()

        def row(n: int) -> QHBoxLayout:
            segment = mask.segments[n]
            return self._segment_row(segment, counts[segment.value] * voxel_ml)

        return LongRows(row, len(mask.segments))

    def _segment_row(self, segment: PredictedSegment, volume_ml: float) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        colour = QLabel()
        colour.setPixmap(swatch(segment.colour).pixmap(QSize(14, 14)))
        find = icon_button("mdi6.crosshairs-gps", _("Show {name} in the pictures").format(name=segment.name))
        find.clicked.connect(lambda: self.pointed_at.emit(self.proposal_id, segment.value))
        accept = self._accept_one(segment.name)
        accept.clicked.connect(lambda: self.accepted_segment.emit(self.proposal_id, segment.value))
        volume = words(f"{_three(volume_ml)} mL", "quiet")
        volume.setWordWrap(False)
        row.addWidget(colour)
        row.addWidget(ElidedLabel(segment.name), 1)
        row.addWidget(volume)
        row.addWidget(find)
        row.addWidget(self._more(segment.name, segment.value))
        row.addWidget(accept)
        return row

    def _more(self, name: str, value: int) -> QToolButton:
        """Return what opens the rest of what can be done with a class."""
        button = icon_button("mdi6.dots-horizontal", _("More for {name}").format(name=name))
        button.setObjectName(f"more {name}")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        brush = menu.addAction(_("Accept with the brush"), lambda: self.brush_wanted.emit(self.proposal_id, value))
        brush.setToolTip(_("Takes over only what is under your strokes; Ctrl gives it back"))
        brush.setEnabled(not self._read_only)
        compare = menu.addAction(_("Compare with the segment"), lambda: self.compare_wanted.emit(self.proposal_id, value))
        compare.setToolTip(_("Shows on the pictures what it has more and less, with Dice and volumes"))
        sure = menu.addAction(_("Show its probability"), lambda: self.probability_wanted.emit(self.proposal_id, value))
        sure.setToolTip(_("Runs the model once more and shows in colour how sure it is at every place"))
        button.setMenu(menu)
        return button

    def _add_buttons(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID_PX)
        self.accept_all = text_button(_("Accept all"), _("Take everything that is shown into the labels"), role="primary")
        self.accept_all.setObjectName("accept all")
        self.reject_all = text_button(_("Reject"), _("Take this proposal away; Undo brings it back"))
        self.reject_all.setObjectName("reject")
        self.accept_all.setEnabled(not self._read_only)
        self.reject_all.setEnabled(not self._read_only)
        self.accept_all.clicked.connect(lambda: self.accepted.emit(self.proposal_id))
        self.reject_all.clicked.connect(lambda: self.rejected.emit(self.proposal_id))
        row.addWidget(self.accept_all, 1)
        row.addWidget(self.reject_all, 1)
        self._column.addSpacing(GRID_PX)
        self._column.addLayout(row)

    def _accept_one(self, name: str) -> QToolButton:
        button = icon_button("mdi6.check", _("Accept only {name}").format(name=name))
        button.setObjectName(f"accept {name}")
        button.setEnabled(not self._read_only)
        return button


def _three(volume_ml: float) -> str:
    return f"{volume_ml:.0f}" if volume_ml >= 100 else f"{volume_ml:.3g}"
