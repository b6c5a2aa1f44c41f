"""The parts of the side column, clicked like a person would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from medview.analysis.proposed_pieces import find_pieces
from medview.core.annotations import BoxAnnotation
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.core.study import Reason, Verdict
from medview.core.volume import Rescale
from medview.core.window import Window
from medview.gui.main_window import MainWindow
from medview.gui.options.brush import BrushOptions
from medview.gui.panels.proposals import target_kji
from medview.gui.parts.box_list import BoxList
from medview.gui.parts.message_line import mouse_hint
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.view_state import Mode, Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import add_pack, bare_workspace

MODEL = Source(SourceKind.MODEL, "two-organs", "1.2.0", "ab", "job-1")


@pytest.fixture
def case() -> OpenCase:
    made = make_case()
    made.volume = replace(made.volume, rescale=Rescale(1.0, 0.0), windows=(Window(10, 20, name="Own"),))
    return made


@pytest.fixture
def workspace(tmp_path: Path, case: OpenCase) -> Workspace:
    made = bare_workspace(tmp_path)
    made.add_case(case)
    return made


def texts(widget: QWidget) -> str:
    settle()
    return " | ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def settle() -> None:
    """Let Qt lay out what is new and drop what is gone."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()


def click(qtbot: QtBot, widget: QWidget | None) -> None:
    settle()
    assert widget is not None
    assert widget.isVisible()
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def tool_button(within: QWidget, name: str) -> QToolButton:
    settle()
    found = within.findChild(QToolButton, name)
    assert isinstance(found, QToolButton)
    return found


def push_button(within: QWidget, name: str) -> QPushButton:
    settle()
    found = within.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def organs(case: OpenCase) -> Proposal:
    voxels = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    voxels[2:5, 10:20, 4:9] = 1
    voxels[5, 30:33, 12:20] = 2
    mask = PredictedMask.trimmed(
        voxels, (PredictedSegment(1, "Liver", (86, 180, 233)), PredictedSegment(2, "Spleen", (230, 159, 0)))
    )
    prediction = Prediction(
        "segmentation", "Two organs", MODEL, case.volume.geometry, case.key, mask=mask, notice="Trained on phantoms."
    )
    return Proposal("p1", prediction, case.labels.revision)


def many_organs(case: OpenCase, count: int) -> Proposal:
    voxels = np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8)
    voxels.ravel()[: 5 * count] = np.repeat(np.arange(1, count + 1, dtype=np.uint8), 5)
    segments = tuple(PredictedSegment(n, f"Organ {n}", (86, 180, n)) for n in range(1, count + 1))
    mask = PredictedMask.trimmed(voxels, segments)
    prediction = Prediction("segmentation", "Many organs", MODEL, case.volume.geometry, case.key, mask=mask)
    return Proposal("p1", prediction, case.labels.revision)


def nodules(case: OpenCase) -> Proposal:
    source = replace(MODEL, model_id="nodules", job_id="job-2")
    boxes = tuple(
        BoxAnnotation.on_grid(f"b{n}", "Nodule", case.volume.geometry, (1, 10 * n, 2), (3, 10 * n + 4, 8), score, source)
        for n, score in ((1, 0.4), (2, 0.9))
    )
    scores = {"Nodule present": 0.93}
    prediction = Prediction("detection", "Nodules", source, case.volume.geometry, case.key, boxes=boxes, scores=scores)
    return Proposal("p2", prediction, case.labels.revision)


# ---------------------------------------------------------------------------------------- window


