"""Run in the column of models: at once, or after a look at what the model is given."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from pytestqt.qtbot import QtBot

from medview.core.errors import ModelError
from medview.core.registration import Registration
from medview.core.study import Frame
from medview.gui.dialogs.model_run import ModelRunDialog
from medview.gui.main_window import MainWindow
from medview.gui.panels.models import ModelsPanel
from medview.gui.parts.model_card import needs_text
from medview.ml.estimate import RunEstimate
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.gui.windows import bare_workspace
from tests.ml.inputs.packs import several
from tests.ml.small_packs import small_pack
from tests.workspace.test_model_inputs import TWO, grid, made_case
from tests.workspace.test_operations import HeldRunner


def panel(qtbot: QtBot, workspace: Workspace) -> ModelsPanel:
    made = ModelsPanel(workspace)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def dialog_of(made: ModelsPanel) -> ModelRunDialog | None:
    found = [one for one in made.window().findChildren(ModelRunDialog) if one.isVisible()]
    assert len(found) <= 1
    return found[0] if found else None


def press(made: ModelsPanel, key: str, qtbot: QtBot) -> ModelRunDialog | None:
    qtbot.mouseClick(made.cards[key].run, Qt.MouseButton.LeftButton)
    return dialog_of(made)


def opened(workspace: Workspace, *cases: OpenCase) -> None:
    for case in cases:
        workspace.add_case(case)
    workspace.show(cases[0].key)


def test_a_bundled_model_of_one_channel_runs_at_once(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    several(tmp_path / "packs" / "one", TWO[:1], id="one")
    opened(workspace, case := made_case("T1 ax", grid()))
    made = panel(qtbot, workspace)
    assert press(made, "one@1.0.0", qtbot) is None
    assert case.labels.proposals
    assert made.cards["one@1.0.0"].state.text().startswith("about")


def test_an_added_model_says_time_and_memory_before_its_first_run_and_runs_at_once_afterwards(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.services.registry.add(several(tmp_path / "source", TWO[:1], id="one").folder)
    opened(workspace, case := made_case("T1 ax", grid()))
    made = panel(qtbot, workspace)
    assert made.cards["one@1.0.0"].state.text() == "not run here yet"
    dialog = press(made, "one@1.0.0", qtbot)
    assert dialog is not None
    assert dialog.estimate.text().startswith("About")
    assert "free on the processor" in dialog.estimate.text()
    assert not case.labels.proposals
    qtbot.mouseClick(dialog.run, Qt.MouseButton.LeftButton)
    assert case.labels.proposals
    case.labels.proposals.clear()
    assert press(made, "one@1.0.0", qtbot) is None
    assert case.labels.proposals


def test_a_model_that_waits_for_clicks_promises_no_estimate_and_takes_its_tool(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    pack = workspace.services.registry.add(small_pack(tmp_path / "source", "interactive").folder)
    workspace.add_case(make_case())
    made = panel(qtbot, workspace)
    card = made.cards[pack.spec.key]
    assert card.run.isVisible()
    assert card.state.text() == ""
    assert press(made, pack.spec.key, qtbot) is None
    assert workspace.bench.tool is Tool.PROMPT


def test_a_model_of_several_channels_shows_its_proposal_which_can_be_corrected(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    several(tmp_path / "packs" / "two", TWO, id="two")
    opened(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid(), seed=2), made_case("T2 cor", grid(), seed=3))
    made = panel(qtbot, workspace)
    assert needs_text(made.cards["two@1.0.0"].offer.pack.spec) == "T1, T2, 3-D"
    dialog = press(made, "two@1.0.0", qtbot)
    assert dialog is not None
    first, second = dialog.combos
    assert (first.currentData(), second.currentData()) == ("T1 ax", "T2 ax")
    assert "as likely" in dialog.notes[1].text()
    second.setCurrentIndex(second.findData("T2 cor"))
    second.activated.emit(second.currentIndex())
    assert dialog.notes[1].text() == ""
    dialog.results.button(1).click()
    qtbot.mouseClick(dialog.run, Qt.MouseButton.LeftButton)
    assert [key for key, case in workspace.cases.items() if case.labels.proposals] == ["T2 cor"]


def test_choosing_a_series_of_another_channel_swaps_the_two(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    several(tmp_path / "packs" / "two", TWO, id="two")
    opened(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid()))
    dialog = press(panel(qtbot, workspace), "two@1.0.0", qtbot)
    assert dialog is not None
    first, second = dialog.combos
    first.setCurrentIndex(first.findData("T2 ax"))
    first.activated.emit(first.currentIndex())
    assert (first.currentData(), second.currentData()) == ("T2 ax", "T1 ax")


def test_another_frame_of_reference_keeps_run_away_until_it_is_registered(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    import numpy as np

    several(tmp_path / "packs" / "two", TWO, id="two")
    opened(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid("G")))
    made = panel(qtbot, workspace)
    dialog = press(made, "two@1.0.0", qtbot)
    assert dialog is not None
    assert not dialog.run.isEnabled()
    assert "register them" in dialog.notes[1].text()
    dialog.reject()
    workspace.registrations["T1 ax", "T2 ax"] = Registration("F", "G", np.eye(4), 0.4, 0.9, 1.0, "Check it.")
    dialog = press(made, "two@1.0.0", qtbot)
    assert dialog is not None
    assert dialog.run.isEnabled()
    assert "registered (rigid)" in dialog.notes[1].text()


def test_the_estimate_is_that_of_the_series_the_result_lies_on_and_comes_once_that_can_run(
    qtbot: QtBot, tmp_path: Path
) -> None:
    runner = HeldRunner()
    runner.hold = True
    workspace = bare_workspace(tmp_path, runner)
    workspace.services.registry.add(several(tmp_path / "source", TWO, id="two").folder)
    fine = grid(shape=(14, 62, 40), spacing_mm=0.9)
    opened(workspace, made_case("T1 ax", grid()), made_case("T2 ax", fine), made_case("T2 other frame", grid("G")))
    workspace.model_choices["T1 ax", "two@1.0.0"] = ("T1 ax", "T2 other frame"), 0
    dialog = press(panel(qtbot, workspace), "two@1.0.0", qtbot)
    assert dialog is not None
    assert (dialog.estimate.text(), dialog.run.isEnabled()) == ("", False)
    second = dialog.combos[1]
    second.setCurrentIndex(second.findData("T2 ax"))
    second.activated.emit(second.currentIndex())
    assert dialog.estimate.text() == "Estimating time and memory..."
    dialog.results.button(1).click()
    (_first, of_first), (_second, of_second) = runner.held
    of_first.done(RunEstimate(3.0))
    assert dialog.estimate.text() == "Estimating time and memory..."
    of_second.done(RunEstimate(40.0))
    assert dialog.estimate.text() == "About 40 s on the processor."
    dialog.results.button(0).click()
    assert not dialog.estimate.text().startswith("About 40 s")


def test_an_estimate_that_fails_says_so_instead_of_waiting_for_ever(qtbot: QtBot, tmp_path: Path) -> None:
    runner = HeldRunner()
    runner.hold = True
    workspace = bare_workspace(tmp_path, runner)
    workspace.services.registry.add(several(tmp_path / "source", TWO[:1], id="one").folder)
    opened(workspace, made_case("T1 ax", grid()))
    dialog = press(panel(qtbot, workspace), "one@1.0.0", qtbot)
    assert dialog is not None
    runner.held[0][1].failed(ModelError("The weights cannot be read; add the model again."))
    assert dialog.estimate.text() == "The weights cannot be read; add the model again."


def test_remarks_are_shown_before_a_model_of_one_channel_runs_and_can_be_passed(
    qtbot: QtBot, workspace: Workspace, tmp_path: Path
) -> None:
    checks = {"spacing_kji_mm": {"k": [0.5, 2.0], "j": [0.5, 2.0], "i": [0.5, 2.0]}}
    several(tmp_path / "packs" / "one", TWO[:1], id="one", checks=checks)
    opened(workspace, case := made_case("T1 ax", grid()))
    dialog = press(panel(qtbot, workspace), "one@1.0.0", qtbot)
    assert dialog is not None
    assert dialog.notes[0].text() == "Slice spacing 5 mm; trained on 0.5 to 2 mm."
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    (proposal,) = case.labels.proposals.values()
    assert "Slice spacing 5 mm; trained on 0.5 to 2 mm." in proposal.prediction.warnings


def test_names_of_files_stay_hidden_in_the_choice_of_series(qtbot: QtBot, workspace: Workspace, tmp_path: Path) -> None:
    several(tmp_path / "packs" / "two", TWO, id="two")
    named = made_case("T1 Doe^John", grid())
    frame = Frame("/tmp/T1 Doe^John.nii")
    named.series = replace(named.series, volumes=(replace(named.entry, frames=(frame,)),))
    opened(workspace, named, made_case("T2 ax", grid()))
    workspace.bench.identity_hidden = True
    dialog = press(panel(qtbot, workspace), "two@1.0.0", qtbot)
    assert dialog is not None
    texts = [combo.itemText(n) for combo in dialog.combos for n in range(combo.count())]
    assert not any("Doe" in text for text in texts)


@pytest.mark.parametrize("zipped", [True, False])
def test_models_dropped_on_the_window_are_listed_side_by_side_and_removed_one_by_one(
    window: MainWindow, workspace: Workspace, tmp_path: Path, zipped: bool
) -> None:
    cards = window.side.models.cards
    for version in ("1.0.0", "1.1.0"):
        folder = several(tmp_path / f"source {version}", TWO[:1], id="one", version=version).folder
        path = Path(shutil.make_archive(str(folder), "zip", folder)) if zipped else folder
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        enter = QDragEnterEvent(QPoint(5, 5), copy, data, left, none)
        window.dragEnterEvent(enter)
        assert enter.isAccepted()
        window.dropEvent(QDropEvent(QPointF(5, 5), copy, data, left, none))
    cards = window.side.models.cards
    assert list(cards) == ["one@1.1.0", "one@1.0.0"]
    window.side.models.remove_wanted.emit("one@1.1.0")
    assert list(window.side.models.cards) == ["one@1.0.0"]
