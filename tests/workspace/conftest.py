"""Cases without files: an oblique, anisotropic, asymmetric grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.case_labels import CaseLabels
from medview.core.geometry import Geometry
from medview.core.study import Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner
from medview.workspace.load_state import LoadState
from medview.workspace.open_case import OpenCase
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.view_state import CaseView
from medview.workspace.workspace import Workspace


def oblique_geometry(shape_kji: tuple[int, int, int] = (12, 20, 30)) -> Geometry:
    """Return a right-angled grid, 5.0 x 0.9 x 0.6 mm, turned about two axes."""
    a, b = np.deg2rad(12.0), np.deg2rad(-7.0)
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    axes = turn_z @ turn_x @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array([5.0, 0.9, 0.6])
    affine[:3, 3] = (-31.0, 17.0, -203.0)
    return Geometry(shape_kji, affine, "1.2.3")


@pytest.fixture
def case() -> OpenCase:
    return make_case()


def make_case() -> OpenCase:
    """Return an open case nobody has drawn in."""
    geometry = oblique_geometry()
    voxels = np.arange(np.prod(geometry.shape_kji), dtype=np.int16).reshape(geometry.shape_kji)
    volume = Volume(voxels, geometry, modality="CT", unit="HU", series_uid="1.2.3.4", study_uid="1.2.3.3")
    entry = VolumeEntry(Verdict.VOLUME, (), geometry, geometry.shape_kji, ())
    load = LoadState(geometry.shape_kji[0])
    load.mark_all_ready()
    return OpenCase(
        series=Series("1.2.3.4", "1.2.3.3", modality="CT"),
        entry=entry,
        volume=volume,
        load=load,
        labels=CaseLabels.empty(geometry),
        view=CaseView((6, 10, 15), Window(40, 400)),
    )


@pytest.fixture
def workspace(case: OpenCase, tmp_path: Path) -> Workspace:
    services = Services(InlinePool(), Registry(tmp_path / "a", tmp_path / "b"))
    workspace = Workspace(InlineRunner(), services)
    workspace.add_case(case)
    return workspace


@pytest.fixture
def hands(workspace: Workspace) -> Hands:
    return Hands(workspace, Scheme.load())


@pytest.fixture
def said(workspace: Workspace) -> list[str]:
    """Everything the workspace says from now on."""
    heard: list[str] = []

    def hear(message: Message) -> None:
        heard.append(message.text)

    workspace.message.connect(hear)
    return heard
