"""What correcting models took, in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.effort import ModelEffort
from medview.core.resources import resource_path
from medview.gui.dialogs.effort_table import EffortTableDialog
from medview.gui.main_window import MainWindow
from medview.gui.parts.effort_plots import EffortPlots
from medview.ml.registry import Registry
from medview.workspace.workspace import Workspace

ORGANS = ModelEffort(
    "phantom-thorax-segmenter", "1.0.0", "ab" * 32, 12, 24, 20, 0.9412, 31.25, 8.0, 3.26, 4000, 1000, "2026-03-01"
)


def test_the_table_follows_what_is_noted_and_can_be_copied(qtbot: QtBot, workspace: Workspace) -> None:
    dialog = EffortTableDialog(workspace)
    qtbot.addWidget(dialog)
    assert dialog.view.rowCount() == 0
    assert not dialog.copy.isEnabled()
    assert "Nothing" in dialog.state.text()
    workspace.efforts.models = (ORGANS,)
    workspace.efforts.changed.emit()
    shown = [dialog.view.item(0, column).text() for column in range(dialog.view.columnCount())]
    assert shown == ["phantom-thorax-segmenter", "1.0.0", "12", "24", "0.941", "31.2", "8.0", "0.250", "3.3"]
    dialog.copy.click()
    assert "Mean Dice" in QApplication.clipboard().text().splitlines()[0]
    assert QApplication.clipboard().text().splitlines()[1].split("\t") == shown


def test_the_versions_of_a_model_are_drawn_in_the_order_they_came_into_use(qtbot: QtBot, workspace: Workspace) -> None:
    late = replace(ORGANS, model_version="0.9.1", first_utc="2026-05-01", corrected=200, minutes_per_case=1.5)
    unmeasured = replace(ORGANS, model_version="2.0.0", first_utc="2026-06-01", measured=0, proposed=0, corrected=0)
    other = replace(ORGANS, model_id="another")
    workspace.efforts.models = (late, ORGANS, unmeasured, other)
    dialog = EffortTableDialog(workspace)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: dialog.plots is not None, timeout=20_000)
    plots = dialog.plots
    assert isinstance(plots, EffortPlots)
    assert [(dot.place, dot.value) for dot in plots.corrected.dots] == [(0, 0.25), (1, 0.05)]
    assert [(dot.place, dot.value) for dot in plots.minutes.dots] == [(0, 3.26), (1, 1.5)]
    assert "Version 0.9.1, 12 cases: 0.050 corrected" in plots.corrected.dots[1].words
    assert dialog.state.text() == "The curves are of phantom-thorax-segmenter: 3 versions."
    dialog.view.selectRow(3)
    assert [dot.value for dot in plots.corrected.dots] == [0.25]
    workspace.efforts.models = ()
    workspace.efforts.changed.emit()
    assert plots.corrected.dots == ()


def test_the_card_of_a_model_says_what_correcting_it_took(window: MainWindow, workspace: Workspace, tmp_path: Path) -> None:
    workspace.services.registry = Registry(resource_path("packs"), tmp_path / "packs")
    workspace.models_changed.emit()
    panel = window.side.models
    card = next(iter(panel.cards.values()))
    spec = card.offer.pack.spec
    assert not card.effort.isVisibleTo(card)
    workspace.efforts.models = (ModelEffort(spec.id, spec.version, "", 1, 2, 2, 0.5, 1.0, 2.0, 4.25),)
    workspace.efforts.changed.emit()
    assert card.effort.isVisibleTo(card)
    assert card.effort.text() == "Accepted in 1 case: mean Dice after correction 0.500, 4.2 min per case."
