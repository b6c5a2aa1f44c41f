"""What a classifier answered: bars with the threshold and the band that is not sure, and the curve of the slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from medview.core.language import _
from medview.core.prediction import Proposal
from medview.core.scores import Said, ScoreRule, SliceScores
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import row_of, words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.explain_menu import ExplainButton
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import CaseView

SAYS = {Said.PRESENT: _("present"), Said.ABSENT: _("absent"), Said.UNSURE: _("not sure")}
_BAR = QSize(96, 14)
_CURVE_PX = 64
_SAID_PX = 92
_BAND_ALPHA = 70
Role = QPalette.ColorRole


class ScoreView(QWidget):
    """One bar per class, and under them the scores of the slices.

    Parameters
    ----------
    explain : bool
        Whether a score can be explained here.
    """

    explained = Signal(str, str)
    """Name of the class, and the method."""

    def __init__(self, case: OpenCase, proposal: Proposal, *, explain: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        prediction = proposal.prediction
        rule = prediction.score_rule
        told = {} if rule is None else rule.says(prediction.scores)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        for name, score in prediction.scores.items():
            column.addLayout(row_of(ElidedLabel(name), self._why(name, visible=explain)))
            said = words(f"{score:.2f}" + (f", {SAYS[told[name]]}" if name in told else ""), "quiet")
            said.setObjectName(f"says {name}")
            if told.get(name) is Said.UNSURE:
                said.setProperty("role", "warning")
            said.setWordWrap(False)
            # Bars of one length can be compared.
            said.setMinimumWidth(_SAID_PX)
            column.addLayout(row_of(ScoreBar(score, _about(rule, name, list(prediction.scores))), said))
        if prediction.scores:
            column.addWidget(words(_subject(rule), "small"))
        self.curve: SliceCurve | None = None
        self.of_class = SteadyComboBox(self)
        self.of_class.hide()
        slices = prediction.slice_scores
        if slices is not None and prediction.scores.keys() & slices.by_class.keys():
            self._add_curve(column, case, slices, prediction.scores, rule)

    def _add_curve(
        self, column: QVBoxLayout, case: OpenCase, slices: SliceScores, scores: Mapping[str, float], rule: ScoreRule | None
    ) -> None:
        names = [name for name in scores if name in slices.by_class]
        curve = self.curve = SliceCurve(case.view, slices, rule)
        self.of_class.show()
        self.of_class.addItems(names)
        self.of_class.setObjectName("class of the curve")
        self.of_class.setToolTip(_("The class whose scores from slice to slice are drawn"))
        self.of_class.setAccessibleName(self.of_class.toolTip())
        self.of_class.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.of_class.currentTextChanged.connect(curve.show_class)
        # Of classes that exclude each other the last one is what was looked for; that nothing is there tops most slices.
        first = names[-1] if rule is not None and rule.exclusive else max(names, key=lambda name: scores[name])
        self.of_class.setCurrentText(first)
        curve.show_class(first)
        column.addLayout(row_of(words(_("Slices"), "quiet"), self.of_class))
        column.addWidget(curve)

    def _why(self, name: str, *, visible: bool) -> ExplainButton:
        button = ExplainButton(_("Show what speaks for {name}").format(name=name))
        button.wanted.connect(lambda method: self.explained.emit(name, method))
        button.setVisible(visible)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        return button


class ScoreBar(QWidget):
    """A score from 0 to 1 with the mark of its threshold and the band in which it says nothing."""

    def __init__(self, score: float, rule: ScoreRule | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._score, self._rule = score, rule
        self.setMinimumSize(_BAR)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        tip = _("0 to 1: the model's own confidence")
        if rule is not None:
            tip += "\n" + _("Present from {threshold:.2f} on").format(threshold=rule.threshold)
            if rule.abstain is not None:
                tip += "\n" + _("Not sure between {low:.2f} and {high:.2f}").format(
                    low=rule.abstain[0], high=rule.abstain[1]
                )
        self.setToolTip(tip)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the bar."""
        painter = QPainter(self)
        palette, width, height = self.palette(), self.width(), self.height()
        bar = QRectF(0, 3, width, height - 6)
        painter.fillRect(bar, palette.color(QPalette.ColorGroup.Disabled, Role.WindowText))
        painter.fillRect(bar.adjusted(1, 1, -1, -1), palette.color(Role.Base))
        if self._rule is not None and self._rule.abstain is not None:
            low, high = self._rule.abstain
            painter.fillRect(QRectF(low * width, 1, (high - low) * width, height - 2), _band(palette))
        painter.fillRect(QRectF(1, 4, max(0.0, self._score * width - 2), height - 8), palette.color(Role.Accent))
        if self._rule is not None:
            x = self._rule.threshold * (width - 1)
            painter.setPen(QPen(palette.color(Role.WindowText), 2))
            painter.drawLine(QPointF(x, 0), QPointF(x, height))
        painter.end()


