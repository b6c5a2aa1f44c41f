"""The version somebody selected is the one that is used, also when others come meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from medview.gui.parts.version_table import VersionTable
from medview.workspace.model_line import ModelVersion, Verdict
from medview.workspace.training.line_view import LineView
from medview.workspace.workspace import Workspace


def line(name: str, count: int) -> LineView:
    """A line with so many versions, of which the first counts."""
    versions = tuple(
        ModelVersion(
            name, n, f"{name}@{n}", f"{n}", Path(f"v{n}"), f"{name}-{n}", None, "2026-11-30", Verdict.KEPT, "Not better."
        )
        for n in range(1, count + 1)
    )
    return LineView(name, versions, versions[0], None, None)


def with_newest_selected_before_another_came(workspace: Workspace, qtbot: QtBot) -> VersionTable:
    """The third of three versions was selected, and a fourth came."""
    workspace.trainings.show_lines((line("segmentation", 3),))
    table = VersionTable(workspace)
    qtbot.addWidget(table)
    table.table.selectRow(0)
    workspace.trainings.show_lines((line("segmentation", 4),))
    return table


def test_the_selected_version_stays_selected_when_a_version_or_a_line_comes(workspace: Workspace, qtbot: QtBot) -> None:
    trainings, table = workspace.trainings, with_newest_selected_before_another_came(workspace, qtbot)
    assert table.chosen is not None
    assert table.chosen.title == "v3"
    assert table.table.currentRow() == 1
    trainings.show_lines((line("detection", 4), line("segmentation", 4)))
    assert table.line.currentData() == "segmentation"
    assert (table.chosen.line, table.chosen.title) == ("segmentation", "v3")
    table.line.setCurrentIndex(0)
    assert table.chosen is None, "nobody selected a version of the other line"
    assert not table.use.isEnabled()


def test_lines_are_called_as_what_they_learn_and_why_has_the_room(workspace: Workspace, qtbot: QtBot) -> None:
    workspace.trainings.show_lines((line("classification: Pneumonia", 1), line("segmentation", 2)))
    table = VersionTable(workspace)
    qtbot.addWidget(table)
    assert [table.line.itemText(n) for n in range(2)] == ["Answers and image labels: Pneumonia", "Segments"]
    table.resize(900, 300)
    table.show()
    widths = [table.table.columnWidth(n) for n in range(5)]
    assert widths[4] == max(widths)
    assert widths[0] < 200


def test_the_version_that_is_used_is_the_selected_one(
    workspace: Workspace, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings, table = workspace.trainings, with_newest_selected_before_another_came(workspace, qtbot)
    used: list[tuple[str, int | None]] = []
    monkeypatch.setattr(type(trainings), "problem", "")
    monkeypatch.setattr(trainings.conductor, "use_version", lambda *given: used.append(given))
    table.refresh()
    qtbot.mouseClick(table.use, Qt.MouseButton.LeftButton)
    assert used == [("segmentation", 3)]
