"""The workspace's actions as QActions: shortcuts by mode, enabled when they make sense."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from medview.gui.parts.bind import Subscriptions, field_signal
from medview.gui.parts.icons import icon
from medview.workspace.action import Action, Test
from medview.workspace.finder import Entry, preset_name, why_not
from medview.workspace.layout import LAYOUTS
from medview.workspace.scheme import Scheme, scheme_names
from medview.workspace.search_words import search_words
from medview.workspace.toolbox import TOOLBOX
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace


class QtActions(QObject):
    """One QAction per Action. Keys work wherever the focus is in the window and act on the pane under the pointer."""

    def __init__(
        self,
        window: QWidget,
        workspace: Workspace,
        scheme: Scheme,
        actions: Iterable[Action],
    ) -> None:
        super().__init__(window)
        self._workspace, self._scheme = workspace, scheme
        self._actions = {action.action_id: action for action in actions}
        self._qt: dict[str, QAction] = {key: self._make(window, action) for key, action in self._actions.items()}
        self._looked_at = ""
        self._refresh_soon = QTimer(self)
        self._refresh_soon.setSingleShot(True)
        self._refresh_soon.setInterval(0)
        self._refresh_soon.timeout.connect(self.refresh)
        self._listen()
        self._use_mode()
        self.refresh()

    def __getitem__(self, action_id: str) -> QAction:
        return self._qt[action_id]

    def run(self, action_id: str) -> None:
        """Do an action if it makes sense now."""
        self._run(self._actions[action_id])

    def titles(self) -> dict[str, str]:
        """Return the titles by action id, in the order of the table."""
        return {key: action.title for key, action in self._actions.items()}

    def entries(self) -> list[Entry]:
        """Return everything there is to do, with its keys in the present mode, and why not where it makes no sense now."""
        w = self._workspace
        return [
            Entry(
                action.title,
                partial(self._run, action),
                ", ".join(_shown(k) for k in self._keys(key)),
                detail=preset_name(w, key),
                why_not="" if action.enabled(w) else why_not(w, key),
                also=search_words(key),
            )
            for key, action in self._actions.items()
        ]

    def shortcut_table(self) -> list[tuple[str, str]]:
        """Return (title, keys) of every action that has keys in the present mode, for the help."""
        rows = [(self._actions[key].title, self._keys(key)) for key in self._qt]
        return [(title, ", ".join(_shown(k) for k in keys)) for title, keys in rows if keys]

    @Slot()
    def refresh(self) -> None:
        """Grey out what makes no sense now."""
        self._looked_at = self._key_looked_at()
        for key, action in self._actions.items():
            self._qt[key].setEnabled(action.enabled(self._workspace))
        self._check()

    def _make(self, window: QWidget, action: Action) -> QAction:
        made = QAction(icon(action.icon), action.title, window)
        made.setObjectName(action.action_id)
        made.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        made.setCheckable(action.action_id in _CHECKED)
        made.triggered.connect(lambda _checked=False, a=action: self._run(a))
        window.addAction(made)
        return made

    def _run(self, action: Action) -> None:
        # The list may be a frame old; the question is asked again.
        if action.enabled(self._workspace):
            action.run(self._workspace)
        self._check()

    def _listen(self) -> None:
        heard = Subscriptions(self)
        w = self._workspace
        for signal in (w.active_changed, w.history_changed, w.load_changed, w.studies_changed, w.trainings.changed):
            heard.add(signal, self._refresh_later)
        heard.add(w.reviewing.changed, self._refresh_later)
        heard.add(w.labels_changed, self._on_labels)
        heard.add(w.settings_changed, self._check)
        heard.add(self._scheme.changed, self._use_mode)
        heard.add(field_signal(w.bench, "fusions"), self._refresh_later)
        heard.add(field_signal(w.bench, "effect"), self._refresh_later)
        heard.add(field_signal(w.bench, "review"), self._refresh_later)
        heard.add(w.worklist.changed, self._refresh_later)
        heard.add(field_signal(w.bench, "pointed"), self._on_pointed)
        for name in _SHOWN:
            heard.add(field_signal(w.bench, name), self._on_bench)

    def _on_labels(self, event: object) -> None:
        if not getattr(event, "only_voxels", False):
            self._refresh_later()

    def _on_bench(self, *_values: object) -> None:
        self._use_mode()
        self._refresh_later()

    def _on_pointed(self, *_values: object) -> None:
        # Panes of one series, which a pointer crosses all the time, make no difference.
        if self._key_looked_at() != self._looked_at:
            self._refresh_later()

    def _key_looked_at(self) -> str:
        case = self._workspace.looked_at
        return "" if case is None else case.key

    def _refresh_later(self) -> None:
        self._refresh_soon.start()

    def _keys(self, action_id: str) -> tuple[str, ...]:
        return self._scheme.shortcuts(action_id, self._workspace.bench.mode)

    def _use_mode(self) -> None:
        for key, made in self._qt.items():
            keys = self._keys(key)
            made.setShortcuts([QKeySequence(k) for k in keys])
            title = self._actions[key].title
            made.setToolTip(f"{title} ({_shown(keys[0])})" if keys else title)
        self._check()

    def _check(self) -> None:
        for key, test in _CHECKED.items():
            if key in self._qt:
                self._qt[key].setChecked(test(self._workspace))


def _is_tool(tool: Tool) -> Test:
    return lambda workspace: workspace.bench.tool is tool


def _is_layout(layout_id: str) -> Test:
    return lambda workspace: workspace.bench.layout.layout_id == layout_id


def _is_linked(name: str) -> Test:
    return lambda workspace: bool(getattr(workspace.bench.links, name))


def _is_theme(name: str) -> Test:
    return lambda workspace: workspace.settings.theme == name


def _is_scheme(name: str) -> Test:
    return lambda workspace: workspace.settings.scheme == name


def _shown(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


_SHOWN = (
    "mode",
    "tool",
    "brush_sphere",
    "rules",
    "overlay_visible",
    "panels_visible",
    "identity_hidden",
    "maximised",
    "cine_on",
    "cine_in_time",
    "crosshair_visible",
    "reference_lines",
    "links",
    "layout",
)
"""Fields of the bench that actions show or depend on."""

_CHECKED: dict[str, Test] = {
    "mode.read": lambda w: w.bench.mode is Mode.READ,
    "mode.annotate": lambda w: w.bench.mode is Mode.ANNOTATE,
    **{entry.action_id: _is_tool(entry.tool) for entry in TOOLBOX},
    "brush.sphere": lambda w: w.bench.brush_sphere,
    "rules.values": lambda w: w.bench.rules.value_range is not None,
    "cine.play": lambda w: w.bench.cine_on,
    "cine.time": lambda w: w.bench.cine_in_time,
    "view.crosshair": lambda w: w.bench.crosshair_visible,
    "view.reference_lines": lambda w: w.bench.reference_lines,
    **{f"link.{name}": _is_linked(name) for name in ("scroll", "offset", "zoom", "pan", "window")},
    **{f"layout.{layout_id}": _is_layout(layout_id) for layout_id in LAYOUTS},
    **{f"window.{theme}": _is_theme(theme) for theme in ("dark", "light")},
    "view.identity": lambda w: w.bench.identity_hidden,
    **{f"scheme.{name}": _is_scheme(name) for name in scheme_names()},
}
"""Actions that show a state, and how to read it."""
