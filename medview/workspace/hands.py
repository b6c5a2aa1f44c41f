"""From pointer to gesture: which tool gets a drag, what the wheel does, what is previewed."""

from __future__ import annotations

from dataclasses import replace

from psygnal import Signal

from medview.workspace import wheel
from medview.workspace.clicking import Clicking
from medview.workspace.dragging import Dragging
from medview.workspace.drawn import choose_none
from medview.workspace.large_writing import LargeWriting
from medview.workspace.last_word import LastWord
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Button, Modifiers, Pointer
from medview.workspace.preview import GripPreview, Preview
from medview.workspace.scheme import Scheme
from medview.workspace.stage import DragTool, Stage
from medview.workspace.toolbox import ToolEntry, ToolGroup, entry_of
from medview.workspace.tools import crosshair, pan, pick, window, zoom
from medview.workspace.view_state import Bench, Mode
from medview.workspace.workspace import Workspace

_DRAGS: dict[str, DragTool] = {
    "pan": pan.drag,
    "zoom": zoom.drag,
    "window": window.drag,
    "crosshair": crosshair.drag,
    "pick": pick.drag,
}

_CLICK_SLACK_PX = 3.0
"""A press and release closer than this is a click, not a drag."""


class Hands:
    """One gesture at a time, on the active case. Panes forward what the pointer does; nothing is decided there."""

    preview_changed = Signal()
    pointer_changed = Signal()
    """The pointer moved to another place, or the picture moved under it."""

    def __init__(self, workspace: Workspace, scheme: Scheme) -> None:
        self._workspace = workspace
        self.scheme = scheme
        self.preview: Preview | None = None
        self.pointer: Pointer | None = None
        self._dragging = Dragging()
        self._press: Pointer | None = None
        self._case: OpenCase | None = None
        """That the drag is on."""
        self._moved = False
        self._told = LastWord(workspace)
        """Of tools: why a gesture came to nothing, or how to go on with it, is over with the next one."""
        self.clicking = Clicking(workspace, self._on_change)
        for name in ("tool", "brush_radius_mm"):
            # By a key, under a hand that rests.
            workspace.bench.events[name].connect(self._on_change)
        for signal in (workspace.looked_elsewhere, workspace.labels_changed):
            signal.connect(self._on_elsewhere)
        workspace.active_changed.connect(self._on_active)
        workspace.case_closing.connect(self._on_closing)
        self.pointer_changed.connect(workspace.efforts.look)
        self._on_active()
        self.later = LargeWriting(workspace)

    def press(self, pointer: Pointer) -> None:
        """Begin a gesture."""
        if self._dragging.going_on:
            return
        self._told.over()
        # The next series goes to the pane that was pressed, and its case is the active one.
        self._workspace.choose(pointer.pane)
        case = self._workspace.active
        if case is None:
            return
        self._press, self._moved = pointer, False
        name = self._does(pointer)
        if name == "tool" and self._bench.effect.asks_place:
            self._press = None
            crosshair.click(self._stage(case), pointer)
            return
        if name == "tool" and self.clicking.press_or_begin(self._entry.clicks, self._stage(case), pointer):
            self._update_preview(pointer)
            return
        tool: DragTool | None = self._entry.drag if name == "tool" else _DRAGS.get(name)
        if tool is not None:
            self._case = case
            self._dragging.begin(tool(self._stage(case), pointer))
            self._update_preview(pointer)

    def move(self, pointer: Pointer) -> None:
        """Go on with the gesture."""
        self._go_on(pointer)
        self._update_preview(pointer)

    def _go_on(self, pointer: Pointer) -> None:
        if self._press is not None:
            self._moved = self._moved or any(
                self._press.apart_px(at) > _CLICK_SLACK_PX for at in (*pointer.before, pointer)
            )
        if self._moved or self._drawing:
            self._dragging.send(pointer)
        if not self._dragging.going_on and self._moved and self._drawing_now:
            self.clicking.move(pointer)

    def gather(self, pointer: Pointer) -> bool:
        """Go on with the gesture at the next ``frame``, with all moves up to then; False where nothing waits for one."""
        if not self._dragging.going_on and not self.clicking.going_on:
            self.move(pointer)
            return False
        self._dragging.wait(pointer)
        return True

    def frame(self) -> bool:
        """Do what was gathered: one by one where an outline follows the hand, else as one move.

        Where nothing was, go on with what is still being found for the place of the last move.

        Returns
        -------
        bool
            There is more to be found, and ``frame`` has to be called again.
        """
        gathered = self._dragging.take()
        if gathered and self._drawing_now and not self._entry.gathers:
            for pointer in gathered:
                self._go_on(pointer)
            self._update_preview(gathered[-1])
        elif gathered:
            self.move(replace(gathered[-1], before=tuple(gathered[:-1])))
        elif self.finding:
            self._dragging.send(self.pointer or self._press)
            self._update_preview(self.pointer)
        return self.finding

    @property
    def finding(self) -> bool:
        """Whether what is shown is a part of what is being found."""
        return self._dragging.finding

    def release(self, pointer: Pointer) -> bool:
        """End the gesture and say whether it was a click. One with the tool puts the crosshair there."""
        if self._dragging.waits:
            self.frame()
        self._dragging.finish()
        case, mine = self._workspace.active, self._drawing_now
        clicked = self._press is not None and not self._moved
        if mine:
            self.clicking.release(pointer, moved=self._moved)
        self._press = None
        self._update_preview(pointer)
        if case is not None and mine and clicked and not self._entry.own_click:
            crosshair.click(self._stage(case), pointer)
        return clicked

    def cancel(self) -> bool:
        """Take the running gesture back (Escape), else let go of what is chosen; False when there is neither."""
        self._dragging.take()
        self._told.over()
        if not self._dragging.going_on:
            marking = self._entry.group is ToolGroup.MARK
            if (
                self.clicking.drop()
                or self.later.cancel()
                or self._workspace.prompting.cancel()
                or self._workspace.effects.close()
            ):
                return True
            return marking and self._workspace.active is not None and choose_none(self._workspace.active)
        self._dragging.give_up()
        self._on_change()
        return True

    def hover(self, pointer: Pointer | None) -> None:
        """Follow the pointer while no button is down; None when it leaves the pane."""
        if pointer is not None:
            self._bench.pointed = pointer.pane
        self._update_preview(pointer)

    def wheel(self, pointer: Pointer, steps: float) -> None:
        """Turn the wheel by ``steps`` notches; away from the person is positive."""
        self.frame()
        now = wheel.turn(self._workspace, self.scheme, pointer, steps)
        if now is not None:
            self._update_preview(now)

    def double_click(self, pointer: Pointer) -> None:
        """Fill the centre with the pane, or bring the others back."""
        if self._entry.clicks is not None:
            self.clicking.double_click(pointer)
        elif not (self._drawing and self._bench.mode is Mode.ANNOTATE):
            self._bench.toggle_maximised(pointer.pane)

    @property
    def _bench(self) -> Bench:
        return self._workspace.bench

    @property
    def _drawing(self) -> bool:
        return self._entry.draws

    @property
    def _entry(self) -> ToolEntry:
        return entry_of(self._bench.tool)

    @property
    def _drawing_now(self) -> bool:
        """Whether the gesture that goes on is the tool's, not one of another button."""
        return self._press is not None and self._does(self._press) == "tool"

    def _stage(self, case: OpenCase) -> Stage:
        return Stage(self._bench, case, self._told.say, self.later, self._workspace.prompting)

    def _does(self, press: Pointer) -> str:
        """Return what a drag that begins so does; Alt puts and removes anchors of what is being drawn."""
        anchors = self.clicking.adjustable and press.button is Button.LEFT and Modifiers.ALT in press.modifiers
        return "tool" if anchors else self.scheme.drag(self._bench.mode, press.button, press.modifiers)

    def _on_active(self) -> None:
        if self._dragging.going_on and self._workspace.active is not self._case:
            self._leave()
        if self._workspace.active is not None:
            self._workspace.active.view.events.active_segment_id.connect(self._on_change, unique=True)

    def _on_closing(self, case: OpenCase) -> None:
        if self._dragging.going_on and case is self._case:
            self._leave()

    def _leave(self) -> None:
        """End the drag with what it did up to now: the pane shows another case from here on, and the hand means that."""
        self._dragging.take()
        self._dragging.finish()
        self._press = self._case = None

    def _on_change(self, *_values: object) -> None:
        self._update_preview(self.pointer)

    def _on_elsewhere(self, *_values: object) -> None:
        # What could be taken hold of is gone, or lies elsewhere now.
        if isinstance(self.preview, GripPreview):
            self._on_change()

    def _update_preview(self, pointer: Pointer | None) -> None:
        if pointer != self.pointer:
            self.pointer = self._workspace.pointer = pointer
            self.pointer_changed.emit()
        preview = self._preview_at(pointer)
        if preview != self.preview:
            self.preview = preview
            self.preview_changed.emit()

    def _preview_at(self, pointer: Pointer | None) -> Preview | None:
        case = self._workspace.case_in(pointer.pane) if pointer is not None else None
        if self.clicking.going_on:
            return self.clicking.preview(pointer)
        if self._dragging.shown is not None:
            return self._dragging.shown
        hover = self._entry.hover
        return None if pointer is None or case is None or hover is None else hover(self._stage(case), pointer)
