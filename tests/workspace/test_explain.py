"""Asking a model why, from the window: a job whose answer lies over the pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import GraphicsError
from medview.core.geometry import Calibration, Geometry
from medview.core.heat import Heat
from medview.core.job import Inline
from medview.core.prediction import Proposal
from medview.core.volume import Rescale
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.workspace.events import Message
from medview.workspace.explain_files import heat_on_grid
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.explain import ExplainModel, can_explain, explain
from medview.workspace.operations.labels import propose, reject
from medview.workspace.workspace import Workspace
from tests.ml.explain.test_explain import ball_classifier, bright_ball
from tests.ml.small_packs import oblique_geometry
from tests.workspace.test_fusion import case_of


@pytest.fixture
def pack(workspace: Workspace, tmp_path: Path) -> ModelPack:
    return workspace.services.registry.add(ball_classifier(tmp_path).folder)


@pytest.fixture
def ball() -> OpenCase:
    return case_of(bright_ball(), "1.2.3")


def proposal_of(case: OpenCase, pack: ModelPack) -> Proposal:
    return Proposal("p", predict(PredictRequest(case.volume, pack, "cpu"), Inline()))


def test_the_answer_lies_over_the_pictures_and_says_whether_it_can_be_relied_on(
    workspace: Workspace, ball: OpenCase, pack: ModelPack
) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    workspace.add_case(ball)
    proposal = proposal_of(ball, pack)
    assert can_explain(workspace, proposal)
    assert explain(workspace, ball, proposal, "Nodule") is not None
    heat = ball.view.heat
    assert heat is not None
    assert heat.name == "Nodule: where the model looked"
    assert said[-1].text == heat.note
    assert heat.note.startswith("Score ")
    assert heat.geometry.frame_of_reference_uid == ball.volume.geometry.frame_of_reference_uid


class Failing(InlineRunner):
    """Whose graphics card fails."""

    def submit(self, request: Request, outcome: Outcome) -> Job:
        assert isinstance(request, ExplainModel)
        if request.predict.device != "cpu":
            outcome.failed(GraphicsError("Graphics memory ran out while Known ran; run it on the processor."))
            return Job(request.title, request.lane)
        return super().submit(request, outcome)


def test_where_the_graphics_card_was_to_blame_the_processor_is_offered(
    workspace: Workspace, ball: OpenCase, pack: ModelPack
) -> None:
    said: list[Message] = []
    workspace.message.connect(said.append)
    workspace.add_case(ball)
    proposal = proposal_of(ball, pack)
    propose(ball, proposal)
    workspace.runner = Failing()
    explain(workspace, ball, proposal, "Nodule")
    offer = said[-1].way_out
    assert offer is not None
    offer.take()
    assert ball.view.heat is not None
    ball.view.heat = None
    reject(ball, proposal.proposal_id)
    offer.take()
    assert ball.view.heat is None
    assert "no longer there" in said[-1].text


def test_a_model_that_is_gone_or_another_one_is_not_asked(workspace: Workspace, ball: OpenCase, pack: ModelPack) -> None:
    workspace.add_case(ball)
    proposal = proposal_of(ball, pack)
    other = replace(proposal.prediction.source, model_sha256="00" * 32)
    changed = replace(proposal, prediction=replace(proposal.prediction, source=other))
    assert explain(workspace, ball, changed, "Nodule") is None
    workspace.services.registry.remove(pack.spec.key)
    assert not can_explain(workspace, proposal)
    assert explain(workspace, ball, proposal, "Nodule") is None
    assert ball.view.heat is None


def test_on_the_grid_of_the_series_a_heat_map_keeps_its_places_and_is_nothing_elsewhere() -> None:
    target = oblique_geometry((10, 12, 14), (2.0, 1.0, 1.0))
    box_low = (3, 4, 5)
    affine = np.array(target.affine_lps)
    affine[:3, 3] = target.point_lps_mm(box_low)
    levels = np.zeros((4, 5, 6), dtype=np.uint8)
    levels[1, 2, 3] = 255
    heat = Heat(levels, Geometry((4, 5, 6), affine, target.frame_of_reference_uid), "x", low=0.0, high=2.0)
    found = heat_on_grid(heat, target, Inline())
    values = np.array(found.values())
    assert values.shape == target.shape_kji
    assert values[4, 6, 8] == pytest.approx(2.0, abs=1e-4)
    values[4, 6, 8] = 0.0
    assert np.abs(values).max() < 1e-3
    assert found.rescale == Rescale()


@pytest.mark.parametrize("calibration", [Calibration.IN_PLANE, Calibration.PIXELS])
def test_a_heat_map_comes_onto_pictures_without_millimetres_voxel_by_voxel(calibration: Calibration) -> None:
    target = Geometry.from_spacing((3, 8, 12), (1.0, 0.5, 0.5), calibration=calibration)
    affine = np.array(target.affine_lps)
    # Half as many rows and columns over the same extent.
    affine[:3, 1:3] *= 2.0
    affine[:3, 3] = target.point_lps_mm((0.0, 0.5, 0.5))
    levels = np.zeros((3, 4, 6), dtype=np.uint8)
    levels[1, :, 2:4] = 255
    heat = Heat(levels, Geometry((3, 4, 6), affine, "", calibration), "x")
    found = heat_on_grid(heat, target, Inline())
    assert found.geometry is target
    expected = np.zeros(target.shape_kji)
    expected[1] = [0, 0, 0, 0.25, 0.75, 1, 1, 0.75, 0.25, 0, 0, 0]
    np.testing.assert_allclose(found.values(), expected, atol=1e-3)
