"""Series hung by rules, and the earlier study beside the present one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.geometry import Geometry
from medview.core.plane import Plane
from medview.core.study import Series, Verdict
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.workspace.actions import action
from medview.workspace.events import Message
from medview.workspace.hanging import HangingRule, hang, keep, rule_for, shipped_rules
from medview.workspace.jobs import InlineRunner
from medview.workspace.layout import EMPTY, grid
from medview.workspace.layout_actions import look_along, use_layout
from medview.workspace.links import Linker
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.compare import find_prior
from medview.workspace.operations.open import open_path, open_series
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.workspace.conftest import make_case

SHAPE_KJI = (8, 10, 13)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b")))


def with_series(modality: str, verdict: Verdict = Verdict.VOLUME, slices: int = 12, study: str = "1.2") -> OpenCase:
    case = make_case()
    case.series = Series(f"1.{modality}.{slices}.{study}", study, modality=modality)
    case.entry = replace(case.entry, verdict=verdict, shape_kji=(slices, 20, 30))
    return case


@pytest.mark.parametrize(
    ("modality", "verdict", "slices", "layout"),
    [
        ("CT", Verdict.VOLUME, 12, "planes"),
        ("MR", Verdict.VOLUME, 12, "planes"),
        ("MR", Verdict.STACK, 12, "1x1"),
        ("CT", Verdict.VOLUME, 1, "1x1"),
        ("DX", Verdict.STACK, 1, "1x1"),
        ("MG", Verdict.STACK, 1, "1x1"),
        ("US", Verdict.STACK, 30, "1x1"),
    ],
)
def test_volumes_hang_in_three_planes_and_pictures_alone(
    workspace: Workspace, modality: str, verdict: Verdict, slices: int, layout: str
) -> None:
    assert rule_for(workspace, with_series(modality, verdict, slices)).layout == layout


def test_every_shipped_rule_can_be_hung_and_written_again() -> None:
    for rule in shipped_rules():
        assert rule.made().slices
        assert HangingRule.of(rule.document()) == rule


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"layout": "cinema"},
        {"layout": "9x9"},
        {"layout": "1x2", "panes": ["diagonal"]},
        {"layout": "1x1", "verdict": "fine"},
        {"layout": "planes", "planes": "mine"},
    ],
)
def test_a_rule_of_another_shape_is_refused_and_one_in_the_settings_passed_over(
    workspace: Workspace, wrong: dict[str, object]
) -> None:
    with pytest.raises((KeyError, ValueError)):
        HangingRule.of(wrong)
    workspace.settings = replace(workspace.settings, hanging=(wrong,))
    assert rule_for(workspace, with_series("CT")).layout == "planes"


def test_within_a_study_what_a_person_chose_stays_and_another_kind_is_hung_anew(workspace: Workspace) -> None:
    first = with_series("CT")
    hang(workspace, first)
    workspace.add_case(first)
    use_layout(workspace, grid(1, 1))
    assert hang(workspace, with_series("CT", slices=40)) is None
    assert workspace.bench.layout.layout_id == "1x1"
    hang(workspace, with_series("CT", study="9.9"))
    assert workspace.bench.layout.layout_id == "planes"
    hang(workspace, with_series("CR", Verdict.STACK, 1, study="9.9"))
    assert workspace.bench.layout.layout_id == "1x1"


def test_panes_with_series_of_their_own_are_never_taken_away(workspace: Workspace) -> None:
    case = with_series("CT")
    workspace.add_case(case)
    use_layout(workspace, grid(1, 2))
    hang(workspace, with_series("DX", Verdict.STACK, 1, study="4.4"))
    assert workspace.bench.layout.layout_id == "1x2"


def test_a_layout_kept_for_a_modality_is_hung_from_then_on_and_can_be_forgotten(workspace: Workspace) -> None:
    case = with_series("MR")
    workspace.add_case(case)
    use_layout(workspace, grid(2, 3))
    look_along(workspace, "2", Plane.SAGITTAL)
    case.view.axes = Axes()
    keep(workspace)
    rule = rule_for(workspace, with_series("MR", study="5.5"))
    assert (rule.layout, rule.panes[:3], rule.planes) == ("2x3", ("", "sagittal", ""), "patient")
    assert rule_for(workspace, with_series("CT")).layout == "planes"
    keep(workspace)
    assert len(workspace.settings.hanging) == 1
    fresh = Workspace(InlineRunner(), workspace.services, workspace.settings)
    opened = with_series("MR", study="6.6")
    hang(fresh, opened)
    assert [cell.plane for cell in fresh.bench.layout.slices][:3] == [None, Plane.SAGITTAL, None]
    assert opened.view.axes == Axes()
    action("hanging.forget").run(workspace)
    assert rule_for(workspace, with_series("MR", study="5.5")).layout == "planes"


def write_study(
    folder: Path, date: str, *, origin_mm: float = 50.0, description: str = "chest", patient: str = "P-7"
) -> Path:
    k, j, i = np.indices(SHAPE_KJI)
    geometry = Geometry.from_spacing(SHAPE_KJI, (5.0, 0.9, 0.6), (-3.0, 4.0, origin_mm))
    volume = Volume(
        (40 * k + 7 * j + i).astype(np.int16), geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0)
    )
    seed = f"{date}{description}{patient}"
    identity = SeriesIdentity("Phantom^Prior", patient, study_date=date, series_description=description, seed=seed)
    write_series(folder, volume, identity)
    return folder


@pytest.fixture
def archive(tmp_path: Path, workspace: Workspace) -> Iterator[Workspace]:
    """Three studies of one patient and one of another; the newest is open."""
    root = tmp_path / "archive"
    write_study(root / "old", "20200101")
    write_study(root / "before", "20220505", origin_mm=300.0)
    write_study(root / "before localizer", "20220505", description="scout view")
    write_study(root / "stranger", "20230101", patient="P-8")
    write_study(root / "now", "20240606")
    linker = Linker(workspace)
    open_path(workspace, root)
    now = next(s for s in workspace.series if s.study_date == "20240606")
    open_series(workspace, now)
    yield workspace
    del linker


def test_the_prior_is_the_newest_earlier_study_of_the_same_patient_and_its_likest_series(archive: Workspace) -> None:
    assert archive.active is not None
    prior = find_prior(archive, archive.active)
    assert prior is not None
    assert (prior.series.study_date, prior.series.description) == ("20220505", "chest")


def test_one_action_places_the_prior_beside_and_ties_the_two_together(archive: Workspace) -> None:
    messages: list[Message] = []
    archive.message.connect(messages.append)
    case = archive.active
    assert case is not None
    action("compare.prior").run(archive)
    left, right = (archive.case_in(cell.pane_id) for cell in archive.bench.layout.slices)
    assert left is case
    assert right is not None
    assert right.series.study_date == "20220505"
    assert archive.active is case
    assert any("earlier study" in message.text for message in messages)
    before = right.view.crosshair_kji
    case.view.set_slice(0, case.view.crosshair_kji[0] + 2)
    assert right.view.crosshair_kji == (before[0] + 2, *before[1:])
    right.view.set_slice(0, right.view.crosshair_kji[0] - 3)
    assert case.view.crosshair_kji[0] == before[0] - 1


def test_a_rule_that_asks_for_it_hangs_the_prior_by_itself(tmp_path: Path, workspace: Workspace) -> None:
    root = tmp_path / "archive"
    write_study(root / "before", "20220505")
    write_study(root / "now", "20240606")
    workspace.settings = replace(workspace.settings, hanging=({"layout": "planes", "modality": ["CT"], "prior": True},))
    open_path(workspace, root)
    open_series(workspace, next(s for s in workspace.series if s.study_date == "20240606"))
    dates = [case.series.study_date for case in workspace.shown_cases]
    assert dates == ["20240606", "20220505"]


def test_without_an_earlier_study_it_says_so_and_changes_nothing(tmp_path: Path, workspace: Workspace) -> None:
    messages: list[Message] = []
    workspace.message.connect(messages.append)
    open_path(workspace, write_study(tmp_path / "only", "20240606"))
    layout = workspace.bench.layout
    action("compare.prior").run(workspace)
    assert "No earlier study" in messages[-1].text
    assert workspace.bench.layout is layout


def test_a_series_can_be_put_into_any_pane(archive: Workspace) -> None:
    use_layout(archive, grid(2, 2))
    others = [s for s in archive.series if s.study_date != "20240606"]
    open_series(archive, others[0], pane_id="4")
    keys = [cell.case_key for cell in archive.bench.layout.slices]
    assert keys[1:3] == [EMPTY, EMPTY]
    shown = archive.case_in("4")
    assert shown is not None
    assert shown.series.series_uid == others[0].series_uid
    # The one that is open already goes there too.
    open_series(archive, others[0], pane_id="2")
    assert archive.case_in("2") is shown
