"""One question of a form: its words, its state, and what it is answered with."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from medview.core.answer import Value
from medview.core.form import AnswerKind, Option
from medview.core.language import _
from medview.gui.parts.controls import icon_button, set_role, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.answering import takes
from medview.workspace.asked import Asked

_KEYS = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Of the options, in their order."""
_SHORT_PX = 92
"""Where all options are narrower, two stand side by side."""
_CLEAR_PX = 16
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ERASE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class QuestionRow(QFrame):
    """What all questions have in common. Keeps nothing but what is being typed."""

    answered = Signal(object, object)
    """The Asked, and its value: None takes the answer back."""
    left = Signal(int)
    """Enter was pressed: on to the next question (1) or back (-1)."""
    entered = Signal()
    """Hands are here now."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked = asked
        self.editable = True
        self.setObjectName(f"question {asked.question.text}")
        self.setProperty("role", "question")
        self.title = words("")
        self.state = words("", "small")
        self.state.setWordWrap(False)
        self.note = words("", "warning")
        self.clear = icon_button("mdi6.close", _("Take the answer back (Del); Undo brings it back"))
        self.clear.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # No higher than the words beside it: forms are long.
        self.clear.setStyleSheet(f"min-height: {_CLEAR_PX}px; max-height: {_CLEAR_PX}px;")
        self.clear.clicked.connect(self.take_back)
        policy = self.clear.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.clear.setSizePolicy(policy)
        head = QHBoxLayout()
        head.setSpacing(GRID_PX)
        head.addWidget(self.title, 1)
        head.addWidget(self.state)
        head.addWidget(self.clear)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(GRID_PX * 2, GRID_PX // 2, 0, GRID_PX)
        self.column.setSpacing(GRID_PX // 2)
        self.column.addLayout(head)

    def show_asked(self, asked: Asked, *, editable: bool) -> None:
        """Show the answer to the same question about this target; what is being typed about another one is taken first."""
        if asked.target.key != self.asked.target.key or asked.case_key != self.asked.case_key:
            self.commit()
            self.abandon()
        self.asked, self.editable = asked, editable
        question = asked.question
        self.title.setText(question.text)
        self.title.setToolTip(question.text)
        hints = [_("required")] if asked.missing else []
        if question.kind is AnswerKind.SEVERAL:
            hints.append(_("any of these"))
        if question.unit:
            hints.append(question.unit)
        self.state.setText(", ".join(hints))
        set_role(self.state, "warning-small" if asked.missing else "small")
        self.note.setText(asked.note)
        self.note.setVisible(bool(asked.note))
        set_role(self.note, "small" if asked.standing.settled else "warning")
        self.clear.setVisible(editable and asked.answer is not None)
        self.setAccessibleName(", ".join((question.text, *hints)))
        self.fill(editable=editable)

    def fill(self, *, editable: bool) -> None:
        """Show the value."""
        raise NotImplementedError

    def commit(self) -> None:
        """Take what is being typed."""

    def abandon(self) -> None:
        """Forget what is being typed."""

    def take_focus(self) -> None:
        """Let keys come here."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_back(self, _checked: bool = False) -> None:
        """Take the answer back."""
        if self.editable:
            self.answered.emit(self.asked, None)

    def mark(self, *, active: bool) -> None:
        """Show that hands are here, or no longer."""
        set_role(self, "question-active" if active else "question")
        if active:
            self.entered.emit()


