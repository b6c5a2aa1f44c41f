"""Corner texts as a person chooses them, and the strip that says whose a picture is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.core.headings import Headings
from medview.core.job import Inline
from medview.core.plane import Plane
from medview.core.study import Series
from medview.gui.dialogs.corner_texts import CornerTextsDialog
from medview.gui.main_window import MainWindow
from medview.gui.panes.corner_lines import _MAKERS
from medview.gui.panes.corner_text import corner_texts
from medview.io.dicom.scan import scan
from medview.workspace.corners import CORNERS, LINES, default
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_series
from medview.workspace.owners import COLOURS
from medview.workspace.view_state import Bench
from tests.gui.cases import SERIES, at, make_case, make_pane, make_workspace, pixels
from tests.gui.windows import bare_workspace
from tests.helpers.dicom_series import write_ct

PERSON = replace(
    SERIES, patient_name="Doe^John", patient_id="17", study_date="20240229", description="Lung", series_number=3
)
HEADINGS = Headings("19580312", "F", "140322", 5.0, ("120 kV", "210 mA"), True, 10.0)


@pytest.fixture
def case() -> OpenCase:
    made = make_case(series=PERSON)
    made.headings = HEADINGS
    return made


def said(case: OpenCase, bench: Bench, plane: Plane = Plane.SAGITTAL) -> dict[str, list[str]]:
    texts = corner_texts(case, bench, case.slice_plane(plane), 1)
    return {corner: [line.text for line in getattr(texts, corner)] for corner in CORNERS}


def test_every_line_of_the_table_can_be_made() -> None:
    assert _MAKERS.keys() == LINES.keys()


def test_headings_stand_where_the_corners_as_delivered_have_them(case: OpenCase) -> None:
    words = said(case, Bench())
    assert words["top_left"] == ["Doe, John", "17", "Born 1958-03-12", "Female", "2024-02-29"]
    assert words["top_right"] == ["CT series 3", "Lung", "120 kV, 210 mA"]
    assert words["bottom_left"][-1] == "Thickness 5.00 mm"
    assert words["bottom_right"] == ["Lossy 10:1", "W 400  L 0", "Zoom 100 %"]


def test_slices_across_the_acquired_ones_claim_no_thickness(case: OpenCase) -> None:
    assert not any(line.startswith("Thickness") for line in said(case, Bench(), Plane.AXIAL)["bottom_left"])


def test_a_lossy_transfer_syntax_is_told_before_any_header_is_read(case: OpenCase) -> None:
    case.headings = Headings()
    assert "Lossy" not in said(case, Bench())["bottom_right"]
    case.series = replace(PERSON, transfer_syntaxes=("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"))
    assert said(case, Bench())["bottom_right"][0] == "Lossy"


def test_no_line_tells_who_it_is_while_the_identity_is_hidden_wherever_lines_stand(case: OpenCase) -> None:
    bench = Bench(identity_hidden=True)
    assert said(case, bench)["top_left"] == ["Identity hidden"]
    bench.corners = default().with_line("patient.name", "bottom_right").with_line("time", "top_right")
    words = said(case, bench)
    together = " ".join(line for lines in words.values() for line in lines)
    for secret in ("Doe", "17", "1958", "Female", "2024", "14:03"):
        assert secret not in together
    assert together.count("Identity hidden") == 1


def test_the_dialog_acts_at_once_and_reset_brings_everything_back(qtbot: QtBot, case: OpenCase) -> None:
    workspace, hands = make_workspace(case)
    pane = make_pane(qtbot, workspace, hands, Plane.SAGITTAL)
    dialog = CornerTextsDialog(workspace)
    qtbot.addWidget(dialog)
    assert not dialog.reset.isEnabled()
    assert "120 kV, 210 mA" in pane.shown_text()
    dialog.checks["technique"].click()
    assert "120 kV, 210 mA" not in pane.shown_text()
    assert not dialog.places["technique"].isEnabled()
    dialog.checks["time"].click()
    assert "Acquired 14:03:22" in pane.shown_text()
    place = dialog.places["zoom"]
    place.setCurrentIndex(place.findData("top_left"))
    assert workspace.bench.corners.corner_of("zoom") == "top_left"
    assert workspace.settings.corners["top_left"][-1] == "zoom"
    qtbot.mouseClick(dialog.reset, Qt.MouseButton.LeftButton)
    assert workspace.bench.corners == default()
    assert dialog.checks["technique"].isChecked()
    assert place.currentData() == "bottom_right"
    assert workspace.settings.corners == {}


def test_the_menu_opens_the_dialog(qtbot: QtBot, tmp_path: Path, window: MainWindow) -> None:
    window.actions_table.run("view.corners")
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, CornerTextsDialog) and w.isVisible()]
    assert len(shown) == 1
    shown[0].close()


def test_with_two_patients_a_pane_says_whose_it_is_in_a_strip_and_moves_its_texts_below(qtbot: QtBot) -> None:
    one, other = make_case(series=PERSON), make_case(series=Series("2.1", "2", "18", "Roe^Jane"))
    workspace, hands = make_workspace(one)
    pane = make_pane(qtbot, workspace, hands, Plane.AXIAL)
    black = pixels(pane)
    assert max(at(black, 300, 3)) < 10
    workspace.add_case(other)
    workspace.show(one.key)
    shown = pixels(pane)
    assert "Doe, John \u00b7 17" in pane.shown_text()
    assert at(shown, 300, 3) == at(shown, 470, 20) == COLOURS[0]
    # The texts of the corners and the letter at the top begin below the strip.
    assert shown[22:29, 8:200].max() < 40
    workspace.show(other.key)
    assert at(pixels(pane), 300, 3) == COLOURS[1]
    workspace.bench.identity_hidden = True
    assert "Patient 2" in pane.shown_text()
    assert not any("Roe" in text for text in pane.shown_text())
    workspace.close_case(other.key)
    assert max(at(pixels(pane), 300, 3)) < 10


def test_a_series_from_files_gets_its_headings(qtbot: QtBot, tmp_path: Path) -> None:
    def change(k: int, dataset: object) -> None:
        dataset.KVP, dataset.XRayTubeCurrent = "120", 100 + k  # type: ignore[attr-defined]

    write_ct(tmp_path / "ct", change=change)
    workspace = bare_workspace(tmp_path)
    (series,) = scan(tmp_path / "ct", Inline()).series
    open_series(workspace, series)
    assert workspace.active is not None
    assert workspace.active.headings.technique == ("120 kV",)
    assert workspace.active.headings.thickness_mm == 5.0
