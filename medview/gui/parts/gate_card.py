"""The gate's answer to a training: in a sentence, class by class, case by case; and which version counts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.report_view import case_name, fill, interval, name_columns, number, plain_table
from medview.gui.parts.theme import tokens_in_use
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.training.gate_view import VERDICTS, GateCase, GateRow, GateView, gate_view
from medview.workspace.training.line_view import LineView
from medview.workspace.workspace import Workspace

_CASE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_VERDICT_COLUMN = 5


class GateCard(QFrame):
    """Hidden while there is no answer. What a person decides is asked of the workspace."""

    case_wanted = Signal(int, object)
    """Number of a case and a slice of it, or None."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings = workspace.trainings
        self._name = ""
        self._shown: object = None
        self._places: list[QWidget] = []
        self.sentence = words("")
        self.sentence.setObjectName("gate sentence")
        self.counts = words("", "quiet")
        self.counts.setObjectName("gate counts")
        self.use = text_button("", "", role="primary")
        self.use.setObjectName("gate use")
        self.use.clicked.connect(self._on_use)
        self.back = text_button("", "")
        self.back.setObjectName("gate back")
        self.back.clicked.connect(self._on_back)
        for button in (self.use, self.back):
            button.setAutoDefault(False)
        self.classes = plain_table([""] * (_VERDICT_COLUMN + 1))
        self.classes.setObjectName("gate classes")
        self.classes.setToolTip(_("Both models on the same held-out cases; the interval draws patients again"))
        self.cases = plain_table([""] * 4)
        self.cases.setObjectName("gate cases")
        self.cases.setToolTip(_("Where the new model loses most first; a click opens a case"))
        self.cases.setCursor(Qt.CursorShape.PointingHandCursor)
        self.cases.cellClicked.connect(self._on_case)
        self.cases.cellActivated.connect(self._on_case)
        self._arrange()
        Subscriptions(self).add(self._trainings.changed, self.refresh)
        self.hide()

    def show_run(self, name: str) -> None:
        """Show what the gate said of a training."""
        self._name = name
        self.refresh()

    def refresh(self) -> None:
        """Show it, and which version counts now."""
        run = self._trainings.run(self._name)
        document = None if run is None else run.gate
        self.setVisible(document is not None)
        if document is None:
            return
        view = gate_view(document)
        if document is not self._shown:
            self._shown = document
            self._show(view)
        self._show_line(view)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_shown"):
            self._shown = None
            self.refresh()

    def _show(self, view: GateView) -> None:
        self.sentence.setText(view.sentence)
        new, current = view.new or _("New"), view.current or _("Current")
        name_columns(self.classes, [_("Class"), current, new, _("Difference"), _("95 % interval"), _("Verdict")])
        fill(self.classes, [_class_cells(row) for row in view.rows])
        tokens = tokens_in_use()
        for line, row in enumerate(view.rows):
            item = self.classes.item(line, _VERDICT_COLUMN)
            if item is not None and row.good is not None:
                item.setForeground(QColor(tokens.good if row.good else tokens.error))
        name_columns(self.cases, [_("Case"), current, new, _("Difference")])
        fill(self.cases, [_case_cells(one) for one in view.cases])
        for line, one in enumerate(view.cases):
            item = self.cases.item(line, 0)
            if item is not None:
                item.setData(_CASE_ROLE, one.case)
        for place, rows in zip(self._places, (view.rows, view.cases), strict=True):
            # Beside nothing the figures of the report say it all.
            place.setVisible(bool(view.current) and len(rows) > 0)
        # Without a table the sentences take no more room than they need.
        tall = any(not place.isHidden() for place in self._places)
        wide = QSizePolicy.Policy.Preferred
        self.setSizePolicy(wide, QSizePolicy.Policy.Preferred if tall else QSizePolicy.Policy.Maximum)

    def _show_line(self, view: GateView) -> None:
        line = self._trainings.line_of(self._name)
        version = None if line is None else line.of_run(self._name)
        allowed = not self._trainings.problem
        if line is None or version is None:
            why = self._trainings.not_taken.get(self._name)
            not_in = _("The project did not take the model in: {why}")
            run = self._trainings.run(self._name)
            takes = run is not None and run.of_line
            doing = _("The project takes the model in.") if takes else _("The model is to be no version of the project.")
            self.counts.setText(doing if why is None else not_in.format(why=in_language(why)))
            self.use.setVisible(allowed and why is not None)
            self.use.setText(_("Take it in"))
            self.use.setToolTip(_("Tries again to make the model a version of the project"))
            self.back.hide()
            return
        now = line.current
        counts = now is not None and now.version == version.version
        self.counts.setText(_("{version} counts now.").format(version=now.title) if now is not None else _("None counts."))
        self.use.setVisible(allowed and not counts)
        use = _("Use {version}") if view.promoted else _("Use {version} all the same")
        self.use.setText(use.format(version=version.title))
        self.use.setToolTip(
            _("{version} counts from now on; that you chose it is written down").format(version=version.title)
        )
        self._show_back(line, counts=counts, allowed=allowed)

    def _show_back(self, line: LineView, *, counts: bool, allowed: bool) -> None:
        self.back.setVisible(allowed and counts and line.before is not None)
        if line.before is not None:
            title = line.before.title
            self.back.setText(_("Roll back to {version}").format(version=title))
            self.back.setToolTip(_("{version} counts again; nothing is deleted").format(version=title))

    def _on_use(self) -> None:
        line = self._trainings.line_of(self._name)
        version = None if line is None else line.of_run(self._name)
        if line is not None and version is not None:
            self._trainings.conductor.use_version(line.name, version.version)
        else:
            self._trainings.conductor.take_in(self._name)

    def _on_back(self) -> None:
        if (line := self._trainings.line_of(self._name)) is not None:
            self._trainings.conductor.use_version(line.name, None)

    def _on_case(self, row: int, _column: int) -> None:
        item = self.cases.item(row, 0)
        case = None if item is None else item.data(_CASE_ROLE)
        if case is not None and case.case_id is not None:
            self.case_wanted.emit(case.case_id, case.k)

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX * 2)
        buttons.addWidget(self.counts, 1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.use)
        tables = QHBoxLayout()
        tables.setSpacing(GRID_PX * 3)
        for title, table, share in ((_("By class"), self.classes, 3), (_("By case"), self.cases, 2)):
            place = QWidget()
            self._places.append(place)
            column = QVBoxLayout(place)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(GRID_PX)
            column.addWidget(words(title, "quiet"))
            column.addWidget(table, 1)
            tables.addWidget(place, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(self.sentence)
        layout.addLayout(buttons)
        layout.addLayout(tables, 1)


def _class_cells(row: GateRow) -> tuple[str, ...]:
    verdict = VERDICTS.get(row.verdict, row.verdict)
    between = interval(row.low, row.high, signed=True)
    return row.name, number(row.current), number(row.new), number(row.difference, signed=True), between, verdict


def _case_cells(one: GateCase) -> tuple[str, ...]:
    return case_name(one.case), number(one.current), number(one.new), number(one.difference, signed=True)