class ChoiceRow(QuestionRow):
    """Options as buttons, each with its key: a digit, from the tenth on a letter. Keys come to the row, not to buttons."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.buttons: list[OptionButton] = []
        grid = QGridLayout()
        grid.setSpacing(GRID_PX // 2)
        options = asked.question.options
        widest = max(self.fontMetrics().horizontalAdvance(option.text) for option in options)
        columns = 2 if widest <= _SHORT_PX and len(options) > 1 else 1
        for n, option in enumerate(options):
            button = OptionButton(option, _KEYS[n] if n < len(_KEYS) else "")
            button.clicked.connect(lambda _checked, n=n: self._press(n, by_hand=True))
            self.buttons.append(button)
            grid.addWidget(button, n // columns, n % columns)
        for column in range(columns):
            grid.setColumnStretch(column, 1)
        self.column.addLayout(grid)
        self.column.addWidget(self.note)

    def fill(self, *, editable: bool) -> None:
        """Press the buttons of the options that are chosen."""
        value = self.asked.answer.value if self.asked.answer is not None else ()
        chosen = {option.uid for option in value} if isinstance(value, tuple) else set()
        for button in self.buttons:
            button.setEnabled(editable)
            button.setChecked(button.option.uid in chosen)

    def event(self, event: QEvent) -> bool:
        """Keep the keys of its options, Enter and Delete from the shortcuts of the window."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._kept(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose by key, go on with Enter, take back with Delete."""
        if not self._kept(event):
            super().keyPressEvent(event)
        elif event.key() in _ENTER:
            self.left.emit(_step(event))
        elif event.key() in _ERASE:
            self.take_back()
        else:
            self._press(_option_of(event.key()))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys come here."""
        super().focusInEvent(event)
        self.mark(active=True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that they do not any more."""
        super().focusOutEvent(event)
        self.mark(active=False)

    def _kept(self, event: QKeyEvent) -> bool:
        others = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
        if event.modifiers() & others:
            return False
        if event.key() in _ENTER:
            return True
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        at = _option_of(event.key())
        # A digit without an option does nothing here: it would change the tool of somebody who miscounted.
        return not shift and (event.key() in _ERASE or 0 <= at < max(9, len(self.buttons)))

    def _press(self, n: int, *, by_hand: bool = False) -> None:
        if by_hand:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        if not self.editable or not 0 <= n < len(self.buttons):
            return
        option = self.buttons[n].option
        value: tuple[Option, ...] = (option,)
        if self.asked.question.kind is AnswerKind.SEVERAL:
            before = self.asked.answer.value if self.asked.answer is not None else ()
            kept = [one for one in before if self.asked.question.option(one.uid)] if isinstance(before, tuple) else []
            uids = [one.uid for one in kept]
            value = tuple(one for one in kept if one.uid != option.uid) if option.uid in uids else (*kept, option)
        self.answered.emit(self.asked, value or None)
        # A button that was pressed again stays as the answer says.
        self.fill(editable=self.editable)


