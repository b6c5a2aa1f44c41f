"""What is brought back from the model's grid, against MONAI's inverse of its Spacing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prediction import PredictedSegment
from medview.ml.outputs import Carried, SegmentationOutput
from medview.ml.runners.carried import as_carried, label_grid
from medview.ml.runners.preprocess import Prepared, prepare
from medview.ml.runners.tiling import LogitSlab
from medview.ml.spec import ChannelSpec, Grid, InputSpec
from tests.ml.small_packs import ct_volume

SHAPE = (12, 20, 26)
LABELS = tuple(PredictedSegment(n, f"Label {n}", (9 * n, 0, 0)) for n in (1, 2, 3))


def on_the_model_grid() -> tuple[Prepared, torch.Tensor]:
    """An input prepared with MONAI's sampling, and logits there."""
    volume = ct_volume(SHAPE, Geometry.from_spacing(SHAPE, (3.1, 1.3, 0.9)))
    spec = InputSpec((ChannelSpec("CT"),), (1.7, 1.3, 2.0), None, grid=Grid.CENTRES, axes=(2, 1, 0))
    prepared = prepare([volume], spec, Inline())
    torch.manual_seed(2)
    coarse = torch.randn(1, 4, 4, 6, 7)
    logits = torch.nn.functional.interpolate(coarse, prepared.shape_kji, mode="trilinear") * 4.0
    return prepared, logits[0]


def ours(carried: Carried, prepared: Prepared, logits: torch.Tensor) -> np.ndarray:
    output = SegmentationOutput(LABELS, carried=carried)
    grid = label_grid(output, SHAPE, prepared, Inline())
    for first in range(0, logits.shape[1], 5):
        grid.add(as_carried(LogitSlab(first, logits[:, first : first + 5]), output))
    (labels,) = grid.maps()
    return labels


def monai(logits: torch.Tensor, mode: str) -> torch.Tensor:
    """Bring numbers back as MONAI's Invertd does."""
    transforms = pytest.importorskip("monai.transforms")
    meta_tensor = pytest.importorskip("monai.data").MetaTensor
    spacing = transforms.Spacing(pixdim=(1.7, 1.3, 2.0), mode="bilinear")
    image = meta_tensor(torch.zeros(1, *SHAPE[::-1]), affine=np.diag([0.9, 1.3, 3.1, 1]))
    done = spacing(image)
    found = meta_tensor(logits, affine=done.affine, applied_operations=done.applied_operations)
    if mode == "nearest":
        found.applied_operations = transforms.utils.convert_applied_interp_mode(done.applied_operations, mode="nearest")
    return spacing.inverse(found)


@pytest.mark.parametrize("carried", list(Carried))
def test_each_way_gives_the_labels_monai_gives(carried: Carried) -> None:
    prepared, logits = on_the_model_grid()
    if carried is Carried.LABELS:
        judged = monai(logits.argmax(0, keepdim=True).float(), "nearest")[0]
    else:
        given = logits.softmax(0) if carried is Carried.PROBABILITIES else logits
        judged = monai(given, "bilinear").argmax(0)
    found = ours(carried, prepared, logits)
    assert len(np.unique(found)) == 4
    assert (found == judged.numpy().transpose(2, 1, 0)).mean() > 0.9995


def test_masks_of_the_nearest_voxels_are_those_of_monai() -> None:
    prepared, logits = on_the_model_grid()
    judged = monai((logits[1:].sigmoid() >= 0.5).float(), "nearest").numpy().transpose(0, 3, 2, 1) == 1
    output = SegmentationOutput(LABELS, "sigmoid", overlapping=True, carried=Carried.LABELS)
    grid = label_grid(output, SHAPE, prepared, Inline())
    for first in range(0, logits.shape[1], 5):
        grid.add(as_carried(LogitSlab(first, logits[1:, first : first + 5]), output))
    maps = grid.maps()
    assert len(maps) > 1
    for n, mask in enumerate(judged, start=1):
        found = np.logical_or.reduce([labels == n for labels in maps])
        assert mask.any()
        assert (found == mask).mean() > 0.9995


def test_the_three_ways_differ_where_it_matters() -> None:
    prepared, logits = on_the_model_grid()
    answers = [ours(carried, prepared, logits) for carried in Carried]
    assert (answers[0] != answers[1]).any()
    assert (answers[1] != answers[2]).any()
