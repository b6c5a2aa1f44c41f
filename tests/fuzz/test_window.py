"""Mutated and hostile files through the real window: it lives, answers, says what is damaged, and keeps its memory."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.study import ScanResult, Verdict
from medview.gui.app import Program
from medview.io.reader_pool import FILE_TIMEOUT_S
from medview.workspace.open_case import case_key
from tests.fuzz.folders import COUNT, LARGEST_OPENED_BYTES, SEED, mutated_folders, seeds
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.timing import allowed_s

pytestmark = [pytest.mark.data, pytest.mark.timeout(300 + 2 * COUNT)]

FILES = int(os.environ.get("MEDVIEW_FUZZ_WINDOW_COUNT", str(COUNT)))
"""A long search may let the window open fewer: every picture is drawn."""
MOST_WORK_S = 0.25
"""Longest the event loop may work without a break."""
MOST_GAP_S = 1.0
"""Longest it may stand still, other programs of a busy computer included."""
MOST_GROWTH_BYTES = 500 << 20
KILLS = int(os.environ.get("MEDVIEW_KILLS", "8"))
PATIENCE_MS = 120_000


class Heartbeat:
    """The longest the event loop stood still, and the longest it worked without a break."""

    def __init__(self) -> None:
        self.gap_s = self.work_s = 0.0
        self._last, self._last_work = time.monotonic(), time.thread_time()
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now, work = time.monotonic(), time.thread_time()
        self.gap_s = max(self.gap_s, now - self._last)
        self.work_s = max(self.work_s, work - self._last_work)
        self._last, self._last_work = now, work

    def stop(self) -> None:
        self._timer.stop()


class Visitor:
    """Opens places and everything in them through the window, as a person would."""

    def __init__(self, program: Program, qtbot: QtBot) -> None:
        self.program, self._qtbot = program, qtbot
        self.workspace = program.workspace
        self.said: list[str] = []
        self.opened = 0
        self.longest_s = 0.0
        self.workspace.message.connect(lambda message: self.said.append(message.text))

    def visit(self, place: Path) -> ScanResult | None:
        """Open a place and then each of its series, one after the other; the scan, if anything was found."""
        self.program.window.files.open(place)
        self.wait()
        found = self.workspace.scans.get(str(place))
        for series in found.series if found is not None else ():
            for entry in series.volumes:
                if entry.verdict is Verdict.REFUSED or entry.size_bytes > LARGEST_OPENED_BYTES:
                    continue
                began = time.monotonic()
                self.program.window.files.open_series(series, entry)
                self.wait()
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.opened += 1
                key = case_key(series, entry)
                if key in self.workspace.cases:
                    assert self.workspace.cases[key].load.complete
                    self.workspace.close_case(key)
        return found

    def wait(self) -> None:
        """Let the window work until no job is left."""
        self._qtbot.waitUntil(lambda: not self.program.threads.jobs, timeout=PATIENCE_MS)


def resident_bytes() -> int:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, qapp: QApplication) -> Iterator[Program]:
    monkeypatch.setenv("MEDVIEW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text(json.dumps({"notice_seen": True}), encoding="utf-8")
    style = qapp.styleSheet()
    made = Program(qapp)
    qtbot.addWidget(made.window)
    made.show()
    made.begin([], demo=False)
    yield made
    made.window.close()
    made.close()
    qapp.setStyleSheet(style)


def alive(visitor: Visitor, place: Path) -> None:
    """An honest study opens whole and is shown."""
    voxels = asymmetric((60, 10, 13))
    write_ct(place, voxels)
    visitor.program.window.files.open(place)
    visitor.wait()
    case = visitor.workspace.active
    assert case is not None
    assert case.load.complete
    assert not case.load.damaged
    assert (case.volume.voxels == voxels).all()
    assert visitor.program.window.isVisible()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell the memory of a process")
def test_the_window_survives_mutated_files_answers_all_the_time_and_keeps_its_memory(
    program: Program, qtbot: QtBot, test_data: Path, tmp_path: Path
) -> None:
    visitor = Visitor(program, qtbot)
    alive(visitor, tmp_path / "first")
    before = resident_bytes()
    heart = Heartbeat()
    damaged = 0
    for folder, _ in mutated_folders(seeds(test_data), tmp_path, FILES, SEED):
        found = visitor.visit(folder)
        if found is not None:
            damaged += len(found.damaged)
            assert all(one.reason and "\n" not in one.reason for one in found.damaged)
    heart.stop()
    assert visitor.opened > FILES // 20
    assert damaged > FILES // 20
    assert visitor.longest_s < FILE_TIMEOUT_S
    assert all(text and "\n" not in text and "unexpectedly" not in text for text in visitor.said)
    assert heart.work_s < allowed_s(MOST_WORK_S)
    assert heart.gap_s < allowed_s(MOST_GAP_S)
    assert resident_bytes() - before < MOST_GROWTH_BYTES
    alive(visitor, tmp_path / "last")


def test_the_window_survives_every_hostile_file(program: Program, qtbot: QtBot, test_data: Path, tmp_path: Path) -> None:
    visitor = Visitor(program, qtbot)
    found = visitor.visit(test_data / "hostile")
    assert found is not None
    assert {Path(one.path).name for one in found.damaged} >= {"bomb.dcm", "nest200.dcm", "nest20000.dcm"}
    assert visitor.opened > 10
    assert all("unexpectedly" not in text and "\n" not in text for text in visitor.said)
    alive(visitor, tmp_path / "honest")


def test_readers_killed_at_random_cost_the_window_single_slices_and_the_next_opening_is_whole(
    program: Program, qtbot: QtBot, tmp_path: Path
) -> None:
    voxels = asymmetric((60, 10, 13))
    write_ct(tmp_path / "study", voxels)
    visitor = Visitor(program, qtbot)
    dice = random.Random(SEED)
    killed = marked = 0

    def kill_one() -> None:
        nonlocal killed
        readers = [p.pid for p in multiprocessing.active_children() if p.name == "medview-reader" and p.pid is not None]
        if readers and killed < KILLS and dice.random() < 0.3:
            os.kill(dice.choice(readers), signal.SIGKILL)
            killed += 1

    visitor.workspace.load_changed.connect(kill_one)
    while killed < KILLS:
        program.window.files.open(tmp_path / "study")
        visitor.wait()
        case = visitor.workspace.active
        if case is None:
            # Killed while the headers were read: said in a sentence, and the folder can be opened again.
            assert visitor.said
            continue
        assert case.load.complete
        whole = [k for k in range(60) if k not in case.load.damaged]
        assert (case.volume.voxels[whole] == voxels[whole]).all()
        assert all("\n" not in case.load.reasons[k] for k in case.load.damaged)
        marked += len(case.load.damaged)
        visitor.workspace.close_case(case.key)
    visitor.workspace.load_changed.disconnect(kill_one)
    assert marked <= killed
    alive(visitor, tmp_path / "study")