def test_a_preset_button_sets_the_window_and_the_numbers_show_it(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    click(qtbot, push_button(window.side, "preset Lung"))
    assert (case.view.window.center, case.view.window.width) == (-600, 1500)
    panel = window.side.window_part
    assert (panel.center.value(), panel.window_width.value()) == (-600, 1500)


def test_numbers_typed_become_the_window(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    box = window.side.window_part.center
    box.selectAll()
    qtbot.keyClicks(box, "75")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert case.view.window.center == 75
    assert case.view.window.width == 400


def test_a_step_of_one_number_of_a_small_window_leaves_the_other_as_it_was(window: MainWindow, case: OpenCase) -> None:
    panel = window.side.window_part
    case.view.window = Window.from_range(0.0002, 0.0012)
    assert (panel.center.value(), panel.window_width.value()) == (0.0007, 0.001)
    panel.window_width.stepUp()
    assert case.view.window.center == Window.from_range(0.0002, 0.0012).center
    assert case.view.window.width == pytest.approx(0.00102)
    case.view.window = Window(40.4, 400.3)
    assert (panel.center.value(), panel.window_width.value()) == (40, 400)
    panel.center.stepUp()
    assert (case.view.window.center, case.view.window.width) == (48, 400.3)


def test_windows_of_the_file_are_offered_after_the_presets(window: MainWindow) -> None:
    assert push_button(window.side, "preset Own").toolTip().startswith("Centre 10, width 20 HU")


# ---------------------------------------------------------------------------------------- modes and tools


def test_modes_bring_their_own_parts(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    shown = {name for name, section in window.side.sections.items() if section.isVisible()}
    assert shown == {"window", "measurements", "models", "planes", "fusion", "check"}
    click(qtbot, tool_button(window.top, "button mode.annotate"))
    assert workspace.bench.mode is Mode.ANNOTATE
    shown = {name for name, section in window.side.sections.items() if section.isVisible()}
    assert shown == {"tools", "segments", "lesions", "effects", "models", "history"}


def test_a_review_is_not_offered_before_it_exists(window: MainWindow) -> None:
    words = " ".join(b.text() for b in window.findChildren(QToolButton))
    assert "Review" not in words


def test_tool_buttons_and_keys_choose_the_same_tool(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    workspace.bench.mode = Mode.ANNOTATE
    click(qtbot, tool_button(window.side, "button tool.eraser"))
    assert workspace.bench.tool is Tool.ERASER
    qtbot.keyClick(window, Qt.Key.Key_1)
    assert workspace.bench.tool is Tool.BRUSH
    assert tool_button(window.side, "button tool.brush").isChecked()
    assert not tool_button(window.side, "button tool.eraser").isChecked()


def test_radius_slider_and_field_show_the_same_millimetres(window: MainWindow, workspace: Workspace) -> None:
    workspace.bench.tool = Tool.BRUSH
    tools = window.side.tools.options
    assert isinstance(tools, BrushOptions)
    tools.slider.setValue(tools.slider.maximum())
    assert workspace.bench.brush_radius_mm == 100.0
    assert tools.radius.value() == 100.0
    tools.radius.setValue(0.5)
    assert tools.slider.value() == 0
    workspace.bench.set_radius(6.0)
    assert tools.radius.text() == "6.0 mm"


def test_disc_and_sphere_exclude_each_other(qtbot: QtBot, window: MainWindow, workspace: Workspace) -> None:
    workspace.bench.mode, workspace.bench.tool = Mode.ANNOTATE, Tool.ERASER
    options = window.side.tools.options
    assert isinstance(options, BrushOptions)
    click(qtbot, options.sphere)
    assert workspace.bench.brush_sphere
    click(qtbot, options.disc)
    assert not workspace.bench.brush_sphere


# ---------------------------------------------------------------------------------------- segments


@pytest.fixture
def annotating(window: MainWindow, workspace: Workspace) -> MainWindow:
    workspace.bench.mode = Mode.ANNOTATE
    return window


def test_an_empty_segment_list_says_what_to_do(annotating: MainWindow) -> None:
    assert "No segments yet" in texts(annotating.side.segments)


# ---------------------------------------------------------------------------------------- proposals


def test_a_proposal_shows_model_version_notice_and_volumes_and_is_no_label(window: MainWindow, case: OpenCase) -> None:
    assert not window.side.sections["proposals"].isVisible()
    labels.propose(case, organs(case))
    shown = texts(window.side.proposals)
    for words in ("Two organs", "1.2.0", "Trained on phantoms.", "Liver", "Spleen", "mL"):
        assert words in shown
    assert case.labels.segmentation.segments == []


def test_one_segment_is_accepted_and_the_rest_stays_proposed(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    labels.propose(case, organs(case))
    click(qtbot, tool_button(window.side.proposals, "accept Spleen"))
    assert [s.name for s in case.labels.segmentation.segments] == ["Spleen"]
    assert "Liver" in texts(window.side.proposals)
    click(qtbot, window.message.undo)
    assert case.labels.segmentation.segments == []
    assert "Spleen" in texts(window.side.proposals)


def test_accept_all_and_reject_take_the_card_away(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    labels.propose(case, organs(case))
    labels.propose(case, nodules(case))
    click(qtbot, push_button(window.side.proposals.cards[0], "reject"))
    assert [p.proposal_id for p in case.labels.proposals.values()] == ["p1"]
    click(qtbot, push_button(window.side.proposals.cards[0], "accept all"))
    assert {s.name for s in case.labels.segmentation.segments} == {"Liver", "Spleen"}
    assert not window.side.sections["proposals"].isVisible()


def test_boxes_stand_by_score_and_one_can_be_accepted(qtbot: QtBot, window: MainWindow, case: OpenCase) -> None:
    labels.propose(case, nodules(case))
    assert "Nodule present" in texts(window.side.proposals)
    (boxes,) = window.side.proposals.findChildren(BoxList)
    items = [boxes.list.topLevelItem(n) for n in range(2)]
    assert [item.text(0) for item in items if item is not None] == ["0.90", "0.40"]
    boxes.list.setCurrentItem(items[0])
    click(qtbot, tool_button(window.side.proposals, "accept box"))
    assert list(case.labels.annotations) == ["b2"]


def test_show_leads_to_the_middle_of_a_box_and_into_a_segment(case: OpenCase) -> None:
    assert target_kji(nodules(case).prediction, "b2") == (2, 22, 5)
    prediction = organs(case).prediction
    assert prediction.mask is not None
    assert target_kji(prediction, 2) is None
    prediction.mask.keep_pieces(find_pieces(prediction.mask, Inline()))
    spleen = target_kji(prediction, 2)
    assert spleen is not None
    assert prediction.mask.value_at(spleen) == 2
    assert target_kji(prediction, 9) is None


def test_a_read_only_case_offers_no_accept(window: MainWindow, workspace: Workspace, case: OpenCase) -> None:
    labels.propose(case, organs(case))
    case.read_only = "Another window is writing."
    window.side.proposals._shown = ()
    window.side.proposals.refresh()
    assert not push_button(window.side.proposals, "accept all").isEnabled()
    workspace.bench.mode = Mode.ANNOTATE
    workspace.load_changed.emit()
    assert "Another window is writing." in texts(window.side.segments)
    assert not window.side.segments.add.isEnabled()


# ---------------------------------------------------------------------------------------- models


def test_models_say_what_they_need_and_give_and_why_they_do_not_fit(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    add_pack(tmp_path, "segmentation")
    add_pack(tmp_path, "detection", notice="")
    workspace.models_changed.emit()
    shown = texts(window.side.models)
    assert "Needs CT in HU, 3-D" in shown
    assert len(window.side.models.cards) == 2
    workspace.close_case(workspace.active.key)  # type: ignore[union-attr]
    assert "Open a series first." in texts(window.side.models)
    assert not any(card.run.isVisible() for card in window.side.models.cards.values())


def test_a_damaged_pack_is_named_and_the_others_are_listed(
    window: MainWindow, workspace: Workspace, tmp_path: Path
) -> None:
    add_pack(tmp_path, "segmentation")
    add_pack(tmp_path, "detection")
    (tmp_path / "packs" / "example-boxes" / "model.json").write_text("{", encoding="utf-8")
    workspace.models_changed.emit()
    assert len(window.side.models.cards) == 1
    assert "model.json" in texts(window.side.models)


# ---------------------------------------------------------------------------------------- check and history


def test_check_names_the_verdict_and_every_reason(window: MainWindow, workspace: Workspace) -> None:
    assert "all three axes have millimetres" in texts(window.side.check)
    tilted = make_case(series=replace(make_case().series, series_uid="9.9"))
    tilted.entry = replace(tilted.entry, verdict=Verdict.STACK, reasons=(Reason("TILT", "The gantry was tilted."),))
    workspace.add_case(tilted)
    assert "The gantry was tilted." in texts(window.side.check)
    assert window.status.check.text().startswith("Stack")


def test_history_lists_newest_first_and_a_double_click_goes_there(
    qtbot: QtBot, annotating: MainWindow, case: OpenCase
) -> None:
    for name in ("A", "B", "C"):
        labels.add_segment(case, name)
    view = annotating.side.history.list
    rows = view.model()
    names = ["Add C", "Add B", "Add A"]
    assert [rows.index(n, 0).data() for n in range(rows.rowCount())] == names
    view.doubleClicked.emit(rows.index(2, 0))
    assert case.history.names == ("Add A",)
    assert [rows.index(n, 0).data() for n in range(rows.rowCount())] == names
    view.doubleClicked.emit(rows.index(0, 0))
    assert case.history.names == ("Add A", "Add B", "Add C")


# ---------------------------------------------------------------------------------------- tooltips


def test_every_control_says_what_it_does(annotating: MainWindow, case: OpenCase) -> None:
    labels.add_segment(case, "Liver")
    labels.propose(case, organs(case))
    buttons = [*annotating.findChildren(QPushButton), *annotating.findChildren(QToolButton)]
    nameless = [b.text() or b.objectName() for b in buttons if b.isVisible() and not b.toolTip()]
    assert nameless == []


# ---------------------------------------------------------------------------------------- measurements


def test_every_tool_says_what_the_mouse_does_with_it(window: MainWindow, workspace: Workspace) -> None:
    hints = set()
    for tool in Tool:
        workspace.bench.tool = tool
        hint = mouse_hint(window.hands.scheme, workspace.bench)
        assert hint.startswith("Left: ")
        hints.add(hint)
    assert len(hints) == len(Tool)
