"""What lies behind a line of the agreement: figures case by case, differences over means, choices, and the cases."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.confusion_table import ConfusionTable
from medview.gui.parts.controls import words
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.plots_loader import PlotsLoader
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.agreement_figures import FIGURES, Figure
from medview.workspace.agreement_plots import Dots, by_case, confusion, differences
from medview.workspace.agreement_view import Line, cases_of

if TYPE_CHECKING:
    from medview.workspace.project_agreement import ProjectAgreement

_CASE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_PLOT = "medview.gui.parts.dot_plot"


class _PlotPlace(QWidget):
    """A title and, once what draws it is loaded, a plot."""

    case_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot: Any = None
        self._dots: Dots | None = None
        self.title = ElidedLabel("", "quiet")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID_PX)
        self._column.addWidget(self.title)
        self._column.addStretch(1)

    def take(self, module: ModuleType) -> None:
        """Draw from now on."""
        self._column.takeAt(1)
        self.plot = module.DotPlot(self)
        self.plot.case_wanted.connect(self.case_wanted)
        self._column.addWidget(self.plot, 1)
        self.show_dots(self._dots)

    def show_dots(self, dots: Dots | None) -> None:
        """Take dots."""
        self._dots = dots
        self.setVisible(dots is not None)
        self.title.setText("" if dots is None else dots.title)
        if self.plot is not None:
            self.plot.show_dots(dots)


class AgreementDetail(QWidget):
    """Shows one line; a dot, or Enter and a double click in the list of cases, asks for the case."""

    case_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._found: ProjectAgreement | None = None
        self._line: Line | None = None
        self._asked_for_plots = False
        self.figure = QComboBox()
        self.figure.setObjectName("agreement figure")
        self.figure.setToolTip(_("Which figure of the segment is shown case by case"))
        for one in FIGURES:
            self.figure.addItem(in_language(one.title), one)
        self.figure.currentIndexChanged.connect(self._refresh)
        self.by_case, self.differences = _PlotPlace(), _PlotPlace()
        self.confusion = ConfusionTable()
        self.cases = QListWidget()
        self.cases.setObjectName("agreement cases")
        self.cases.setToolTip(_("Cases, those that go least together first; Enter or a double click opens one"))
        self.cases.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.cases.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.cases.itemDoubleClicked.connect(self._on_chosen)
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            enter = QShortcut(QKeySequence(key), self.cases, context=Qt.ShortcutContext.WidgetShortcut)
            enter.activated.connect(self._on_enter)
        for place in (self.by_case, self.differences):
            place.case_wanted.connect(self.case_wanted)
        self._figure_words = words(_("Figure"), "quiet")
        head = QHBoxLayout()
        head.setSpacing(GRID_PX * 2)
        head.addWidget(self._figure_words)
        head.addWidget(self.figure)
        head.addStretch(1)
        listed = QWidget()
        column = QVBoxLayout(listed)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(words(_("Cases, least together first"), "quiet"))
        column.addWidget(self.cases, 1)
        row = QHBoxLayout()
        row.setSpacing(GRID_PX * 3)
        for widget, share in ((self.by_case, 3), (self.differences, 3), (self.confusion, 3), (listed, 2)):
            row.addWidget(widget, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX)
        layout.addLayout(head)
        layout.addLayout(row, 1)
        self.show_line(None, None)

    def show_line(self, found: ProjectAgreement | None, line: Line | None) -> None:
        """Show what lies behind a line of the table."""
        self._found, self._line = found, line
        if line is not None and not self._asked_for_plots:
            self._asked_for_plots = True
            PlotsLoader(_PLOT, self._on_loaded, self)
        self._refresh()

    def _refresh(self, *_values: object) -> None:
        found, line, figure = self._found, self._line, self._chosen()
        apart = confusion(line) if line is not None else None
        self.by_case.show_dots(by_case(found, line, figure) if found is not None and line is not None else None)
        self.differences.show_dots(differences(found, line) if found is not None and line is not None else None)
        self.confusion.setVisible(apart is not None)
        if apart is not None:
            self.confusion.show_confusion(apart)
        of_segment = line is not None and not isinstance(line.subject, tuple) and hasattr(line.subject, "segment")
        self.figure.setVisible(of_segment)
        self._figure_words.setVisible(of_segment)
        self.cases.clear()
        for one in cases_of(found, line, figure) if found is not None and line is not None else ():
            patient = f" · {one.patient}" if one.patient != one.case else ""
            item = QListWidgetItem(f"{one.case}{patient} · {one.words}")
            item.setToolTip(item.text())
            item.setData(_CASE_ROLE, one.case)
            self.cases.addItem(item)

    def _chosen(self) -> Figure:
        found = self.figure.currentData()
        return found if isinstance(found, Figure) else FIGURES[0]

    def _on_loaded(self, module: ModuleType) -> None:
        for place in (self.by_case, self.differences):
            place.take(module)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        self.case_wanted.emit(item.data(_CASE_ROLE))

    def _on_enter(self) -> None:
        row = self.cases.currentRow()
        if row >= 0:
            self._on_chosen(self.cases.item(row))
