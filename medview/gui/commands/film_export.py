"""All slices of a pane as one moving picture, played as fast as cine plays them."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from medview.core.language import _
from medview.core.oblique import ObliquePlane
from medview.gui.dialogs.file_choices import ask_new_file
from medview.gui.panes.belt_feeder import BeltFeeder
from medview.gui.panes.pane_frames import PaneFrames
from medview.gui.panes.pane_grid import PaneGrid
from medview.workspace.action import Action
from medview.workspace.cine import begin
from medview.workspace.events import Severity
from medview.workspace.film import GIF_FASTEST_HZ
from medview.workspace.frame_belt import FrameBelt, WriteFilm
from medview.workspace.workspace import Workspace

_PNG = _("Animated PNG (*.png)")
_GIF = _("Animated GIF (*.gif)")


class FilmExport:
    """Saves the stack of the pane under the pointer."""

    def __init__(self, window: QWidget, workspace: Workspace, panes: PaneGrid) -> None:
        self._window, self._workspace, self._panes = window, workspace, panes

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        icon = "mdi6.filmstrip"
        return (
            Action(
                "film.png", _("Save the stack as animated PNG..."), lambda _w: self.save("stack.png", _PNG), icon, _whole
            ),
            Action("film.gif", _("Save the stack as GIF..."), lambda _w: self.save("stack.gif", _GIF), icon, _whole),
        )

    def save(self, name: str, kind: str) -> None:
        """Ask where to and write every slice of the pane, in the order cine shows them."""
        workspace, pane = self._workspace, self._panes.pointed_pane
        case, rate_hz = workspace.case_in(pane.pane_id), workspace.bench.cine_rate_hz
        if case is None or not case.ready:
            workspace.say(_("The stack is saved once the pane shows a series that is read to its end."))
            return
        layout = case.slice_plane(pane.plane)
        cine = begin(case, pane.plane, rate_hz, 0.0)
        if cine is None:
            workspace.say(_("There is one slice; save the picture instead."))
            return
        # Taken before the dialog: what was seen is what is saved.
        size_px, ratio = (pane.width(), pane.height()), pane.devicePixelRatioF()
        frames = PaneFrames(case, workspace.bench, pane.pane_id, size_px, ratio, workspace.cases)
        path = ask_new_file(self._window, _("Save the stack"), name, kind)
        if path is None:
            return
        first = -layout.half_steps if isinstance(layout, ObliquePlane) else 0
        slices = [(layout, float(first + number), None) for number in range(cine.count)[:: cine.step]]
        belt = FrameBelt(len(slices))

        def done() -> None:
            named = "" if frames.identity_hidden else _(" They show the patient's identity.")
            workspace.say(
                _("Wrote {name}: {count} pictures at {rate_hz:g} Hz.{named}").format(
                    name=path.name, count=len(slices), rate_hz=rate_hz, named=named
                )
            )

        if path.suffix.lower() == ".gif" and rate_hz > GIF_FASTEST_HZ:
            text = _("GIF shows at most {gif_fastest_hz:g} pictures a second; animated PNG keeps {rate_hz:g} Hz.").format(
                gif_fastest_hz=GIF_FASTEST_HZ, rate_hz=rate_hz
            )
            workspace.say(text, Severity.WARNING)
            rate_hz = GIF_FASTEST_HZ
        BeltFeeder(workspace, frames, slices, belt, self._window).start(WriteFilm(path, belt, rate_hz), done)


def _whole(workspace: Workspace) -> bool:
    return workspace.looked_at is not None and workspace.looked_at.ready
