"""The study browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from medview.core.study import DamagedFile, Reason, ScanResult, Series, Verdict, VolumeEntry
from medview.gui.browser.study_rows import StudyRows
from medview.gui.browser.study_tree import ROW_ROLE, Row, RowKind, date_text, fill, verdict_tip, verdict_word
from medview.gui.panels.studies import StudiesPanel
from medview.gui.parts.theme_tokens import DARK
from medview.workspace.jobs import InlineRunner, Job, Lane, Outcome, Request
from medview.workspace.owners import owner_strip
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case, sagittal_geometry
from tests.gui.windows import bare_workspace

GRID = sagittal_geometry()
ENTRY = VolumeEntry(Verdict.VOLUME, (), GRID, GRID.shape_kji, (), (4.0, 0.7, 1.3))
CHEST = Series(
    "1.1", "1", "MRN-7", "Roe^Jane^Q", "CT", "Thorax 1.0", "CT thorax", "20260213", series_number=4, volumes=(ENTRY,)
)
SCOUT = replace(
    CHEST,
    series_uid="1.2",
    description="Scout",
    series_number=1,
    volumes=(replace(ENTRY, verdict=Verdict.STACK, reasons=(Reason("MIXED_SIZE", "Images of two sizes."),)),),
)
MASKS = replace(CHEST, series_uid="1.3", description="Lesions", modality="SEG", volumes=(), paths=("/x/seg.dcm",))
BRAIN = Series("2.1", "2", "MRN-8", "Poe^Max", "MR", "T1", "MR head", "20250101", volumes=(ENTRY,))


def rows(model: QStandardItemModel | None, parent: QModelIndex | None = None) -> list[Row]:
    assert model is not None
    found, parent = [], parent or QModelIndex()
    for n in range(model.rowCount(parent)):
        index = model.index(n, 0, parent)
        found.append(index.data(ROW_ROLE))
        found += rows(model, index)
    return found


def test_series_are_listed_under_their_study_and_patient() -> None:
    model = QStandardItemModel()
    fill(model, [CHEST, BRAIN, SCOUT], hide_identity=False)
    assert [row.title for row in rows(model)] == [
        "Roe, Jane Q",
        "CT thorax",
        "4  Thorax 1.0",
        "1  Scout",
        "Poe, Max",
        "MR head",
        "T1",
    ]


def test_hidden_identity_leaves_no_name_number_or_date() -> None:
    model = QStandardItemModel()
    fill(model, [CHEST, BRAIN], hide_identity=True)
    text = " ".join(row.search_text for row in rows(model))
    for secret in ("Roe", "Jane", "MRN", "Poe", "2026", "2025"):
        assert secret not in text
    assert "Patient 1" in text


class AskedWhilePainting:
    """A runner that notes whether a row was being painted when a job was handed to it."""

    def __init__(self) -> None:
        self.painting: list[bool] = []
        self.rows_painted = 0
        self._within = False

    def submit(self, request: Request, _outcome: Outcome) -> Job:
        self.painting.append(self._within)
        return Job(request.title, request.lane)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Know when rows are painted; the painter itself does not tell, since Qt lets it draw into a memory of its own."""
        whole = StudyRows.paint

        def paint(rows: StudyRows, *details: Any) -> None:
            self._within = True
            self.rows_painted += 1
            try:
                whole(rows, *details)
            finally:
                self._within = False

        monkeypatch.setattr(StudyRows, "paint", paint)


