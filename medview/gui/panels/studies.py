"""Everything that was found: patients, studies, series."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QMenu, QStackedWidget, QTreeView, QVBoxLayout, QWidget

from medview.core.language import _, plural
from medview.core.study import DamagedFile, Series, VolumeEntry
from medview.gui.browser.name_menu import name_menu
from medview.gui.browser.study_bar import StudyBar
from medview.gui.browser.study_model import StudyModel
from medview.gui.browser.study_rows import THUMBNAIL_PX, StudyRows
from medview.gui.browser.study_tree import ROW_ROLE, Row, RowKind, can_be_imported, fill, verdict_tip
from medview.gui.browser.thumbnails import Thumbnails
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import text_button, words
from medview.gui.parts.theme_tokens import GRID_PX, Tokens
from medview.workspace.owners import names_while_hidden
from medview.workspace.study_order import PatientOrder, SeriesOrder, ordered, patient_order, series_order
from medview.workspace.workspace import Workspace


class StudiesPanel(QFrame):
    """A tree with search; a double click or Enter asks for a series, or for labels to be imported."""

    series_wanted = Signal(object, object)
    """Series to open, and which VolumeEntry of it."""
    labels_wanted = Signal(object)
    """The person wants the labels in a file (Path) in the open series."""
    place_wanted = Signal(str)
    """The person wants a recent place opened again."""
    models_wanted = Signal(list)
    """The person wants to run models on these series (list of Series and VolumeEntry)."""
    damaged_wanted = Signal(list)
    """The person wants to see the files that could not be read (list of DamagedFile)."""

    def __init__(self, workspace: Workspace, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._workspace = workspace
        self.bar = StudyBar(workspace)
        self.search = self.bar.search
        self.bar.place_wanted.connect(self.place_wanted)
        self.model = StudyModel(self._files_may_leave, self)
        self._told_why = False
        self._filter = QSortFilterProxyModel(self)
        self._filter.setSourceModel(self.model)
        self._filter.setRecursiveFilteringEnabled(True)
        self._filter.setAutoAcceptChildRows(True)
        self._filter.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search.textChanged.connect(self._on_search)
        self._thumbnails = Thumbnails(workspace, THUMBNAIL_PX, self)
        self.rows = StudyRows(tokens, self._thumbnails.get, self._is_open, self)
        self.tree = self._make_tree()
        self._thumbnails.arrived.connect(self.tree.viewport().update)
        self._empty = words(_("Open a folder; its patients, studies and series appear here."), "quiet")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._empty.setContentsMargins(GRID_PX * 3, GRID_PX * 2, GRID_PX * 3, 0)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.tree)
        self.damaged = text_button("", _("List the files and why"), role="flat", icon_name="mdi6.file-alert-outline")
        self.damaged.clicked.connect(lambda: self.damaged_wanted.emit(self._damaged_files()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GRID_PX * 2, 0, GRID_PX)
        layout.setSpacing(GRID_PX * 2)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.damaged)
        heard = Subscriptions(self)
        heard.add(workspace.studies_changed, self.refresh)
        heard.add(workspace.active_changed, self._on_active)
        heard.add(workspace.settings_changed, self._on_settings)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self._on_identity)
        heard.add(field_signal(workspace.bench, "names_read_as"), self.refresh)
        self.refresh()

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of another theme."""
        self.rows.tokens = tokens
        self.tree.viewport().update()

    def refresh(self) -> None:
        """Show what the workspace has found."""
        bench = self._workspace.bench
        self._order = self._wanted_order()
        found = ordered(self._workspace.series, *self._order, bench.as_read)
        names = names_while_hidden(self._workspace)
        fill(self.model, found, hide_identity=bench.identity_hidden, as_read=bench.as_read, hidden_as=names)
        self.tree.expandAll()
        self._stack.setCurrentWidget(self.tree if self.model.rowCount() else self._empty)
        self.search.setEnabled(self.model.rowCount() > 0)
        damaged = len(self._damaged_files())
        self.damaged.setVisible(damaged > 0)
        self.damaged.setText(plural("{n} file could not be read", "{n} files could not be read", damaged).format(n=damaged))
        self._on_active()

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setObjectName("studies")
        tree.setModel(self._filter)
        tree.setItemDelegate(self.rows)
        tree.setHeaderHidden(True)
        tree.setSelectionMode(QTreeView.SelectionMode.ExtendedSelection)
        tree.setIndentation(GRID_PX * 2)
        tree.setUniformRowHeights(False)
        tree.setMouseTracking(True)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        tree.setExpandsOnDoubleClick(False)
        tree.setDragDropMode(QTreeView.DragDropMode.DragOnly)
        tree.setRootIsDecorated(False)
        # The rows show what belongs to what by their shape; arrows would only push the pictures aside.
        tree.setStyleSheet("QTreeView::branch { image: none; border-image: none; }")
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._show_menu)
        tree.doubleClicked.connect(self._on_chosen)
        # Not the signal "activated": some styles send it beside the double click, and the series would be opened twice.
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            enter = QShortcut(QKeySequence(key), tree, context=Qt.ShortcutContext.WidgetShortcut)
            enter.activated.connect(lambda: self._on_chosen(tree.currentIndex()))
        return tree

    def _on_chosen(self, index: QModelIndex) -> None:
        row: Row | None = index.data(ROW_ROLE)
        if row is None:
            return
        if row.kind is not RowKind.SERIES or row.series is None:
            self.tree.setExpanded(index, not self.tree.isExpanded(index))
        elif can_be_imported(row.series):
            self.labels_wanted.emit(Path(row.series.paths[0]))
        elif not row.series.volumes and row.series.paths:
            self._workspace.say(verdict_tip(row))
        else:
            self.series_wanted.emit(row.series, row.entry)

    def chosen(self) -> list[tuple[Series, VolumeEntry]]:
        """Return the volumes of the rows that are selected; of a study or patient all that are listed below it."""
        found = (one for index in self.tree.selectionModel().selectedRows() for one in volumes_below(index))
        return list(dict.fromkeys(found))

    def menu_for(self, index: QModelIndex) -> QMenu | None:
        """Return the menu of a row; None where there is nothing to choose."""
        series = _first_series(index)
        if series is None:
            return None
        bench = self._workspace.bench
        named = not bench.identity_hidden and bool(series.patient_name or series.patient_id)
        menu = name_menu(bench, series, self) if named else QMenu(self)
        chosen = self.chosen()
        if chosen:
            text = plural("Run models on this series...", "Run models on {n} series...", len(chosen)).format(n=len(chosen))
            run = QAction(text, menu)
            run.triggered.connect(lambda _checked: self.models_wanted.emit(chosen))
            menu.insertAction(next(iter(menu.actions()), QAction(menu)), run)
        return menu if menu.actions() else None

    def _show_menu(self, place: QPoint) -> None:
        index = self.tree.indexAt(place)
        menu = self.menu_for(index if index.isValid() else self.tree.currentIndex())
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def _wanted_order(self) -> tuple[PatientOrder, SeriesOrder]:
        settings = self._workspace.settings
        return patient_order(settings.patient_order), series_order(settings.series_order)

    def _on_settings(self) -> None:
        if self._order != self._wanted_order():
            self.refresh()

    def _files_may_leave(self) -> bool:
        """Whether a drag may carry files; says once why it does not."""
        hidden = self._workspace.bench.identity_hidden
        if hidden and not self._told_why:
            self._told_why = True
            self._workspace.say(_("The files tell who the patient is, which is hidden; show it again to drag them out."))
        return not hidden

    def _on_identity(self, _hidden: object) -> None:
        self._told_why = False
        # People search for names.
        self.search.clear()
        self.refresh()

    def _on_search(self, text: str) -> None:
        self._filter.setFilterFixedString(text)
        self.tree.expandAll()

    def _on_active(self) -> None:
        active = self._workspace.active
        index = self._find(active.series) if active is not None else None
        if index is not None:
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        self.tree.viewport().update()

    def _find(self, series: Series, parent: QModelIndex | None = None) -> QModelIndex | None:
        above = parent or QModelIndex()
        for number in range(self._filter.rowCount(above)):
            index = self._filter.index(number, 0, above)
            row: Row = index.data(ROW_ROLE)
            if row.series is not None and row.series.series_uid == series.series_uid:
                return index
            if (found := self._find(series, index)) is not None:
                return found
        return None

    def _is_open(self, row: Row) -> bool:
        active = self._workspace.active
        if active is None or row.series is None or active.series.series_uid != row.series.series_uid:
            return False
        return row.entry is None or row.entry.shape_kji == active.entry.shape_kji

    def _damaged_files(self) -> list[DamagedFile]:
        return [damaged for scan in self._workspace.scans.values() for damaged in scan.damaged]


def volumes_below(index: QModelIndex) -> list[tuple[Series, VolumeEntry]]:
    """Return the volume of a row, or those of the rows below it, in their order."""
    row: Row = index.data(ROW_ROLE)
    if row.series is not None:
        return [(row.series, row.entry)] if row.entry is not None else []
    model = index.model()
    return [one for n in range(model.rowCount(index)) for one in volumes_below(model.index(n, 0, index))]


def _first_series(index: QModelIndex) -> Series | None:
    """Return the series of a row, or the first one below it."""
    while index.isValid():
        row: Row = index.data(ROW_ROLE)
        if row.series is not None:
            return row.series
        index = index.model().index(0, 0, index)
    return None
