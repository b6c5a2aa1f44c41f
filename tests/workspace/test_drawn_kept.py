"""Boxes, points and lines in a project, at their time, with real files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.attributes import Attribute, Choice
from medview.core.plane import Plane
from medview.io.reader_pool import InlinePool
from medview.ml.registry import Registry
from medview.store.project import Project
from medview.workspace.actions import action
from medview.workspace.drawn import all_drawn, jump_to, set_attributes, where
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner
from medview.workspace.open_case import OpenCase
from medview.workspace.operations.open import open_path
from medview.workspace.pointer import Pointer
from medview.workspace.scheme import Scheme
from medview.workspace.services import Services
from medview.workspace.time_axis import go_to
from medview.workspace.workspace import Workspace
from tests.helpers.contrast import write_contrast
from tests.workspace.gestures import drag


class Desk:
    """A workspace over a project that can be left and come back to."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.project = Project.create(place / "p.medview", "Test")
        self._begin()

    def _begin(self) -> None:
        services = Services(InlinePool(), Registry(self._place / "a", self._place / "b"), self.project)
        self.workspace = Workspace(InlineRunner(), services)
        self.hands = Hands(self.workspace, Scheme.load())

    def open(self, path: Path) -> OpenCase:
        open_path(self.workspace, path)
        assert self.workspace.active is not None
        return self.workspace.active

    def leave_and_come_back(self) -> None:
        self.project.close()
        self.project = Project.open(self._place / "p.medview")
        self._begin()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.project.close()


def pull(desk: Desk, case: OpenCase, plane: Plane, start: tuple[float, float], end: tuple[float, float]) -> None:
    layout = case.slice_plane(plane)
    at = case.position_on(layout)
    drag(desk.hands, *(Pointer(layout, at, row, column, column * 20, row * 20, 0.05) for row, column in (start, end)))


def test_what_is_drawn_is_kept_with_its_time_its_image_and_its_attributes(desk: Desk, tmp_path: Path) -> None:
    write_contrast(tmp_path / "study", (7, 24, 20))
    case = desk.open(tmp_path / "study")
    go_to(case, 3)
    case.view.set_slice(0, 2)
    action("tool.box").run(desk.workspace)
    pull(desk, case, case.acquired_plane, (4.0, 5.0), (12.0, 11.0))
    action("tool.point").run(desk.workspace)
    across = next(plane for plane in Plane if plane is not case.acquired_plane)
    pull(desk, case, across, (2.0, 6.0), (2.0, 6.0))
    box, point = all_drawn(case)
    assert box.sop_instance_uid == case.times[3].volume.sop_instance_uids[2]
    assert (case.images.time(box), case.images.time(point)) == (3, 3)
    assert where(case, box).endswith("3, time 4")
    side = Attribute("Side", Choice("right", ("left", "right")))
    assert set_attributes(case, box, (side, Attribute("Grade", 2.5)))
    before = case.labels.annotations
    desk.leave_and_come_back()
    case = desk.open(tmp_path / "study")
    assert case.labels.annotations == before
    assert case.undo() is not None
    assert all_drawn(case)[0] == box
    go_to(case, 0)
    jump_to(case, box)
    assert (case.view.time_index, case.view.crosshair_kji[0]) == (3, 2)
