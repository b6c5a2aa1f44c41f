"""Strokes in several segments grow until they meet at the edges of the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from medview.core.errors import LabelError
from medview.core.segmentation import Segmentation, SegmentRole
from medview.core.volume import Volume
from medview.edit.effects import seeds as effect_module
from medview.edit.effects.seeds import EFFECT
from medview.edit.rules import Area, EditRules
from tests.edit.effects.given import ONE, TWO, held, labels_of, work
from tests.edit.grids import KINDS, SHAPE_KJI, grid, segment
from tests.edit.solids import dice


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    effect_module.forget()


def picture(kind: str = "axial") -> tuple[Volume, np.ndarray]:
    """Return a bright block in the dark, with noise, and where it is."""
    truth = np.zeros(SHAPE_KJI, dtype=bool)
    truth[3:11, 8:24, 10:30] = True
    values = np.where(truth, 200, -100) + np.random.default_rng(3).normal(0, 15, SHAPE_KJI)
    return Volume(values.astype(np.int16), grid(kind), "CT", "HU", series_uid="1.2"), truth


def strokes(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, two = np.zeros_like(truth), np.zeros_like(truth)
    one[6, 14:18, 15:25] = True
    two[1:13:5, 2:4, 3:38] = two[1:13:5, 29:31, 3:38] = two[1, 10:20, 12:28] = two[12, 10:20, 12:28] = True
    assert truth[one].all()
    assert not truth[two].any()
    return one, two


def drawn(kind: str = "axial", *more: np.ndarray, segments: tuple = (ONE, TWO)) -> tuple[Segmentation, Volume, np.ndarray]:
    volume, truth = picture(kind)
    return labels_of(kind, *strokes(truth), *more, segments=segments), volume, truth


@pytest.mark.parametrize("kind", KINDS)
def test_two_strokes_become_the_thing_and_the_rest(kind: str) -> None:
    labels, volume, truth = drawn(kind)
    one, two = strokes(truth)
    worked = work(EFFECT, labels, volume=volume)
    became = held(labels, worked), held(labels, worked, TWO)
    assert dice(became[0], truth) > 0.97
    assert not (became[0] & became[1]).any()
    assert became[0][one].all()
    assert became[1][two].all()
    region = EFFECT.region(labels, ONE, EFFECT.defaults())
    assert (became[0] | became[1])[region.slices].all()


def test_the_background_only_holds_the_others_back() -> None:
    labels, volume, truth = drawn()
    worked = work(EFFECT, labels, volume=volume, background=TWO.segment_id)
    assert np.array_equal(held(labels, worked, TWO), strokes(truth)[1])
    assert np.array_equal(held(labels, worked), held(labels, work(EFFECT, labels, volume=volume)))
    assert [amount.name for amount in worked.candidate.amounts] == ["One"]


def test_locked_and_hidden_segments_and_unsure_ones_are_left_alone() -> None:
    finished = np.zeros(SHAPE_KJI, dtype=bool)
    finished[5:9, 12:20, 26:33] = True
    for other in (segment(3, name="Locked", locked=True), replace(segment(3, name="Hidden"), visible=False)):
        labels, volume, _truth = drawn("axial", finished, segments=(ONE, TWO, other))
        worked = work(EFFECT, labels, volume=volume)
        assert np.array_equal(held(labels, worked, other), finished)
    unsure = replace(segment(1, layer=1, name="Unsure"), role=SegmentRole.IGNORE)
    labels, volume, truth = drawn("axial", finished, segments=(ONE, TWO, unsure))
    worked = work(EFFECT, labels, volume=volume)
    assert np.array_equal(held(labels, worked, unsure), finished)
    assert dice(held(labels, worked), truth) > 0.97


def test_rules_hold_for_what_grows() -> None:
    labels, volume, truth = drawn()
    one, _two = strokes(truth)
    worked = work(EFFECT, labels, volume=volume, rules=EditRules(value_range=(150.0, 400.0)))
    values = volume.values()
    new = held(labels, worked) & ~one
    assert new.any()
    assert (values[new] >= 150.0).all()
    inside = work(EFFECT, labels, volume=volume, rules=EditRules(area=Area.INSIDE, area_segment="Two"))
    assert np.array_equal(held(labels, inside), one)


def test_after_another_stroke_it_is_the_same_as_if_all_had_been_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, volume, _truth = drawn()
    looked = []
    whole = effect_module.grey_of
    monkeypatch.setattr(effect_module, "grey_of", lambda *a, **k: (looked.append(1), whole(*a, **k))[1])
    work(EFFECT, labels, volume=volume)
    more = labels.mask(ONE)
    more[9, 20:23, 12:20] = True
    less = more.copy()
    less[6, 14:16] = False
    for mask in (more, less):
        again = labels_of("axial", mask, labels.mask(TWO))
        going_on = work(EFFECT, again, volume=volume)
        assert len(looked) == 1
        kept = effect_module._kept._last
        effect_module.forget()
        assert np.array_equal(held(again, going_on), held(again, work(EFFECT, again, volume=volume)))
        looked.clear()
        looked.append(1)
        effect_module._kept._last = kept


def test_another_picture_or_other_finished_segments_begin_anew() -> None:
    labels, volume, truth = drawn()
    work(EFFECT, labels, volume=volume)
    other = Volume(np.array(-volume.voxels[:, ::-1]), volume.geometry, "CT", "HU", series_uid="1.2")
    turned = held(labels, work(EFFECT, labels, volume=other))
    effect_module.forget()
    assert np.array_equal(turned, held(labels, work(EFFECT, labels, volume=other)))
    finished = np.zeros(SHAPE_KJI, dtype=bool)
    finished[5:9, 12:20, 26:33] = True
    beside = labels_of("axial", *strokes(truth), finished, segments=(ONE, TWO, segment(3, name="Locked", locked=True)))
    assert not (held(beside, work(EFFECT, beside, volume=other)) & finished).any()


def test_it_says_what_is_missing() -> None:
    volume, truth = picture()
    one, two = strokes(truth)
    for labels in (
        labels_of("axial", one),
        labels_of("axial", one, two, segments=(ONE, replace(TWO, locked=True))),
        labels_of("axial", one, two, segments=(ONE, replace(TWO, visible=False))),
    ):
        with pytest.raises(LabelError, match="at least two segments"):
            work(EFFECT, labels, volume=volume)


def test_it_stays_within_the_box_of_the_strokes_and_what_lies_around() -> None:
    labels, _volume, _truth = drawn()
    box = EFFECT.region(labels, ONE, EFFECT.defaults() | {"margin_mm": 0.0})
    assert box.union_of((labels.box(ONE), labels.box(TWO))).intersection(box).size  # type: ignore[arg-type, union-attr]
    assert box.min_kji == (0, 0, 0)
    assert box.max_kji == tuple(min(size, -(-n // 16) * 16) for size, n in zip(SHAPE_KJI, (13, 32, 39), strict=True))


def test_what_is_let_go_of_while_it_grows_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, volume, _truth = drawn()
    grow = effect_module.SeedGrowth.grow

    def closed_meanwhile(*given: Any, **how: Any) -> Any:
        effect_module.forget()
        return grow(*given, **how)

    monkeypatch.setattr(effect_module.SeedGrowth, "grow", closed_meanwhile)
    work(EFFECT, labels, volume=volume)
    assert effect_module._kept._last is None
    monkeypatch.undo()
    work(EFFECT, labels, volume=volume)
    assert effect_module._kept._last is not None
