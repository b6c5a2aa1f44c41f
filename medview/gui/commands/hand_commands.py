"""What a window offers about itself: finding actions, key schemes, the tags of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from medview.core.errors import MedViewError
from medview.core.language import _
from medview.core.study import Series, VolumeEntry
from medview.gui.parts.identity import series_description
from medview.gui.parts.message_line import mouse_hint
from medview.gui.parts.qt_actions import QtActions
from medview.workspace.action import Action
from medview.workspace.events import Severity
from medview.workspace.finder import Entry, windows
from medview.workspace.scheme import Bindings, Scheme, scheme_names
from medview.workspace.scheme_edits import load_bindings, save_bindings
from medview.workspace.workspace import Workspace


class HandCommands:
    """Opens the dialogs about keys, mouse, corner texts and tags, and puts schemes to use.

    Parameters
    ----------
    open_series : callable
        Opens a series of the studies by Series and VolumeEntry (None for the best one).
    """

    def __init__(
        self,
        window: QWidget,
        workspace: Workspace,
        scheme: Scheme,
        open_series: Callable[[Series, VolumeEntry | None], None],
    ) -> None:
        self._window, self._workspace, self._scheme = window, workspace, scheme
        self._open_series = open_series
        self._actions: QtActions | None = None
        self.further: Callable[[], list[Entry]] = list
        """What else there is to find: asked each time."""

    def begin(self, actions: QtActions) -> None:
        """Take the table of all actions, and the person's own changes to the keys."""
        self._actions = actions
        bindings, problem = load_bindings(self._workspace.settings.scheme)
        if bindings != self._scheme.bindings:
            self._scheme.use(bindings)
        if problem:
            # The line that says it is made after the actions.
            QTimer.singleShot(0, self._window, lambda: self._workspace.say(problem, Severity.WARNING))

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action("help.find", _("Find an action..."), lambda _w: self.find(), "mdi6.magnify"),
            Action("help.keys", _("Keys and mouse"), lambda _w: self.show_keys(), "mdi6.keyboard-outline"),
            Action(
                "settings.keys",
                _("Change keys and mouse..."),
                lambda _w: self.edit_keys(),
                "mdi6.keyboard-settings-outline",
            ),
            *(
                Action(f"scheme.{key}", _("Keys and mouse as in {name}").format(name=name), self._scheme_use(key))
                for key, name in scheme_names().items()
            ),
            Action("view.corners", _("Corner texts..."), lambda _w: self.edit_corners(), "mdi6.format-text"),
            Action("case.tags", _("Tags of this image"), lambda _w: self.show_tags(), "mdi6.tag-text-outline", _has_dicom),
        )

    def find(self) -> None:
        """Let the person find anything by words."""
        from medview.gui.dialogs.palette import Palette

        Palette(self.entries(), self._window).open()

    def entries(self) -> list[Entry]:
        """Return all there is to find: actions, windows of the open series, series, models."""
        assert self._actions is not None
        found = (self._actions.entries(), windows(self._workspace), self._series_entries(), self.further())
        return [entry for part in found for entry in part]

    def use_scheme(self, key: str) -> None:
        """Take another scheme at once and remember it."""
        bindings, problem = load_bindings(key)
        self._scheme.use(bindings)
        self._workspace.settings = replace(self._workspace.settings, scheme=bindings.base)
        self._workspace.settings_changed.emit()
        if problem:
            self._workspace.say(problem, Severity.WARNING)
        else:
            self._workspace.say(_("Keys and mouse are now as in {name}.").format(name=bindings.name))

    def keep(self, bindings: Bindings) -> bool:
        """Put changed bindings to use and keep them; False when they could not be kept."""
        try:
            save_bindings(bindings)
        except MedViewError as error:
            self._workspace.report(error)
            return False
        self._scheme.use(bindings)
        self._workspace.settings = replace(self._workspace.settings, scheme=bindings.base)
        self._workspace.settings_changed.emit()
        return True

    def show_keys(self) -> None:
        """Show keys and mouse at a glance."""
        from medview.gui.dialogs.keys import KeysDialog

        assert self._actions is not None
        hint = mouse_hint(self._scheme, self._workspace.bench)
        dialog = KeysDialog(self._actions.shortcut_table(), hint, self._scheme.name, self._window)
        dialog.change_wanted.connect(self.edit_keys)
        dialog.open()

    def edit_keys(self) -> None:
        """Let the person change keys and mouse."""
        from medview.gui.dialogs.scheme_editor import SchemeEditor

        assert self._actions is not None
        SchemeEditor(self._scheme.bindings, self._actions.titles(), self.keep, self._window).open()

    def edit_corners(self) -> None:
        """Let the person choose what stands in the corners of the pictures."""
        from medview.gui.dialogs.corner_texts import CornerTextsDialog

        CornerTextsDialog(self._workspace, self._window).show()

    def show_tags(self) -> None:
        """Read the attributes of the file of the current slice and show them."""
        from medview.gui.dialogs.tags import TagsDialog

        operations = import_module("medview.workspace.operations.tags")
        operations.read_tags(
            self._workspace, lambda tags: TagsDialog(tags, self._workspace, self._window).show(), self._workspace.report
        )

    def _scheme_use(self, key: str) -> Callable[[Workspace], None]:
        return lambda _workspace: self.use_scheme(key)

    def _series_entries(self) -> list[Entry]:
        hidden = self._workspace.bench.identity_hidden
        found = []
        opened = set()
        for key, case in self._workspace.cases.items():
            opened.add(case.series.series_uid)
            if case is not self._workspace.active:
                title = _called(case.series, hidden=hidden)
                found.append(Entry(title, partial(self._show_case, key), detail=_("Open series")))
        for series in self._workspace.series:
            if series.series_uid not in opened and series.best is not None:
                title = _called(series, hidden=hidden)
                found.append(Entry(title, partial(self._open_series, series, None), detail=_("Series")))
        return found

    def _show_case(self, key: str) -> None:
        if key in self._workspace.cases:
            self._workspace.show(key)


def _called(series: Series, *, hidden: bool) -> str:
    name = series_description(series, hidden=hidden) or _("Series without a name")
    return f"{series.modality} {name}".strip()


def _has_dicom(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.entry.dicom_paths)
