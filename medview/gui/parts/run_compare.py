"""Two trainings side by side."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from medview.core.language import _, plural
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import words
from medview.gui.parts.report_view import fill, interval, name_columns, number, plain_table
from medview.gui.parts.theme_tokens import GRID_PX
from medview.ml.spec import Task
from medview.workspace.training.run_report import ReportFigure, RunReport, compared
from medview.workspace.training.run_view import RunView
from medview.workspace.training.run_words import run_detail, run_title
from medview.workspace.workspace import Workspace


class RunCompare(QWidget):
    """Figures of two trainings and their difference; which cases they were judged on is said where it is not the same."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings = workspace.trainings
        self.names = ("", "")
        self.title, self.said = words("", "heading"), words("", "quiet")
        self.table = plain_table(["", "", "", ""])
        self.table.setObjectName("run comparison")
        self.table.setToolTip(_("Figures on the validation cases, with the interval that drawing patients again gives"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 2)
        for widget in (self.title, self.said):
            layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        Subscriptions(self).add(self._trainings.changed, self._on_changed)

    def show_runs(self, first: str, second: str) -> None:
        """Compare two trainings by their names: the second with the first."""
        self.names = first, second
        self._read()
        self.refresh()

    def _read(self) -> None:
        """Have the reports read that are there; each is read once."""
        for name in self.names:
            self._trainings.conductor.read_report(name)

    def _on_changed(self) -> None:
        if self.isVisible():
            # One of them may have been judged meanwhile.
            self._read()
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of both."""
        runs = [run for name in self.names if (run := self._trainings.run(name)) is not None]
        if len(runs) < len(self.names):
            return
        titles = [run_title(run) for run in runs]
        self.title.setText(_("{second} beside {first}").format(first=titles[0], second=titles[1]))
        first, second = (self._trainings.reports.get(name) for name in self.names)
        if first is None or second is None:
            waiting = [run for run, report in zip(runs, (first, second), strict=True) if report is None]
            lines = [f"{run_title(run)}: {run_detail(run)}" for run in waiting]
            self.said.setText("\n".join([_("Both have to be judged first."), *lines]))
            fill(self.table, [])
            return
        same = _learnt(runs[0]) == _learnt(runs[1])
        other = _("They learn different things: their figures cannot be compared.")
        self.said.setText(_judged_on(first, second) if same else other)
        name_columns(self.table, [_("Figure"), titles[0], titles[1], _("Difference")])
        rows = [
            (one.title, _value(one.first), _value(one.second), number(one.difference if same else None, signed=True))
            for one in compared(first, second)
        ]
        fill(self.table, rows)


def _learnt(run: RunView) -> tuple[Task, str | None] | None:
    return None if run.settings is None else (run.settings.task, run.settings.target)


def _value(figure: ReportFigure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    known = figure.low is not None and figure.high is not None
    return f"{number(figure.value)}  ({interval(figure.low, figure.high)})" if known else number(figure.value)


def _judged_on(first: RunReport, second: RunReport) -> str:
    if (first.cases, first.patients, first.keys) == (second.cases, second.patients, second.keys):
        return plural("Each judged on {n} validation case.", "Each judged on {n} validation cases.", first.cases).format(
            n=first.cases
        )
    text = _("Judged on {first} and on {second} validation cases, not the same ones: compare with care.")
    return text.format(first=first.cases, second=second.cases)
