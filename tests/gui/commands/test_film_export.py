"""The stack of a pane as a film: what the pane shows at each slice, while the pane stays where it is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from medview.core.axes import Axes
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.slab import Slab, SlabMode
from medview.core.window import Window
from medview.gui.commands import film_export
from medview.gui.jobs.job_thread import JobThreads
from medview.gui.layers.slice_strip import WIDTH_PX
from medview.gui.main_window import MainWindow
from medview.gui.panes.pane_frames import PaneFrames
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Camera
from medview.workspace.workspace import Workspace
from tests.gui.cases import LABELLED_KJI, SEGMENT, add_segment, label_voxel, make_case, pixels
from tests.gui.windows import bare_workspace


@pytest.fixture
def workspace(tmp_path: Path, threads: JobThreads) -> Workspace:
    workspace = bare_workspace(tmp_path, threads)
    case = make_case(voxels=np.random.default_rng(0).integers(-900, 900, (7, 40, 24)).astype(np.int16))
    case.series = replace(case.series, patient_name="Doe^Jane", patient_id="MRN-77")
    workspace.add_case(case)
    return workspace


@pytest.fixture
def case(workspace: Workspace) -> OpenCase:
    assert workspace.active is not None
    return workspace.active


def read(path: Path) -> tuple[list[npt.NDArray[np.uint8]], list[float]]:
    with Image.open(path) as film:
        shown, durations_ms = [], []
        for n in range(getattr(film, "n_frames", 1)):
            film.seek(n)
            shown.append(np.array(film.convert("RGB")))
            shown[-1][:, -WIDTH_PX - 1 :] = 0
            durations_ms.append(float(film.info["duration"]))
    return shown, durations_ms


def film(
    qtbot: QtBot, window: MainWindow, path: Path, monkeypatch: pytest.MonkeyPatch, plane: Plane
) -> tuple[list[npt.NDArray[np.uint8]], list[float]]:
    """Save the stack of a plane through its action and wait for the file."""
    window.workspace.bench.pointed = plane.value
    monkeypatch.setattr(film_export, "ask_new_file", lambda *_: path)
    window.actions_table.run(f"film.{path.suffix.removeprefix('.')}")
    qtbot.waitUntil(path.exists, timeout=20_000)
    qtbot.waitUntil(lambda: window.message.label.text().startswith(f"Wrote {path.name}"))
    return read(path)


def slice_by_slice(window: MainWindow, case: OpenCase, plane: Plane) -> list[npt.NDArray[np.uint8]]:
    """What the pane itself shows from slice to slice as cine goes, without the frame of the pane under the pointer."""
    window.workspace.bench.pointed = next(other.value for other in Plane if other is not plane)
    layout = case.layouts()[plane]
    shown = []
    for index in range(layout.count(case.volume.geometry)):
        case.view.set_slice(layout.normal_axis, index)
        picture = pixels(window.panes.panes[plane.value])
        # The strip of slices tells about the work, not about the patient, and is left out of films.
        picture[:, -WIDTH_PX - 1 :] = 0
        shown.append(picture)
    return shown[::-1] if layout.normal_flip else shown


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.CORONAL])
def test_every_frame_of_an_animated_png_is_the_picture_of_its_slice(
    qtbot: QtBot, window: MainWindow, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plane: Plane
) -> None:
    add_segment(case)
    label_voxel(case, SEGMENT, LABELLED_KJI)
    case.view.window = Window(100, 900)
    case.view.set_camera(plane, Camera((2.0, -3.0), 1.4))
    window.workspace.bench.slab = Slab(SlabMode.MAXIMUM, 8.0)
    window.workspace.bench.cine_rate_hz = 12.0
    before = case.view.crosshair_kji
    saved, durations_ms = film(qtbot, window, tmp_path / "a.png", monkeypatch, plane)
    assert case.view.crosshair_kji == before
    shown = slice_by_slice(window, case, plane)
    assert len(saved) == len(shown) > 5
    for mine, theirs in zip(shown, saved, strict=True):
        np.testing.assert_array_equal(theirs, mine)
    assert any(not np.array_equal(a, b) for a, b in pairwise(saved))
    assert durations_ms == pytest.approx([1000 / 12] * len(saved))


def test_a_gif_has_all_slices_at_the_true_rate_in_nearly_the_same_colours(
    qtbot: QtBot, window: MainWindow, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.workspace.bench.cine_rate_hz = 15.0
    saved, durations_ms = film(qtbot, window, tmp_path / "a.gif", monkeypatch, Plane.AXIAL)
    shown = slice_by_slice(window, case, Plane.AXIAL)
    assert len(saved) == len(shown)
    for mine, theirs in zip(shown, saved, strict=True):
        assert np.abs(mine.astype(int) - theirs).mean() < 2.0
    assert sum(durations_ms) == pytest.approx(1000 * len(saved) / 15.0, abs=10)


def test_the_identity_is_hidden_in_a_film_when_it_is_hidden_on_the_screen(
    qtbot: QtBot, window: MainWindow, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.workspace.bench.cine_rate_hz = 10.0
    named, _ = film(qtbot, window, tmp_path / "a.png", monkeypatch, Plane.SAGITTAL)
    assert "identity" in window.message.label.text()
    window.workspace.bench.identity_hidden = True
    window.workspace.bench.pointed = "sagittal"
    path = tmp_path / "b.png"
    monkeypatch.setattr(film_export, "ask_new_file", lambda *_: path)
    window.actions_table.run("film.png")
    qtbot.waitUntil(path.exists, timeout=20_000)
    qtbot.waitUntil(lambda: window.message.label.text() == "Wrote the file.")
    hidden, _ = read(path)
    np.testing.assert_array_equal(hidden, slice_by_slice(window, case, Plane.SAGITTAL))
    assert not np.array_equal(named[0], hidden[0])


def test_hiding_the_identity_meanwhile_stops_a_film_that_shows_it(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: JobThreads
) -> None:
    path = tmp_path / "a.png"
    monkeypatch.setattr(film_export, "ask_new_file", lambda *_: path)
    window.actions_table.run("film.png")
    assert [job.title for job in threads.jobs] == ["Writing the film"]
    window.workspace.bench.identity_hidden = True
    qtbot.waitUntil(lambda: not threads.jobs)
    # A job cancelled before it was known to run is off the list at once; its thread looks up a moment later.
    qtbot.waitUntil(lambda: not list(tmp_path.glob(".medview-*")))
    assert not path.exists()


def test_cancelling_leaves_what_stood_there(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: JobThreads
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"before")
    monkeypatch.setattr(film_export, "ask_new_file", lambda *_: path)
    window.actions_table.run("film.png")
    (job,) = threads.jobs
    qtbot.waitUntil(lambda: job.fraction > 0)
    job.cancel()
    qtbot.waitUntil(lambda: not threads.jobs)
    qtbot.waitUntil(lambda: not list(tmp_path.glob(".medview-*")))
    assert path.read_bytes() == b"before"


def test_a_folder_that_is_gone_is_one_sentence_and_drawing_stops(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: JobThreads
) -> None:
    monkeypatch.setattr(film_export, "ask_new_file", lambda *_: tmp_path / "gone" / "a.png")
    window.actions_table.run("film.png")
    qtbot.waitUntil(lambda: "gone" in window.message.label.text())
    assert not threads.jobs


def test_one_slice_is_no_film(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_export, "begin", lambda *_: None)
    window.actions_table.run("film.png")
    assert window.message.label.text() == "There is one slice; save the picture instead."


def test_the_person_may_go_on_reading_while_frames_are_drawn(window: MainWindow, case: OpenCase) -> None:
    frames = PaneFrames(case, window.workspace.bench, "axial", (300, 200))
    layout = case.slice_plane(Plane.AXIAL)
    before = frames.draw(layout, 3)
    case.view.window = Window(0, 50)
    case.view.set_camera(Plane.AXIAL, Camera((0.0, 0.0), 5.0))
    window.workspace.bench.identity_hidden = True
    np.testing.assert_array_equal(frames.draw(layout, 3), before)
    assert before.shape == (200, 300, 3)
    fine = PaneFrames(case, window.workspace.bench, "axial", (300, 200), 2.0)
    assert fine.draw(layout, 3).shape == (400, 600, 3)


def test_a_plane_at_an_angle_is_filmed_from_one_end_of_the_volume_to_the_other(
    qtbot: QtBot, window: MainWindow, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.view.axes = Axes.of_grid(case.volume.geometry).turned((1.0, 0.5, 0.0), 0.3)
    layout = case.slice_plane(Plane.AXIAL)
    assert isinstance(layout, ObliquePlane)
    window.workspace.bench.cine_rate_hz = 10.0
    saved, _ = film(qtbot, window, tmp_path / "a.png", monkeypatch, Plane.AXIAL)
    assert len(saved) == layout.count(case.volume.geometry)
    window.workspace.bench.pointed = "coronal"
    middle = case.volume.geometry.index_kji(layout.middle_lps_mm)
    case.view.look_at(middle, case.volume.geometry.shape_kji)
    assert case.position_on(layout) == 0
    shown = pixels(window.panes.panes["axial"])
    # The crosshair stood elsewhere when the film was made.
    differs = (saved[layout.half_steps] != shown).any(axis=2).mean()
    assert differs < 0.03