class SliceCurve(QWidget):
    """The score of every slice; a click goes there.

    The present slice, the threshold and the band are marked.
    """

    def __init__(
        self,
        view: CaseView,
        scores: SliceScores,
        rule: ScoreRule | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._view, self._scores, self._rule, self.name = view, scores, rule, next(iter(scores.by_class))
        self.setFixedHeight(_CURVE_PX)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        Subscriptions(self).add(field_signal(view, "crosshair_kji"), self._moved)

    def show_class(self, name: str) -> None:
        """Draw the scores of another class."""
        self.name = name
        self.setToolTip(_("Scores of {name} from slice to slice; click or drag to go to one").format(name=name))
        self.setAccessibleName(_("Scores of {name} from slice to slice").format(name=name))
        self.update()

    @property
    def count(self) -> int:
        """Slices."""
        return len(self._scores.by_class[self.name])

    def x_of(self, index: int) -> float:
        """Return where a slice stands, in pixels."""
        return 4 + (self.width() - 8) * index / max(1, self.count - 1)

    def _moved(self, *_values: object) -> None:
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the slice under the pointer."""
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go through the slices with the hand."""
        self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            part = (event.position().x() - 4) / max(1, self.width() - 8)
            self._view.set_slice(self._scores.axis, min(self.count - 1, max(0, round(part * (self.count - 1)))))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the curve."""
        painter = QPainter(self)
        palette, width, height = self.palette(), self.width(), self.height()

        def y_of(score: float) -> float:
            return 3 + (height - 6) * (1.0 - score)

        painter.fillRect(self.rect(), palette.color(Role.Base))
        rule = _about(self._rule, self.name, list(self._scores.by_class))
        if rule is not None:
            if rule.abstain is not None:
                low, high = rule.abstain
                painter.fillRect(QRectF(0, y_of(high), width, y_of(low) - y_of(high)), _band(palette))
            quiet = QPen(palette.color(QPalette.ColorGroup.Disabled, Role.WindowText), 1, Qt.PenStyle.DashLine)
            painter.setPen(quiet)
            painter.drawLine(QPointF(0, y_of(rule.threshold)), QPointF(width, y_of(rule.threshold)))
        now = self._view.crosshair_kji[self._scores.axis]
        painter.setPen(QPen(palette.color(Role.WindowText), 1))
        painter.drawLine(QPointF(self.x_of(now), 0), QPointF(self.x_of(now), height))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(palette.color(Role.Accent), 2))
        values = self._scores.by_class[self.name].tolist()
        painter.drawPolyline(QPolygonF([QPointF(self.x_of(n), y_of(v)) for n, v in enumerate(values)]))
        painter.end()


def _about(rule: ScoreRule | None, name: str, names: Sequence[str]) -> ScoreRule | None:
    """Return the rule where its threshold is about a class, else None."""
    return rule if rule is not None and rule.marks(name, names) else None


def _band(palette: QPalette) -> QColor:
    # Halfway between text and base: grey in both themes, and not the colour of the score.
    band = QColor(palette.color(QPalette.ColorGroup.Disabled, Role.WindowText))
    band.setAlpha(_BAND_ALPHA)
    return band


def _subject(rule: ScoreRule | None) -> str:
    about = {"study": _("Of the whole study."), "slice": _("Asked of every slice; the bars are of the whole series.")}
    of_what = "" if rule is None else about.get(rule.subject, "")
    return _("0 to 1: the model's own confidence") + (f". {of_what}" if of_what else "")
