"""Turns the slices of the pointed pane, or time, while cine is on."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Qt, QTimer

from medview.core.language import _
from medview.gui.parts.bind import Subscriptions, field_signal
from medview.workspace.cine import Cine, begin, rate_of
from medview.workspace.open_case import OpenCase
from medview.workspace.workspace import Workspace


class CinePlayer(QObject):
    """Follows ``bench.cine_on``, ``cine_rate_hz`` and ``cine_in_time``; stops when the case changes or a hand moves it."""

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run: Cine | None = None
        self._case: OpenCase | None = None
        self._shown = -1
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turn)
        heard = Subscriptions(self)
        heard.add(field_signal(workspace.bench, "cine_on"), self._on_switch)
        heard.add(field_signal(workspace.bench, "cine_rate_hz"), self._on_rate)
        heard.add(field_signal(workspace.bench, "cine_in_time"), self._on_rate)
        heard.add(workspace.active_changed, self._on_active)
        self._on_active()

    def _on_active(self) -> None:
        bench, case = self._workspace.bench, self._workspace.active
        bench.cine_on = False
        if case is not None:
            bench.cine_rate_hz = rate_of(case)

    def _on_switch(self, on: bool) -> None:
        self._timer.stop()
        self._run = self._case = None
        case, bench = self._workspace.looked_at, self._workspace.bench
        if not on:
            return
        self._case = case
        if case is not None:
            plane, now_s = self._workspace.plane_in(bench.pointed), time.perf_counter()
            self._run = begin(case, plane, bench.cine_rate_hz, now_s, in_time=bench.cine_in_time)
        if case is None or self._run is None:
            in_time = case is not None and bench.cine_in_time and case.entry.time_points > 1
            self._workspace.say(
                _("The other time points are not read; nothing can be played.")
                if in_time
                else _("There is one slice; nothing can be played.")
            )
            bench.cine_on = False
            return
        self._shown = self._run.stands(case)
        self._wait()

    def _on_rate(self, _value: object) -> None:
        if self._run is not None:
            self._on_switch(True)

    def _turn(self) -> None:
        case, run = self._case, self._run
        if case is None or run is None:
            return
        if run.stands(case) != self._shown:
            # Somebody took the wheel.
            self._workspace.bench.cine_on = False
            return
        run.show(case, run.slice_at(time.perf_counter()))
        self._shown = run.stands(case)
        if run.plane is None and run.count != len(case.times):
            # More of them were read meanwhile.
            self._on_switch(True)
            return
        self._wait()

    def _wait(self) -> None:
        if self._run is not None:
            self._timer.start(max(1, round(self._run.next_s(time.perf_counter()) * 1000)))