class TypedRow(QuestionRow):
    """A field for a number or a text; Enter takes it and goes on."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.field = _Field()
        self.setFocusProxy(self.field)
        self.field.left.connect(self._on_left)
        self.field.escaped.connect(self._on_escape)
        self.field.editingFinished.connect(self.commit)
        self.field.textEdited.connect(self._on_typing)
        self.field.focused.connect(self.mark_by)
        self.wrong = words("", "error")
        self.column.addWidget(self.field)
        self.column.addWidget(self.wrong)
        self.column.addWidget(self.note)
        self._typed = False

    def mark_by(self, active: bool) -> None:
        """Show that hands are in the field, or no longer."""
        self.mark(active=active)

    def fill(self, *, editable: bool) -> None:
        """Show the value, unless something else is being typed."""
        question = self.asked.question
        number = question.kind is AnswerKind.NUMBER
        # An answer that is none any more stays in the note; the field is for the one that is asked for.
        answer = self.asked.answer if self.asked.standing.settled else None
        text = "" if answer is None else answer.value if isinstance(answer.value, str) else f"{answer.value:.10g}"
        self.field.setReadOnly(not editable)
        self.field.setEnabled(editable or bool(text))
        self.field.setPlaceholderText(question.range_words if number else _("Text"))
        tip = _("A number, {range}").format(range=question.range_words) if question.range_words else _("A number")
        self.field.setToolTip(tip if number else _("Enter takes it and goes on; Shift+Enter goes back"))
        self.field.setAccessibleName(question.text)
        if not self._typed:
            self.field.setText(str(text))
            self._say("")

    def commit(self) -> None:
        """Take what is typed, or say why it is no answer."""
        if not self._typed or not self.editable:
            self._typed = False
            return
        text = " ".join(self.field.text().split())
        if not text:
            self._typed = False
            self.answered.emit(self.asked, None)
            return
        value = self._value(text)
        if value is None or not takes(self.asked, value):
            self._say(_("It takes {range}").format(range=self.asked.question.range_words or _("a number")))
            return
        self._typed = False
        self._say("")
        self.answered.emit(self.asked, value)

    def abandon(self) -> None:
        """Forget what is being typed."""
        self._typed = False

    def take_back(self, _checked: bool = False) -> None:
        """Take the answer back, and what is being typed."""
        self._typed = False
        super().take_back()

    def _on_left(self, step: int) -> None:
        self.commit()
        # What is no answer keeps the hands here.
        if not self._typed:
            self.left.emit(step)

    def _on_escape(self) -> None:
        self._typed = False
        self.fill(editable=self.editable)

    def _value(self, text: str) -> Value | None:
        if self.asked.question.kind is AnswerKind.TEXT:
            return text
        try:
            return float(text.replace(",", ".").replace("\u2212", "-"))
        except ValueError:
            return None

    def _on_typing(self, _text: str) -> None:
        self._typed = True
        self._say("")

    def _say(self, text: str) -> None:
        self.wrong.setText(text)
        self.wrong.setVisible(bool(text))


class OptionButton(QPushButton):
    """The words of an option behind its key, shortened where they do not fit."""

    def __init__(self, option: Option, key: str) -> None:
        super().__init__()
        self.option = option
        self.setCheckable(True)
        self.setProperty("role", "option")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._words = f"{key}  {option.text}" if key else option.text
        self.setText(self._words.replace("&", "&&"))
        code = "" if option.code is None else f"\n{option.code.meaning} ({option.code.scheme} {option.code.value})"
        self.setToolTip((f"{option.text} ({key})" if key else option.text) + code)
        self.setAccessibleName(option.text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the words."""
        super().resizeEvent(event)
        room = self.width() - 4 * GRID_PX
        shown = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, room)
        self.setText(shown.replace("&", "&&"))


class _Field(QLineEdit):
    """A line that tells when Enter was pressed and when hands come and go."""

    left = Signal(int)
    escaped = Signal()
    focused = Signal(bool)

    def event(self, event: QEvent) -> bool:
        """Keep Enter, with Shift too, from the shortcuts of the window."""
        enter = isinstance(event, QKeyEvent) and event.key() in _ENTER
        if enter and event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go on with Enter; the line itself takes what is typed first."""
        super().keyPressEvent(event)
        if event.key() in _ENTER:
            event.accept()
            self.left.emit(_step(event))
        elif event.key() == Qt.Key.Key_Escape:
            event.accept()
            self.escaped.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell it, and choose all of it, so that typing begins anew."""
        super().focusInEvent(event)
        if event.reason() is not Qt.FocusReason.MouseFocusReason:
            self.selectAll()
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell it."""
        super().focusOutEvent(event)
        self.focused.emit(False)


def row_for(asked: Asked) -> QuestionRow:
    """Return the row for a question."""
    return ChoiceRow(asked) if asked.question.kind.chooses else TypedRow(asked)


def is_inside(widget: QWidget | None, row: QuestionRow) -> bool:
    """Whether a widget is a row or a part of it."""
    return widget is not None and (widget is row or row.isAncestorOf(widget))


def _option_of(key: int) -> int:
    """Return the place of the option that a key chooses; -1 for none."""
    digit, letter = Qt.Key.Key_1 <= key <= Qt.Key.Key_9, Qt.Key.Key_A <= key <= Qt.Key.Key_Z
    return _KEYS.index(chr(key)) if digit or letter else -1


def _step(event: QKeyEvent) -> int:
    return -1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
