"""What fills the gaps between drawn slices is looked at and accepted slice by slice, or as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from medview.core.box import Box
from medview.core.plane import SlicePlane
from medview.core.segmentation import Segment
from medview.workspace.actions import action
from medview.workspace.open_case import OpenCase
from medview.workspace.slice_marks import set_done
from medview.workspace.workspace import Workspace
from tests.workspace.test_effects import draw, drawn, layers


@pytest.fixture
def gaps(workspace: Workspace, case: OpenCase) -> Segment:
    """Draw the first slice and every third one after it along j, and open the effect."""
    segment = drawn(case, Box((1, 2, 3), (5, 3, 8)), "Liver")
    for j in (5, 8):
        draw(case, segment, Box((1, j, 3), (5, j + 1, 8 + j // 4)))
    workspace.effects.open("between_slices")
    workspace.effects.preview()
    return segment


def filled(case: OpenCase, segment: Segment) -> list[int]:
    return [int(n) for n in np.flatnonzero(case.labels.segmentation.mask(segment).any(axis=(0, 2)))]


def test_the_slices_it_changes_are_stepped_through(workspace: Workspace, case: OpenCase, gaps: Segment) -> None:
    worked = workspace.effects.worked
    assert worked is not None
    assert worked.candidate.across == 1
    assert worked.candidate.slices == (3, 4, 6, 7)
    case.view.set_slice(1, 4)
    seen = []
    for step in ("next", "next", "next", "previous", "previous", "previous", "previous"):
        action(f"effect.{step}_slice").run(workspace)
        seen.append(case.view.crosshair_kji[1])
    assert seen == [6, 7, 7, 6, 4, 3, 3]


def test_one_slice_is_accepted_as_one_entry_and_the_rest_is_still_offered(
    workspace: Workspace, case: OpenCase, gaps: Segment
) -> None:
    before, steps = layers(case), len(case.history.names)
    whole = workspace.effects.worked
    assert whole is not None
    case.view.set_slice(1, 4)
    action("effect.apply_slice").run(workspace)
    assert filled(case, gaps) == [2, 4, 5, 8]
    assert len(case.history.names) == steps + 1
    assert workspace.bench.effect.effect_id == "between_slices"
    rest = workspace.effects.worked
    assert rest is not None
    assert rest is not whole
    assert rest.candidate.slices == (3, 6, 7)
    case.undo()
    assert layers(case) == before


def test_all_of_it_is_one_entry_too(workspace: Workspace, case: OpenCase, gaps: Segment) -> None:
    before, steps = layers(case), len(case.history.names)
    workspace.effects.apply()
    assert filled(case, gaps) == list(range(2, 9))
    assert len(case.history.names) == steps + 1
    case.undo()
    assert layers(case) == before


def test_on_a_slice_without_changes_nothing_is_written(workspace: Workspace, case: OpenCase, gaps: Segment) -> None:
    case.view.set_slice(1, 5)
    steps = len(case.history.names)
    action("effect.apply_slice").run(workspace)
    assert len(case.history.names) == steps


def test_other_effects_are_not_applied_slice_by_slice(workspace: Workspace, case: OpenCase) -> None:
    drawn(case, Box((1, 2, 3), (5, 3, 8)))
    apply = action("effect.apply_slice")
    workspace.effects.open("threshold")
    workspace.effects.preview()
    assert workspace.bench.effect.candidate is not None
    assert not apply.enabled(workspace)
    workspace.effects.open("between_slices")
    assert not apply.enabled(workspace)


def test_seeds_grow_again_after_each_stroke_and_become_one_entry(workspace: Workspace, case: OpenCase) -> None:
    one = drawn(case, Box((1, 2, 3), (2, 4, 6)), "Liver")
    two = drawn(case, Box((4, 7, 8), (5, 9, 11)), "Background")
    workspace.effects.open("grow_from_seeds")
    workspace.effects.preview()
    first = workspace.bench.effect.candidate
    assert first is not None
    before, steps = layers(case), len(case.history.names)
    draw(case, one, Box((4, 2, 8), (5, 3, 11)))
    second = workspace.bench.effect.candidate
    assert second is not None
    assert second is not first
    drawn_on = layers(case)
    workspace.effects.apply()
    held = [case.labels.segmentation.mask(segment) for segment in (one, two)]
    assert held[0][4, 2, 8:11].all()
    assert not (held[0] & held[1]).any()
    assert np.count_nonzero(held[0]) + np.count_nonzero(held[1]) > 100
    assert len(case.history.names) == steps + 2
    case.undo()
    assert layers(case) == drawn_on
    case.undo()
    assert layers(case) == before


def test_what_growing_on_would_need_is_let_go_with_the_effect(workspace: Workspace, case: OpenCase) -> None:
    from medview.edit.effects import seeds

    drawn(case, Box((1, 2, 3), (2, 4, 6)))
    drawn(case, Box((4, 7, 8), (5, 9, 11)))
    workspace.effects.open("grow_from_seeds")
    workspace.effects.preview()
    assert seeds._kept._last is not None
    workspace.effects.close()
    assert seeds._kept._last is None


def test_a_slice_that_is_marked_done_while_it_is_offered_stays_empty(
    workspace: Workspace, case: OpenCase, gaps: Segment
) -> None:
    layout = next(one for one in case.layouts().values() if isinstance(one, SlicePlane) and one.normal_axis == 1)
    case.view.set_slice(1, 4)
    assert set_done(case, layout, done=True)
    workspace.effects.apply()
    assert 4 not in filled(case, gaps)
    assert filled(case, gaps)[-3:] == [6, 7, 8]
