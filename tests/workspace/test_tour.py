"""Jumps: labelled slices on every plane, lesions, proposals, and the segment under the pointer."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation
from medview.core.axes import Axes
from medview.core.box import Box
from medview.core.oblique import ObliquePlane
from medview.core.plane import Plane
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Segment
from medview.core.source import Source
from medview.edit.rules import EditRules, Overlap
from medview.workspace.actions import action
from medview.workspace.events import Message
from medview.workspace.hands import Hands
from medview.workspace.jobs import InlineRunner, Job, Lane, Outcome
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.pointer import Modifiers
from medview.workspace.tool_actions import set_mode
from medview.workspace.tour import Stop, next_stop
from medview.workspace.view_state import Mode
from medview.workspace.workspace import Workspace
from tests.helpers.strokes import write_mask
from tests.workspace.gestures import drag, pointer

BLOBS = {(2, 5, 6): 1, (7, 4, 25): 2, (9, 15, 10): 1}
"""Middle voxel -> reach in k of three lesions."""


@pytest.fixture
def heard(workspace: Workspace) -> list[str]:
    found: list[str] = []

    def hear(message: Message) -> None:
        found.append(message.text)

    workspace.message.connect(hear)
    return found


@pytest.fixture
def lesions(case: OpenCase) -> Segment:
    segment = labels.add_segment(case, "Nodules")
    assert segment is not None
    for (k, j, i), reach in BLOBS.items():
        box = Box((k - reach, j - 1, i - 2), (k + reach + 1, j + 2, i + 3))
        patch = write_mask(case.labels.segmentation, segment, box, np.ones(box.shape_kji, dtype=bool))
        assert patch is not None
        case.labels.apply([patch])
    return segment


def run(workspace: Workspace, action_id: str) -> None:
    assert action(action_id).enabled(workspace)
    action(action_id).run(workspace)


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("way", ["next", "previous"])
def test_labelled_slices_come_one_after_the_other_on_every_plane_in_the_order_of_the_wheel(
    workspace: Workspace, hands: Hands, case: OpenCase, lesions: Segment, plane: Plane, way: str
) -> None:
    layout = case.slice_plane(plane)
    axis = layout.normal_axis
    others = tuple(a for a in range(3) if a != axis)
    held = np.flatnonzero(case.labels.segmentation.mask(lesions).any(axis=others)).tolist()
    workspace.bench.pointed = plane.value
    # To the end the wheel comes from.
    for _ in range(40):
        action("slice.previous" if way == "next" else "slice.next").run(workspace)
    at = case.view.crosshair_kji[axis]
    seen = [at] if at in held else []
    for _ in range(60):
        before = case.view.crosshair_kji[axis]
        run(workspace, f"labelled.{way}")
        now = case.view.crosshair_kji[axis]
        if now == before:
            break
        seen.append(now)
    assert seen == held or seen == held[::-1]


@pytest.mark.parametrize("plane", list(Plane))
def test_labelled_slices_at_an_angle_are_those_on_which_the_segment_is_seen(
    workspace: Workspace, case: OpenCase, lesions: Segment, plane: Plane, heard: list[str]
) -> None:
    case.view.axes = Axes().turned((0.3, -1.0, 0.4), 0.5)
    layout, geometry = case.slice_plane(plane), case.volume.geometry
    assert isinstance(layout, ObliquePlane)
    workspace.bench.pointed = plane.value
    for _ in range(60):
        action("slice.previous").run(workspace)
    normal = np.asarray(layout.normal_lps)
    voxels = np.argwhere(case.labels.segmentation.mask(lesions))
    across = np.array([layout.screen(geometry, voxel)[0] for voxel in voxels])
    half = float(np.abs(normal @ geometry.affine_lps[:3, :3]).sum()) / 2 / layout.step_mm
    seen = []
    for _ in range(80):
        before = case.position_on(layout)
        run(workspace, "labelled.next")
        if case.position_on(layout) == before:
            break
        seen.append(case.position_on(layout))
    assert heard[-1] == "Nodules is on no further slice this way."
    assert len(seen) > 4
    assert np.diff(seen).min() > 0.99
    # On none where no voxel is cut, and on every one where the plane goes through the middle of a voxel.
    assert all(np.abs(across - at).min() <= half + 1e-6 for at in seen)
    steps = np.arange(round(seen[0] - 20), seen[-1] + 20) - round(seen[0]) + seen[0]
    through = [at for at in steps if np.abs(across - at).min() < 0.05]
    assert all(any(abs(at - other) < 1e-3 for other in seen) for at in through)


def test_lesions_come_in_the_order_of_the_grid_and_the_ends_meet(
    workspace: Workspace, case: OpenCase, lesions: Segment, heard: list[str]
) -> None:
    case.view.crosshair_kji = (0, 0, 0)
    seen = []
    for _ in range(4):
        run(workspace, "lesion.next")
        seen.append(case.view.crosshair_kji)
    assert seen == [(2, 5, 6), (7, 4, 25), (9, 15, 10), (2, 5, 6)]
    assert heard[0].startswith("Nodules: lesion 1 of 3, 0.1")
    run(workspace, "lesion.previous")
    assert case.view.crosshair_kji == (9, 15, 10)
    # From elsewhere it goes on from there.
    case.view.crosshair_kji = (5, 0, 0)
    run(workspace, "lesion.previous")
    assert case.view.crosshair_kji == (2, 5, 6)


def test_lesions_are_found_once_for_the_voxels_there_are(
    workspace: Workspace, case: OpenCase, lesions: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[tuple[object, Outcome]] = []

    class Later:
        def submit(self, request: object, outcome: Outcome) -> Job:
            waiting.append((request, outcome))
            return Job("", Lane.COMPUTE)

    monkeypatch.setattr(workspace, "runner", Later())
    start = case.view.crosshair_kji
    run(workspace, "lesion.next")
    run(workspace, "lesion.next")
    assert case.view.crosshair_kji == start
    request, outcome = waiting[-1]
    InlineRunner().submit(request, Outcome(outcome.done))  # type: ignore[arg-type]
    assert case.view.crosshair_kji == (7, 4, 25)
    count = len(waiting)
    run(workspace, "lesion.next")
    assert case.view.crosshair_kji == (9, 15, 10)
    assert len(waiting) == count


def test_proposals_come_one_after_the_other_masks_and_boxes(workspace: Workspace, case: OpenCase, heard: list[str]) -> None:
    geometry = case.volume.geometry
    voxels = np.zeros(geometry.shape_kji, dtype=np.uint8)
    voxels[2:4, 3:8, 4:9] = 1
    voxels[3, 3:10, 4:20] = 1
    voxels[8, 10:13, 20:25] = 2
    voxels[10, 1:4, 1:6] = 2
    mask = PredictedMask.trimmed(
        voxels, (PredictedSegment(1, "Liver", (1, 2, 3)), PredictedSegment(2, "Spleen", (4, 5, 6)))
    )
    source = Source("m", "1", "x", "job")
    box = BoxAnnotation.on_grid("b", "Nodule", geometry, (5, 2, 2), (7, 5, 7), 0.9, source)
    prediction = Prediction("segmentation", "Organs", source, geometry, case.key, mask=mask, boxes=(box,))
    case.labels.proposals["p"] = Proposal("p", prediction, 0)
    case.view.crosshair_kji = (0, 0, 0)
    seen = []
    for _ in range(5):
        run(workspace, "proposal.next")
        seen.append(case.view.crosshair_kji)
    # Two pieces of one class are two stops.
    assert seen == [(3, 6, 10), (6, 3, 4), (8, 11, 22), (10, 2, 3), (3, 6, 10)]
    assert heard[:4] == [
        "Proposal 1 of 4: Liver, 0.37 mL.",
        "Proposal 2 of 4: Nodule.",
        "Proposal 3 of 4: Spleen, 0.04 mL.",
        "Proposal 4 of 4: Spleen, 0.04 mL.",
    ]
    run(workspace, "proposal.previous")
    assert case.view.crosshair_kji == (10, 2, 3)


def test_nowhere_to_go_stays_where_it_is() -> None:
    assert next_stop([], (1, 2, 3), 1) is None
    only = Stop((1, 2, 3), "one")
    assert next_stop([only], (1, 2, 3), 1) == (1, only)
    assert next_stop([only], (1, 2, 3), -1) == (1, only)


@pytest.mark.parametrize("by", ["alt", "ctrl+shift", "key"])
def test_the_segment_under_the_pointer_is_picked_and_where_several_are_the_next_of_them(
    workspace: Workspace, hands: Hands, case: OpenCase, by: str, heard: list[str]
) -> None:
    set_mode(workspace, Mode.ANNOTATE)
    workspace.bench.rules = EditRules(overlap=Overlap.ALLOW)
    names = []
    for name in ("Liver", "Tumour"):
        segment = labels.add_segment(case, name)
        assert segment is not None
        names.append(segment.segment_id)
        drag(hands, pointer(case, 5, 5), pointer(case, 5, 9))
    labels.add_segment(case, "Spleen")
    entries = case.history.names
    held = {"alt": Modifiers.ALT, "ctrl+shift": Modifiers.CTRL | Modifiers.SHIFT, "key": Modifiers.NONE}[by]

    def pick(row: float, column: float) -> str:
        at = pointer(case, row, column, modifiers=held)
        if by == "key":
            hands.hover(at)
            action("segment.pick").run(workspace)
        else:
            hands.press(at)
            hands.release(at)
        return case.view.active_segment_id

    assert [pick(5, 7), pick(5, 7), pick(5, 7)] == [names[1], names[0], names[1]]
    assert heard[-1] == "Tumour is the active segment."
    assert pick(18, 28) == names[1]
    assert heard[-1] == "There is no segment under the pointer."
    assert case.history.names == entries
