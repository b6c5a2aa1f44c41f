"""One labelling out of several readers', judged by SimpleITK and by hand."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from medview.analysis.agreement.consensus import Consensus, Method, consensus, majority
from medview.analysis.agreement.readings import Presence, Reading
from medview.analysis.agreement.staple import staple
from medview.core.errors import CancelledError, LabelError
from medview.core.job import Inline
from medview.core.marks import Marks
from medview.core.segmentation import LabelLayer, Segmentation, SegmentRole
from tests.analysis.agreement.masks import SHAPE_KJI, Mask, ball, boxes, grid, image_of
from tests.analysis.agreement.readers import LIVER, reading, segment
from tests.helpers.timing import allowed_s
from tests.workspace.conftest import oblique_geometry

BALLS = [ball(grid(), centre, 11.0) for centre in ((6, 18, 24), (7, 20, 26), (6, 21, 22))]


def _mask(found: Consensus, name: str) -> Mask:
    (of_it,) = [s for s in found.segments if s.name == name]
    return found.masks[of_it.layer].on_grid(SHAPE_KJI) == of_it.value


def test_the_majority_of_three_is_that_of_simpleitk_and_its_sources_are_kept() -> None:
    readings = [reading(name, {segment("Liver", LIVER): mask}) for name, mask in zip("ABC", BALLS, strict=True)]
    found = consensus(readings, Method.MAJORITY)
    judge = sitk.GetArrayFromImage(sitk.LabelVoting([image_of(mask, grid()) for mask in BALLS]))
    assert np.array_equal(_mask(found, "Liver"), judge == 1)
    (liver,) = found.segments
    assert liver.voxels == np.count_nonzero(judge == 1)
    votes = sum(mask.astype(int) for mask in BALLS)
    assert liver.disputed == np.count_nonzero((votes > 0) & (votes < 3))
    assert [(v.reader, v.voxels, v.counted) for v in liver.votes] == [
        (name, int(mask.sum()), True) for name, mask in zip("ABC", BALLS, strict=True)
    ]
    assert found.masks[0].segments[0].code == LIVER
    assert found.masks[0].box.size < np.prod(SHAPE_KJI)


def test_half_of_the_readers_are_no_majority_unless_it_is_asked_for() -> None:
    a, b = boxes(((2, 6), (5, 15), (5, 15))), boxes(((4, 8), (5, 15), (5, 15)))
    assert np.array_equal(majority([a, b]), a & b)
    assert np.array_equal(majority([a, b], with_half=True), a | b)
    readings = [reading("A", {"x": a}), reading("B", {"x": b})]
    assert np.array_equal(_mask(consensus(readings, Method.MAJORITY), "x"), a & b)
    assert np.array_equal(_mask(consensus(readings, Method.MAJORITY_OR_HALF), "x"), a | b)


def test_staple_in_a_box_is_that_of_simpleitk_in_that_box_and_rates_readers() -> None:
    poor = BALLS[0] & boxes(((0, 14), (0, 40), (0, 22)))
    masks = [*BALLS, poor]
    found = consensus([reading(str(n), {"x": mask}) for n, mask in enumerate(masks)], Method.STAPLE)
    union = np.logical_or.reduce(masks)
    at = np.argwhere(union)
    box = tuple(slice(low - 1, high + 2) for low, high in zip(at.min(axis=0), at.max(axis=0), strict=True))
    judge = sitk.STAPLEImageFilter()
    judge.SetForegroundValue(1.0)
    probable = sitk.GetArrayFromImage(judge.Execute([sitk.GetImageFromArray(mask[box].astype(np.uint8)) for mask in masks]))
    assert np.array_equal(_mask(found, "x")[box], probable > 0.5)
    rates = [vote.sensitivity or 0.0 for vote in found.segments[0].votes]
    assert rates == pytest.approx(judge.GetSensitivity())
    assert rates[3] < min(rates[:3])
    assert [v.specificity for v in found.segments[0].votes] == pytest.approx(judge.GetSpecificity())


def test_staple_of_masks_that_are_empty_the_same_or_fill_the_grid() -> None:
    nothing, all_of_it = np.zeros((3, 4, 5), dtype=bool), np.ones((3, 4, 5), dtype=bool)
    for mask in (nothing, all_of_it):
        held, rates = staple([mask, mask, mask])
        assert np.array_equal(held, mask)
        assert rates == [(1.0, 1.0)] * 3
    held, rates = staple([all_of_it, all_of_it, nothing])
    assert held.all()
    assert rates[2][0] == pytest.approx(0.0)
    assert np.isfinite(rates).all()
    # One of two: as probable as not.
    assert not staple([all_of_it, nothing])[0].any()


@pytest.mark.parametrize(("readers", "seed"), [(2, 0), (3, 1), (5, 2), (9, 3), (18, 4)])
def test_staple_goes_the_way_simpleitk_goes_whoever_disagrees(readers: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = ball(grid(), (7, 20, 25), 12.0)[1:-1, 4:36, 5:45]
    masks = [truth ^ (rng.random(truth.shape) < rng.uniform(0.02, 0.3)) for _reader in range(readers)]
    held, rates = staple(masks)
    judge = sitk.STAPLEImageFilter()
    judge.SetForegroundValue(1.0)
    judge.SetMaximumIterations(500)
    padded = [sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8)) for mask in masks]
    probable = sitk.GetArrayFromImage(judge.Execute(padded))[1:-1, 1:-1, 1:-1]
    clear = np.abs(probable - 0.5) > 1e-9
    assert clear.mean() > 0.99
    assert np.array_equal(held[clear], probable[clear] > 0.5)
    assert [rate[0] for rate in rates] == pytest.approx(list(judge.GetSensitivity()), abs=1e-9)
    assert [rate[1] for rate in rates] == pytest.approx(list(judge.GetSpecificity()), abs=1e-9)


@pytest.mark.parametrize("method", [Method.STAPLE, Method.MAJORITY])
def test_a_consensus_of_a_large_volume_asks_often_whether_to_go_on(method: Method) -> None:
    shape = (120, 512, 512)
    geometry = oblique_geometry(shape)
    readings: list[Reading] = []
    for n in range(3):
        drawn = np.zeros(shape, dtype=np.uint8)
        drawn[n:, 3 * n : 400 + n, 5:500] = 1
        body = replace(segment("Body"), value=1)
        readings.append(Reading(f"{n}", Segmentation(geometry, {0: LabelLayer.drawn(0, drawn)}, [body])))

    class Watch(Inline):
        """Measures how long it is not asked."""

        longest_s = 0.0
        asked = time.perf_counter()

        def raise_if_cancelled(self) -> None:
            now = time.perf_counter()
            self.longest_s = max(self.longest_s, now - self.asked)
            self.asked = now
            super().raise_if_cancelled()

    watch = Watch()
    assert consensus(readings, method, watch).segments[0].voxels
    assert watch.longest_s < allowed_s(1.0)
    watch.cancel()
    with pytest.raises(CancelledError):
        consensus(readings, method, watch)


def test_who_lists_nothing_votes_against_and_who_has_it_to_do_does_not_vote() -> None:
    mask = BALLS[0]
    drew = reading("A", {"Cyst": mask}), reading("B", {"Cyst": mask})
    against = [reading(name, {}) for name in "CDE"]
    found = consensus([*drew, *against], Method.MAJORITY)
    assert found.segments[0].voxels == 0
    assert [vote.presence for vote in found.segments[0].votes[2:]] == [Presence.MISSING] * 3
    silent = [reading(name, {"Cyst": None}, to_do=("Cyst",)) for name in "CDE"]
    found = consensus([*drew, *silent], Method.MAJORITY)
    assert np.array_equal(_mask(found, "Cyst"), mask)
    assert [vote.counted for vote in found.segments[0].votes] == [True, True, False, False, False]
    assert consensus(silent, Method.STAPLE).undecided == ("Cyst",)
    with pytest.raises(LabelError, match="at least one reader"):
        consensus([], Method.MAJORITY)


def test_segments_that_share_voxels_lie_in_two_masks_and_others_in_one() -> None:
    a, b, c = boxes(((2, 6), (5, 15), (5, 15))), boxes(((4, 8), (10, 20), (10, 20))), boxes(((10, 12), (2, 4), (2, 4)))
    drawn = {"a": a, "b": b, "c": c, "nothing": None}
    found = consensus([reading("A", drawn), reading("B", drawn)], Method.STAPLE)
    assert [s.layer for s in found.segments] == [0, 1, 0, 0]
    for name, mask in (("a", a), ("b", b), ("c", c)):
        assert np.array_equal(_mask(found, name), mask)
    assert (found.segments[3].voxels, found.segments[3].disputed) == (0, 0)
    assert found.masks[0].voxels.dtype == np.uint8
    nothing = consensus([reading("A", {"x": None})], Method.MAJORITY)
    assert nothing.masks[0].box.empty


@pytest.mark.parametrize("method", list(Method))
def test_on_slices_a_reader_has_not_done_only_the_others_say_what_is_there(method: Method) -> None:
    whole, begun = boxes(((2, 10), (5, 15), (5, 15))), boxes(((2, 6), (5, 15), (5, 15)))
    done = Marks(frozenset(range(6)))
    partial = [reading(name, {"x": begun}, marks=done) for name in "AB"]
    (x,) = consensus([*partial, reading("C", {"x": whole})], method).segments
    assert (x.voxels, x.disputed) == (np.count_nonzero(whole), 0)
    assert [vote.counted for vote in x.votes] == [True, True, True]
    found = consensus([*partial, reading("C", {"x": None}), reading("D", {"x": whole})], method)
    held = _mask(found, "x")
    assert np.array_equal(held[:6], begun[:6]), "two of four and one more"
    # There C and D are alone: a tie, and for STAPLE the word of the one who agrees with A and B elsewhere.
    assert np.array_equal(held[6:], whole[6:] & (method is not Method.MAJORITY))
    assert found.segments[0].disputed == np.count_nonzero(whole)


@pytest.mark.parametrize("method", list(Method))
def test_what_lies_under_unsure_of_a_reader_is_voted_on_by_the_others(method: Method) -> None:
    mask, part = boxes(((2, 10), (5, 15), (5, 15))), boxes(((2, 10), (10, 15), (5, 15)))
    doubtful = {segment("Doubt", role=SegmentRole.IGNORE): part, "x": mask & ~part}
    found = consensus([*(reading(name, doubtful) for name in "AB"), reading("C", {"x": mask})], method)
    assert np.array_equal(_mask(found, "x"), mask)


@pytest.mark.parametrize("method", list(Method))
def test_who_knows_nothing_where_it_was_drawn_has_no_vote_and_without_any_nothing_is_decided(method: Method) -> None:
    mask = boxes(((2, 6), (5, 15), (5, 15)))
    elsewhere = [reading(name, {"x": mask}, marks=Marks(frozenset({12}))) for name in "AB"]
    (x,) = consensus([*elsewhere, reading("C", {"x": mask})], method).segments
    assert x.voxels == np.count_nonzero(mask)
    assert [(vote.counted, vote.voxels) for vote in x.votes] == [(False, x.voxels), (False, x.voxels), (True, x.voxels)]
    assert x.votes[0].sensitivity is None
    nobody = consensus(elsewhere, method)
    assert (nobody.segments, nobody.undecided) == ((), ("x",))


def test_staple_goes_voxel_by_voxel_over_the_readers_who_know_it_and_rates_each_by_those() -> None:
    known = np.zeros(SHAPE_KJI, dtype=bool)
    known[:6] = True
    begun = BALLS[0] & known
    held, rates = staple([*BALLS, begun], known=[None, None, None, known])
    probable, judged = _staple_by_voxel([*BALLS, begun], [np.ones_like(known)] * 3 + [known])
    assert np.array_equal(held, probable > 0.5)
    assert rates == [pytest.approx(one, abs=1e-6) for one in judged]
    _held, punished = staple([*BALLS, begun])
    assert rates[3][0] > 0.9 > punished[3][0]


def test_staple_of_a_reader_who_knows_nothing_is_that_of_the_others() -> None:
    nothing = np.zeros(SHAPE_KJI, dtype=bool)
    held, rates = staple([*BALLS, nothing], known=[None, None, None, nothing])
    plain, of_three = staple(BALLS)
    assert np.array_equal(held, plain)
    assert rates[:3] == [pytest.approx(one) for one in of_three]


def _staple_by_voxel(masks: list[Mask], known: list[Mask]) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Expectation and maximisation over every voxel by itself, one voxel of background around."""
    drew = np.array([np.pad(mask & of_it, 1) for mask, of_it in zip(masks, known, strict=True)])
    knew = np.array([np.pad(of_it, 1, constant_values=True) for of_it in known])
    probable = drew.sum(axis=0) / knew.sum(axis=0)
    before = probable.mean()
    for _round in range(100):
        rates = [
            ((probable * d).sum() / (probable * k).sum(), ((1 - probable) * (k & ~d)).sum() / ((1 - probable) * k).sum())
            for d, k in zip(drew, knew, strict=True)
        ]
        there, background = np.full(probable.shape, before), np.full(probable.shape, 1 - before)
        for (sensitivity, specificity), d, k in zip(rates, drew, knew, strict=True):
            there[k] *= np.where(d, sensitivity, 1 - sensitivity)[k]
            background[k] *= np.where(d, 1 - specificity, specificity)[k]
        probable = there / (there + background)
    return probable[1:-1, 1:-1, 1:-1], rates
