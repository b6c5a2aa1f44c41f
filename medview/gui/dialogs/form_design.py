"""Forms are designed: questions added, ordered and edited, seen as they will be asked, and what that does to answers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.controls import icon_button, text_button, words
from medview.gui.parts.form_preview import FormPreview
from medview.gui.parts.question_editor import QuestionEditor
from medview.gui.parts.question_list import QuestionList
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.form_draft import FormDraft

_SIZE = QSize(1080, 660)
_LIST_PX, _PREVIEW_PX = 270, 320
_PACE_MS = 60


class FormDesignDialog(QDialog):
    """Questions on the left, the one in hand in the middle, the form as it will be asked on the right.

    Parameters
    ----------
    why_not : str
        Why the forms of this project cannot be changed, or empty.
    """

    use_wanted = Signal(object)
    """The forms that are to be asked from now on."""
    import_wanted = Signal()
    export_wanted = Signal(object)
    """Forms that are to be written to a file."""
    example_wanted = Signal()

    def __init__(self, draft: FormDraft, *, why_not: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Forms of the project"))
        self.setObjectName("form design")
        self.resize(_SIZE)
        self.draft, self._why_not = draft, why_not
        self.which = SteadyComboBox()
        self.which.setToolTip(_("Which form is designed"))
        self.name, self.modalities = QLineEdit(), QLineEdit()
        self.name.setToolTip(_("Name of the form"))
        self.name.setPlaceholderText(_("Name of the form"))
        self.modalities.setToolTip(_("Series it is for, as DICOM writes them: CR, DX; empty for all"))
        self.modalities.setPlaceholderText(_("for all modalities"))
        self.add_form = icon_button("mdi6.plus", _("A new form"))
        self.remove_form = icon_button("mdi6.trash-can-outline", _("Ask nothing of this form any longer; answers are kept"))
        self.questions = QuestionList(draft, self)
        self.editor = QuestionEditor(draft)
        self.preview = FormPreview(draft)
        self.outcome = words("", "warning")
        self.message = words(why_not, "warning")
        self.bring = text_button(_("Import..."), _("Adds the forms of a label set, a JSON file"))
        self.write = text_button(_("Export..."), _("Writes the forms as a label set, a JSON file"))
        self.example = text_button(_("Example"), _("Adds the form for chest radiographs that comes with MedView"))
        self.example.setObjectName("form example")
        self.outcome.setObjectName("form outcome")
        self.cancel = text_button(_("Cancel"), _("Leaves all as it is (Esc)"))
        self.use = text_button(_("Use these forms"), _("Asks these questions from now on (Ctrl+Return)"), role="primary")
        self.use.setObjectName("form use")
        self._soon = QTimer(self, interval=_PACE_MS, singleShot=True)
        self._soon.timeout.connect(self._show_outcome)
        self._build()
        self._connect()
        self.refresh()
        self._show_outcome()
        self.questions.list.setFocus()

    def say(self, text: str) -> None:
        """Tell what could not be done."""
        self.message.setText(text or self._why_not)
        self.message.setVisible(bool(text or self._why_not))

    def refresh(self) -> None:
        """Show the draft as it is."""
        draft, form = self.draft, self.draft.form
        self.which.clear()
        self.which.addItems([one.name for one in draft.forms])
        self.which.setCurrentIndex(draft.at_form)
        self.which.setVisible(len(draft.forms) > 1)
        for field, text in (
            (self.name, "" if form is None else form.name),
            (self.modalities, "" if form is None else ", ".join(form.modalities)),
        ):
            field.setEnabled(form is not None)
            if not field.hasFocus():
                field.setText(text)
        self.remove_form.setEnabled(form is not None)
        self.questions.refresh()
        self.editor.refresh()
        self._allow()
        # Seen a moment later, so that typing is not held up.
        self._soon.start()

    def _build(self) -> None:
        names = _row(self.name, self.add_form, self.remove_form)
        left = QWidget()
        left.setFixedWidth(_LIST_PX)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self.which)
        column.addLayout(names)
        column.addWidget(self.modalities)
        column.addWidget(self.questions, 1)
        self.preview.setFixedWidth(_PREVIEW_PX)
        areas = QHBoxLayout()
        areas.setSpacing(GRID_PX * 4)
        areas.addWidget(left)
        areas.addWidget(self.editor, 1)
        areas.addWidget(self.preview)
        bottom = QHBoxLayout()
        for button in (self.bring, self.write, self.example):
            bottom.addWidget(button)
        bottom.addStretch(1)
        bottom.addWidget(self.cancel)
        bottom.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addLayout(areas, 1)
        layout.addWidget(self.outcome)
        layout.addWidget(self.message)
        layout.addLayout(bottom)
        self.say("")
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)

    def _connect(self) -> None:
        draft = self.draft
        draft.changed.connect(self.refresh)
        self.finished.connect(lambda _code: draft.changed.disconnect(self.refresh, missing_ok=True))
        self.which.activated.connect(draft.choose_form)
        self.name.textEdited.connect(lambda text: self.say(draft.alter_form(name=" ".join(text.split()))))
        self.modalities.textEdited.connect(self._take_modalities)
        self.add_form.clicked.connect(self._add_form)
        self.remove_form.clicked.connect(draft.remove_form)
        self.questions.edit_wanted.connect(self._edit)
        self.editor.problem_changed.connect(self._allow)
        self.bring.clicked.connect(self.import_wanted)
        self.write.clicked.connect(self._settled(lambda: self.export_wanted.emit(draft.result)))
        self.example.clicked.connect(self.example_wanted)
        self.cancel.clicked.connect(self.reject)
        self.use.clicked.connect(self._settled(lambda: self.use_wanted.emit(draft.result)))
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self).activated.connect(self.use.click)

    def _settled(self, act: Callable[[], object]) -> Callable[[], None]:
        """Return what takes what is being typed first, and acts unless that cannot be."""

        def run() -> None:
            self.editor.settle()
            if not self.editor.problem:
                act()

        return run

    def _take_modalities(self, text: str) -> None:
        names = (part.strip().upper() for part in text.split(","))
        self.say(self.draft.alter_form(modalities=tuple(dict.fromkeys(name for name in names if name))))

    def _add_form(self, _checked: bool = False) -> None:
        self.draft.add_form()
        self.name.setFocus()
        self.name.setText("" if self.draft.form is None else self.draft.form.name)
        self.name.selectAll()

    def _edit(self) -> None:
        self.editor.text.setFocus()
        self.editor.text.selectAll()

    def _allow(self) -> None:
        changed = self.draft.result != self.draft.before
        self.use.setEnabled(changed and not self._why_not and not self.editor.problem)
        self.write.setEnabled(bool(self.draft.forms))

    def _show_outcome(self) -> None:
        self.preview.refresh()
        self.outcome.setText("\n".join(one.sentence for one in self.draft.consequences))
        self.outcome.setVisible(bool(self.outcome.text()))


def _row(stretched: QWidget, *others: QWidget) -> QLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID_PX)
    row.addWidget(stretched, 1)
    for widget in others:
        row.addWidget(widget)
    return row
