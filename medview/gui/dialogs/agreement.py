"""How far the readers of the project go together: whom to compare, the table, and the cases behind each line."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QSplitter,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from medview.core.language import _, in_language
from medview.gui.dialogs.file_choices import ask_folder
from medview.gui.parts.agreement_detail import AgreementDetail
from medview.gui.parts.agreement_table import AgreementTable
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import number_box, set_role, text_button, words
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.agreement_figures import KINDS, Kind
from medview.workspace.agreement_view import lines_of
from medview.workspace.reader_names import case_name
from medview.workspace.workspace import Workspace

_SIZE = QSize(1120, 700)
_LOOK_MS = 100
_MOST_MM = 100.0
_FIELD_PX = 64


class AgreementDialog(QDialog):
    """Stands beside the window, so that a case can be opened and looked at while it stays."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("agreement")
        self.setWindowTitle(_("Agreement of the readers"))
        self._workspace = workspace
        self._agreeing = workspace.worklist.agreeing
        self.readers = QComboBox()
        self.readers.setObjectName("agreement readers")
        self.readers.setToolTip(_("Who is compared; the first of two is the reference"))
        self.readers.activated.connect(self._on_readers)
        self.tolerance = number_box(0.0, _MOST_MM, _("Surfaces no further apart count as one, in mm (surface Dice)"))
        self.tolerance.setSingleStep(0.5)
        self.tolerance.setSuffix(_(" mm"))
        self.tolerance.valueChanged.connect(self._on_conventions)
        self.overlap = number_box(0.0, 1.0, _("Lesions and boxes that share more of their union (IoU) are the same"))
        self.overlap.setSingleStep(0.05)
        self.overlap.valueChanged.connect(self._on_conventions)
        for field in (self.tolerance, self.overlap):
            field.setFixedWidth(_FIELD_PX)
        tip = _("Works the figures out over all cases these readers have in common; labelling goes on meanwhile")
        self.compare = text_button(_("Compare"), tip, role="primary")
        self.compare.setObjectName("agreement compare")
        self.compare.clicked.connect(self._agreeing.compare)
        self.cancel = text_button(_("Cancel"), _("Stop comparing"))
        self.cancel.setObjectName("agreement cancel")
        self.cancel.clicked.connect(self._agreeing.cancel)
        self.kinds = QTabBar()
        self.kinds.setObjectName("agreement kinds")
        self.kinds.setToolTip(_("What the readers are compared in"))
        self.kinds.setDrawBase(False)
        self.kinds.setExpanding(False)
        for kind in Kind:
            self.kinds.addTab(KINDS[kind])
        self.kinds.currentChanged.connect(self._show_table)
        self.table = AgreementTable()
        self.table.line_changed.connect(self._show_line)
        self.detail = AgreementDetail()
        self.detail.case_wanted.connect(self._open_case)
        self.state = words("", "quiet")
        self.state.setObjectName("agreement state")
        self.meter = QProgressBar()
        self.meter.setRange(0, 1000)
        self.meter.setTextVisible(False)
        self.meter.setFixedHeight(4)
        self.copy = text_button(_("Copy as table"), _("All columns of this table, for a spreadsheet"))
        self.copy.clicked.connect(self._copy)
        tip = _("Tables over all cases and case by case as CSV, and all of it as JSON, in a new folder")
        self.export = text_button(_("Export..."), tip)
        self.export.setObjectName("agreement export")
        self.export.clicked.connect(self._export)
        self._arrange()
        self._tick = QTimer(self, interval=_LOOK_MS)
        self._tick.timeout.connect(self._show_state)
        heard = Subscriptions(self)
        heard.add(self._agreeing.changed, self.refresh)
        heard.add(workspace.worklist.changed, self._list_readers)
        self.resize(_SIZE)
        self.refresh()

    def refresh(self) -> None:
        """Show what is chosen and what came of it."""
        agreeing = self._agreeing
        self._list_readers()
        for field, value in (
            (self.tolerance, agreeing.conventions.tolerance_mm),
            (self.overlap, agreeing.conventions.overlap),
        ):
            blocker = QSignalBlocker(field)
            field.setValue(value)
            blocker.unblock()
        working = agreeing.job is not None
        self.compare.setVisible(not working)
        self.cancel.setVisible(working)
        self.meter.setVisible(working)
        if working:
            self._tick.start()
        else:
            self._tick.stop()
        found = agreeing.found
        self.export.setEnabled(found is not None)
        counts = [len(lines_of(found, kind)) if found is not None else 0 for kind in Kind]
        if found is not None and not counts[self.kinds.currentIndex()]:
            self.kinds.setCurrentIndex(next((n for n, count in enumerate(counts) if count), 0))
        for number, count in enumerate(counts):
            # Where nothing was compared yet none is better than another.
            self.kinds.setTabEnabled(number, count > 0 or not any(counts))
        self._show_table()
        self._show_state()

    def _show_table(self, *_values: object) -> None:
        found, kind = self._agreeing.found, list(Kind)[self.kinds.currentIndex()]
        lines = lines_of(found, kind) if found is not None else ()
        self.copy.setEnabled(bool(lines))
        self.table.show_lines(kind, lines)

    def _show_line(self) -> None:
        self.detail.show_line(self._agreeing.found, self.table.line)

    def _show_state(self) -> None:
        agreeing = self._agreeing
        text, role = in_language(agreeing.problem), "warning"
        if agreeing.job is not None:
            self.meter.setValue(round(agreeing.job.fraction * 1000))
            text, role = agreeing.job.text or agreeing.job.title, "quiet"
        elif agreeing.found is not None:
            report = agreeing.found.report
            said = _("{n} cases of {patients} patients were compared.")
            lines = [said.format(n=len(report.cases), patients=len(report.patients))]
            text, role = " ".join((*lines, *map(in_language, agreeing.found.warnings))), "quiet"
        elif not text:
            text, role = _("Choose whom to compare. What every figure means stands in docs/agreement.md."), "quiet"
        set_role(self.state, role)
        self.state.setText(text)

    def _list_readers(self) -> None:
        found = self._agreeing.comparisons
        blocker = QSignalBlocker(self.readers)
        if [self.readers.itemData(n) for n in range(self.readers.count())] != list(found):
            self.readers.clear()
            for one in found:
                self.readers.addItem(one.title, one)
        self.readers.setCurrentIndex(max(self.readers.findData(self._agreeing.chosen), 0))
        blocker.unblock()

    def _on_readers(self, number: int) -> None:
        self._agreeing.choose(self.readers.itemData(number))

    def _on_conventions(self, _value: float) -> None:
        before = self._agreeing.conventions
        self._agreeing.use(replace(before, tolerance_mm=self.tolerance.value(), overlap=self.overlap.value()))

    def _open_case(self, name: str) -> None:
        cases = self._workspace.worklist
        row = next((row for row in cases.rows if case_name(row) == name), None)
        if row is not None:
            cases.open(row.case_id)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.table.text())
        self._workspace.say(_("Copied the agreement as a table."))

    def _export(self) -> None:
        if (folder := ask_folder(self, _("Put the tables into"))) is not None:
            self._agreeing.export(folder)

    def _arrange(self) -> None:
        close = text_button(_("Close"), _("Close this window; what was compared stays until the project is closed"))
        close.clicked.connect(self.reject)
        for button in (self.compare, self.cancel, self.copy, self.export, close):
            button.setAutoDefault(False)
        head, foot = QHBoxLayout(), QHBoxLayout()
        for row in (head, foot):
            row.setSpacing(GRID_PX * 2)
        head.addWidget(_label(_("Readers")))
        head.addWidget(self.readers, 1)
        head.addWidget(_label(_("Tolerance")))
        head.addWidget(self.tolerance)
        head.addWidget(_label(_("Overlap (IoU)")))
        head.addWidget(self.overlap)
        head.addWidget(self.compare)
        head.addWidget(self.cancel)
        foot.addWidget(self.state, 1)
        foot.addWidget(self.copy)
        foot.addWidget(self.export)
        foot.addWidget(close)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.setChildrenCollapsible(False)
        for widget, share in ((self.table, 2), (self.detail, 3)):
            halves.addWidget(widget)
            halves.setStretchFactor(halves.count() - 1, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 2)
        layout.addLayout(head)
        layout.addWidget(self.meter)
        layout.addWidget(self.kinds)
        layout.addWidget(halves, 1)
        layout.addLayout(foot)


def _label(text: str) -> QWidget:
    label = words(text, "quiet")
    label.setWordWrap(False)
    return label
