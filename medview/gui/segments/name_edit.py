"""A field for the name of a segment that suggests what it may be."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from medview.core.language import _
from medview.core.segmentation import Code
from medview.workspace.codes import suggest


class NameEdit(QLineEdit):
    """While a name is typed, codes of SNOMED CT are offered below.

    A suggestion that is picked gives its code, and its meaning as the name where what was typed does not say it already:
    a left lung stays one.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picked: Code | None = None
        self.setToolTip(
            _("Enter keeps the name, Escape the old one; a suggestion brings its SNOMED CT code, none is needed")
        )
        self._offered: list[Code] = []
        self._model = QStringListModel(self)
        self.suggestions = QCompleter(self._model, self)
        self.suggestions.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        # As its completer the field would always take the suggestion's own words.
        self.suggestions.setWidget(self)
        self.suggestions.activated.connect(self._pick)
        self.textEdited.connect(self._offer)

    def _offer(self, text: str) -> None:
        self.picked = None
        self._offered = suggest(text)
        self._model.setStringList([code.meaning for code in self._offered])
        popup = self.suggestions.popup()
        if self._offered:
            self.suggestions.complete()
        elif popup is not None:
            popup.hide()

    def _pick(self, meaning: str) -> None:
        self.picked = next((code for code in self._offered if code.meaning == meaning), None)
        typed = self.text().casefold().split()
        if not all(word in typed for word in meaning.casefold().split()):
            self.setText(meaning)
