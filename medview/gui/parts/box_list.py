"""The boxes a detector proposes: surest first, those below a score hidden, each to look at, take, adjust or leave."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from medview.core.annotations import BoxAnnotation
from medview.core.language import _, plural
from medview.core.prediction import Proposal
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import icon_button, row_of, words
from medview.gui.parts.explain_menu import ExplainButton
from medview.gui.parts.steady import SteadySlider
from medview.gui.parts.theme_tokens import CONTROL_HEIGHT_PX, GRID_PX
from medview.workspace.accepting import least_score
from medview.workspace.drawn import short_size, size_text
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import CaseView

_SCORE, _LABEL, _SIZE = range(3)
_ID = Qt.ItemDataRole.UserRole
_MOST_ROWS = 8


class BoxList(QWidget):
    """A slider of scores over a list.

    Parameters
    ----------
    explain : bool
        Whether a box can be explained here.
    """

    accepted = Signal(str)
    """Annotation id of a box, as in the following."""
    adjusted = Signal(str)
    """It is to be taken and adjusted by hand."""
    rejected = Signal(str)
    pointed_at = Signal(str)
    explained = Signal(str, str)
    """And the method."""

    def __init__(
        self, case: OpenCase, proposal: Proposal, *, read_only: bool, explain: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        # The view, not the case: a case that is closed goes although its card is still there for a moment.
        self._view: CaseView = case.view
        self._proposal, self._read_only = proposal, read_only
        scored = [box.score for box in proposal.prediction.boxes if box.score is not None]
        self.slider = SteadySlider()
        self.slider.setObjectName("least score")
        self.slider.setRange(min((int(100 * s) for s in scored), default=0), 100)
        self.slider.setPageStep(5)
        self.slider.setAccessibleName(_("Lowest score shown"))
        self.slider.setToolTip(_("Boxes with a lower score are hidden, not lost"))
        self.slider.setVisible(bool(scored))
        self.least, self.count = words("", "quiet"), words("", "quiet")
        self.least.setVisible(bool(scored))
        self.least.setWordWrap(False)
        self.list = _List()
        boxes = sorted(proposal.prediction.boxes, key=lambda b: -(b.score if b.score is not None else 1.0))
        for box in boxes:
            self.list.addTopLevelItem(_item(case, box))
        self.take = icon_button("mdi6.check", _("Accept the chosen box (Enter in the list)"))
        self.take.setObjectName("accept box")
        self.adjust = icon_button(
            "mdi6.vector-square-edit", _("Accept the chosen box and adjust it; with a box tool pull at its sides at once")
        )
        self.adjust.setObjectName("adjust box")
        self.leave = icon_button("mdi6.close", _("Reject the chosen box (Delete in the list); Undo brings it back"))
        self.leave.setObjectName("reject box")
        self.why = ExplainButton(_("Show why the model found the chosen box"))
        self.why.setVisible(explain)
        self.why.wanted.connect(self._explain)
        for button, signal in ((self.take, self.accepted), (self.adjust, self.adjusted), (self.leave, self.rejected)):
            button.clicked.connect(partial(self._tell, signal))
        self.list.entered_key.connect(partial(self._tell, self.accepted))
        self.list.deleted_key.connect(partial(self._tell, self.rejected))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addLayout(row_of(self.least, self.slider))
        column.addWidget(self.list)
        buttons = row_of(self.count)
        buttons.addStretch(1)
        buttons.setSpacing(GRID_PX)
        for button in (self.why, self.leave, self.adjust, self.take):
            buttons.addWidget(button)
        column.addLayout(buttons)
        self.slider.valueChanged.connect(self._on_slider)
        self.list.currentItemChanged.connect(self._on_current)
        heard = Subscriptions(self)
        heard.add(field_signal(self._view, "least_scores"), self._refresh)
        heard.add(field_signal(self._view, "proposed_box_id"), self._refresh)
        self._refresh()

    @property
    def chosen(self) -> str:
        """Annotation id of the chosen box, or empty."""
        item = self.list.currentItem()
        return "" if item is None or item.isHidden() else str(item.data(_SCORE, _ID))

    def _refresh(self, *_values: object) -> None:
        least = least_score(self._view, self._proposal)
        blockers = [QSignalBlocker(self.slider), QSignalBlocker(self.list)]
        self.slider.setValue(max(self.slider.minimum(), round(100 * least)))
        self.least.setText(_("Score from {score:.2f}").format(score=self.slider.value() / 100))
        shown, chosen = 0, None
        for n, box in enumerate(self._sorted()):
            item = self.list.topLevelItem(n)
            assert item is not None
            hidden = box.score is not None and box.score < least
            item.setHidden(hidden)
            shown += not hidden
            if box.annotation_id == self._view.proposed_box_id and not hidden:
                chosen = item
        if chosen is not None:
            self.list.setCurrentItem(chosen)
        else:
            self.list.setCurrentIndex(QModelIndex())
        for blocker in blockers:
            blocker.unblock()
        self.list.fit(shown)
        total = self.list.topLevelItemCount()
        told = plural("{count} box", "{count} boxes", shown).format(count=shown)
        self.count.setText(told if shown == total else _("{shown} of {count}").format(shown=shown, count=total))
        self.count.setWordWrap(False)
        for button in (self.take, self.adjust, self.leave):
            button.setEnabled(chosen is not None and not self._read_only)
        self.why.setEnabled(chosen is not None)

    def _sorted(self) -> list[BoxAnnotation]:
        return sorted(self._proposal.prediction.boxes, key=lambda b: -(b.score if b.score is not None else 1.0))

    def _on_slider(self, per_cent: int) -> None:
        low = per_cent / 100 if per_cent > self.slider.minimum() else 0.0
        self._view.set_least_score(self._proposal.model_id, low)

    def _on_current(self, item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None) -> None:
        if item is not None:
            chosen = str(item.data(_SCORE, _ID))
            self._view.proposed_box_id = chosen
            self.pointed_at.emit(chosen)

    def _tell(self, signal: SignalInstance, *_checked: object) -> None:
        chosen = self.chosen
        if not chosen or self._read_only:
            return
        # Who goes through a list goes on with the next one.
        self._view.proposed_box_id = self._after(chosen)
        signal.emit(chosen)

    def _after(self, chosen: str) -> str:
        least = least_score(self._view, self._proposal)
        ids = [b.annotation_id for b in self._sorted() if b.score is None or b.score >= least]
        at = ids.index(chosen)
        return ids[at + 1] if at + 1 < len(ids) else ids[at - 1] if at else ""

    def _explain(self, method: str) -> None:
        if self.chosen:
            self.explained.emit(self.chosen, method)


class _List(QTreeWidget):
    """Score, label and size; as high as it has rows, up to a few."""

    entered_key = Signal()
    deleted_key = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(3)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(_("Proposed boxes, the surest first"))
        self.setToolTip(_("Choose a box to see it in the pictures; Up and Down go through them"))
        self.setObjectName("proposed boxes")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_LABEL, QHeaderView.ResizeMode.Stretch)
        for column in (_SCORE, _SIZE):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    def fit(self, rows: int) -> None:
        """Be as high as this many rows, within bounds."""
        height = self.sizeHintForRow(0) if self.topLevelItemCount() else CONTROL_HEIGHT_PX
        self.setFixedHeight(max(height, 20) * max(1, min(rows, _MOST_ROWS)) + 2 * self.frameWidth() + 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes what is chosen, Delete leaves it."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered_key.emit()
        elif key == Qt.Key.Key_Delete:
            self.deleted_key.emit()
        else:
            super().keyPressEvent(event)


def _item(case: OpenCase, box: BoxAnnotation) -> QTreeWidgetItem:
    score = "" if box.score is None else f"{box.score:.2f}"
    item = QTreeWidgetItem([score, box.label, short_size(case.volume, box)])
    for column in (_LABEL, _SIZE):
        item.setToolTip(column, ", ".join(part for part in (box.label, size_text(case.volume, box)) if part))
    item.setData(_SCORE, _ID, box.annotation_id)
    item.setTextAlignment(_SIZE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
