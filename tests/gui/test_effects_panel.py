"""Effects in the side column and on the pictures, by mouse and keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QComboBox, QDoubleSpinBox
from pytestqt.qtbot import QtBot

from medview.core.box import Box
from medview.core.changes import Command
from medview.core.label_patch import LabelPatch
from medview.core.plane import Plane
from medview.core.segmentation import Segment
from medview.edit.effects.table import EFFECTS
from medview.gui.drawing.label_raster import OUTLINE_PX
from medview.gui.main_window import MainWindow
from medview.gui.panes.pane_frames import PaneFrames
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, pane_of, pixels, screen_position
from tests.gui.windows import bare_workspace
from tests.helpers.strokes import stroke_patch


@pytest.fixture
def case() -> OpenCase:
    return make_case()


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.add_case(case)
    made.bench.mode = Mode.ANNOTATE
    return made


def drawn(case: OpenCase, box: Box, name: str) -> Segment:
    segment = labels.add_segment(case, name)
    assert segment is not None
    layer = case.labels.segmentation.layer(segment.layer_id)
    after = layer.voxels[box.slices].copy()
    after[...] = segment.value
    patch = LabelPatch.between(layer, box, after)
    assert patch is not None
    case.do(Command("Brush", (patch,)))
    return segment


def settle() -> None:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


def press(qtbot: QtBot, window: MainWindow, name: str) -> None:
    settle()
    button = window.side.effects.findChild(QAbstractButton, f"button effect.{name}")
    assert isinstance(button, QAbstractButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    settle()


def test_every_effect_has_a_button_that_says_what_it_does_and_shows_its_settings(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    drawn(case, Box((1, 5, 5), (4, 20, 15)), "Liver")
    panel = window.side.effects
    assert list(panel.buttons) == [one.effect_id for one in EFFECTS]
    assert panel.settings is None
    for one in EFFECTS:
        assert panel.buttons[one.effect_id].toolTip().startswith(one.tip)
        press(qtbot, window, one.effect_id)
        assert panel.settings is not None
        assert list(panel.settings.rows) == [setting.key for setting in one.settings]
        assert [key for key, button in panel.buttons.items() if button.isChecked()] == [one.effect_id]
    press(qtbot, window, EFFECTS[-1].effect_id)
    assert panel.settings is None
    assert workspace.bench.effect.effect_id == ""


def test_a_margin_is_set_looked_at_and_applied_with_volumes_before_and_after(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    segment = drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    panel = window.side.effects
    press(qtbot, window, "margin")
    box = panel.findChild(QDoubleSpinBox, "effect margin_mm")
    assert isinstance(box, QDoubleSpinBox)
    assert box.text() == "2.0 mm"
    box.setValue(4.0)
    settle()
    voxel_ml = case.volume.geometry.voxel_volume_mm3 / 1000
    candidate = window.workspace.bench.effect.candidate
    assert candidate is not None
    after = candidate.amounts[0].after
    assert after > 120
    assert "Ctrl+Return" in panel.apply.toolTip()
    window.workspace.bench.effect = replace(window.workspace.bench.effect, seconds=1.26)
    assert "Worked out in 1.3 s." in panel.note.text()
    window.workspace.bench.effect = replace(window.workspace.bench.effect, seconds=0.01)
    assert "Worked out" not in panel.note.text()
    assert panel.amounts.text() == f"Liver: {120 * voxel_ml:.2f} → {after * voxel_ml:.2f} mL"
    qtbot.keyClick(window, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert case.labels.segmentation.count(segment) == after
    assert case.history.names[-1] == "Margin: Liver"
    assert panel.settings is None


def test_what_cannot_be_worked_out_now_cannot_be_asked_for(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    segment = labels.add_segment(case, "Liver")
    assert segment is not None
    panel = window.side.effects
    press(qtbot, window, "islands")
    assert panel.note.text() == "Liver holds no voxels yet; draw it first."
    assert not panel.apply.isEnabled()
    assert not panel.preview.isEnabled()
    assert panel.cancel.isEnabled()
    patch = stroke_patch(case.labels.segmentation, segment, (2, 10, 10), (2, 10, 10), radius_mm=3.0)
    assert patch is not None
    case.do(Command("Brush", (patch,)))
    assert panel.apply.isEnabled()
    assert panel.preview.isEnabled()


def test_settings_that_mean_nothing_now_are_not_shown(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    panel = window.side.effects
    press(qtbot, window, "smooth")
    way = panel.findChild(QComboBox, "effect way")
    assert isinstance(way, QComboBox)
    assert panel.settings is not None
    for number in range(way.count()):
        way.setCurrentIndex(number)
        way.activated.emit(number)
        settle()
        shown = {key for key, row in panel.settings.rows.items() if row.control.isVisible()}
        assert shown == {"way", "sigma_mm" if way.itemData(number) in ("gaussian", "joint") else "kernel_mm"}


def test_another_segment_is_chosen_by_name_and_the_active_one_is_not_offered(
    qtbot: QtBot, window: MainWindow, case: OpenCase
) -> None:
    drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    drawn(case, Box((2, 15, 8), (4, 25, 14)), "Vessel")
    panel = window.side.effects
    press(qtbot, window, "logic")
    assert "another segment" in panel.note.text()
    other = panel.findChild(QComboBox, "effect other")
    assert isinstance(other, QComboBox)
    assert [other.itemText(n) for n in range(other.count())] == ["Choose one", "Liver"]
    other.setCurrentIndex(1)
    other.activated.emit(1)
    settle()
    assert "another segment" not in panel.note.text()
    assert "Vessel" in panel.amounts.text()


def test_escape_in_the_panel_on_a_picture_and_anywhere_drops_the_effect(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    panel = window.side.effects
    for target in (panel.buttons["margin"], window.panes.panes["axial"], window):
        press(qtbot, window, "margin")
        assert workspace.bench.effect.candidate is not None
        qtbot.keyClick(target, Qt.Key.Key_Escape)
        assert workspace.bench.effect.effect_id == ""
        assert panel.settings is None


def test_a_threshold_follows_the_fields_and_replaces_or_adds(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    segment = drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    panel = window.side.effects
    press(qtbot, window, "threshold")
    assert panel.settings is not None
    fields = panel.settings.rows["range"].fields  # type: ignore[attr-defined]
    # Otsu's limit lies halfway between the one bright voxel and all others.
    assert (fields.low.value(), fields.high.value()) == (0, 1000)
    replaces = panel.findChild(QCheckBox, "effect replace")
    assert isinstance(replaces, QCheckBox)
    replaces.setChecked(False)
    fields.low.setValue(999)
    press(qtbot, window, "apply")
    assert case.labels.segmentation.count(segment) == 2 * 10 * 6 + 1


def test_a_read_only_case_offers_no_effects(window: MainWindow, workspace: Workspace, case: OpenCase) -> None:
    drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    case.read_only = "Another window is writing these labels."
    case.load_changed.emit()
    settle()
    assert not any(button.isEnabled() for button in window.side.effects.buttons.values())
    assert not window.actions_table["effect.margin"].isEnabled()


@pytest.mark.parametrize("plane", Plane)
def test_a_candidate_is_dashed_and_hatched_on_every_plane_and_on_films(qtbot: QtBot, case: OpenCase, plane: Plane) -> None:
    drawn(case, Box((1, 5, 5), (2, 6, 6)), "Far")
    segment = drawn(case, Box((0, 20, 4), (7, 36, 20)), "Liver")
    for axis, at in enumerate((3, 28, 12)):
        case.view.set_slice(axis, at)
    pane = pane_of(qtbot, case, plane)
    workspace = pane._workspace
    plain = pixels(pane)
    segment_ops.set_visible(case, [segment.segment_id], visible=False)
    bare = pixels(pane)
    workspace.effects.open("margin")
    settle()
    shown = pixels(pane)
    k, j, i = (3, 28, 12)
    x, y, _, _ = screen_position(plane, (k, j, i))
    around = np.s_[int(y) - 15 : int(y) + 15, int(x) - 15 : int(x) + 15]
    # Hatches, not an even fill: some pixels in full colour, most of them not; crossing both ways.
    hatched = np.all(shown[around] == segment.colour, axis=-1)
    assert 0.1 < hatched.mean() < 0.5
    assert not np.all(plain[around] == segment.colour, axis=-1).any()
    assert any("not applied" in text for text in pane.shown_text())
    frames = PaneFrames(case, workspace.bench, plane.value, (480, 480))
    film = frames.draw(case.slice_plane(plane), case.position_on(case.slice_plane(plane)))
    assert np.all(film == segment.colour, axis=-1).sum() > 20 * OUTLINE_PX
    workspace.effects.close()
    settle()
    assert np.array_equal(pixels(pane), bare)


def test_an_effect_opened_by_search_is_scrolled_to(
    qtbot: QtBot, window: MainWindow, workspace: Workspace, case: OpenCase
) -> None:
    drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    settle()
    window.side.sections["effects"].set_open(open_=False)
    window.side.verticalScrollBar().setValue(0)
    window.actions_table.run("effect.islands")
    settle()
    panel = window.side.effects
    assert panel.isVisible()
    for button in (panel.apply, panel.buttons["islands"]):
        assert not button.visibleRegion().isEmpty()


def test_no_name_of_an_effect_is_cut_beside_the_scroll_bar(window: MainWindow) -> None:
    settle()
    for button in window.side.effects.buttons.values():
        needed = button.fontMetrics().horizontalAdvance(button.text()) + button.iconSize().width()
        assert needed + 8 <= 86, button.text()


def test_the_hint_says_that_a_click_means_a_place(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    drawn(case, Box((2, 10, 8), (4, 20, 14)), "Liver")
    press(qtbot, window, "islands")
    window.message.clear()
    assert "which place" not in window.message.label.text()
    window.workspace.effects.change("way", "own")
    assert "Left: say which place the effect is about" in window.message.label.text()
    window.workspace.effects.close()
    assert "which place" not in window.message.label.text()


def test_the_menu_of_segments_opens_one_with_every_effect(window: MainWindow) -> None:
    segments = next(a.menu() for a in window.top.menus.actions() if a.text() == "Segments")
    effects = next(a.menu() for a in segments.actions() if a.text() == "Effects")
    titles = [a.text() for a in effects.actions()]
    assert titles[: len(EFFECTS)] == [one.title for one in EFFECTS]
    assert "Apply the effect" in titles
