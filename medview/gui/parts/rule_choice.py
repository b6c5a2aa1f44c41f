"""Who reads which case, as a choice."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

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
    """A choice, a number where one is needed, and whether readers are blinded to each other."""

    def __init__(self, rule: ReadingRule, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = QComboBox()
        self.kind.setObjectName("reading rule")
        self.kind.setToolTip(_("The list offers each reader only what is theirs"))
        self.kind.addItems(list(_TITLES))
        self.every = QSpinBox()
        self.every.setObjectName("reading rule every")
        self.every.setRange(2, _MOST)
        # With ButtonSymbols.NoButtons and a style sheet Qt gives the text a width of one pixel.
        self.every.setStyleSheet("QSpinBox::up-button, QSpinBox::down-button { width: 0; }")
        self.every.setToolTip(_("So many-th case is read twice"))
        self.blinded = QCheckBox(_("Blinded: nobody sees the labels of others before their own are done"))
        self.blinded.setObjectName("reading rule blinded")
        self.blinded.setToolTip(
            _("Off: whoever opens a case may look at what others labelled on it; who looked is written down either way")
        )
        self.blinded.setChecked(rule.blinded)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 2)
        row.addWidget(self.kind, 1)
        row.addWidget(self.every)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX * 2)
        column.addLayout(row)
        column.addWidget(self.blinded)
        self.kind.currentIndexChanged.connect(lambda kind: self.every.setVisible(kind == _SOME))
        self.every.setValue(rule.double_every if rule.double_every > 1 else 5)
        self.kind.setCurrentIndex(_kind_of(rule))
        self.every.setVisible(self.kind.currentIndex() == _SOME)

    @property
    def rule(self) -> ReadingRule:
        """What is chosen."""
        kind = self.kind.currentIndex()
        every = {_TWICE: 1, _SOME: self.every.value()}.get(kind, 0)
        return ReadingRule(kind == _EVERYBODY, every, self.blinded.isChecked())


def _kind_of(rule: ReadingRule) -> int:
    if rule.everybody:
        return _EVERYBODY
    return {0: _ONCE, 1: _TWICE}.get(rule.double_every, _SOME)
