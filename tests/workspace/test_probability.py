"""How probable a proposed class is, over the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.heat import Heat
from medview.core.prediction import PredictedMask, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.window import Window
from medview.gui.chrome.status_line import pointed_text
from medview.gui.panes.pointed_at import PointedAt
from medview.io.reader_pool import InlinePool
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.workspace.heat_picture import shown_heat
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.operations.predict import run_model
from medview.workspace.operations.probability import show_probability
from medview.workspace.review import seen_as_probability
from medview.workspace.services import Services
from medview.workspace.time_points import TimePoint
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace
from tests.ml.small_packs import ct_volume, small_pack
from tests.workspace.conftest import make_case
from tests.workspace.gestures import pointer


@pytest.fixture
def pack(tmp_path: Path) -> ModelPack:
    return small_pack(tmp_path / "user" / "small")


@pytest.fixture
def case() -> OpenCase:
    volume, made = ct_volume(), make_case()
    geometry = volume.geometry
    entry = VolumeEntry(Verdict.VOLUME, (), geometry, geometry.shape_kji, ())
    made = OpenCase(
        series=Series(volume.series_uid, "1.2.2", modality="CT"),
        entry=entry,
        volume=volume,
        load=type(made.load)(geometry.shape_kji[0]),
        labels=type(made.labels).empty(geometry),
        view=CaseView((6, 10, 15), Window(40, 400)),
    )
    made.load.mark_all_ready()
    return made


@pytest.fixture
def workspace(case: OpenCase, pack: ModelPack, tmp_path: Path) -> Workspace:
    made = Workspace(InlineRunner(), Services(InlinePool(), Registry(tmp_path / "none", tmp_path / "user")))
    made.add_case(case)
    return made


def _propose(case: OpenCase, pack: ModelPack, sha256: str = "") -> None:
    labels_ = pack.spec.output.labels  # type: ignore[union-attr]
    voxels = np.ones(case.volume.geometry.shape_kji, dtype=np.uint8)
    source = Source(SourceKind.MODEL, pack.spec.id, pack.spec.version, sha256 or pack.sha256, "job")
    mask = PredictedMask.trimmed(voxels, labels_)
    labels.propose(case, Proposal("p", Prediction("segmentation", "Small", source, case.volume.geometry, mask=mask)))


def test_the_model_runs_again_and_its_probability_lies_over_the_case(
    workspace: Workspace, case: OpenCase, pack: ModelPack, said: list[str]
) -> None:
    _propose(case, pack)
    show_probability(workspace, "p", 1)
    heat = case.view.heat
    assert isinstance(heat, Heat)
    assert heat.levels.shape == case.volume.geometry.shape_kji
    assert heat.geometry.same_grid(case.volume.geometry)
    name = pack.spec.output.labels[0].name  # type: ignore[union-attr]
    assert heat.name == f"Probability of {name}"
    assert said[-1].startswith(heat.name)
    prediction = case.labels.proposals["p"].prediction
    assert seen_as_probability(case.view, prediction) == {1}
    pointed = PointedAt.under(case, pointer(case, 8, 9))
    assert pointed is not None
    voxel = pointed.voxel_kji
    assert pointed.heat == (heat.name, pytest.approx(heat.levels[voxel] / 255))
    assert f"{heat.name} {heat.levels[voxel] / 255:.2f}" in pointed_text(pointed)
    case.view.heat_visible = False
    hidden = PointedAt.under(case, pointer(case, 8, 9))
    assert hidden == replace(pointed, heat=None)
    assert seen_as_probability(case.view, prediction) == set()


def test_a_pack_that_is_gone_or_has_other_weights_says_so(
    workspace: Workspace, case: OpenCase, pack: ModelPack, said: list[str]
) -> None:
    _propose(case, pack, "ee" * 32)
    show_probability(workspace, "p", 1)
    assert said[-1] == "Small has other weights now; run it again to see its probabilities."
    for file in pack.folder.iterdir():
        file.unlink()
    pack.folder.rmdir()
    show_probability(workspace, "p", 1)
    assert "is not installed any more" in said[-1]
    assert case.view.heat is None


def test_models_look_at_the_first_time_point_which_labels_lie_on_whichever_is_shown(
    workspace: Workspace, case: OpenCase, pack: ModelPack, said: list[str]
) -> None:
    _propose(case, pack)
    show_probability(workspace, "p", 1)
    assert case.view.heat is not None
    expected = np.array(case.view.heat.levels)
    case.view.heat = None
    case.entry = replace(case.entry, time_points=2)
    later = replace(case.volume, voxels=np.ascontiguousarray(np.asarray(case.volume.voxels)[:, ::-1, ::-1]))
    case.times.append(TimePoint(later, case.load))
    case.view.time_index = 1
    assert case.volume is later
    show_probability(workspace, "p", 1)
    np.testing.assert_array_equal(case.view.heat.levels, expected)
    assert case.view.time_index == 0, "the time it looked at is shown"
    assert shown_heat(case.view) is case.view.heat
    case.view.time_index = 1
    assert shown_heat(case.view) is None, "it is not laid over the others"
    run_model(workspace, pack)
    assert said[-1].endswith("It looked at the first time point, on which labels lie.")
    newest = list(case.labels.proposals.values())[-1].prediction
    case.view.time_index = 0
    run_model(workspace, pack)
    again = list(case.labels.proposals.values())[-1].prediction
    assert newest.mask is not None
    assert again.mask is not None
    shape = case.volume.geometry.shape_kji
    np.testing.assert_array_equal(newest.mask.on_grid(shape), again.mask.on_grid(shape))
