"""What stands in the way of a training: what has to be put right, and what only wants to be confirmed, with a box each."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.controls import clear_layout, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.guards.finding import GuardFinding, Severity
from medview.workspace.trainings import LEAKS, Refusal


class TrainAsked(QFrame):
    """Empty and hidden until something is refused.

    Attributes
    ----------
    boxes : list of QCheckBox
        One for each thing that can be confirmed; none where that is not enough.
    """

    ticked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.boxes: list[QCheckBox] = []
        self.refusal: Refusal | None = None
        self._column = QVBoxLayout(self)
        self.hide()

    @property
    def settled(self) -> bool:
        """Whether nothing stands in the way any more; whether a failure is over, only another try tells."""
        if self.refusal is None or not self.refusal.findings:
            return True
        return bool(self.boxes) and all(box.isChecked() for box in self.boxes)

    @property
    def leaks(self) -> bool:
        """Whether leaving cases out does away with what blocks."""
        blocks = _blocks(self.refusal)
        return bool(blocks) and all(one.code in LEAKS for one in blocks)

    @property
    def confirmed(self) -> frozenset[str]:
        """The sentences that have a box: without leaks the guards may find others, which nobody has read."""
        return frozenset(one.sentence for one in self._to_confirm())

    @property
    def without_leaks(self) -> bool:
        """Whether cases are left out: now, or as it was meant when something else was refused."""
        return self.leaks or (self.refusal is not None and self.refusal.wish.without_leaks)

    def show_refusal(self, refusal: Refusal | None) -> None:
        """Show why a wish was not carried out."""
        if refusal is self.refusal:
            return
        self.refusal, self.boxes = refusal, []
        clear_layout(self._column)
        self.setVisible(refusal is not None)
        if refusal is None:
            return
        blocks = _blocks(refusal)
        for sentence in [one.sentence for one in blocks] or ([] if refusal.findings else [refusal.sentence]):
            self._column.addWidget(words(in_language(sentence), "warning"))
        if self.leaks:
            self._ask(_("Leave those cases out that also stand in another split"))
        for one in self._to_confirm():
            self._ask(in_language(one.sentence))

    def _to_confirm(self) -> list[GuardFinding]:
        if self.refusal is None or (_blocks(self.refusal) and not self.leaks):
            return []
        return [one for one in self.refusal.findings if one.severity is Severity.CONFIRM]

    def _ask(self, sentence: str) -> None:
        box = QCheckBox()
        box.setObjectName(f"train confirm {len(self.boxes)}")
        box.setToolTip(_("Tick it when this is meant"))
        box.setAccessibleName(sentence)
        box.toggled.connect(lambda _on: self.ticked.emit())
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 2)
        row.addWidget(box)
        row.addWidget(words(sentence), 1)
        self._column.addLayout(row)
        self.boxes.append(box)


def _blocks(refusal: Refusal | None) -> list[GuardFinding]:
    return [] if refusal is None else [one for one in refusal.findings if one.severity is Severity.BLOCK]
