"""Panes that move together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from psygnal import SignalInstance

from medview.core.geometry import Calibration
from medview.core.language import _
from medview.core.plane import Plane
from medview.core.window import Window
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Camera, Links
from medview.workspace.workspace import Workspace

Listener = Callable[..., None]


class Linker:
    """Lets what is done to one shown case happen to the others that are linked with it.

    Positions in one frame of reference go by the patient. Others go by how far each has moved since the link was made, in
    millimetres, or in slices where one of them has no millimetres.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._heard: list[tuple[SignalInstance, Listener]] = []
        self._starts: dict[str, tuple[float, float, float]] = {}
        self._cameras: dict[str, dict[Plane, Camera]] = {}
        self._busy = False
        workspace.active_changed.connect(self._listen)
        workspace.bench.events.layout.connect(self._listen)
        workspace.bench.events.links.connect(self._on_links)
        self._listen()

    def _listen(self, *_values: object) -> None:
        for signal, slot in self._heard:
            signal.disconnect(slot, missing_ok=True)
        self._heard = []
        cases = self._workspace.shown_cases
        self._end_offset(cases)
        for case in cases:
            events = case.view.events
            for name, slot in (
                ("crosshair_kji", self._position_listener(case)),
                ("focus_kji", self._position_listener(case)),
                ("cameras", self._camera_listener(case)),
                ("window", self._window_listener(case)),
            ):
                signal = events[name]
                signal.connect(slot)
                self._heard.append((signal, slot))
            self._cameras[case.key] = case.view.cameras
            self._starts.setdefault(case.key, case.view.at_kji)
        shown = {case.key for case in cases}
        self._cameras = {key: value for key, value in self._cameras.items() if key in shown}
        self._starts = {key: value for key, value in self._starts.items() if key in shown}
        self._workspace.looked_elsewhere.emit()

    def _end_offset(self, cases: list[OpenCase]) -> None:
        """Stop scrolling together by distance when another series comes in: nobody has set the two side by side."""
        workspace = self._workspace
        if workspace.bench.links.offset and any(case.key not in self._starts for case in cases):
            workspace.bench.links = replace(workspace.bench.links, offset=False)
            workspace.say(_("Another series is shown; they no longer scroll together from where they stood."))

    def _on_links(self, links: Links) -> None:
        if links.offset:
            self._starts = {case.key: case.view.at_kji for case in self._workspace.shown_cases}

    def _partners(self, case: OpenCase) -> list[OpenCase]:
        """Return the other cases that have a pane in a group with one of a case."""
        mine = self._groups(case)
        workspace = self._workspace
        cells = [cell for cell in workspace.bench.layout.slices if cell.group in mine]
        shown = {one.key: one for cell in cells if (one := workspace.case_in(cell.pane_id)) is not None}
        return [one for key, one in shown.items() if key != case.key]

    def _groups(self, case: OpenCase, plane: Plane | None = None) -> set[int]:
        """Return the groups of the panes of a case, of those that show one plane of it if that is named."""
        workspace = self._workspace
        cells = (cell for cell in workspace.bench.layout.slices if workspace.case_in(cell.pane_id) is case)
        return {c.group for c in cells if plane is None or workspace.plane_in(c.pane_id) is plane} - {0}

    def _position_listener(self, case: OpenCase) -> Listener:
        def on_position(*_values: object) -> None:
            if not self._busy:
                self._busy = True
                try:
                    self._follow_position(case)
                finally:
                    self._busy = False
                self._workspace.looked_elsewhere.emit()

        return on_position

    def _follow_position(self, case: OpenCase) -> None:
        links = self._workspace.bench.links
        for other in self._partners(case):
            if links.scroll and same_place(case, other):
                point = case.volume.geometry.point_lps_mm(case.view.at_kji)
                _look_at(other, other.volume.geometry.index_kji(point))
            elif links.offset:
                _look_at(other, self._by_offset(case, other))

    def _by_offset(self, case: OpenCase, other: OpenCase) -> npt.NDArray[np.float64]:
        mine, theirs = np.asarray(self._starts[case.key]), np.asarray(self._starts[other.key])
        now = np.asarray(case.view.at_kji)
        if _calibrated(case) and _calibrated(other):
            here, there = case.volume.geometry, other.volume.geometry
            by = here.point_lps_mm(now) - here.point_lps_mm(mine)
            return there.index_kji(there.point_lps_mm(theirs) + by)
        return np.asarray(theirs + np.array([now[0] - mine[0], 0.0, 0.0]))

    def _camera_listener(self, case: OpenCase) -> Listener:
        def on_cameras(cameras: dict[Plane, Camera]) -> None:
            before = self._cameras.get(case.key, cameras)
            self._cameras[case.key] = cameras
            links = self._workspace.bench.links
            if self._busy or not (links.zoom or links.pan):
                return
            changed = [plane for plane in Plane if cameras[plane] != before[plane]]
            self._busy = True
            try:
                for plane in changed:
                    self._follow_camera(case, plane, before[plane], cameras[plane])
            finally:
                self._busy = False

        return on_cameras

    def _follow_camera(self, case: OpenCase, plane: Plane, before: Camera, after: Camera) -> None:
        links, workspace = self._workspace.bench.links, self._workspace
        factor = after.zoom / before.zoom if links.zoom else 1.0
        by = tuple(b - a for a, b in zip(before.center_offset_mm, after.center_offset_mm, strict=True))
        done, groups = {(case.key, plane)}, self._groups(case, plane)
        for cell in workspace.bench.layout.slices:
            other = workspace.case_in(cell.pane_id)
            if other is None or cell.group not in groups:
                continue
            its = workspace.plane_in(cell.pane_id)
            if (other.key, its) in done:
                continue
            done.add((other.key, its))
            camera = other.view.cameras[its].zoomed(factor)
            other.view.set_camera(its, camera.panned(-by[0], -by[1]) if links.pan else camera)
            self._cameras[other.key] = other.view.cameras

    def _window_listener(self, case: OpenCase) -> Listener:
        def on_window(window: object) -> None:
            if self._busy or not self._workspace.bench.links.window or not isinstance(window, Window):
                return
            self._busy = True
            try:
                for other in self._partners(case):
                    mine, its = case.volume, other.volume
                    if not its.colour and (mine.modality, mine.unit) == (its.modality, its.unit):
                        other.view.window = window
            finally:
                self._busy = False

        return on_window


def same_place(one: OpenCase, other: OpenCase) -> bool:
    """Whether two cases state the same frame of reference and have millimetres in it."""
    mine, its = one.volume.geometry, other.volume.geometry
    stated = mine.frame_of_reference_uid != "" and mine.frame_of_reference_uid == its.frame_of_reference_uid
    return stated and _calibrated(one) and _calibrated(other)


def _calibrated(case: OpenCase) -> bool:
    return case.volume.geometry.calibration is Calibration.VOLUME


def _look_at(case: OpenCase, index_kji: npt.NDArray[np.float64]) -> None:
    case.view.look_at(index_kji, case.volume.geometry.shape_kji)
