"""What to label next: cases a model is unsure of, beside those chance would give."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QListView,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, in_language, plural
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import icon_button, text_button, words
from medview.gui.parts.icons import icon
from medview.gui.parts.next_rows import NEXT_ROLE, ROW_PX, NextModel, NextRows
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.next_cases.next_words import STRATEGY, rate_text
from medview.workspace.next_cases.state import SHOWN
from medview.workspace.workspace import Workspace

_NARROW = 6
"""Letters the choice of models may shrink to."""
_TIPS = {
    SHOWN[0]: _("Cases the model is least sure of, class by class, unlike one another"),
    SHOWN[1]: _("Cases drawn by chance, to compare with: whether a choice is worth anything shows on your own data"),
}


class NextCasesPanel(QWidget):
    """The model that is asked, how far it is, two lists to switch between, and what can be done with them."""

    wanted_changed = Signal()
    """There is something to choose from where there was nothing, or the other way round."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._state = workspace, workspace.next_cases
        self.wanted = False
        self.models = SteadyComboBox()
        self.models.setToolTip(_("The model that is asked what it is unsure of"))
        self.models.setObjectName("next model")
        self.models.setMinimumContentsLength(_NARROW)
        self.models.setSizeAdjustPolicy(SteadyComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.activated.connect(lambda _row: self._state.ask(str(self.models.currentData())))
        self.look = text_button("", "", icon_name="mdi6.play")
        self.look.setObjectName("next look")
        self.look.clicked.connect(self._on_look)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.summary = words("", "quiet")
        self.switches: dict[object, QToolButton] = {}
        self._group = QButtonGroup(self)
        self.model = NextModel(self)
        self.rows = self._make_list()
        self.first = text_button(
            _("Put these first"),
            _("Let these cases come first in the list of cases"),
            icon_name="mdi6.format-vertical-align-top",
        )
        self.first.setObjectName("next first")
        self.first.clicked.connect(self._state.put_first)
        self.again = icon_button("mdi6.dice-multiple-outline", _("Propose others: chance has a part in every choice"))
        self.again.setObjectName("next again")
        self.again.clicked.connect(self._state.draw_again)
        self.note = words("", "quiet")
        self._arrange()
        heard = Subscriptions(self)
        heard.add(self._state.changed, self.refresh)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Show everything as it is."""
        state = self._state
        if self.isVisible():
            state.load()
        self._show_models()
        self._show_look()
        self.bar.setRange(0, max(1, state.total))
        self.bar.setValue(state.looked)
        self.bar.setVisible(state.looking)
        self.summary.setText(self._summary())
        # Sentences may name files, and those patients.
        told = () if self._workspace.bench.identity_hidden else dict.fromkeys(map(in_language, state.failed.values()))
        self.summary.setToolTip("\n".join(told))
        for strategy, button in self.switches.items():
            button.setChecked(strategy is state.strategy)
            button.setVisible(any(state.batches.values()))
        shown = [(case, row) for case in state.shown if (row := state.row(case)) is not None]
        self.model.show(shown, hidden=self._workspace.bench.identity_hidden)
        self.rows.setFixedHeight(max(1, len(shown)) * ROW_PX + 2)
        self.rows.setVisible(bool(shown))
        self.first.setVisible(bool(shown))
        self.again.setVisible(bool(shown))
        self.note.setText(self._note() if shown else "")
        self.note.setVisible(bool(shown))
        if state.wanted != self.wanted:
            self.wanted = state.wanted
            self.wanted_changed.emit()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what is known once somebody looks here."""
        super().showEvent(event)
        self._state.load()

    def _show_look(self) -> None:
        """Let the button say what it does now; it is gone where there is nothing left to do."""
        state = self._state
        if state.problem:
            self.look.setVisible(True)
            self.look.setIcon(icon("mdi6.refresh"))
            self.look.setText(_("Try again"))
            self.look.setToolTip(_("Look up what is known of the cases"))
            return
        left = max(0, state.total - state.looked)
        self.look.setVisible(state.pack is not None and (state.looking or left > 0))
        self.look.setIcon(icon("mdi6.pause" if state.looking else "mdi6.play"))
        if state.looking:
            text, tip = _("Pause"), _("Look at no further case")
        else:
            more = plural("Look at {n} more case", "Look at {n} more cases", left)
            text = (more if state.looked else plural("Look at {n} case", "Look at {n} cases", left)).format(n=left)
            tip = _("Ask the model about the cases nobody has begun, in the background, one after the other")
        self.look.setText(text)
        self.look.setToolTip(tip)

    def _summary(self) -> str:
        state = self._state
        if state.problem:
            return in_language(state.problem)
        if not state.known:
            return _("What is known of the cases is being looked up.") if state.loaded else ""
        if state.pack is None:
            return _("No model is installed that could say what it is unsure of.")
        if not state.total:
            return _("Every case is begun, done, or of a patient of validation or test.")
        text = _("{n} of {total} cases looked at").format(n=state.looked, total=state.total)
        if state.failed:
            out = plural("{n} left out", "{n} left out", len(state.failed)).format(n=len(state.failed))
            text = f"{text} · {out}"
        return text

    def _note(self) -> str:
        parts = [rate_text(self._state.rate)]
        if held := self._state.held_out:
            parts.append(
                plural(
                    "{n} case of a patient of validation or test is not proposed.",
                    "{n} cases of patients of validation or test are not proposed.",
                    held,
                ).format(n=held)
            )
        return " ".join(parts)

    def _show_models(self) -> None:
        state = self._state
        named = [(pack.digest, self._workspace.trainings.title_of(pack)) for pack in state.packs]
        blocker = QSignalBlocker(self.models)
        if [(self.models.itemData(n), self.models.itemText(n)) for n in range(self.models.count())] != named:
            self.models.clear()
            for digest, name in named:
                self.models.addItem(name, digest)
        if state.pack is not None:
            self.models.setCurrentIndex(self.models.findData(state.pack.digest))
        blocker.unblock()
        self.models.setEnabled(bool(named))

    def _on_look(self) -> None:
        state = self._state
        (state.try_again if state.problem else state.pause if state.looking else state.begin)()

    def _open(self, index: QModelIndex) -> None:
        case = index.data(NEXT_ROLE)
        if case is not None:
            self._state.open(case)

    def _make_list(self) -> QListView:
        rows = QListView()
        rows.setModel(self.model)
        rows.setItemDelegate(NextRows(self))
        rows.setUniformItemSizes(True)
        rows.setMouseTracking(True)
        rows.setObjectName("next list")
        rows.setAccessibleName(_("What to label next"))
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.clicked.connect(self._open)
        rows.activated.connect(self._open)
        return rows

    def _arrange(self) -> None:
        switches = QHBoxLayout()
        switches.setSpacing(GRID_PX)
        for strategy in SHOWN:
            button = QToolButton()
            button.setText(STRATEGY[strategy])
            button.setCheckable(True)
            button.setToolTip(_TIPS[strategy])
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setObjectName(f"next {strategy.value}")
            button.clicked.connect(lambda _checked, one=strategy: self._state.show(one))
            self._group.addButton(button)
            self.switches[strategy] = button
            switches.addWidget(button, 1)
        switches.addWidget(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX)
        column.addWidget(self.models)
        column.addWidget(self.look)
        column.addWidget(self.bar)
        column.addWidget(self.summary)
        column.addLayout(switches)
        column.addWidget(self.rows)
        column.addWidget(self.first)
        column.addWidget(self.note)
