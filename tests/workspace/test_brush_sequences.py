"""Long days with the brush: whatever was painted, undo and redo bring back the exact bytes, and no rule is ever broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.case_labels import CaseLabels
from medview.core.plane import Plane
from medview.core.segmentation import Segmentation
from medview.edit.rules import Area, EditRules, Overlap
from medview.workspace.brush_range import set_brush_range
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase, Step
from medview.workspace.operations import labels
from medview.workspace.operations import segments as segment_ops
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.time_points import TimePoint
from medview.workspace.tool_actions import set_tool
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace

GESTURES = 200
AXES = (None, Axes().turned((0.3, -1.0, 0.4), 0.5), Axes().turned((1.0, 0.2, -0.3), 1.1))


def bytes_of(segmentation: Segmentation) -> tuple[object, ...]:
    """Return everything that labels say, exactly; a layer that is empty says nothing."""
    layers = {n: layer.voxels.tobytes() for n, layer in segmentation.layers.items() if layer.voxels.any()}
    counts = [segmentation.count(segment) for segment in segmentation.segments]
    boxes = [segmentation.box(segment) for segment in segmentation.segments]
    return layers, tuple(segmentation.segments), counts, boxes


def mask(segmentation: Segmentation, name: str) -> np.ndarray:
    segment = next(s for s in segmentation.segments if s.name == name)
    return segmentation.mask(segment).copy()


class Day:
    """One person, one case, many strokes."""

    def __init__(self, workspace: Workspace, case: OpenCase, hands: Hands, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.workspace, self.case, self.hands = workspace, case, hands
        voxels = self.rng.integers(-200, 200, case.volume.geometry.shape_kji).astype(np.int16)
        case.volume = replace(case.volume, voxels=voxels)
        case.times = [TimePoint(case.volume, case.load)]

    def settle(self) -> None:
        """Choose tool, rules, plane, segment."""
        rng, bench, view = self.rng, self.workspace.bench, self.case.view
        set_tool(self.workspace, rng.choice([Tool.BRUSH, Tool.ERASER, Tool.THRESHOLD_BRUSH]))
        bench.brush_sphere, bench.brush_adapts = bool(rng.integers(2)), bool(rng.integers(2))
        bench.set_radius(float(rng.uniform(0.5, 7.0)))
        set_brush_range(bench, self.case, tuple(sorted(rng.uniform(-250, 250, 2))))  # type: ignore[arg-type]
        bench.rules = EditRules(
            rng.choice(list(Area)),  # type: ignore[arg-type]
            str(rng.choice(["", "Liver", "Vessel"])),
            tuple(sorted(rng.uniform(-250, 250, 2))) if rng.random() < 0.3 else None,  # type: ignore[arg-type]
            rng.choice(list(Overlap)),  # type: ignore[arg-type]
        )
        if rng.random() < 0.5:
            bench.rules = EditRules()
        view.axes = AXES[int(rng.integers(len(AXES)))]
        names = [s for s in self.case.labels.segmentation.segments if s.name != "Bone"]
        view.active_segment_id = names[int(rng.integers(len(names)))].segment_id
        shape = np.asarray(self.case.volume.geometry.shape_kji)
        view.look_at(rng.uniform(0, shape - 1), self.case.volume.geometry.shape_kji)

    def stroke(self) -> None:
        """Draw a way of a few moves, some of them gathered; now and then give it up."""
        rng, geometry = self.rng, self.case.volume.geometry
        layout = self.case.slice_plane(rng.choice(list(Plane)))  # type: ignore[arg-type]
        index = self.case.position_on(layout)
        held = Modifiers.CTRL if rng.random() < 0.2 else Modifiers.NONE
        middle = layout.screen(geometry, self.case.view.at_kji)[1:]
        way = [
            Pointer(layout, index, middle[0] + dr, middle[1] + dc, 10.0 * n, 0.0, 0.1, modifiers=held)
            for n, (dr, dc) in enumerate(rng.normal(0, 4, (int(rng.integers(1, 7)), 2)))
        ]
        self.hands.press(way[0])
        for at in way[1:]:
            if rng.random() < 0.5:
                self.hands.gather(at)
            else:
                self.hands.frame()
                self.hands.move(at)
        if rng.random() < 0.1:
            self.hands.cancel()
        self.hands.release(way[-1])


@pytest.mark.parametrize("seed", range(3))
def test_undo_and_redo_bring_back_the_exact_bytes_and_no_rule_is_broken(
    workspace: Workspace, case: OpenCase, hands: Hands, seed: int
) -> None:
    steps: list[Step] = []
    case.record = steps.append
    day = Day(workspace, case, hands, seed)
    for name in ("Liver", "Vessel", "Bone"):
        made = labels.add_segment(case, name)
        assert made is not None
        set_tool(workspace, Tool.BRUSH)
        day.workspace.bench.brush_sphere = True
        day.stroke()
    segment_ops.set_locked(case, [case.view.active_segment_id], locked=True)
    bone = mask(case.labels.segmentation, "Bone")
    assert bone.any()
    states = [bytes_of(case.labels.segmentation)]
    depth = len(case.history.names)
    base, done, changed = depth, 0, 0
    values = case.volume.values()
    for n in range(GESTURES):
        roll = day.rng.random()
        if roll < 0.18 and len(case.history.names) > base:
            case.undo()
        elif roll < 0.3 and case.history.next_redo() is not None:
            case.redo()
        else:
            day.settle()
            before, bench = bytes_of(case.labels.segmentation), workspace.bench
            layers_before = {k: v.voxels.copy() for k, v in case.labels.segmentation.layers.items()}
            count = len(case.history.names)
            day.stroke()
            now = len(case.history.names)
            assert now in (count, count + 1)
            if now == count:
                assert bytes_of(case.labels.segmentation) == before
                continue
            del states[count - base + 1 :]
            states.append(bytes_of(case.labels.segmentation))
            changed += 1
            found = bench.rules.value_range
            moved = {s.layer_id for s in case.labels.segmentation.segments}
            if found is not None and bench.rules.overlap is not Overlap.ALLOW and moved:
                for layer_id, old in layers_before.items():
                    differs = case.labels.segmentation.layer(layer_id).voxels != old
                    assert (values[differs] >= found[0]).all()
                    assert (values[differs] <= found[1]).all()
        done += 1
        assert bytes_of(case.labels.segmentation) == states[len(case.history.names) - base]
        assert np.array_equal(mask(case.labels.segmentation, "Bone"), bone), n
    assert changed > 40
    assert done > 100
    # What the journal was told gives the same again.
    replayed = CaseLabels.empty(case.volume.geometry)
    for step in steps:
        replayed.apply(step.command.inverse().changes if step.kind == "undo" else step.command.changes)
    assert bytes_of(replayed.segmentation) == bytes_of(case.labels.segmentation)
