"""Who reads which case, as a choice."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox, QWidget

from medview.core.language import _
from medview.core.reading_rule import ReadingRule
from medview.gui.parts.theme_tokens import GRID_PX

_EVERYBODY, _ONCE, _TWICE, _SOME = range(4)
_TITLES = (
    _("Every reader reads every case"),
    _("Each case is read by one reader"),
    _("Each case is read by two readers"),
    _("One reader, and two for every so many-th case"),
)
_MOST = 1000


class RuleChoice(QWidget):
    """A choice, and a number where one is needed."""

    def __init__(self, rule: ReadingRule, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blinded = rule.blinded
        self.kind = QComboBox()
        self.kind.setObjectName("reading rule")
        self.kind.setToolTip(_("Readers do not see each other's labels; the list offers each only what is theirs"))
        self.kind.addItems(list(_TITLES))
        self.every = QSpinBox()
        self.every.setObjectName("reading rule every")
        self.every.setRange(2, _MOST)
        # With ButtonSymbols.NoButtons and a style sheet Qt gives the text a width of one pixel.
        self.every.setStyleSheet("QSpinBox::up-button, QSpinBox::down-button { width: 0; }")
        self.every.setToolTip(_("So many-th case is read twice"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.kind, 1)
        row.addWidget(self.every)
        self.kind.currentIndexChanged.connect(lambda kind: self.every.setVisible(kind == _SOME))
        self.every.setValue(rule.double_every if rule.double_every > 1 else 5)
        self.kind.setCurrentIndex(_kind_of(rule))
        self.every.setVisible(self.kind.currentIndex() == _SOME)

    @property
    def rule(self) -> ReadingRule:
        """What is chosen."""
        kind = self.kind.currentIndex()
        every = {_TWICE: 1, _SOME: self.every.value()}.get(kind, 0)
        return ReadingRule(kind == _EVERYBODY, every, self._blinded)


def _kind_of(rule: ReadingRule) -> int:
    if rule.everybody:
        return _EVERYBODY
    return {0: _ONCE, 1: _TWICE}.get(rule.double_every, _SOME)
