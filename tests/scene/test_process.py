"""How the process starts, ends and fails."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from medview.core.job import Inline
from medview.scene.grid import Grid
from medview.scene.messages import Look, Picked, Picture, Ready, SetVolume, Unavailable
from medview.scene.prepare import small_volume
from tests.scene.drawing import FRONT, SIZE_PX, Drawing, ball_volume, show_ball, turned_affine

NO_DRIVERS = {
    "__EGL_VENDOR_LIBRARY_DIRS": "/nonexistent",
    "__GLX_VENDOR_LIBRARY_NAME": "nonexistent",
    "LIBGL_DRIVERS_PATH": "/nonexistent",
}
"""A computer on which neither the screen nor EGL offers a context."""


def hide_drivers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NO_DRIVERS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def test_the_process_says_when_it_is_ready_and_what_draws(drawing: Drawing) -> None:
    assert drawing.ready().drawn_by


def test_before_there_is_a_volume_the_picture_is_black(drawing: Drawing) -> None:
    assert not drawing.look().any()


def test_of_many_looks_only_the_last_is_sure_to_be_drawn(drawing: Drawing) -> None:
    show_ball(drawing, small_volume(ball_volume(turned_affine((2.5, 0.9, 0.7))), Inline()))
    for serial in range(1, 201):
        drawing.client.send(Look(serial, FRONT.turned(serial, 0.0), SIZE_PX))
    drawn = []
    while not drawn or drawn[-1] < 200:
        answer = drawing.answer()
        assert isinstance(answer, Ready | Picture)
        if isinstance(answer, Picture):
            drawn.append(answer.look.serial)
    assert drawn == sorted(drawn)
    assert len(drawn) < 100


def test_a_question_during_a_fine_picture_is_answered_and_the_picture_still_comes(drawing: Drawing) -> None:
    show_ball(drawing, small_volume(ball_volume(turned_affine((2.5, 0.9, 0.7))), Inline()))
    drawing.look()
    drawing.client.send(Look(77, FRONT, (1600, 1200)))
    assert isinstance(drawing.pick(FRONT, 1.0, 1.0), Picked)
    picture = drawing.next(Picture)
    assert isinstance(picture, Picture)
    assert picture.look.serial == 77


def test_stopping_leaves_no_process_and_no_thread(drawing: Drawing) -> None:
    drawing.look()
    pid = drawing.client.pid
    assert pid is not None
    drawing.end()
    assert not Path(f"/proc/{pid}").exists()
    assert not [p for p in multiprocessing.active_children() if p.name == "medview-scene"]
    assert not [t for t in threading.enumerate() if t.name.startswith("medview-scene")]


def test_stopping_at_once_leaves_no_process_either() -> None:
    drawing = Drawing()
    drawing.end()
    assert not [p for p in multiprocessing.active_children() if p.name == "medview-scene"]


def test_a_killed_process_is_reported_in_one_sentence_and_once(drawing: Drawing) -> None:
    drawing.look()
    pid = drawing.client.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    answer = drawing.answer()
    assert isinstance(answer, Unavailable)
    assert answer.sentence == "The 3-D view has stopped: the process that draws it has ended. Everything else works."
    assert "-9" in answer.detail
    drawing.client.send(Look(1, FRONT, SIZE_PX))
    drawing.end()
    assert drawing.answers.empty()


def test_without_a_graphics_driver_the_process_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_drivers(monkeypatch)
    drawing = Drawing()
    answer = drawing.answer()
    drawing.end()
    assert isinstance(answer, Unavailable)
    assert answer.sentence.startswith("3-D needs OpenGL: no graphics driver")
    assert not answer.crashed


def test_stopping_in_the_middle_of_a_large_volume_ends_quietly() -> None:
    grid = Grid(np.zeros((160, 160, 160), np.int16), np.eye(4)[[2, 1, 0, 3]])
    for started in (False, True):
        drawing = Drawing()
        drawing.show(*(SetVolume(grid) for _ in range(4)))
        if started:
            drawing.ready()
        drawing.end()
    assert drawing.answers.empty()
