"""The queue of models: how far it is, and what went wrong with which series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QListView, QMenu, QProgressBar, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.controls import icon_button, words
from medview.gui.parts.icons import icon
from medview.gui.parts.queue_rows import ROW_PX, TASK_ROLE, QueueModel, QueueRows
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.durations import duration
from medview.workspace.queue import RETRIED_STATES, Queue, QueueTask, TaskState
from medview.workspace.queue_words import counts_text
from medview.workspace.workspace import Workspace

_MOST_ROWS = 6
_TICK_MS = 250


class QueuePanel(QWidget):
    """A line that sums up, buttons for all, and a row per task with a menu of its own."""

    count_changed = Signal()
    """There are tasks where there were none, or the other way round."""
    series_wanted = Signal(object, object)
    """Series to open, and which VolumeEntry of it."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.count = 0
        self.summary = words("", "quiet")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setFixedHeight(6)
        self.pause = icon_button("mdi6.pause", _("Pause: begin no further task"))
        self.pause.setObjectName("queue pause")
        self.pause.clicked.connect(self._on_pause)
        self.retry = icon_button("mdi6.refresh", _("Begin what failed again"))
        self.retry.setObjectName("queue retry")
        self.retry.clicked.connect(lambda: workspace.queue.retry())
        self.cancel = icon_button("mdi6.close-circle-outline", _("Cancel everything that runs or waits"))
        self.cancel.setObjectName("queue cancel")
        self.cancel.clicked.connect(lambda: workspace.queue.cancel())
        self.clear = icon_button("mdi6.broom", _("Take what is over off the list; proposals stay"))
        self.clear.setObjectName("queue clear")
        self.clear.clicked.connect(lambda: workspace.queue.clear_finished())
        self.model = QueueModel(self)
        self.rows = QListView()
        self.rows.setModel(self.model)
        self.rows.setItemDelegate(QueueRows(self.model, self))
        self.rows.setUniformItemSizes(True)
        self.rows.setObjectName("queue list")
        self.rows.setAccessibleName(_("Queue of models"))
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.rows.customContextMenuRequested.connect(self._show_menu)
        self.rows.doubleClicked.connect(self._open)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID_PX)
        buttons.addWidget(self.bar, 1)
        buttons.addStretch(0)
        for button in (self.pause, self.retry, self.cancel, self.clear):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        column.setSpacing(GRID_PX)
        column.addWidget(self.summary)
        column.addLayout(buttons)
        column.addWidget(self.rows)
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._went_on)
        heard = Subscriptions(self)
        heard.add(workspace.queue.changed, self.refresh)
        heard.add(field_signal(workspace.bench, "identity_hidden"), self.refresh)
        self.refresh()

    def refresh(self, *_values: object) -> None:
        """Show the queue as it is."""
        queue = self._workspace.queue.queue
        hidden = self._workspace.bench.identity_hidden
        named = {pack.spec.key: pack.spec.name for pack in self._workspace.services.registry.list()} if queue.tasks else {}
        self._show_rows(queue, named, hidden=hidden)
        self.rows.setFixedHeight(min(_MOST_ROWS, max(1, len(queue.tasks))) * ROW_PX + 2)
        self.pause.setIcon(icon("mdi6.play" if queue.paused else "mdi6.pause"))
        tip = _("Go on with what waits") if queue.paused else _("Pause: begin no further task")
        self.pause.setToolTip(tip)
        self.pause.setAccessibleName(tip)
        counts = queue.counts()
        self.pause.setEnabled(bool(queue.open))
        self.cancel.setEnabled(bool(queue.open))
        self.retry.setVisible(counts[TaskState.FAILED] > 0)
        self.clear.setEnabled(len(queue.open) < len(queue.tasks))
        if queue.open and not self._tick.isActive():
            self._tick.start()
        elif not queue.open:
            self._tick.stop()
        self._went_on()
        if (count := len(queue.tasks)) != self.count:
            first, self.count = not self.count or not count, count
            if first:
                self.count_changed.emit()

    def _show_rows(self, queue: Queue, named: Mapping[str, str], *, hidden: bool) -> None:
        """Show the tasks; the one that is chosen and the one that is looked at stay so, wherever they stand now."""
        task: QueueTask | None = self.rows.currentIndex().data(TASK_ROLE)
        seen: QueueTask | None = self.rows.indexAt(QPoint(1, 1)).data(TASK_ROLE)
        scrolled = self.rows.verticalScrollBar().value() > 0
        self.model.show(queue, named, hidden=hidden)
        places = {one.task_uid: n for n, one in enumerate(queue.tasks)}
        if task is not None and task.task_uid in places:
            self.rows.setCurrentIndex(self.model.index(places[task.task_uid]))
        # To choose a row scrolls to it.
        if not scrolled:
            self.rows.scrollToTop()
        elif seen is not None and seen.task_uid in places:
            self.rows.scrollTo(self.model.index(places[seen.task_uid]), QListView.ScrollHint.PositionAtTop)

    def menu_of(self, task: QueueTask) -> QMenu:
        """Return what can be done with one task."""
        queue, uid = self._workspace.queue, task.task_uid
        menu = QMenu(self)
        self._entry(menu, _("Open the series"), partial(self._open_task, task))
        if task.open:
            self._entry(menu, _("Cancel"), lambda: queue.cancel([uid]))
        if task.state in RETRIED_STATES:
            self._entry(menu, _("Retry"), lambda: queue.retry([uid]))
            self._entry(menu, _("Retry on the CPU"), lambda: queue.retry([uid], "cpu"))
        if task.state is TaskState.WAITING:
            every = len(queue.queue.tasks)
            self._entry(menu, _("Do next"), lambda: queue.move(uid, -every))
            self._entry(menu, _("Do sooner"), lambda: queue.move(uid, -1))
            self._entry(menu, _("Do later"), lambda: queue.move(uid, 1))
            self._entry(menu, _("Do last"), lambda: queue.move(uid, every))
        return menu

    def _entry(self, menu: QMenu, title: str, work: Callable[[], object]) -> None:
        menu.addAction(title).triggered.connect(lambda _checked: work())

    def _show_menu(self, place: QPoint) -> None:
        task: QueueTask | None = self.rows.indexAt(place).data(TASK_ROLE)
        if task is not None:
            menu = self.menu_of(task)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.rows.viewport().mapToGlobal(place))

    def _open(self, index: QModelIndex) -> None:
        task: QueueTask | None = index.data(TASK_ROLE)
        if task is not None:
            self._open_task(task)

    def _open_task(self, task: QueueTask) -> None:
        found = task.place.entry_in(self._workspace.series)
        if found is not None:
            self.series_wanted.emit(*found)
        else:
            self._workspace.say(_("The folder of this series is not listed; open it first."))

    def _on_pause(self) -> None:
        queue = self._workspace.queue
        (queue.go_on if queue.queue.paused else queue.pause)()

    def _went_on(self) -> None:
        queue = self._workspace.queue
        job = queue.job
        fraction = job.fraction if job is not None else 0.0
        self.model.went_on(fraction)
        tasks = queue.queue.tasks
        over = len(tasks) - len(queue.queue.open)
        self.bar.setValue(round(1000 * (over + fraction) / len(tasks)) if tasks else 0)
        self.bar.setVisible(bool(queue.queue.open))
        self.summary.setText(self._summary(over))

    def _summary(self, over: int) -> str:
        queue = self._workspace.queue
        tasks = queue.queue.tasks
        if not queue.queue.open:
            return counts_text(queue.queue, " · ")
        parts = [_("{over} of {n}").format(over=over, n=len(tasks))]
        failed = queue.queue.counts()[TaskState.FAILED]
        if failed:
            parts.append(_("{n} failed").format(n=failed))
        left = queue.remaining_seconds()
        if queue.queue.paused:
            parts.append(_("paused"))
        elif left is not None:
            parts.append(_("{duration} left").format(duration=duration(left)))
        return " · ".join(parts)
