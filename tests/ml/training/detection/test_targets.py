"""What a detector is to answer decodes to the true boxes, on the levels of their sizes."""

import numpy as np
import pytest
import torch

from medview.ml.runners.decode import decode_levels
from medview.ml.training.detection.losses import detection_loss, overlaps
from medview.ml.training.detection.targets import IGNORED, NOTHING, batch_targets

LEVELS = ((2, 2, 2), (4, 4, 4), (8, 8, 8))
SHAPE = (32, 64, 72)
BOXES = np.array([[7.7, 10.7, 38.1, 12.7, 16.7, 42.1], [11, 25, 13, 20, 55, 27]], dtype=np.float32)
CLASSES = np.array([1, 0])


def _sample(boxes: np.ndarray, classes: np.ndarray, ignored: tuple[bool, ...] = ()) -> tuple[np.ndarray, ...]:
    return boxes, classes, np.array(ignored or (False,) * len(boxes), dtype=bool)


def _answer(found: list[tuple[np.ndarray, np.ndarray]], dims: int = 3, classes: int = 2) -> dict[str, torch.Tensor]:
    """Return what a network would have to answer to give exactly the targets."""
    answer: dict[str, torch.Tensor] = {}
    for n, ((kinds, boxes), step) in enumerate(zip(found, LEVELS, strict=True)):
        steps = np.asarray(step[-dims:]).reshape(1, -1, *([1] * dims))
        middle = np.stack(np.meshgrid(*(np.arange(m) + 0.5 for m in kinds.shape[1:]), indexing="ij"))[None] * steps
        low, high = boxes[:, :dims], boxes[:, dims:]
        logits = np.where(kinds[:, None] == np.arange(classes).reshape(1, -1, *([1] * dims)), 12.0, -12.0)
        answer |= {
            f"logits_{n}": torch.from_numpy(logits).float(),
            f"centre_{n}": torch.full((len(kinds), 1, *kinds.shape[1:]), 12.0),
            f"offset_{n}": torch.from_numpy(((low + high) / 2 - middle) / steps).float(),
            f"size_{n}": torch.from_numpy(np.maximum(high - low, 0.1)).float(),
        }
    return answer


def _truth(found: list[tuple[np.ndarray, np.ndarray]], classes: int = 2) -> dict[str, torch.Tensor]:
    truth = {"known": torch.ones(len(found[0][0]), classes)}
    for n, (kinds, boxes) in enumerate(found):
        truth |= {f"classes_{n}": torch.from_numpy(kinds), f"boxes_{n}": torch.from_numpy(boxes)}
    return truth


def test_targets_decode_to_the_boxes_on_the_level_of_their_size() -> None:
    found = batch_targets([_sample(BOXES, CLASSES)], SHAPE, LEVELS, 3)
    (decoded,) = decode_levels(_answer(found), LEVELS, 0.5)
    for box, kind in zip(BOXES, CLASSES, strict=True):
        mine = decoded.classes == kind
        assert mine.sum() >= 1
        assert np.allclose(np.concatenate([decoded.low_kji, decoded.high_kji], axis=1)[mine], box, atol=1e-4)
    # Six voxels: cells of two. Thirty: cells of four, and of eight, since it is near the limit between both.
    assert [(kinds == 1).any() for kinds, _ in found] == [True, False, False]
    assert [(kinds == 0).any() for kinds, _ in found] == [False, True, True]


def test_in_slices_boxes_have_two_sides() -> None:
    levels = tuple((1, j, i) for _, j, i in LEVELS)
    flat = np.array([[0, 10.7, 38.1, 1, 16.7, 42.1]], dtype=np.float32)
    found = batch_targets([_sample(flat, np.array([1]))], (1, 64, 72), levels, 2)
    kinds, boxes = found[0]
    assert kinds.shape == (1, 32, 36)
    assert boxes.shape == (1, 4, 32, 36)
    assert np.allclose(boxes[0][:, kinds[0] == 1].T, [10.7, 38.1, 16.7, 42.1])


def test_of_two_objects_that_share_a_cell_it_answers_for_the_smaller() -> None:
    boxes = np.array([[10, 10, 10, 14, 14, 14], [10, 10, 10, 18, 18, 18]], dtype=np.float32)
    kinds, _ = batch_targets([_sample(boxes, np.array([0, 1]))], SHAPE, LEVELS[:1], 3)[0]
    assert kinds[0, 5, 5, 5] == 0
    assert (kinds == 1).any()


def test_cells_of_ignored_objects_answer_for_nothing_and_cost_nothing() -> None:
    found = batch_targets([_sample(BOXES, CLASSES, (False, True))], SHAPE, LEVELS, 3)
    assert all((kinds == IGNORED).any() for kinds, _ in found)
    assert not any((kinds == 0).any() for kinds, _ in found)
    answer, truth = _answer(found), _truth(found)
    before = detection_loss(answer, truth, LEVELS, 3)["loss"]
    for n, (kinds, _) in enumerate(found):
        answer[f"logits_{n}"][:, :, torch.from_numpy(kinds[0] == IGNORED)] = 9.0
    assert detection_loss(answer, truth, LEVELS, 3)["loss"] == before


def test_a_class_nobody_looked_for_costs_nothing_where_it_is_answered() -> None:
    found = batch_targets([_sample(BOXES[:1], CLASSES[:1])], SHAPE, LEVELS, 3)
    answer, truth = _answer(found), _truth(found)
    truth["known"][0, 0] = 0.0
    before = detection_loss(answer, truth, LEVELS, 3)["loss"]
    answer["logits_1"][:, 0] = 5.0
    assert detection_loss(answer, truth, LEVELS, 3)["loss"] == before
    answer["logits_1"][:, 1] = 5.0
    assert detection_loss(answer, truth, LEVELS, 3)["loss"] > before + 1


def test_a_perfect_answer_costs_nearly_nothing_and_a_shifted_one_more() -> None:
    found = batch_targets([_sample(BOXES, CLASSES)], SHAPE, LEVELS, 3)
    parts = detection_loss(_answer(found), _truth(found), LEVELS, 3)
    assert float(parts["loss"]) < 1e-3
    shifted = _answer(found)
    shifted["offset_0"] += 0.5
    assert float(detection_loss(shifted, _truth(found), LEVELS, 3)["boxes"]) > 0.05
    nothing = batch_targets([_sample(BOXES[:0], CLASSES[:0])], SHAPE, LEVELS, 3)
    assert all((kinds == NOTHING).all() for kinds, _ in nothing)
    assert torch.isfinite(detection_loss(_answer(nothing), _truth(nothing), LEVELS, 3)["loss"])


@pytest.mark.parametrize("dims", [2, 3])
def test_overlaps_are_those_worked_out_by_hand(dims: int) -> None:
    one, other = torch.zeros(1, 2 * dims), torch.zeros(1, 2 * dims)
    one[:, dims:], other[:, dims:] = 4.0, 4.0
    other[:, 0], other[:, dims] = 2.0, 6.0
    overlap, generous = overlaps(one, other, dims)
    assert float(overlap) == pytest.approx(2 / 6)
    # All of the box around both is covered.
    assert float(generous) == pytest.approx(2 / 6)
    other[:, 0], other[:, dims] = 8.0, 12.0
    overlap, generous = overlaps(one, other, dims)
    assert (float(overlap), float(generous)) == (0.0, pytest.approx(-4 / 12))
