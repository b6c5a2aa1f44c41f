"""A run of a model begins where the person is looking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ModelError
from medview.core.job import JobContext
from medview.core.plane import Plane, SlicePlane
from medview.core.prediction import Prediction
from medview.gui.panes.slice_content import proposal_chips, proposed_masks
from medview.io.reader_pool import InlinePool
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.predict import RunModel, run_model
from medview.workspace.services import Services
from medview.workspace.unfinished import Unfinished
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.ml.runners.test_run import balanced
from tests.ml.small_packs import ct_volume, document, small_pack


class Kept(InlineRunner):
    """Keeps requests and runs none."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        self.requests.append(request)
        return Job(request.title, request.lane)


def opened(runner: InlineRunner, tmp_path: Path) -> tuple[Workspace, OpenCase]:
    volume = ct_volume((30, 36, 40))
    case = make_case(volume.geometry, np.rint(volume.values()).astype(np.int16))
    workspace = Workspace(runner, Services(InlinePool(), Registry(tmp_path / "bundled", tmp_path / "user")))
    workspace.add_case(case)
    case.view.crosshair_kji = (20, 12, 25)
    return workspace, case


def test_what_is_found_so_far_is_shown_and_goes_when_the_proposal_comes(tmp_path: Path) -> None:
    workspace, case = opened(InlineRunner(), tmp_path)
    tiling = {"tile_kji": [12, 24, 24], "overlap": 0.5, "blend": "gaussian"}
    wanted = {**document()["input"], "spacing_kji_mm": None, "orientation": None}
    labels = document()["output"]["labels"]
    pack = balanced(tmp_path / "pack", case.volume, tiling=tiling, input=wanted, output={"labels": labels}, postprocess=[])
    seen: list[tuple[Unfinished, int, list[str]]] = []
    axial = SlicePlane.of(Plane.AXIAL, case.volume.geometry)
    slices = case.volume.geometry.shape_kji[axial.normal_axis]

    def look(now: Unfinished | None) -> None:
        if now is not None:
            cuts = [proposed_masks(case, workspace.bench, axial, n) for n in range(slices)]
            drawn = sum(cut != [] for cut in cuts)
            seen.append((now, drawn, [chip.text for chip in proposal_chips(case, scores=False)]))

    case.view.events.unfinished.connect(look)
    assert run_model(workspace, pack, "cpu") is not None
    assert len(seen) > 2
    drawn = [count for _, count, _ in seen]
    assert drawn == sorted(drawn)
    assert drawn[0] < drawn[-1]
    assert all(chips == [f"{pack.spec.name}: still running"] for _, _, chips in seen)
    assert case.view.unfinished is None
    (proposal,) = case.labels.proposals.values()
    found = proposal.prediction.mask
    assert found is not None
    shape = case.volume.geometry.shape_kji
    assert np.array_equal(seen[-1][0].mask.on_grid(shape), found.on_grid(shape))


def test_nothing_unfinished_stays_when_a_run_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, case = opened(InlineRunner(), tmp_path)
    pack = small_pack(tmp_path / "pack", tiling={"tile_kji": [8, 16, 16], "overlap": 0.5, "blend": "gaussian"})
    real = RunModel.run
    shown: list[bool] = []

    def broken(self: RunModel, context: JobContext) -> Prediction:
        real(self, context)
        shown.append(case.view.unfinished is not None)
        raise ModelError("It broke.")

    monkeypatch.setattr(RunModel, "run", broken)
    run_model(workspace, pack, "cpu")
    assert shown == [True]
    assert case.view.unfinished is None


def test_the_crosshair_is_where_a_run_begins(tmp_path: Path) -> None:
    volume = ct_volume((12, 20, 16))
    case = make_case(volume.geometry, np.rint(volume.values()).astype(np.int16))
    runner = Kept()
    workspace = Workspace(runner, Services(InlinePool(), Registry(tmp_path / "bundled", tmp_path / "user")))
    workspace.add_case(case)
    case.view.crosshair_kji = (7, 11, 3)
    assert run_model(workspace, small_pack(tmp_path / "pack"), "cpu") is not None
    (run,) = (request for request in runner.requests if isinstance(request, RunModel))
    assert isinstance(run.request, PredictRequest)
    assert run.request.near_kji == (7, 11, 3)
