"""Segments of two readers: which belong together, and what is compared of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from medview.analysis.agreement.masks import mask_agreement
from medview.analysis.agreement.readings import Presence, Reading, known_in
from medview.analysis.agreement.segments import Conventions, segment_agreement
from medview.analysis.agreement.things import Thing, same_things
from medview.core.box import Box
from medview.core.errors import CancelledError, GeometryError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.marks import Marks
from medview.core.segmentation import LabelLayer, Segment, Segmentation, SegmentRole
from tests.analysis.agreement.masks import SHAPE_KJI, ball, boxes, grid
from tests.analysis.agreement.readers import KIDNEY, LIVER, reading, segment


def _names(things: tuple[Thing, ...]) -> list[tuple[list[str], ...]]:
    return [tuple([segment.name for segment in segments] for segments in thing.segments) for thing in things]


def test_segments_meet_by_code_and_name_then_name_then_a_code_that_is_theirs_alone() -> None:
    first = [segment("Kidney, left", KIDNEY), segment("Kidney, right", KIDNEY), segment("Liver", LIVER), segment("Cyst")]
    second = [segment("Leber", LIVER), segment("Kidney, right", KIDNEY), segment(" kidney,  LEFT"), segment("Stone")]
    things = same_things((first, second))
    assert _names(things) == [
        (["Kidney, left"], [" kidney,  LEFT"]),
        (["Kidney, right"], ["Kidney, right"]),
        (["Liver"], ["Leber"]),
        (["Cyst"], []),
        ([], ["Stone"]),
    ]
    assert things[4].name == "Stone"
    assert things[2].code == LIVER


def test_a_code_that_two_segments_share_joins_nothing_and_unsure_is_no_thing() -> None:
    first = [segment("Left", KIDNEY), segment("Right", KIDNEY), segment("Unsure", role=SegmentRole.IGNORE)]
    second = [segment("Sinister", KIDNEY), segment("Unsure", role=SegmentRole.IGNORE)]
    assert [thing.name for thing in same_things((first, second))] == ["Left", "Right", "Sinister"]


def test_a_third_reader_meets_a_thing_by_what_any_reader_calls_it() -> None:
    readers = ([segment("Liver", LIVER)], [segment("Leber", LIVER)], [segment("leber")])
    things = same_things(readers)
    assert _names(things) == [(["Liver"], ["Leber"], ["leber"])]


def test_instances_are_one_thing_whoever_counts_them_how() -> None:
    first = [segment("Nodule"), segment("Nodule 2"), segment("Rib 2"), segment("Rib 3")]
    second = [segment("Nodule 2"), segment("nodule 3"), segment("Rib 2")]
    things = same_things((first, second))
    assert _names(things) == [
        (["Nodule", "Nodule 2"], ["Nodule 2", "nodule 3"]),
        (["Rib 2"], ["Rib 2"]),
        (["Rib 3"], []),
    ]
    assert things[0].name == "Nodule"


def test_instances_drawn_apart_are_lesions_apart_even_where_they_touch() -> None:
    left, right = boxes(((2, 6), (5, 15), (5, 10))), boxes(((2, 6), (5, 15), (10, 15)))
    first = reading("A", {"Nodule": left, "Nodule 2": right})
    apart = segment_agreement(first, reading("B", {"Nodule": right, "Nodule 7": left}))
    assert [(row.name, row.masks.dice if row.masks else None) for row in apart] == [("Nodule", 1.0)]
    assert apart[0].lesions is not None
    assert [match.iou for match in apart[0].lesions.matched] == [1.0, 1.0]
    together = segment_agreement(first, reading("B", {"Nodule": left | right}))
    assert together[0].lesions is not None
    assert (together[0].lesions.sensitivity, together[0].lesions.precision) == (0.5, 1.0)


def test_each_segment_has_the_figures_of_its_masks_on_the_whole_grid() -> None:
    a, b = ball(grid(), (6, 18, 24), 12.0), ball(grid(), (7, 20, 28), 11.0)
    edge, other = boxes(((0, 14), (0, 4), (0, 50))), boxes(((0, 14), (0, 5), (0, 50)))
    first, second = reading("A", {"Liver": a, "Edge": edge}), reading("B", {"Edge": other, "liver": b})
    found = {row.name: row for row in segment_agreement(first, second, Conventions(tolerance_mm=1.0))}
    assert found["Liver"].masks == mask_agreement(a, b, grid(), 1.0)
    assert found["Edge"].masks == mask_agreement(edge, other, grid(), 1.0)
    lesions = found["Liver"].lesions
    assert lesions is not None
    assert a[lesions.matched[0].first.at_kji]
    assert b[lesions.matched[0].second.at_kji]
    quick = segment_agreement(first, second, Conventions(lesions=False))
    assert [row.lesions for row in quick] == [None, None]


def test_what_only_one_side_has_is_told_and_counted_and_what_is_to_do_is_not_compared() -> None:
    mask = ball(grid(), (6, 18, 24), 9.0)
    first = reading("A", {"Liver": mask, "Cyst": mask, "Stone": None, "Node": mask, "Void": None}, absent=("Stone",))
    second = reading("B", {"Cyst": None, "Stone": None, "Node": None}, to_do=("Node",))
    found = {row.name: row for row in segment_agreement(first, second)}
    assert (found["Liver"].first, found["Liver"].second) == (Presence.DRAWN, Presence.MISSING)
    assert (found["Stone"].first, found["Stone"].second) == (Presence.ABSENT, Presence.EMPTY)
    for name in ("Liver", "Cyst"):
        masks, lesions = found[name].masks, found[name].lesions
        assert masks is not None
        assert lesions is not None
        assert (masks.dice, masks.one_empty, lesions.sensitivity) == (0.0, True, 0.0)
    for name in ("Stone", "Void"):
        masks = found[name].masks
        assert masks is not None
        assert (masks.both_empty, masks.dice) == (True, None)
    assert found["Node"].second is Presence.TO_DO
    assert (found["Node"].masks, found["Node"].lesions) == (None, None)


def test_under_what_either_is_unsure_of_nothing_is_compared() -> None:
    first = reading("A", {"Liver": boxes(((4, 8), (5, 15), (5, 15)))})
    unsure = segment("?", role=SegmentRole.IGNORE)
    drawn = {"Liver": boxes(((4, 12), (5, 15), (5, 15))), unsure: boxes(((8, 14), (0, 40), (0, 50)))}
    (row,) = segment_agreement(first, reading("B", drawn))
    assert row.masks is not None
    assert (row.masks.dice, row.masks.hd_mm, row.masks.left_out) == (1.0, 0.0, 400)


def test_of_a_reader_who_marked_slices_as_done_only_these_are_compared() -> None:
    a, b = boxes(((4, 8), (5, 15), (5, 15))), boxes(((4, 12), (5, 15), (5, 15)))
    marks = Marks(frozenset({4, 5}), frozenset({(1, 7)}))
    first, second = reading("A", {"Liver": a}), reading("B", {"Liver": b}, marks=marks)
    (row,) = segment_agreement(first, second)
    known = marks.known(SHAPE_KJI)
    assert row.masks is not None
    assert row.masks.first_voxels == np.count_nonzero(a & known)
    assert row.masks.second_voxels == np.count_nonzero(b & known)
    assert row.masks.left_out == np.count_nonzero(b & ~known)
    box = Box((3, 2, 1), (14, 30, 40))
    inside = known_in(box, (first, second))
    assert inside is not None
    assert np.array_equal(inside, known[box.slices])
    assert known_in(box, (first,)) is None


def test_other_grids_are_refused_and_it_can_be_cancelled() -> None:
    mask = ball(grid(), (6, 18, 24), 9.0)
    first = reading("A", {"Liver": mask})
    affine = np.array(grid().affine_lps)
    affine[0, 3] += 1.0
    with pytest.raises(GeometryError, match="different grids"):
        segment_agreement(first, reading("B", {"Liver": mask}, Geometry(SHAPE_KJI, affine, "1.2.3")))
    context = Inline()
    context.cancel()
    with pytest.raises(CancelledError):
        segment_agreement(first, first, context=context)


@pytest.mark.data
def test_the_organs_of_a_real_ct_moved_by_voxels_have_the_figures_of_monai(test_data: Path) -> None:
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    image = sitk.ReadImage(str(next((test_data / "ct-body-nifti-117-classes").rglob("example_seg.nii.gz"))))
    labels = sitk.GetArrayFromImage(image).astype(np.uint8)
    moved = np.roll(labels, (1, 2), (0, 1))
    spacing = [float(mm) for mm in reversed(image.GetSpacing())]
    geometry = Geometry.from_spacing(labels.shape, tuple(spacing))
    values = [int(value) for value in np.unique(labels) if value]
    drawn = [[Segment(str(v), f"class {v}", (9, 9, 9), 0, v) for v in values] for _ in range(2)]
    readings = [
        Reading(name, Segmentation(geometry, {0: LabelLayer.drawn(0, voxels)}, segments))
        for name, voxels, segments in zip("AB", (labels, moved), drawn, strict=True)
    ]
    rows = segment_agreement(*readings, Conventions(tolerance_mm=3.5))
    assert len(rows) == len(values) > 30
    for row in rows[::9]:
        a, b = (torch.from_numpy((voxels == int(row.name.split()[1]))[None, None]) for voxels in (labels, moved))
        far = compute_hausdorff_distance(b, a, include_background=True, percentile=95, spacing=spacing)
        near = compute_surface_dice(b, a, [3.5], include_background=True, spacing=spacing)
        assert row.masks is not None
        assert row.masks.hd95_mm == pytest.approx(far.item(), abs=1e-4)
        assert row.masks.surface_dice == pytest.approx(near.item(), abs=1e-6)
