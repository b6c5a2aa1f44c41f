"""The gesture that goes on across clicks, while there is one."""

from __future__ import annotations

from collections.abc import Callable

from medview.core.language import _
from medview.workspace.events import WayOut
from medview.workspace.last_word import LastWord
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Pointer
from medview.workspace.preview import Preview
from medview.workspace.stage import Adjustable, Clicks, Stage
from medview.workspace.workspace import Workspace

_LOOKS = ("crosshair_kji", "focus_kji", "axes", "turns")
"""Fields of a view that say which picture a pane shows."""


class Clicking:
    """Holds one Clicks and lets it go when it is over, or when another tool or case is taken.

    Parameters
    ----------
    changed : callable
        Called when what is to be drawn meanwhile changed without the pointer: the slice, the turn, the end.
    """

    def __init__(self, workspace: Workspace, changed: Callable[[], None]) -> None:
        self._workspace, self._changed = workspace, changed
        self._clicks: Clicks | None = None
        self._dropped: Clicks | None = None
        self._told = LastWord(workspace)
        self._by_undo = self._brought_back = False
        workspace.history_changed.connect(self._on_history)
        workspace.bench.events.tool.connect(self._on_tool)
        workspace.active_changed.connect(self._on_active)
        workspace.case_closing.connect(self._on_closing)

    @property
    def going_on(self) -> bool:
        """Whether the next press belongs to a gesture that began before."""
        return self._clicks is not None

    @property
    def adjustable(self) -> bool:
        """Whether what is drawn can be pulled about before it is written."""
        return isinstance(self._clicks, Adjustable)

    def begin(self, clicks: Clicks) -> None:
        """Take a gesture whose first press it has seen."""
        self.end()
        self._forget()
        self._brought_back = False
        self._take(clicks)

    def _take(self, clicks: Clicks) -> None:
        self._clicks = clicks
        for name in _LOOKS:
            clicks.case.view.events[name].connect(self._follow)
        clicks.case.view.events.active_segment_id.connect(self._on_segment)

    def end(self) -> bool:
        """Give the gesture up; False when there is none."""
        clicks, self._clicks = self._clicks, None
        if clicks is None:
            return False
        for name in _LOOKS:
            clicks.case.view.events[name].disconnect(self._follow, missing_ok=True)
        clicks.case.view.events.active_segment_id.disconnect(self._on_segment, missing_ok=True)
        self._changed()
        return True

    def drop(self) -> bool:
        """Give the gesture up, so that it can be brought back; False when there is none."""
        clicks = self._clicks
        if not self.end():
            return False
        if clicks is not None and clicks.count > 1:
            self._dropped, self._by_undo = clicks, not self._brought_back
            tip = _("Go on with what was being drawn (Ctrl+Z)")
            way_back = WayOut(_("Bring it back"), tip, self.bring_back)
            self._told.say(_("What was being drawn was dropped."), way_out=way_back)
        return True

    def bring_back(self) -> bool:
        """Go on with what was dropped last; False where something else was done or taken since."""
        clicks = self._dropped
        if clicks is None:
            return False
        self._forget()
        clicks.rest()
        self._take(clicks)
        self._brought_back = True
        self._changed()
        return True

    @property
    def undoes_drop(self) -> bool:
        """Whether Undo means what was dropped: not a second time, so that who drops it twice gets at what was before it."""
        return self._dropped is not None and self._by_undo

    def let_go(self) -> None:
        """Keep what is finished and give the rest up, since something else is taken or all is left."""
        if isinstance(self._clicks, Adjustable):
            self._clicks.let_go()
        self.end()

    def press_or_begin(
        self, begin: Callable[[Stage, Pointer], Clicks | None] | None, stage: Stage, pointer: Pointer
    ) -> bool:
        """Go on with a press, or begin with it; False where it belongs to no gesture of clicks."""
        if self.going_on:
            self.press(pointer)
            return True
        clicks = None if begin is None else begin(stage, pointer)
        if clicks is not None:
            self.begin(clicks)
        return clicks is not None

    def press(self, pointer: Pointer) -> None:
        """Go on with a press."""
        if self._clicks is not None and self._clicks.press(pointer):
            self.end()

    def move(self, pointer: Pointer) -> None:
        """Go on with a drag."""
        if isinstance(self._clicks, Adjustable):
            self._clicks.move(pointer)

    def release(self, pointer: Pointer, *, moved: bool = True) -> None:
        """Go on with the end of a drag; where nothing was ``moved``, what was held is let loose."""
        clicks = self._clicks
        if clicks is not None and (moved or isinstance(clicks, Adjustable)) and clicks.release(pointer):
            self.end()

    def close(self) -> bool:
        """Finish, where enough was clicked; False when there is no gesture."""
        if self._clicks is None:
            return False
        if self._clicks.close():
            self.end()
        self._changed()
        return True

    def back(self) -> bool:
        """Forget the last click; False when there is no gesture."""
        if self._clicks is None:
            return False
        if self._clicks.back():
            self.end()
        self._changed()
        return True

    def double_click(self, pointer: Pointer) -> None:
        """Go on with a double click; it finishes what has no meaning of its own for it."""
        if not isinstance(self._clicks, Adjustable):
            self.close()
        elif self._clicks.double_click(pointer):
            self.end()
        self._changed()

    def remove(self, pointer: Pointer | None) -> bool:
        """Remove the part under the pointer; False where nothing can be removed so."""
        if not isinstance(self._clicks, Adjustable):
            return False
        self._clicks.remove(pointer)
        self._changed()
        return True

    def preview(self, pointer: Pointer | None) -> Preview | None:
        """Return what is to be drawn meanwhile."""
        return None if self._clicks is None else self._clicks.preview(pointer)

    # Connected as methods: psygnal asks a callable how many values it takes.
    def _follow(self, *_values: object) -> None:
        self._changed()

    def _forget(self) -> None:
        self._dropped = None
        self._told.over()

    def _on_history(self) -> None:
        self._by_undo = self._brought_back = False

    def _on_tool(self, *_values: object) -> None:
        self.let_go()
        self._forget()

    def _on_segment(self, chosen_id: str, before_id: str) -> None:
        """Write what is finished into the segment it was seen in; what is still open goes on in the other one."""
        clicks = self._clicks
        if not isinstance(clicks, Adjustable) or not clicks.finished or not clicks.case.labels.segmentation.find(before_id):
            return
        view = clicks.case.view
        view.events.active_segment_id.disconnect(self._on_segment, missing_ok=True)
        # Tools write into the active segment, and nowhere else.
        view.active_segment_id = before_id
        self.let_go()
        view.active_segment_id = chosen_id

    def _on_active(self) -> None:
        active: OpenCase | None = self._workspace.active
        if self._dropped is not None and self._dropped.case is not active:
            self._forget()
        if self._clicks is not None and self._clicks.case is not active:
            self.let_go()

    def _on_closing(self, case: OpenCase) -> None:
        if self._dropped is not None and self._dropped.case is case:
            self._forget()
        if self._clicks is not None and self._clicks.case is case:
            self.let_go()
