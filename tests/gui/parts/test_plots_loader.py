"""What draws curves is loaded on the window's thread, in steps that a hand does not feel."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

import medview.gui
from medview.gui.parts import plots_loader
from medview.gui.parts.plots_loader import STEP_S, PlotsLoader


def test_the_library_is_brought_by_one_module_alone_which_keeps_the_hook_for_errors() -> None:
    sources = Path(medview.gui.__file__).parent.rglob("*.py")
    lines = ((file.name, line) for file in sources for line in file.read_text().splitlines())
    assert [name for name, line in lines if re.match(r"\s*(import|from) pyqtgraph", line)] == []


def test_the_module_comes_on_the_windows_thread(qtbot: QtBot) -> None:
    got: list[tuple[ModuleType, threading.Thread]] = []
    parent = QObject()
    PlotsLoader("medview.gui.parts.histogram_plot", lambda module: got.append((module, threading.current_thread())), parent)
    assert not got
    qtbot.waitUntil(lambda: bool(got))
    ((module, thread),) = got
    assert module.HistogramPlot
    assert thread is threading.main_thread()


def test_names_are_looked_at_a_few_milliseconds_at_a_time(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = 0.0
    per_step = [0]

    def one_a_millisecond() -> Iterator[str]:
        nonlocal clock_s
        for n in range(60):
            clock_s += 0.001
            per_step[-1] += 1
            yield str(n)

    step = PlotsLoader._step

    def counted(loader: PlotsLoader) -> None:
        per_step.append(0)
        step(loader)

    monkeypatch.setattr(plots_loader, "_looked_at", one_a_millisecond)
    monkeypatch.setattr(plots_loader, "perf_counter", lambda: clock_s)
    monkeypatch.setattr(PlotsLoader, "_step", counted)
    got: list[ModuleType] = []
    parent = QObject()
    PlotsLoader("json", got.append, parent)
    qtbot.waitUntil(lambda: bool(got))
    assert sum(per_step) == 60
    assert max(per_step) <= STEP_S / 0.001 + 1


def test_a_panel_that_is_gone_gets_nothing(qtbot: QtBot) -> None:
    got: list[ModuleType] = []
    parent, other = QObject(), QObject()
    PlotsLoader("json", got.append, parent)
    with qtbot.waitSignal(parent.destroyed):
        parent.deleteLater()
    later: list[ModuleType] = []
    PlotsLoader("json", later.append, other)
    qtbot.waitUntil(lambda: bool(later))
    assert not got
