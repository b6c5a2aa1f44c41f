"""A run of a model begins where the person is looking."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medview.io.reader_pool import InlinePool
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.workspace.jobs import InlineRunner, Job, Outcome, Request
from medview.workspace.operations.predict import RunModel, run_model
from medview.workspace.services import Services
from medview.workspace.workspace import Workspace
from tests.gui.cases import make_case
from tests.ml.small_packs import ct_volume, small_pack


class Kept(InlineRunner):
    """Keeps requests and runs none."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    def submit(self, request: Request, outcome: Outcome) -> Job:
        self.requests.append(request)
        return Job(request.title, request.lane)


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
