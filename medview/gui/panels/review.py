"""The readings of the open case: whose labels are shown, what was said of them, and the way to a consensus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from medview.core.language import _
from medview.core.reading_status import ReadingStatus, Role
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import action_button, set_role, text_button, words
from medview.gui.parts.key_tip import KeyTip
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.review_words import comment_text, overtaken_text, reading_text
from medview.workspace.workspace import Workspace

if TYPE_CHECKING:
    from medview.store.reading_state import ReadingState
    from medview.store.review_book import ReviewComment
    from medview.workspace.reviewing import CaseReview

_MOST_ROWS = 6
_DATA = Qt.ItemDataRole.UserRole


class ReviewPanel(QWidget):
    """A row per reading, of which one is shown; a row per comment, which leads to its place; what a reviewer can do."""

    wanted_changed = Signal()
    """There is something to show where there was nothing, or the other way round."""
    field_wanted = Signal()
    """The field for a comment is to be seen."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.wanted = False
        self.readings = self._list("readings-list", _("Readings of this case"))
        self.readings.setToolTip(_("Press a reading to see its labels on the pictures"))
        self.readings.itemClicked.connect(self._on_reading)
        self.readings.itemActivated.connect(self._on_reading)
        self.hint = words("", "quiet")
        self.comments = self._list("comments-list", _("Comments on this case"))
        self.comments.setToolTip(_("Press a comment to look at its place"))
        self.comments.setWordWrap(True)
        self.comments.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.comments.setResizeMode(QListView.ResizeMode.Adjust)
        self.comments.itemClicked.connect(self._on_comment)
        self.comments.itemActivated.connect(self._on_comment)
        self.comment = QLineEdit()
        self.comment.setObjectName("review comment")
        self.comment.setAccessibleName(_("Comment"))
        self.comment.setPlaceholderText(_("What is to be done at this place?"))
        self.comment.setToolTip(_("A comment is pinned to where the crosshair is. Enter sends the labels back with it."))
        self.comment.returnPressed.connect(self._send_back)
        self.back = text_button(_("Send back"), _("Ask the reader to work on these labels again"))
        KeyTip(self.back, self.back.toolTip(), actions["review.send_back"])
        self.back.setObjectName("review back")
        self.back.clicked.connect(self._send_back)
        self.note = text_button(_("Comment"), _("Pin the comment to this place without sending the labels back"))
        self.note.setObjectName("review note")
        self.note.clicked.connect(self._say)
        tip = _("The reader's labels are approved as they are corrected here; exports and training take this edit")
        self.as_corrected = text_button(_("Approve as corrected"), tip)
        KeyTip(self.as_corrected, tip, actions["review.approve"])
        self.as_corrected.setObjectName("review as corrected")
        self.as_corrected.clicked.connect(workspace.reviewing.approve)
        self._reviewing = QWidget()
        self._deciding = QWidget()
        self._lay_out(actions)
        heard = Subscriptions(self)
        heard.add(workspace.reviewing.changed, self.refresh)
        heard.add(workspace.reviewing.comment_wanted, self.field_wanted.emit)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of the active case."""
        reviewing = self._workspace.reviewing
        state, shown = reviewing.state, reviewing.shown
        self.readings.clear()
        self.comments.clear()
        if state is not None:
            self._fill(state, shown)
        _fit(self.readings)
        _fit(self.comments)
        own = state is not None and shown is not None and shown.reading_id == state.own
        others = shown is not None and not own and shown.role is Role.READER
        self._reviewing.setVisible(others)
        waiting = shown is not None and shown.status is not ReadingStatus.APPROVED
        self.as_corrected.setVisible(waiting and shown is not None and shown.role is Role.REVIEW)
        self._deciding.setVisible(shown is not None and shown.role is Role.CONSENSUS)
        self.comments.setVisible(self.comments.count() > 0)
        overtaken = "" if shown is None or state is None else overtaken_text(shown, state)
        self.hint.setText(overtaken or _hint(own=own, role=None if shown is None else shown.role))
        set_role(self.hint, "warning" if overtaken else "quiet")
        if reviewing.wanted != self.wanted:
            self.wanted = reviewing.wanted
            self.wanted_changed.emit()

    def _fill(self, state: CaseReview, shown: ReadingState | None) -> None:
        for one in state.readings:
            item = QListWidgetItem(reading_text(one, state))
            item.setToolTip(overtaken_text(one, state) or item.text())
            item.setData(_DATA, one.reading_id)
            self.readings.addItem(item)
            if shown is not None and one.reading_id == shown.reading_id:
                self.readings.setCurrentItem(item)
            if why := state.why_hidden(one.reading_id):
                item.setForeground(QColor(128, 128, 128))
                item.setToolTip(why)
        for comment in reversed(state.comments):
            if state.why_hidden(comment.reading_id):
                continue
            item = QListWidgetItem(comment_text(comment, state))
            item.setToolTip(item.text())
            item.setData(_DATA, comment)
            self.comments.addItem(item)

    def _lay_out(self, actions: QtActions) -> None:
        looks = QHBoxLayout()
        looks.setSpacing(GRID_PX)
        for action_id, text in (
            ("review.own", _("Own")),
            ("review.side_by_side", _("Beside")),
            ("review.consensus", _("Consensus")),
        ):
            actions[action_id].setIconText(text)
            button = action_button(actions[action_id], text=True, flat=False)
            button.setObjectName(f"button {action_id}")
            button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
            looks.addWidget(button)
        for part, ids in (
            (self._reviewing, (("review.approve", _("Approve")), ("review.edit", _("Edit as reviewer")))),
            (
                self._deciding,
                (("review.majority", _("Majority")), ("review.staple", _("STAPLE")), ("review.approve", _("Approve"))),
            ),
        ):
            row = QHBoxLayout()
            row.setSpacing(GRID_PX)
            for action_id, text in ids:
                actions[action_id].setIconText(text)
                button = action_button(actions[action_id], text=True, flat=False)
                button.setObjectName(f"button {action_id}")
                button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
                row.addWidget(button)
            column = QVBoxLayout(part)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(GRID_PX)
            column.addLayout(row)
            if part is self._reviewing:
                column.addWidget(self.comment)
                sends = QHBoxLayout()
                sends.setSpacing(GRID_PX)
                sends.addWidget(self.back)
                sends.addWidget(self.note)
                column.addLayout(sends)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        whole.setSpacing(GRID_PX * 2)
        whole.addWidget(self.readings)
        whole.addLayout(looks)
        whole.addWidget(self.hint)
        whole.addWidget(self.as_corrected)
        whole.addWidget(self._reviewing)
        whole.addWidget(self._deciding)
        whole.addWidget(self.comments)

    def _list(self, name: str, title: str) -> QListWidget:
        made = QListWidget()
        made.setObjectName(name)
        made.setAccessibleName(title)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return made

    def _on_reading(self, item: QListWidgetItem) -> None:
        reading_id = item.data(_DATA)
        shown = self._workspace.reviewing.shown
        if shown is None or reading_id != shown.reading_id:
            self._workspace.reviewing.look_at(reading_id)
            # Which one is shown says the case, not the press.
            self.refresh()

    def _on_comment(self, item: QListWidgetItem) -> None:
        comment: ReviewComment = item.data(_DATA)
        self._workspace.reviewing.go_to(comment)

    def _send_back(self) -> None:
        text = self.comment.text().strip()
        if not text:
            self._workspace.say(_("Say what is to be done before you send the labels back."))
            self.comment.setFocus()
            return
        self.comment.clear()
        self._workspace.reviewing.send_back(text)

    def _say(self) -> None:
        text = self.comment.text().strip()
        if text:
            self.comment.clear()
            self._workspace.reviewing.comment(text)


def _hint(*, own: bool, role: Role | None) -> str:
    if role is None or own:
        return ""
    return {
        Role.READER: _("Only to be looked at. Editing as a reviewer leaves these labels as they are."),
        Role.REVIEW: _("A review. The reader's own labels stay as they are; approved as corrected, this edit counts."),
        Role.CONSENSUS: _(
            "Take over from the proposals what is right: whole segments, piece by piece or by brush. Then mark it as done, "
            "or approve it."
        ),
    }[role]


def _fit(rows: QListWidget) -> None:
    """Make a list as high as its rows, up to a few of them."""
    count = min(rows.count(), _MOST_ROWS)
    height = sum(rows.sizeHintForRow(n) for n in range(count))
    rows.setFixedHeight(height + 2 * rows.frameWidth() + 2)
