"""Outlines, cuts, regions and copied slices in any order, with undo and redo in between: the exact bytes come back."""

from __future__ import annotations

import random

import numpy as np
import pytest

from medview.core.axes import Axes
from medview.core.plane import Plane
from medview.edit.rules import EditRules, Overlap
from medview.workspace import cutting, label_writing
from medview.workspace.actions import action
from medview.workspace.hands import Hands
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from medview.workspace.pointer import Modifiers, Pointer
from medview.workspace.tool_actions import set_tool
from medview.workspace.tools import grow
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace

STEPS = 70


def state(case: OpenCase) -> tuple[object, ...]:
    """Everything that undo has to bring back; a layer nobody drew in is as good as none."""
    segmentation = case.labels.segmentation
    layers = {n: layer.voxels.tobytes() for n, layer in sorted(segmentation.layers.items()) if layer.voxels.any()}
    counted = {s.segment_id: segmentation.count(s) for s in segmentation.segments}
    assert counted == {s.segment_id: int(segmentation.mask(s).sum()) for s in segmentation.segments}
    return tuple(segmentation.segments), tuple(layers.items())


class Anyone:
    """A hand that does anything."""

    def __init__(self, hands: Hands, workspace: Workspace, case: OpenCase, seed: int) -> None:
        self._hands, self._workspace, self._case = hands, workspace, case
        self._any = random.Random(seed)

    def do(self) -> None:
        """Do one thing."""
        chance, case = self._any, self._case
        self._workspace.bench.rules = EditRules(overlap=chance.choice(list(Overlap)))
        case.view.crosshair_kji = (chance.randrange(12), chance.randrange(20), chance.randrange(30))
        turned = Axes.of_grid(case.volume.geometry).turned((0.3, -1.0, 0.4), 0.5)
        case.view.axes = turned if chance.random() < 0.3 else None
        if case.labels.segmentation.segments and chance.random() < 0.5:
            case.view.active_segment_id = chance.choice(case.labels.segmentation.segments).segment_id
        chance.choice(
            (self._outline, self._outline, self._outline, self._region, self._region, self._slice, self._segment)
        )()

    def _outline(self) -> None:
        tool = self._any.choice((Tool.LASSO, Tool.LIVEWIRE, Tool.SCISSORS))
        set_tool(self._workspace, tool)
        self._workspace.bench.cut_outside = self._any.random() < 0.2
        self._workspace.bench.cut_depth_mm = self._any.choice((0.0, 7.0))
        plane, held = self._any.choice(list(Plane)), self._held()
        for _ in range(self._any.randrange(3, 6)):
            at = self._at(plane, held)
            self._hands.press(at)
            self._hands.release(at)
        for _ in range(2):
            self._hands.clicking.close()
        self._hands.cancel()

    def _region(self) -> None:
        set_tool(self._workspace, self._any.choice((Tool.FILL, Tool.GROW)))
        self._workspace.bench.grow_limit_mm = self._any.choice((0.0, 6.0))
        at = self._at(self._any.choice(list(Plane)), self._held())
        self._hands.press(at)
        if self._any.random() < 0.2:
            self._hands.cancel()
        self._hands.release(at)

    def _slice(self) -> None:
        self._workspace.bench.pointed = self._any.choice(list(Plane)).value
        name = self._any.choice(("slice.copy", "slice.paste", "slice.to_next", "slice.to_previous"))
        if action(name).enabled(self._workspace):
            action(name).run(self._workspace)

    def _segment(self) -> None:
        if len(self._case.labels.segmentation.segments) < 4:
            labels.add_segment(self._case)

    def _held(self) -> Modifiers:
        return Modifiers.CTRL if self._any.random() < 0.25 else Modifiers.NONE

    def _at(self, plane: Plane, held: Modifiers) -> Pointer:
        layout = self._case.slice_plane(plane)
        rows, columns = layout.screen_shape(self._case.volume.geometry)
        row, column = self._any.uniform(0, rows - 1), self._any.uniform(0, columns - 1)
        return Pointer(layout, self._case.position_on(layout), row, column, column * 20, row * 20, 0.03, modifiers=held)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("large", [False, True])
def test_any_sequence_is_taken_back_and_done_again_to_the_byte(
    hands: Hands, workspace: Workspace, case: OpenCase, seed: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        # Everything takes the way of what is too large for a moment.
        for module in (grow, cutting, label_writing):
            monkeypatch.setattr(module, "AT_ONCE_VOXELS", 20)
    anyone, chance = Anyone(hands, workspace, case, seed), random.Random(seed + 100)
    states = [state(case)]
    at = 0
    for _ in range(STEPS):
        if chance.random() < 0.2:
            steps = chance.choice((-2, -1, 1, 2))
            for _unused in range(abs(steps)):
                done = case.undo() if steps < 0 else case.redo()
                if done is not None:
                    at += 1 if steps > 0 else -1
            assert state(case) == states[at]
            continue
        before = case.history.next_undo()
        anyone.do()
        if case.history.next_undo() is not before:
            at += 1
            states[at:] = [state(case)]
        assert state(case) == states[at]
    assert len(states) > 12
    while case.undo() is not None:
        at -= 1
        assert state(case) == states[at]
    assert at == 0
    assert not any(np.any(layer.voxels) for layer in case.labels.segmentation.layers.values())
