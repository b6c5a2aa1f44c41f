"""What a right click on a pane offers."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QMenu, QWidget

from medview.core.language import _
from medview.core.plane import Plane
from medview.gui.parts.identity import series_description
from medview.gui.parts.qt_actions import QtActions
from medview.workspace.layout import GROUPS
from medview.workspace.layout_actions import look_along
from medview.workspace.link_actions import join
from medview.workspace.workspace import Workspace

_OWN = ("view.maximise", "view.detach", "link.pane", "view.fit", "view.rotate", "view.mirror", "view.reset")
_LINKS = ("link.scroll", "link.offset", "link.zoom", "link.pan", "link.window")
_PLANES = ("planes.grid", "planes.patient")


def pane_menu(workspace: Workspace, actions: QtActions, pane_id: str, parent: QWidget) -> QMenu:
    """Return the menu of a pane: which series and plane it shows, what it is linked with."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    cell = workspace.bench.layout.cell(pane_id)
    case = workspace.case_in(pane_id)
    series = menu.addMenu(_("Series in this pane"))
    for key, other in workspace.cases.items():
        name = (
            series_description(other.series, hidden=workspace.bench.identity_hidden) or other.series.modality or _("Series")
        )
        entry = series.addAction(name.replace("&", "&&"))
        entry.setCheckable(True)
        entry.setChecked(other is case)
        entry.triggered.connect(partial(_show, workspace, key, pane_id))
    series.setEnabled(bool(workspace.cases))
    planes = menu.addMenu(_("Plane"))
    for plane in (None, *Plane):
        entry = planes.addAction(_("As acquired") if plane is None else plane.title)
        entry.setCheckable(True)
        entry.setChecked(cell is not None and cell.plane is plane)
        entry.triggered.connect(partial(_turn, workspace, pane_id, plane))
    planes.addSeparator()
    for name in _PLANES:
        planes.addAction(actions[name])
    links = menu.addMenu(_("Link"))
    for name in _LINKS:
        links.addAction(actions[name])
    links.addSeparator()
    for group, title in GROUPS.items():
        entry = links.addAction(title)
        entry.setCheckable(True)
        entry.setChecked(cell is not None and cell.group == group)
        entry.triggered.connect(partial(_join, workspace, pane_id, group))
    menu.addSeparator()
    for name in _OWN:
        menu.addAction(actions[name])
    return menu


def _show(workspace: Workspace, key: str, pane_id: str, _checked: bool = False) -> None:
    workspace.show(key, pane_id)


def _join(workspace: Workspace, pane_id: str, group: int, _checked: bool = False) -> None:
    join(workspace, pane_id, group)


def _turn(workspace: Workspace, pane_id: str, plane: Plane | None, _checked: bool = False) -> None:
    look_along(workspace, pane_id, plane)
