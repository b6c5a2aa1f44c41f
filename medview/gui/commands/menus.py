"""The menus, as data: which actions stand where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from medview.core.language import _
from medview.edit.effects.table import EFFECTS
from medview.gui.parts.qt_actions import QtActions
from medview.workspace.layout import LAYOUTS
from medview.workspace.scheme import scheme_names
from medview.workspace.toolbox import ToolGroup, of_group

LINE = ""
"""A line between entries."""

RECENT = "recent places"
"""Where the recent places are listed."""

EFFECTS_HERE = "effects"
"""Where the menu of effects opens."""


def _tools(*groups: ToolGroup) -> tuple[str, ...]:
    return tuple(entry.action_id for group in groups for entry in of_group(group))


MENUS: Mapping[str, tuple[str, ...]] = {
    _("File"): (
        "file.open_folder",
        "file.open_file",
        "file.open_demo",
        RECENT,
        LINE,
        "project.new",
        "project.open",
        "project.close",
        LINE,
        "file.import",
        "file.export_seg",
        "file.export_rtstruct",
        "file.export_slicer",
        "file.export_nifti",
        "file.export_sr",
        "file.export_ko",
        "file.export_drawn",
        "file.export_drawn_csv",
        "file.export_drawn_coco",
        "file.export_answers",
        "file.export_answers_json",
        LINE,
        "picture.save",
        "picture.copy",
        "film.png",
        "film.gif",
        "keyimage.save",
        LINE,
        "file.add_model_zip",
        "file.add_model_folder",
        "file.add_model_address",
        "queue.add",
        "queue.pause",
        "queue.go_on",
        "queue.rules",
        LINE,
        "case.close",
        "window.quit",
    ),
    _("Edit"): (
        "undo",
        "redo",
        LINE,
        "slice.copy",
        "slice.paste",
        "slice.to_next",
        "slice.to_previous",
        LINE,
        "measurement.delete",
        "drawn.next",
        "drawn.previous",
        "drawn.hide",
        "drawn.show",
        "keyimage.toggle",
        LINE,
        "proposal.accept",
        "proposal.reject",
        "proposal.next",
        "proposal.previous",
        "proposal.compare",
        "difference.next",
        "difference.previous",
        LINE,
        "review.next",
        "review.own",
        "review.side_by_side",
        "review.approve",
        "review.send_back",
        "review.edit",
        "review.consensus",
        "review.majority",
        "review.staple",
    ),
    _("Cases"): (
        "case.list",
        "case.next",
        "case.what_next",
        "case.done_next",
        LINE,
        "case.done",
        "case.flag",
        "case.exclude",
        LINE,
        "project.add",
        "project.add_table",
        "project.import",
        LINE,
        "project.instructions",
        "project.rule",
        LINE,
        "train.open",
        "train.pause",
        "train.go_on",
        LINE,
        "project.agree",
        "project.merge",
        "project.export",
    ),
    _("Segments"): (
        "segment.add",
        "segment.instance",
        "segment.delete",
        LINE,
        "segment.next",
        "segment.previous",
        "segment.pick",
        "labelled.next",
        "labelled.previous",
        "lesion.next",
        "lesion.previous",
        LINE,
        "segment.solo",
        "segment.show",
        "segment.outline",
        "segment.lock",
        LINE,
        "segment.done",
        "segment.flag",
        "segment.unsure",
        "segment.absent",
        LINE,
        "mark.done",
        "mark.done_next",
        "mark.next_open",
        LINE,
        EFFECTS_HERE,
        "segments.table",
        "models.effort",
        "labelset.apply",
        "labelset.save",
        LINE,
        "form.answer",
        "form.next_missing",
        "form.agree",
        "form.design",
    ),
    _("View"): (
        "mode.read",
        "mode.annotate",
        LINE,
        *(f"layout.{layout_id}" for layout_id in LAYOUTS),
        "view.maximise",
        "view.detach",
        "hanging.keep",
        "hanging.rules",
        LINE,
        "compare.prior",
        "link.scroll",
        "link.offset",
        "link.zoom",
        "link.pan",
        "link.window",
        LINE,
        "view.panels",
        "view.identity",
        "view.corners",
        "case.tags",
        LINE,
        "window.dark",
        "window.light",
    ),
    _("Picture"): (
        "view.fit",
        "view.actual",
        "view.rotate",
        "view.mirror",
        "view.reset",
        LINE,
        "window.auto",
        "window.region",
        "window.invert",
        "window.colours",
        LINE,
        "planes.grid",
        "planes.patient",
        "slab.next",
        LINE,
        "view.crosshair",
        "view.reference_lines",
        "view.overlay",
        "view.foreign_labels",
        "view.graphics",
        LINE,
        "fusion.toggle",
        "fusion.swap",
        "fusion.register",
        "fusion.off",
        LINE,
        "heat.toggle",
        "heat.remove",
    ),
    _("Time"): (
        "cine.play",
        "cine.time",
        LINE,
        "time.next",
        "time.previous",
        "time.curve",
    ),
    _("Tools"): (
        *_tools(ToolGroup.LOOK),
        LINE,
        *_tools(ToolGroup.MEASURE),
        LINE,
        *_tools(ToolGroup.DRAW, ToolGroup.SHAPE, ToolGroup.MARK),
        LINE,
        "rules.inside",
        "rules.outside",
        "rules.values",
        "rules.overlap",
        "rules.none",
    ),
    _("Settings"): (*(f"scheme.{name}" for name in scheme_names()), LINE, "settings.keys"),
    _("Help"): ("help.find", "help.keys", LINE, "help.about"),
}


_EFFECTS: tuple[str, ...] = (
    *(f"effect.{one.effect_id}" for one in EFFECTS),
    LINE,
    "effect.preview",
    "effect.apply",
    "effect.apply_slice",
    "effect.next_slice",
    "effect.previous_slice",
    "effect.close",
)


def fill_menu_bar(bar: QMenuBar, actions: QtActions) -> QMenu:
    """Build the menus; return the one for recent places, still empty."""
    recent = QMenu(_("Recent places"), bar)
    for title, entries in MENUS.items():
        _fill(bar.addMenu(title), entries, actions, recent)
    return recent


def _fill(menu: QMenu, entries: Iterable[str], actions: QtActions, recent: QMenu) -> None:
    menu.setToolTipsVisible(True)
    for entry in entries:
        if entry == LINE:
            menu.addSeparator()
        elif entry == RECENT:
            menu.addMenu(recent)
        elif entry == EFFECTS_HERE:
            _fill(menu.addMenu(_("Effects")), _EFFECTS, actions, recent)
        else:
            menu.addAction(actions[entry])


def fill_recent(menu: QMenu, places: tuple[str, ...], choose: Callable[[str], None]) -> None:
    """List the places opened last."""
    menu.clear()
    menu.setEnabled(bool(places))
    for place in places:
        entry = QAction(place.replace("&", "&&"), menu)
        entry.triggered.connect(lambda _checked=False, p=place: choose(p))
        menu.addAction(entry)