def test_thumbnails_are_asked_for_when_no_row_is_being_painted(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = AskedWhilePainting()
    runner.watch(monkeypatch)
    workspace = bare_workspace(tmp_path, runner)
    panel = StudiesPanel(workspace, DARK)
    panel.resize(260, 600)
    qtbot.addWidget(panel)
    with qtbot.waitExposed(panel):
        panel.show()
    workspace.add_scan("here", ScanResult((CHEST, SCOUT, BRAIN)))
    qtbot.waitUntil(lambda: len(runner.painting) == 3)
    assert runner.rows_painted >= 3
    assert not any(runner.painting)


def test_a_single_picture_is_no_stack_to_be_warned_of() -> None:
    alone = replace(ENTRY, verdict=Verdict.STACK, shape_kji=(1, 40, 24))
    model = QStandardItemModel()
    fill(model, [replace(CHEST, volumes=(alone,))], hide_identity=False)
    assert [verdict_word(row) for row in rows(model) if row.series] == ["picture"]


def test_a_chip_says_how_far_a_series_can_be_trusted_and_why() -> None:
    model = QStandardItemModel()
    fill(model, [CHEST, SCOUT, MASKS], hide_identity=False)
    chips = {row.title: (verdict_word(row), verdict_tip(row)) for row in rows(model) if row.series}
    assert chips["4  Thorax 1.0"][0] == "volume"
    assert chips["1  Scout"][0] == "stack"
    assert "Images of two sizes." in chips["1  Scout"][1]
    assert chips["4  Lesions"][0] == "labels"


def test_every_volume_of_a_series_has_a_row() -> None:
    small = replace(ENTRY, shape_kji=(2, 10, 10))
    model = QStandardItemModel()
    fill(model, [replace(CHEST, volumes=(ENTRY, small))], hide_identity=False)
    assert [row.entry for row in rows(model) if row.series] == [ENTRY, small]


def test_dates_are_written_for_people() -> None:
    assert date_text("20260213") == "2026-02-13"
    assert date_text("unknown") == "unknown"


def panel(qtbot: QtBot, workspace: Workspace) -> StudiesPanel:
    shown = StudiesPanel(workspace, DARK)
    qtbot.addWidget(shown)
    shown.resize(260, 600)
    return shown


def test_an_empty_panel_says_what_to_do(qtbot: QtBot, tmp_path: Path) -> None:
    shown = panel(qtbot, bare_workspace(tmp_path))
    shown.show()
    assert shown._empty.isVisible()
    assert "Open a folder" in shown._empty.text()


def test_search_keeps_the_series_that_match_and_their_parents(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    workspace.add_scan("a", ScanResult((replace(CHEST, volumes=()), replace(BRAIN, volumes=()))))
    shown.search.setText("t1")
    proxy = shown.tree.model()
    assert proxy.rowCount() == 1
    assert proxy.index(0, 0).data(ROW_ROLE).title == "Poe, Max"
    shown.search.setText("roe")
    assert proxy.index(0, 0).data(ROW_ROLE).title == "Roe, Jane Q"
    study = proxy.index(0, 0, proxy.index(0, 0))
    assert proxy.rowCount(study) == 1


def test_a_double_click_on_a_series_of_labels_asks_for_their_import(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    shown.show()
    workspace.add_scan("a", ScanResult((MASKS,)))
    proxy = shown.tree.model()
    index = proxy.index(0, 0, proxy.index(0, 0, proxy.index(0, 0)))
    with qtbot.waitSignal(shown.labels_wanted) as wanted:
        place = shown.tree.visualRect(index).center()
        qtbot.mouseClick(shown.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
        qtbot.mouseDClick(shown.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert wanted.args == [Path("/x/seg.dcm")]


def test_a_double_click_and_enter_each_ask_once_for_the_series(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    with qtbot.waitExposed(shown):
        shown.show()
    workspace.add_scan("a", ScanResult((replace(CHEST, volumes=()),)))
    wanted: list[Series] = []
    shown.series_wanted.connect(lambda series, _entry: wanted.append(series))
    proxy = shown.tree.model()
    index = proxy.index(0, 0, proxy.index(0, 0, proxy.index(0, 0)))
    place = shown.tree.visualRect(index).center()
    qtbot.mouseClick(shown.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(shown.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert len(wanted) == 1
    shown.activateWindow()
    shown.tree.setFocus()
    qtbot.waitUntil(shown.tree.hasFocus)
    qtbot.keyClick(shown.tree, Qt.Key.Key_Return)
    assert len(wanted) == 2


def test_the_open_series_is_scrolled_into_view_and_marked(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    shown.show()
    many = tuple(replace(CHEST, series_uid=f"1.{n}", volumes=()) for n in range(40))
    workspace.add_scan("a", ScanResult(many))
    workspace.add_case(make_case(series=many[-1]))
    index = shown.tree.currentIndex()
    assert index.data(ROW_ROLE).series is many[-1]
    assert shown.tree.viewport().rect().contains(shown.tree.visualRect(index).center())


def test_files_that_could_not_be_read_are_counted_and_listed_on_demand(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    shown.show()
    broken = DamagedFile("/x/a.dcm", "It ends early.")
    workspace.add_scan("a", ScanResult((replace(CHEST, volumes=()),), (broken,)))
    assert shown.damaged.text() == "1 file could not be read"
    with qtbot.waitSignal(shown.damaged_wanted) as wanted:
        shown.damaged.click()
    assert wanted.args == [[broken]]


WRONG = replace(
    CHEST,
    patient_name="王^小东".encode("gb18030").decode("latin-1"),
    study_description="胸部".encode("gb18030").decode("latin-1"),
    volumes=(),
)


def test_the_menu_of_a_patient_reads_the_names_in_another_character_set(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    workspace.settings = replace(workspace.settings, patient_order="found")
    shown = panel(qtbot, workspace)
    workspace.add_scan("a", ScanResult((WRONG, replace(BRAIN, volumes=()))))
    assert "王" not in " ".join(row.search_text for row in rows(shown.model))
    menu = shown.menu_for(shown.tree.model().index(0, 0))
    assert menu is not None
    choices = {choice.text().partition(":")[0]: choice for choice in menu.actions()[0].menu().actions()}  # type: ignore[attr-defined]
    assert choices["As declared in the file"].isChecked()
    chinese = choices["Chinese, simplified (GB18030, GBK)"]
    assert chinese.text().endswith(": 王, 小东")
    chinese.trigger()
    titles = [row.title for row in rows(shown.model)]
    assert titles[:2] == ["王, 小东", "胸部"]
    assert "Poe, Max" in titles
    opened = next(row.series for row in rows(shown.model) if row.series)
    assert opened == WRONG
    shown.search.setText("小东")
    assert shown.tree.model().rowCount() == 1
    again = shown.menu_for(shown.tree.model().index(0, 0))
    assert again is not None
    marked = [choice.text() for choice in again.actions()[0].menu().actions() if choice.isChecked()]  # type: ignore[attr-defined]
    assert len(marked) == 1
    assert marked[0].startswith("Chinese, simplified")
    workspace.bench.read_names_as(WRONG, "")
    assert workspace.bench.names_read_as == {}


def test_the_menu_opens_on_the_row_and_is_not_offered_while_the_identity_is_hidden(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    menus: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _place: menus.append(menu))
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    with qtbot.waitExposed(shown):
        shown.show()
    workspace.add_scan("a", ScanResult((WRONG,)))
    index = shown.tree.model().index(0, 0)
    shown.tree.customContextMenuRequested.emit(shown.tree.visualRect(index).center())
    assert [choice.text() for choice in menus[0].actions()] == ["Read names as"]
    workspace.bench.identity_hidden = True
    index = shown.tree.model().index(0, 0)
    shown.tree.customContextMenuRequested.emit(shown.tree.visualRect(index).center())
    assert len(menus) == 1


def test_two_patients_with_the_same_unreadable_name_are_two_rows() -> None:
    model = QStandardItemModel()
    one = replace(CHEST, patient_id="", patient_name="????^???", volumes=())
    fill(model, [one, replace(one, study_uid="2", series_uid="2.9")], hide_identity=False)
    assert model.rowCount() == 2
    fill(model, [one, replace(one, series_uid="1.9")], hide_identity=False)
    assert model.rowCount() == 1


ADAMS = replace(BRAIN, series_uid="3.1", study_uid="3", patient_id="MRN-9", patient_name="Adams^Al", study_date="20200101")
LATER = replace(CHEST, series_uid="4.1", study_uid="4", study_description="CT later", study_date="20270101", volumes=())


def shown_titles(shown: StudiesPanel) -> list[str]:
    return [row.title for row in rows(shown.model)]


def choose(shown: StudiesPanel, title: str) -> None:
    next(choice for choice in shown.bar.order_menu.actions() if choice.text() == title).trigger()


def test_patients_stand_by_name_with_their_newest_study_first_until_another_order_is_chosen(
    qtbot: QtBot, tmp_path: Path
) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    found = (CHEST, SCOUT, MASKS, BRAIN, ADAMS, LATER)
    workspace.add_scan("a", ScanResult(tuple(replace(one, volumes=()) for one in found)))
    by_name = [
        "Adams, Al",
        "MR head",
        "T1",
        "Poe, Max",
        "MR head",
        "T1",
        "Roe, Jane Q",
        "CT later",
        "4  Thorax 1.0",
        "CT thorax",
    ]
    assert shown_titles(shown) == [*by_name, "1  Scout", "4  Thorax 1.0", "4  Lesions"]
    kept: list[None] = []
    workspace.settings_changed.connect(lambda: kept.append(None))
    choose(shown, "Patients by newest study")
    assert [t for t in shown_titles(shown) if ", " in t] == ["Roe, Jane Q", "Poe, Max", "Adams, Al"]
    choose(shown, "Series as found")
    assert shown_titles(shown)[4:7] == ["4  Thorax 1.0", "1  Scout", "4  Lesions"]
    assert (workspace.settings.patient_order, workspace.settings.series_order, len(kept)) == ("newest", "found", 2)
    checked = [choice.text() for choice in shown.bar.order_menu.actions() if choice.isChecked()]
    assert checked == ["Patients by newest study", "Series as found"]
    again = panel(qtbot, workspace)
    assert shown_titles(again) == shown_titles(shown)


def test_recent_places_are_a_click_away_and_gone_while_the_identity_is_hidden(qtbot: QtBot, tmp_path: Path) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    shown.show()
    assert not shown.bar.recent.isVisible()
    workspace.remember("/data/Roe Jane")
    assert shown.bar.recent.isVisible()
    with qtbot.waitSignal(shown.place_wanted) as wanted:
        shown.bar.recent_menu.actions()[0].trigger()
    assert wanted.args == ["/data/Roe Jane"]
    workspace.bench.identity_hidden = True
    assert not shown.bar.recent.isVisible()
    assert shown.bar.recent_menu.actions() == []


def test_the_tooltip_of_a_row_holds_what_is_cut_off_but_nothing_while_the_identity_is_hidden() -> None:
    model = QStandardItemModel()
    for hidden in (False, True):
        fill(model, [SCOUT], hide_identity=hidden)
        patient = model.item(0)
        study = patient.child(0)
        tips = [item.toolTip() for item in (patient, study, study.child(0))]
        assert "Images of two sizes." in tips[2]
        if hidden:
            assert tips[:2] == ["", ""]
            assert "Scout" not in tips[2]
        else:
            assert tips[0] == "Roe, Jane Q\nMRN-7"
            assert tips[1] == "CT thorax\n2026-02-13"
            assert tips[2].startswith("1  Scout\nCT · 7 slices · 4 mm\nStack:")


def test_thumbnails_are_asked_for_as_jobs_when_rows_are_first_seen_and_only_once(qtbot: QtBot, tmp_path: Path) -> None:
    asked: list[Request] = []

    class Later(InlineRunner):
        def submit(self, request: Request, outcome: Outcome) -> Job:
            asked.append(request)
            return Job(request.title, request.lane)

    workspace = bare_workspace(tmp_path, Later())
    shown = panel(qtbot, workspace)
    with qtbot.waitExposed(shown):
        shown.show()
    workspace.add_scan("a", ScanResult((CHEST, SCOUT, MASKS)))
    qtbot.waitUntil(lambda: len(asked) == 2)
    shown.tree.viewport().grab()
    assert [request.lane for request in asked] == [Lane.LOOK, Lane.LOOK]


def test_while_the_identity_is_hidden_the_browser_and_the_pictures_call_a_patient_the_same(
    qtbot: QtBot, tmp_path: Path
) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    workspace.add_scan("here", ScanResult((CHEST, BRAIN)))
    for series in (BRAIN, CHEST):
        workspace.add_case(make_case(series=series))
    workspace.bench.identity_hidden = True
    named = {row.title for row in rows(shown.model) if row.kind is RowKind.PATIENT}
    strips = [owner_strip(workspace, case) for case in workspace.cases.values()]
    assert named == {one.text for one in strips if one} == {"Patient 1", "Patient 2"}


def test_a_series_that_can_neither_be_shown_nor_imported_says_so_instead_of_failing_to_be_read(
    qtbot: QtBot, tmp_path: Path
) -> None:
    workspace = bare_workspace(tmp_path)
    shown = panel(qtbot, workspace)
    said: list[str] = []
    workspace.message.connect(lambda message: said.append(message.text))
    workspace.add_scan("here", ScanResult((replace(MASKS, modality="RTPLAN"),)))
    model = shown.tree.model()
    with qtbot.assertNotEmitted(shown.labels_wanted):
        shown.tree.doubleClicked.emit(model.index(0, 0, model.index(0, 0, model.index(0, 0))))
    assert said == ["This series holds no pictures, and nothing that MedView can show on others."]
