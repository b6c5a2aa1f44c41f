from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medview.core.box import Box
from medview.core.case_labels import CaseLabels
from medview.core.changes import Change, SegmentChange
from medview.core.label_patch import LabelPatch
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.source import Source, SourceKind
from medview.core.volume import Rescale, Volume
from medview.edit.rules import Area, EditRules, LabelWriter, Overlap
from tests.edit.grids import SHAPE_KJI, grid, segment, segmentation
from tests.helpers.strokes import fill_layer, write_mask


def _drawn(labels: Segmentation, seed: int = 0) -> None:
    values = np.array([0, *(s.value for s in labels.segments)], dtype=np.uint8)
    fill_layer(labels, 0, np.random.default_rng(seed).choice(values, SHAPE_KJI))


def _write(labels: Segmentation, active: Segment, *, erase: bool = False, seed: int = 1) -> np.ndarray:
    """Write a random mask into a random box and return the mask on the whole grid."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 5, 3)
    box = Box((int(low[0]), int(low[1]), int(low[2])), (9, 22, 37))
    mask = rng.random(box.shape_kji) < 0.5
    patch = write_mask(labels, active, box, mask, erase=erase)
    if patch is not None:
        patch.apply(labels.layer(active.layer_id))
    whole = np.zeros(SHAPE_KJI, dtype=bool)
    whole[box.slices] = mask
    return whole


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(0, 2), st.sets(st.integers(1, 3)), st.booleans())
def test_every_write_obeys_the_rules_voxel_by_voxel(seed: int, active: int, locked: set[int], erase: bool) -> None:
    labels = segmentation("oblique", *(segment(value, locked=value in locked) for value in (1, 2, 3)))
    _drawn(labels, seed)
    before = labels.layer(0).voxels.copy()
    chosen = labels.segments[active]
    mask = _write(labels, chosen, erase=erase, seed=seed)
    expected = before.copy()
    if not chosen.locked:
        for at in np.argwhere(mask):
            now = before[tuple(at)]
            if erase and now == chosen.value:
                expected[tuple(at)] = 0
            elif not erase and now not in locked:
                expected[tuple(at)] = chosen.value
    assert np.array_equal(labels.layer(0).voxels, expected)


def _state(labels: Segmentation) -> dict[str, np.ndarray]:
    return {s.segment_id: labels.mask(s) for s in labels.segments}


def _three_layers(seed: int, *, locked: frozenset[int] = frozenset(), ignore: int = 0) -> Segmentation:
    """Six segments in three layers, numbered by name, with random voxels and values to match."""
    places = [(0, 1), (0, 2), (1, 1), (1, 7), (2, 3), (0, 9)]
    segments = [
        replace(
            segment(value, layer=layer, locked=number in locked, name=str(number)),
            role=SegmentRole.IGNORE if number == ignore else SegmentRole.STRUCTURE,
        )
        for number, (layer, value) in enumerate(places, start=1)
    ]
    labels = segmentation("oblique", *segments)
    rng = np.random.default_rng(seed)
    for layer_id in range(3):
        values = np.array([0, 0, *(s.value for s in segments if s.layer_id == layer_id)], dtype=np.uint8)
        fill_layer(labels, layer_id, rng.choice(values, SHAPE_KJI))
    return labels


def _volume(seed: int) -> Volume:
    stored = np.random.default_rng(seed).integers(-900, 900, SHAPE_KJI).astype(np.int16)
    return Volume(stored, grid("oblique"), "CT", "HU", Rescale(0.5, -100.0))


@settings(max_examples=120)
@given(
    seed=st.integers(0, 1000),
    active=st.integers(1, 5),
    locked=st.frozensets(st.integers(1, 5), max_size=3),
    overlap=st.sampled_from(Overlap),
    area=st.sampled_from(Area),
    area_segment=st.sampled_from(["", "1", "4"]),
    value_range=st.sampled_from([None, (-200.0, 40.0)]),
    ignore=st.sampled_from([0, 0, 2, 5]),
    erase=st.booleans(),
)
def test_every_rule_holds_for_every_voxel_and_every_segment(
    seed: int,
    active: int,
    locked: frozenset[int],
    overlap: Overlap,
    area: Area,
    area_segment: str,
    value_range: tuple[float, float] | None,
    ignore: int,
    erase: bool,
) -> None:
    labels, volume = _three_layers(seed, locked=locked, ignore=ignore), _volume(seed)
    rng = np.random.default_rng(seed + 1)
    box = Box((2, 3, 4), (9, 22, 37))
    inside = rng.random(box.shape_kji) < 0.5
    mask = np.zeros(SHAPE_KJI, dtype=bool)
    mask[box.slices] = inside
    before = _state(labels)
    chosen = labels.segments[active - 1]
    others = {s.segment_id: s for s in labels.segments if s is not chosen}

    allowed = mask.copy()
    if value_range is not None:
        values = volume.values()
        allowed &= (values >= value_range[0]) & (values <= value_range[1])
    named = [s for s in labels.segments if (s.name == area_segment if area_segment else s is not chosen)]
    held = np.any([before[s.segment_id] for s in named], axis=0)
    if area is not Area.EVERYWHERE:
        allowed &= held if area is Area.INSIDE else ~held
    expected = {key: value.copy() for key, value in before.items()}
    if not chosen.locked:
        if erase:
            expected[chosen.segment_id] &= ~allowed
        else:
            come = allowed & ~before[chosen.segment_id]
            above = chosen.role is SegmentRole.IGNORE or overlap is Overlap.ALLOW
            for key, other in others.items():
                if not above and other.role is not SegmentRole.IGNORE and (other.locked or overlap is Overlap.KEEP):
                    come &= ~before[key]
            for key, other in others.items():
                if not above and other.role is not SegmentRole.IGNORE:
                    expected[key] &= ~come
            expected[chosen.segment_id] |= come

    writer = LabelWriter(labels, box, EditRules(area, area_segment, value_range, overlap), volume)
    (writer.erase if erase else writer.add)(chosen, inside)
    case = CaseLabels(labels)
    changes = writer.changes()
    assert all(np.array_equal(before[key], now) for key, now in _state(labels).items())
    case.apply(changes)
    after = _state(labels)
    assert all(np.array_equal(after[key], expected[key]) for key in expected)
    assert all(labels.count(s) == after[s.segment_id].sum() for s in labels.segments)
    assert all(labels.box(s) == Box.around(after[s.segment_id]) for s in labels.segments)
    case.apply([change.inverse() for change in reversed(changes)])
    assert all(np.array_equal(before[key], now) for key, now in _state(labels).items())


def test_a_segment_that_is_put_holds_exactly_the_mask_in_the_box_and_stays_as_it_is_outside() -> None:
    labels = _three_layers(3)
    box = Box((2, 3, 4), (9, 22, 37))
    mask = np.random.default_rng(8).random(box.shape_kji) < 0.3
    chosen = labels.segments[1]
    expected = labels.mask(chosen)
    expected[box.slices] = mask
    writer = LabelWriter(labels, box, EditRules(overlap=Overlap.ALLOW))
    writer.put(chosen, mask)
    CaseLabels(labels).apply(writer.changes())
    assert np.array_equal(labels.mask(labels.segment(chosen.segment_id)), expected)


def test_several_segments_written_together_see_each_other() -> None:
    labels = _three_layers(4)
    box = Box((2, 3, 4), (9, 22, 37))
    first, second = np.random.default_rng(9).random((2, *box.shape_kji)) < 0.5
    second &= ~labels.mask(labels.segments[3])[box.slices]
    writer = LabelWriter(labels, box)
    writer.add(labels.segments[0], first)
    writer.add(labels.segments[3], second)
    CaseLabels(labels).apply(writer.changes())
    assert np.array_equal(labels.mask(labels.segments[3])[box.slices] & second, second)
    assert not (labels.mask(labels.segments[0])[box.slices] & second).any()
    assert np.array_equal(labels.mask(labels.segments[0])[box.slices] & first, first & ~second)


def test_nothing_is_added_to_a_segment_that_is_confirmed_absent() -> None:
    absent = replace(segment(1), absent=True)
    labels = segmentation("oblique", absent)
    assert write_mask(labels, absent, Box((0, 0, 0), (3, 3, 3)), np.ones((3, 3, 3), dtype=bool)) is None


def test_where_overlap_is_allowed_a_segment_moves_only_when_it_meets_another() -> None:
    one, two = segment(1), segment(2)
    labels = segmentation("oblique", one, two)
    drawn = np.zeros(SHAPE_KJI, dtype=np.uint8)
    drawn[3, :, :10] = 2
    fill_layer(labels, 0, drawn)
    rules = EditRules(overlap=Overlap.ALLOW)
    everything = np.ones((1, 4, 4), dtype=bool)
    assert write_mask(labels, one, Box((3, 0, 12), (4, 4, 16)), everything, rules=rules) is not None
    writer = LabelWriter(labels, Box((3, 0, 8), (4, 4, 12)), rules)
    writer.add(one, everything)
    moved = writer.changes()[0]
    assert isinstance(moved, SegmentChange)
    assert moved.after is not None
    assert (moved.after.layer_id, moved.after.value) == (1, 1)


@pytest.mark.parametrize("erase", [False, True])
def test_nothing_is_written_where_nothing_changes(erase: bool) -> None:
    active = segment(1)
    labels = segmentation("oblique", active)
    fill_layer(labels, 0, 0 if erase else 1)
    box = Box((0, 0, 0), (3, 3, 3))
    assert write_mask(labels, active, box, np.ones((3, 3, 3), dtype=bool), erase=erase) is None
    assert write_mask(labels, active, Box((1, 1, 1), (1, 4, 4)), np.ones((0, 3, 3), dtype=bool), erase=erase) is None


def test_working_out_a_patch_writes_nothing() -> None:
    active = segment(1)
    labels = segmentation("oblique", active)
    write_mask(labels, active, Box((0, 0, 0), (3, 3, 3)), np.ones((3, 3, 3), dtype=bool))
    assert not labels.layer(0).voxels.any()
    assert labels.layer(0).version == 0


def test_a_segment_of_a_model_is_corrected_once_a_hand_changes_its_voxels() -> None:
    model, hand = (
        replace(segment(1), source=Source(SourceKind.MODEL, "organs", "1.0")),
        segment(2),
    )
    labels = CaseLabels(segmentation("oblique", model, hand))
    box = Box((3, 4, 5), (6, 12, 13))

    def write(target: Segment, where: Box) -> list[Change]:
        writer = LabelWriter(labels.segmentation, where)
        writer.add(target, np.ones(where.shape_kji, dtype=np.bool_))
        return writer.changes()

    beside = write(hand, box.shifted((0, 10, 0)))
    assert [type(change) for change in beside] == [LabelPatch]
    labels.apply(write(model, box))
    assert labels.segmentation.segments[0].source.corrected
    assert not labels.segmentation.segments[1].source.corrected
    assert [type(change) for change in write(model, box.shifted((4, 0, 0)))] == [LabelPatch]
    labels.segmentation.segments[0] = model
    taken = write(hand, box)
    labels.apply(taken)
    assert labels.segmentation.segments[0].source.corrected, "what another segment takes from it changes it too"
    labels.apply([change.inverse() for change in reversed(taken)])
    assert not labels.segmentation.segments[0].source.corrected
