"""The versions of the project's models: which counts, what became of the others and why."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QHeaderView, QVBoxLayout, QWidget

from medview.core.language import _, in_language
from medview.gui.parts.bind import Subscriptions
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.report_view import fill, plain_table
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.model_line import ModelVersion, Verdict
from medview.workspace.training.line_view import LineView
from medview.workspace.training.run_words import line_title, run_title
from medview.workspace.workspace import Workspace

VERDICTS = {
    Verdict.FIRST: _("the first"),
    Verdict.PROMOTED: _("better"),
    Verdict.KEPT: _("not shown to be better"),
    Verdict.CHOSEN: _("chosen by {who}"),
}
_DAY = 10
_VERSION_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class VersionTable(QWidget):
    """One line at a time, the newest version first."""

    run_wanted = Signal(str)
    """Name of the training that a version came from."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainings = workspace.trainings
        self.line = QComboBox()
        self.line.setObjectName("versions line")
        self.line.setToolTip(_("Which model"))
        self.line.currentIndexChanged.connect(lambda _index: self._list())
        self.state = words("", "quiet")
        self.table = plain_table([_("Version"), _("From"), _("Day"), _("What became of it"), _("Why")])
        self.table.setObjectName("versions")
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        # Why is the longest of it.
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self.table.setToolTip(_("A double click shows the training of a version"))
        self.table.itemSelectionChanged.connect(self._enable)
        self.table.cellDoubleClicked.connect(self._on_run)
        self.use = text_button(_("Use this version"), _("The chosen version counts from now on"), role="primary")
        self.use.setObjectName("versions use")
        self.use.clicked.connect(self._on_use)
        self.back = text_button(_("Roll back"), _("The version that counted before counts again; nothing is deleted"))
        self.back.setObjectName("versions back")
        self.back.clicked.connect(self._on_back)
        foot = QHBoxLayout()
        foot.setSpacing(GRID_PX * 2)
        foot.addWidget(self.state, 1)
        for button in (self.back, self.use):
            button.setAutoDefault(False)
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(words(_("Versions of the project's models"), "heading"))
        layout.addWidget(self.line)
        layout.addWidget(self.table, 1)
        layout.addLayout(foot)
        Subscriptions(self).add(self._trainings.changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the lines as they are."""
        names = [line.name for line in self._trainings.lines]
        if [self.line.itemData(n) for n in range(self.line.count())] != names:
            shown, blocker = self.line.currentData(), QSignalBlocker(self.line)
            self.line.clear()
            for name in names:
                self.line.addItem(line_title(name), name)
            self.line.setCurrentIndex(max(0, self.line.findData(shown)))
            blocker.unblock()
        self.line.setVisible(len(names) > 1)
        self._list()

    @property
    def chosen(self) -> ModelVersion | None:
        """The version that is selected."""
        rows = self.table.selectionModel().selectedRows()
        found = rows[0].data(_VERSION_ROLE) if rows else None
        return found if isinstance(found, ModelVersion) else None

    def _shown(self) -> LineView | None:
        return next((line for line in self._trainings.lines if line.name == self.line.currentData()), None)

    def _list(self) -> None:
        shown = self._shown()
        versions = () if shown is None else tuple(reversed(shown.versions))
        current = None if shown is None or shown.current is None else shown.current.version
        before = self.chosen
        # A row that is selected holds another version once there are more of them.
        self.table.clearSelection()
        fill(self.table, [self._cells(one, counts=one.version == current) for one in versions])
        for row, one in enumerate(versions):
            if (item := self.table.item(row, 0)) is not None:
                item.setData(_VERSION_ROLE, one)
            if before is not None and (one.line, one.version) == (before.line, before.version):
                self.table.selectRow(row)
        none = _("No training has made a model yet.") if shown is None else _("None counts.")
        now = None if shown is None else shown.current
        self.state.setText(none if now is None else _("{version} counts now.").format(version=now.title))
        self._enable()

    def _enable(self) -> None:
        shown, chosen, allowed = self._shown(), self.chosen, not self._trainings.problem
        now = None if shown is None or shown.current is None else shown.current.version
        usable = chosen is not None and chosen.folder is not None and chosen.version != now
        self.use.setEnabled(allowed and usable)
        self.back.setEnabled(allowed and shown is not None and shown.before is not None)

    def _on_use(self) -> None:
        shown, chosen = self._shown(), self.chosen
        if shown is not None and chosen is not None:
            self._trainings.conductor.use_version(shown.name, chosen.version)

    def _on_back(self) -> None:
        if (shown := self._shown()) is not None:
            self._trainings.conductor.use_version(shown.name, None)

    def _on_run(self, _row: int, _column: int) -> None:
        if (chosen := self.chosen) is not None and self._trainings.run(chosen.run) is not None:
            self.run_wanted.emit(chosen.run)

    def _cells(self, one: ModelVersion, *, counts: bool) -> tuple[str, ...]:
        title = _("{version}, counts").format(version=one.title) if counts else one.title
        run = self._trainings.run(one.run)
        source = one.run if run is None else run_title(run)
        return title, source, one.utc[:_DAY], VERDICTS[one.verdict].format(who=one.who), in_language(one.reason)
