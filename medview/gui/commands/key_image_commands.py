"""Marks the slice of the pane under the pointer as a key image, and saves what is marked as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from PySide6.QtWidgets import QWidget

from medview.core.language import _, plural
from medview.core.oblique import PlaneLayout
from medview.gui.dialogs.file_choices import ask_folder
from medview.gui.panes.belt_feeder import BeltFeeder
from medview.gui.panes.pane_frames import PaneFrames
from medview.gui.panes.pane_grid import PaneGrid
from medview.workspace.action import Action
from medview.workspace.events import Severity
from medview.workspace.frame_belt import FrameBelt, WritePictures
from medview.workspace.key_images import key_images, on_slice, placed, toggle, where
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


class KeyImageCommands:
    """The actions on key images that need to know the panes."""

    def __init__(self, window: QWidget, workspace: Workspace, panes: PaneGrid) -> None:
        self._window, self._workspace, self._panes = window, workspace, panes

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        icon = "mdi6.key-variant"
        return (
            Action("keyimage.toggle", _("Mark or unmark as key image"), lambda _w: self.toggle(), icon, _editable),
            Action(
                "keyimage.save",
                _("Save the key images as PNG..."),
                lambda _w: self.save(),
                "mdi6.camera-outline",
                _has_keys,
            ),
        )

    def toggle(self) -> None:
        """Mark the slice of the pane under the pointer, or take its mark away."""
        pane = self._panes.pointed_pane
        case = self._workspace.case_in(pane.pane_id)
        if case is None:
            return
        layout = case.slice_plane(pane.plane)
        index = case.position_on(layout)
        if toggle(case, layout, index) is None:
            return
        # The list and Undo are about the case that was marked.
        self._workspace.choose(pane.pane_id)
        after = on_slice(case, layout, index)
        text = (
            _("Marked {where} as a key image.").format(where=where(case, after))
            if after
            else _("This slice is no key image any more.")
        )
        self._workspace.say(text, undo=case is self._workspace.active)

    def save(self) -> None:
        """Ask for a folder and write every key image as its plane would show it in the pane under the pointer."""
        workspace, case = self._workspace, self._workspace.active
        marked = [] if case is None else _drawable(case)
        if case is None or not marked:
            workspace.say(_("No key image lies on a slice that can be drawn."), Severity.WARNING)
            return
        pane = self._panes.pointed_pane
        size_px, ratio = (pane.width(), pane.height()), pane.devicePixelRatioF()
        frames = PaneFrames(case, workspace.bench, pane.pane_id, size_px, ratio, workspace.cases)
        folder = ask_folder(self._window, _("Save the key images"))
        if folder is None:
            return
        paths = tuple(path for path, _ in zip(_free_names(folder), marked, strict=False))
        belt = FrameBelt(len(marked))

        def done() -> None:
            named = "" if frames.identity_hidden else _(" They show the patient's identity.")
            what = plural("{n} key image", "{n} key images", len(paths)).format(n=len(paths))
            workspace.say(_("Wrote {what} into {name}.{named}").format(what=what, name=folder.name, named=named))

        BeltFeeder(workspace, frames, marked, belt, self._window).start(WritePictures(paths, belt), done)


def _drawable(case: OpenCase) -> list[tuple[PlaneLayout, float, int | None]]:
    """Return plane, place and time of the key images that lie on the grid, at times that are read."""
    found = [(placed(case, one), case.images.time(one)) for one in key_images(case)]
    return [(*at, time_index) for at, time_index in found if at is not None and time_index < len(case.times)]


def _free_names(folder: Path) -> Iterator[Path]:
    """Return names that nothing bears yet; never made from what a file says."""
    return (path for number in count(1) if not (path := folder / f"key-image-{number}.png").exists())


def _editable(workspace: Workspace) -> bool:
    return workspace.looked_at is not None and workspace.looked_at.editable


def _has_keys(workspace: Workspace) -> bool:
    case = workspace.active
    return case is not None and case.ready and bool(key_images(case))
