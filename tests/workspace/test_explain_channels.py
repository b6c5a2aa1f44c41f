"""Why a model of several series answered as it did, asked from the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.job import Inline
from medview.core.prediction import Proposal
from medview.io.reader_pool import InlinePool
from medview.ml.explain.explain import explain as explain_request
from medview.ml.explain_request import ExplainRequest
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.ml.runners.run import predict
from medview.workspace.input_preparation import prepared
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.operations.explain import ExplainModel, can_explain, explain
from medview.workspace.operations.model_inputs import inputs_for, remember_choice
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.ml.small_packs import document, small_pack
from tests.workspace.test_model_inputs import TWO, grid, made_case, with_cases


class Recording(InlineRunner):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Request] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        self.asked.append(request)
        return super().submit(request, outcome)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(Recording(), Services(InlinePool(), Registry(tmp_path / "packs", tmp_path / "user")))


def two_series_classifier(folder: Path) -> ModelPack:
    """Write a classifier that sees T1 and T2."""
    given = {
        "channels": TWO,
        "dimensions": 3,
        "spacing_kji_mm": None,
        "shape_kji": [16, 48, 48],
        "orientation": "SPL",
        "intensity": [{"op": "zscore"}],
    }
    network = {"name": "classifier3d", "kwargs": {"in_channels": 2, "classes": 2, "channels": [4, 4, 4, 4]}}
    output = document("classification")["output"]
    return small_pack(folder, "classification", input=given, network=network, output=output, schema_version=2)


def _said(workspace: Workspace) -> list[str]:
    heard: list[str] = []

    def hear(message: Any) -> None:
        heard.append(message.text)

    workspace.message.connect(hear)
    return heard


def test_the_series_are_chosen_as_for_a_run_and_the_answer_lies_on_the_first(workspace: Workspace, tmp_path: Path) -> None:
    pack = two_series_classifier(tmp_path / "packs" / "two")
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid(), seed=2))
    t2 = workspace.cases["T2 ax"]
    given = PredictRequest(t1.volume, pack, "cpu", others=(t2.volume,))
    proposal = Proposal("p", predict(given, Inline()))
    assert can_explain(workspace, proposal)
    assert explain(workspace, t1, proposal, "Nodule present") is not None
    heat = t1.view.heat
    assert heat is not None
    expected = explain_request(ExplainRequest(given, "Nodule present"), Inline()).heat
    assert np.array_equal(heat.levels, expected.levels)
    assert heat.geometry.same_grid(expected.geometry)
    assert isinstance(workspace.runner, Recording)
    (asked,) = workspace.runner.asked
    assert isinstance(asked, ExplainModel)
    request, _context = prepared(asked.predict, Inline())
    assert np.shares_memory(request.volumes[0].voxels, t1.volume.voxels)
    assert np.shares_memory(request.volumes[1].voxels, t2.volume.voxels)


def test_which_series_are_meant_is_not_guessed(workspace: Workspace, tmp_path: Path) -> None:
    said = _said(workspace)
    pack = two_series_classifier(tmp_path / "packs" / "two")
    t1 = with_cases(workspace, made_case("T1 ax", grid()), made_case("T2 ax", grid(), seed=2), made_case("T2 cor", grid()))
    given = PredictRequest(t1.volume, pack, "cpu", others=(workspace.cases["T2 ax"].volume,))
    proposal = Proposal("p", predict(given, Inline()))
    assert explain(workspace, t1, proposal, "Nodule present") is None
    assert said[-1].startswith("Several series could be T2")
    assert t1.view.heat is None
    remember_choice(workspace, inputs_for(workspace, pack, t1).with_channel(1, "T2 ax"))
    assert explain(workspace, t1, proposal, "Nodule present") is not None
    assert t1.view.heat is not None
