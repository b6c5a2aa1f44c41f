"""The menu of the segments that are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from medview.core.language import _
from medview.core.segmentation import SegmentStatus
from medview.gui.parts.icons import icon
from medview.gui.parts.qt_actions import QtActions
from medview.gui.segments.segment_cells import STATUS_ICONS
from medview.gui.segments.segment_tree import SegmentTree
from medview.workspace.figure_texts import STATUS_TEXTS
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import segments as ops
from medview.workspace.segment_actions import add_group

_FIRST = ("segment.instance", "segment.solo")
_SECOND = ("segment.show", "segment.outline", "segment.lock")
_THIRD = ("segment.unsure", "segment.absent")


def segment_menu(case: OpenCase, tree: SegmentTree, actions: QtActions, parent: QWidget) -> QMenu:
    """Return a menu; what has a key says so."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    chosen = ops.chosen(case)
    ids = [s.segment_id for s in chosen]
    active = case.active_segment
    if len(chosen) == 1:
        only = chosen[0].segment_id
        _add(menu, _("Rename"), lambda: tree.begin_rename(only), enabled=case.editable, icon_name="mdi6.rename-outline")
    for action_id in _FIRST:
        menu.addAction(actions[action_id])
    menu.addSeparator()
    _fill_statuses(menu.addMenu(_("Status")), case, ids)
    _fill_groups(menu.addMenu(_("Group")), case, tree, ids)
    menu.addSeparator()
    _add(menu, _("Colour..."), lambda: tree.ask_colour(ids), enabled=case.editable, icon_name="mdi6.palette-outline")
    for action_id in _SECOND:
        menu.addAction(actions[action_id])
    shown = any(s.visible_3d for s in chosen)
    words = _("Hide in 3-D") if shown else _("Show in 3-D")
    _add(
        menu, words, lambda: ops.set_visible_3d(case, ids, visible=not shown), enabled=case.editable,
        icon_name="mdi6.cube-outline",
    )  # fmt: skip
    menu.addSeparator()
    for action_id in _THIRD:
        menu.addAction(actions[action_id])
    if len(chosen) == 1 and active is not None and active.code is not None:
        text = _("Forget the code {meaning}").format(meaning=active.code.meaning)
        _add(menu, text, lambda: ops.set_code(case, ids[0], None), enabled=case.editable)
    menu.addSeparator()
    menu.addAction(actions["segment.delete"])
    return menu


def status_menu(case: OpenCase, ids: Sequence[str], parent: QWidget) -> QMenu:
    """Return the choice of how far segments are."""
    menu = QMenu(parent)
    _fill_statuses(menu, case, ids)
    return menu


def _fill_statuses(menu: QMenu, case: OpenCase, ids: Sequence[str]) -> None:
    now = {s.status for s in case.labels.segmentation.segments if s.segment_id in ids}
    for status in SegmentStatus:
        made = _add(
            menu, STATUS_TEXTS[status.value], partial(ops.set_status, case, ids, status), enabled=case.editable,
            icon_name=STATUS_ICONS[status],
        )  # fmt: skip
        made.setCheckable(True)
        made.setChecked(now == {status})


def _fill_groups(menu: QMenu, case: OpenCase, tree: SegmentTree, ids: Sequence[str]) -> None:
    segments = case.labels.segmentation.segments
    mine = {s.group for s in segments if s.segment_id in ids}
    for name in dict.fromkeys(s.group for s in segments if s.group):
        made = _add(menu, name.replace("&", "&&"), partial(ops.set_group, case, ids, name), enabled=case.editable)
        made.setCheckable(True)
        made.setChecked(mine == {name})
    menu.addSeparator()
    _add(menu, _("New group"), lambda: tree.begin_group_rename(add_group(case)), enabled=case.editable)
    if len(mine) == 1 and "" not in mine:
        (name,) = mine
        _add(menu, _("Rename the group"), lambda: tree.begin_group_rename(name), enabled=case.editable)
    if mine != {""}:
        _add(menu, _("No group"), lambda: ops.set_group(case, ids, ""), enabled=case.editable)


def _add(menu: QMenu, text: str, run: Callable[[], object], *, enabled: bool, icon_name: str = "") -> QAction:
    made = QAction(icon(icon_name), text, menu)
    made.setEnabled(enabled)
    made.triggered.connect(lambda _checked=False: run())
    menu.addAction(made)
    return made
