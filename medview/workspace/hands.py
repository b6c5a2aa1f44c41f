"""From pointer to gesture: which tool gets a drag, what the wheel does, what is previewed."""

from __future__ import annotations

from dataclasses import replace

from psygnal import Signal

from medview.core.plane import Plane, SlicePlane
from medview.workspace.clicking import Clicking
from medview.workspace.focus import stepped
from medview.workspace.large_writing import LargeWriting
from medview.workspace.open_case import OpenCase
from medview.workspace.pointer import Button, Modifiers, Pointer
from medview.workspace.preview import GripPreview, Preview, RegionPreview
from medview.workspace.scheme import Scheme, wheel_chord
from medview.workspace.stage import Drag, DragTool, Stage
from medview.workspace.toolbox import ToolEntry, ToolGroup, entry_of
from medview.workspace.tools import crosshair, pan, pick, window, zoom
from medview.workspace.view_state import Bench, Camera, Mode
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

_RADIUS_STEP = 1.15


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
        self._drag: Drag | None = None
        self._shown: Preview | None = None
        self._press: Pointer | None = None
        self._moved = False
        self._gathered: list[Pointer] = []
        self.clicking = Clicking(workspace, self._on_clicking)
        for name in ("tool", "brush_radius_mm"):
            # By a key, under a hand that rests.
            workspace.bench.events[name].connect(self._on_bench)
        for signal in (workspace.looked_elsewhere, workspace.labels_changed):
            signal.connect(self._on_elsewhere)
        workspace.active_changed.connect(self._on_active)
        self._on_active()
        self.later = LargeWriting(workspace)

    def press(self, pointer: Pointer) -> None:
        """Begin a gesture."""
        if self._drag is not None:
            return
        self.choose(pointer.pane)
        case = self._workspace.active
        if case is None:
            return
        self._press, self._moved = pointer, False
        name = self._does(pointer)
        if name == "tool" and self._bench.effect.asks_place:
            self._press = None
            crosshair.click(self._stage(case), pointer)
            return
        if name == "tool" and self._clicked(case, pointer):
            self._update_preview(pointer)
            return
        tool: DragTool | None = self._entry.drag if name == "tool" else _DRAGS.get(name)
        if tool is None:
            return
        drag = tool(self._stage(case), pointer)
        if self._send(drag, first=True):
            self._drag = drag
        self._update_preview(pointer)

    def choose(self, pane_id: str) -> None:
        """Make the pane that was pressed the one that the next series goes to, and its case the active one."""
        self._workspace.choose(pane_id)

    def enter(self, pane_id: str) -> None:
        """Let keys act on the pane under the pointer."""
        self._bench.pointed = pane_id

    def move(self, pointer: Pointer) -> None:
        """Go on with the gesture."""
        self._go_on(pointer)
        self._update_preview(pointer)

    def _go_on(self, pointer: Pointer) -> None:
        if self._press is not None:
            self._moved = self._moved or any(
                self._press.apart_px(at) > _CLICK_SLACK_PX for at in (*pointer.before, pointer)
            )
        if self._drag is not None and (self._moved or self._drawing) and not self._send(self._drag, pointer):
            self._end()
        if self._drag is None and self._moved and self._drawing_now:
            self.clicking.move(pointer)

    def gather(self, pointer: Pointer) -> bool:
        """Go on with the gesture at the next ``frame``, together with all moves up to then.

        Returns
        -------
        bool
            Something waits, and ``frame`` has to be called.
        """
        if self._drag is None and not self.clicking.going_on:
            self.move(pointer)
            return False
        self._gathered.append(pointer)
        return True

    def frame(self) -> bool:
        """Do what was gathered: one by one where an outline follows the hand, else as one move.

        Where nothing was, go on with what is still being found for the place of the last move.

        Returns
        -------
        bool
            There is more to be found, and ``frame`` has to be called again.
        """
        gathered, self._gathered = self._gathered, []
        if gathered and self._drawing_now and not self._entry.gathers:
            for pointer in gathered:
                self._go_on(pointer)
            self._update_preview(gathered[-1])
        elif gathered:
            self.move(replace(gathered[-1], before=tuple(gathered[:-1])))
        elif self.finding and self._drag is not None:
            if not self._send(self._drag, self.pointer or self._press):
                self._end()
            self._update_preview(self.pointer)
        return self.finding

    @property
    def finding(self) -> bool:
        """Whether what is shown is a part of what is being found."""
        return self._drag is not None and isinstance(self._shown, RegionPreview) and not self._shown.complete

    def release(self, pointer: Pointer) -> bool:
        """End the gesture and say whether it was a click. One with the tool puts the crosshair there."""
        if self._gathered:
            self.frame()
        if self._drag is not None:
            self._send(self._drag, None)
            self._end()
        case, press = self._workspace.active, self._press
        self._press = None
        clicked = press is not None and not self._moved
        if press is not None and self._is_tool_click(press):
            self.clicking.release(pointer, moved=self._moved)
        self._update_preview(pointer)
        own = self._entry.own_click
        if case is not None and press is not None and clicked and self._is_tool_click(press) and not own:
            crosshair.click(self._stage(case), pointer)
        return clicked

    def cancel(self) -> bool:
        """Take the running gesture back (Escape), else let go of what is chosen; False when there is neither."""
        self._gathered = []
        if self._drag is None:
            return self.clicking.end() or self.later.cancel() or self._workspace.effects.close() or self._let_go()
        self._drag.close()
        self._end()
        self._on_clicking()
        return True

    def _let_go(self) -> bool:
        """Choose no box or mark any longer, where a tool for them is in hand."""
        case = self._workspace.active
        marking = self._entry.group is ToolGroup.MARK
        if case is None or not marking or not case.view.active_annotation_id:
            return False
        case.view.active_annotation_id = ""
        return True

    def hover(self, pointer: Pointer | None) -> None:
        """Follow the pointer while no button is down; None when it leaves the pane."""
        if pointer is not None:
            self.enter(pointer.pane)
        self._update_preview(pointer)

    def wheel(self, pointer: Pointer, steps: float) -> None:
        """Turn the wheel by ``steps`` notches; away from the person is positive."""
        self.frame()
        case = self._workspace.case_in(pointer.pane)
        if case is None:
            return
        action = self.scheme.wheel.get(wheel_chord(pointer.modifiers), "slice")
        if action == "radius" and self._entry.sized:
            self._bench.set_radius(self._bench.brush_radius_mm * _RADIUS_STEP**steps)
            self._update_preview(pointer)
        elif action == "zoom":
            plane = pointer.plane.plane
            case.view.set_camera(plane, case.view.cameras[plane].zoomed(1.1**steps))
        else:
            step_slice(case, pointer.plane.plane, round(steps) or (1 if steps > 0 else -1))
            now = case.position_on(pointer.plane)
            self._update_preview(replace(pointer, slice_index=now))

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
        return self._press is not None and self._is_tool_click(self._press)

    def _stage(self, case: OpenCase) -> Stage:
        return Stage(self._bench, case, self._workspace.say, self.later)

    def _end(self) -> None:
        self._drag, self._shown = None, None

    def _does(self, press: Pointer) -> str:
        """Return what a drag that begins so does; Alt puts and removes anchors of what is being drawn."""
        anchors = self.clicking.adjustable and press.button is Button.LEFT and Modifiers.ALT in press.modifiers
        return "tool" if anchors else self.scheme.drag(self._bench.mode, press.button, press.modifiers)

    def _is_tool_click(self, press: Pointer) -> bool:
        return self._does(press) == "tool"

    def _clicked(self, case: OpenCase, pointer: Pointer) -> bool:
        """Whether a press belonged to a gesture of several clicks, or began one."""
        if self.clicking.going_on:
            self.clicking.press(pointer)
            return True
        begin = self._entry.clicks
        clicks = None if begin is None else begin(self._stage(case), pointer)
        if clicks is not None:
            self.clicking.begin(clicks)
        return clicks is not None

    def _on_active(self) -> None:
        if self._workspace.active is not None:
            self._workspace.active.view.events.active_segment_id.connect(self._on_bench, unique=True)

    def _on_bench(self, *_values: object) -> None:
        self._update_preview(self.pointer)

    def _on_elsewhere(self, *_values: object) -> None:
        # What could be taken hold of is gone, or lies elsewhere now.
        if isinstance(self.preview, GripPreview):
            self._update_preview(self.pointer)

    def _on_clicking(self) -> None:
        self._update_preview(self.pointer)

    def _send(self, drag: Drag, pointer: Pointer | None = None, *, first: bool = False) -> bool:
        try:
            self._shown = next(drag) if first else drag.send(pointer)
        except StopIteration:
            return False
        return True

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
        if self._shown is not None:
            return self._shown
        hover = self._entry.hover
        return None if pointer is None or case is None or hover is None else hover(self._stage(case), pointer)


def step_slice(case: OpenCase, plane: Plane, steps: int) -> None:
    """Move ``steps`` slices towards head, back or left (positive) on a plane, stopping at the ends."""
    layout, geometry = case.slice_plane(plane), case.volume.geometry
    if isinstance(layout, SlicePlane):
        direction = -1 if layout.normal_flip else 1
        now = case.view.crosshair_kji[layout.normal_axis]
        case.view.set_slice(layout.normal_axis, min(layout.count(geometry) - 1, max(0, now + direction * steps)))
        return
    case.view.look_at(stepped(geometry, layout, case.view.at_kji, steps), geometry.shape_kji)


def fit(case: OpenCase, plane: Plane) -> None:
    """Show the whole slice of a plane."""
    case.view.set_camera(plane, Camera())
